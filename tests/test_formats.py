"""Web pages and Word files: made into the Markdown that the chunker reads; broken ones are one line, none is silent."""
from __future__ import annotations

import io
import re
import zipfile

import pytest

from assistant import Assistant, Config
from assistant.ingest import grid, markup
from assistant.ingest.load import READABLE
from assistant.ingest.markup import from_docx, from_html
from assistant.text.blocks import blocks
from assistant.text.sections import sections

PAGE = """<!DOCTYPE html><html><head><meta charset="utf-8"><title>Lakes | The North</title>
<style>p { color: red }</style><script>var secret = "never";</script></head><body>
<header><nav><a href="/">Home</a></nav><h1>Lakes of the North</h1><p>Welcome!</p></header>
<main><!-- a remark --><p>Onra_lake is <b>40</b> m deep* and 10<sup>6</sup> m<sup>2</sup> wide<sup><a
href="#n1">[1]</a></sup>, says the <a href="https://example.org/a_b">full
report</a>.</p><img src="data:image/png;base64,AAAA" alt="A lake">
<h2>Depths</h2>
<table><caption>In metres.</caption><tr><th rowspan="2">Lake</th><th colspan="2">Depth</th></tr>
<tr><th>mean</th><th>greatest</th></tr>
<tr><td>On|ra</td><td>12<br>m</td><td>40 m</td></tr><tr><td>Tisse</td><td><p>3 m</p></td><td>7 m</td></tr></table>
<ul><li>one<ul><li>inner</li></ul></li><li>two</li></ul><ol><li>first</li></ol>
<pre><code class="language-python"># no heading
a_b = 1 * 2 | 3
</code></pre>
<details><summary>May I swim?</summary><p>Yes.</p></details>
<form><label>Name</label><input value="never"><button>Send</button></form>
</main><footer><a href="/p">Privacy</a> © 2024 The North<p>Measured by Ann Lee in 2024.</p></footer></body></html>"""


def docx(body: str, **parts: str) -> bytes:
    """The least that a Word file is, as ECMA-376 describes it: its types, the relation to its text, the text."""
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    held = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
                               '<Default Extension="xml" ContentType="text/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
                       f'Type="{office}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/styles.xml": f'<w:styles xmlns:w="{word}">' + "".join(
            f'<w:style w:type="paragraph" w:styleId="{name.replace(" ", "")}"><w:name w:val="{name}"/></w:style>'
            for name in ("Title", "heading 1", "heading 2", "Source Code")) + "</w:styles>",
        "word/numbering.xml": f'<w:numbering xmlns:w="{word}"><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0">'
                              '<w:numFmt w:val="bullet"/></w:lvl></w:abstractNum><w:num w:numId="1">'
                              '<w:abstractNumId w:val="0"/></w:num></w:numbering>',
        "word/document.xml": f'<w:document xmlns:w="{word}"><w:body>{body}</w:body></w:document>', **parts}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, text in held.items():
            zipped.writestr(name, text)
    return file.getvalue()


def line(text: str, style: str = "", item: bool = False, bold: bool = False) -> str:
    properties = (f'<w:pStyle w:val="{style}"/>' if style else "") + (
        '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>' if item else "")
    run = "<w:rPr><w:b/></w:rPr>" if bold else ""
    return f'<w:p><w:pPr>{properties}</w:pPr><w:r>{run}<w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def row(*cells: str) -> str:
    return "<w:tr>" + "".join(f"<w:tc>{line(cell)}</w:tc>" for cell in cells) + "</w:tr>"


WORD = (line("Travel Rules", "Title") + line("Hotels", "heading1") + line("A night costs 120_EUR * at most.")
        + line("Meals", "heading2") + line("lunch", item=True) + line("dinner", item=True)
        + "<w:tbl>" + row("City", "Rate") + row("Rome", "45") + "</w:tbl>"
        + line("# setup", "SourceCode") + line("x = 1", "SourceCode") + line("Who Pays", bold=True) + line("The firm."))


# what becomes of a page


def test_a_page_becomes_markdown_that_the_chunker_reads():
    assert from_html(PAGE) == """# Lakes of the North

Onra_lake is 40 m deep* and 10⁶ m² wide, says the full report.

## Depths

In metres.

| Lake | Depth mean | Depth greatest |
| --- | --- | --- |
| On\\|ra | 12 m | 40 m |
| Tisse | 3 m | 7 m |

- one
  - inner
- two

1. first

```python
# no heading
a_b = 1 * 2 | 3
```

### May I swim?

Yes.

# Lakes | The North

Measured by Ann Lee in 2024.
"""


def test_the_chunker_sees_its_sections_tables_lists_and_code():
    text = from_html(PAGE)
    found = {section.headings: section for section in sections(text, markdown=True)}
    assert list(found)[:3] == [("Lakes of the North",), ("Lakes of the North", "Depths"),
                               ("Lakes of the North", "Depths", "May I swim?")]
    depths = found["Lakes of the North", "Depths"]
    assert [block.kind for block in blocks(text, depths.start, depths.end)] == [
        "prose", "table", "list", "list", "code"]


def test_nothing_that_is_no_content_gets_into_the_text():
    text = from_html(PAGE)
    for gone in ("never", "color", "remark", "Home", "Welcome", "Privacy", "©", "base64", "A lake", "example.org",
                 "[1]", "Send", "Name"):
        assert gone not in text


@pytest.mark.parametrize("html, said", [
    ("<title>A</title><p>x", "# A\n\nx\n"),                                            # the title where no h1 is
    ("<h1>H</h1><p>x", "# H\n\nx\n"),
    ("<p>a<p>b<ul><li>x<li>y</ul>", "a\n\nb\n\n- x\n- y\n"),                           # tags left open
    ("<b><p>a</b> b</p></div></div>", "a b\n"),
    ("<table><tr><td>A<td>B<tr><td>1<td>2</table>", "| A | B |\n| --- | --- |\n| 1 | 2 |\n"),
    ("<table><tr><th>Area<td>3<tr><th>Depth<td>4</table>", "- Area: 3\n- Depth: 4\n"),
    ("<table><tr><th>A<th>B<tr><td rowspan=9>x<td>1<tr><td>2</table>",
     "| A | B |\n| --- | --- |\n| x | 1 |\n| x | 2 |\n"),
    ("<table><tr><td>Left<td><h2>Right</h2>x</table>", "Left\n\n## Right\n\nx\n"),     # it only sets things in place
    ("<dl><dt>HNSW<dd>a graph<dt>IVF<dd>lists<dd>cells</dl>", "- HNSW: a graph\n- IVF: lists; cells\n"),
    ("<pre>```\nx\n```</pre>", "~~~\n```\nx\n```\n~~~\n"),
    ("<hr><p>key: x</p><hr>", "key: x\n"),                                             # not front matter
    ("<form><h1>Page</h1><p>in a form</p><input></form>", "# Page\n\nin a form\n"),    # ASP.NET's
    ("<h2><button>Fold</button></h2><p>x", "## Fold\n\nx\n"),
    ("<math><mi>x</mi><annotation encoding='application/x-tex'>x^2</annotation></math>", "$x^2$\n"),
    ("<p>two&nbsp;words, soft&shy;ly &lt;b&gt;", "two words, softly <b>\n"),
])
def test_pages_as_they_are_found(html, said):
    assert from_html(html) == said


def test_a_table_whose_spans_multiply_is_read_without_them():
    row = "<tr>" + "<td rowspan=9999 colspan=50>x</td>" * 20 + "</tr>"
    text = from_html(f"<table>{row * 100}</table>")
    assert text.count("\n") == 101 and text.split("\n")[0].count("x") == 20


def test_a_long_cell_is_not_written_thousands_of_times():
    words = "word " * 2000
    rows = "<tr><td>b</td><td>c</td></tr>" * 1900
    text = from_html(f"<table><tr><td rowspan=1901>{words}</td><td>a</td></tr>{rows}</table>")
    assert text.count("word") == 2000 and text.count("b") == text.count("c") == 1900
    assert from_html(f"<table><tr><td rowspan=3>{words}</td><td>a</td></tr>{rows[:58]}</table>").count("word") == 6000


def test_a_table_of_one_wide_row_and_many_narrow_ones_is_read_as_its_words(monkeypatch):
    """1,000 x 1,001 places for 2,000 cells; a large table that is full stays one."""
    text = from_html(f"<table><tr>{'<td>a</td>' * 1000}</tr>{'<tr><td>b</td></tr>' * 1000}</table>")
    assert (text.count("a"), text.count("b"), text.count("|")) == (1000, 1000, 0)
    monkeypatch.setattr(grid, "MAX_PLACES", 5)
    assert from_html(f"<table>{'<tr><td>1</td><td>2</td></tr>' * 9}</table>").count("| 1 | 2 |") == 9


@pytest.mark.parametrize("raw", [
    '<meta charset="utf-8"><p>Café “Onra” €'.encode(),
    '<p>Café “Onra” €'.encode("utf-8-sig"),
    '<meta charset="utf-16"><p>Café “Onra” €'.encode("utf-16"),
    '<meta charset="iso-8859-1"><p>Café “Onra” €'.encode("cp1252"),   # as browsers read Latin-1
    '<meta http-equiv="Content-Type" content="text/html; charset=windows-1252"><p>Café “Onra” €'.encode("cp1252"),
    '<meta charset="utf-8"><p>Café “Onra” €'.encode("cp1252"),        # it says what it is not
    '<meta charset="hex"><p>Café “Onra” €'.encode("cp1252"),
    '<meta charset="mac-roman"><p>Café “Onra” €'.encode("mac-roman"),
])
def test_a_page_is_read_in_its_encoding(shelf, tmp_path, raw):
    (tmp_path / "lake.html").write_bytes(raw)
    shelf.ingest(tmp_path / "lake.html")
    assert shelf.texts() == {"lake.html": "Café “Onra” €\n"}


# Word


def test_a_word_file_becomes_markdown():
    assert from_docx(docx(WORD)) == """# Travel Rules

# Hotels

A night costs 120_EUR * at most.

## Meals

- lunch
- dinner

| City | Rate |
| --- | --- |
| Rome | 45 |

```
# setup
x = 1
```

### Who Pays

The firm.
"""


# files that cannot be read, and those of other kinds


def test_broken_files_are_one_line_each_and_lose_nothing(shelf, tmp_path, monkeypatch):
    monkeypatch.setattr(markup, "MAX_UNPACKED", 100_000)
    folder = tmp_path / "site"
    folder.mkdir()
    whole = docx(WORD)
    for name, raw in {
            "good.html": b"<h1>Good</h1><p>Onra is deep.", "empty.html": b"", "blank.htm": b"<html><body> </body>",
            "app.html": b"<title>App</title><div id=app></div><script>draw('never')</script>",
            "deep.html": b"<div>" * 5000 + b"deep", "binary.html": bytes(range(256)) * 9, "no.docx": b"no zip",
            "locked.docx": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),       # how Office keeps an encrypted file
            "torn.docx": whole[:len(whole) // 2], "bomb.docx": docx(line("x" * 200_000)), "pictures.docx": docx(""),
            "odd.docx": docx("<w:unclosed>")}.items():
        (folder / name).write_bytes(raw)
    report = shelf.ingest(folder)
    why = {name.removeprefix("site/"): said for name, said in report.skipped}
    assert report.added == ("site/good.html",) and shelf.whole()
    assert why["empty.html"] == "it holds no text" and why["binary.html"].startswith("it is binary")
    assert all(why[name].startswith("the page holds no text") for name in ("blank.htm", "app.html"))
    assert why["deep.html"].startswith("the page cannot be read (")
    damaged = r"the Word file cannot be read \(\w+\); save it anew as \.docx, with no password"
    assert all(re.fullmatch(damaged, why[name])
               for name in ("no.docx", "locked.docx", "torn.docx", "odd.docx"))
    assert why["bomb.docx"].startswith("it unpacks to") and "holds no text" in why["pictures.docx"]
    assert len(why) == 11 and not any("\n" in said for said in why.values())


def test_files_of_other_kinds_are_counted_in_one_line_and_hidden_ones_are_not(shelf, tmp_path):
    folder = tmp_path / "notes"
    (folder / "deep").mkdir(parents=True)
    (folder / ".git").mkdir()
    for name in (".git/config.png", ".DS_Store", "~$open.docx", "b.jpg", "Makefile", "deep/c.doc"):
        (folder / name).write_bytes(b"\0")
    for n in range(1200):
        (folder / "deep" / f"{n}.PNG").touch()
    (folder / "one.md").write_text("# One\n\nOnra is deep.")
    report = shelf.ingest(folder)
    assert report.added == ("notes/one.md",)
    (name, why), = report.skipped
    assert name == "notes/" and why.startswith("1,203 files of kinds that are not read (.png 1,200, ")
    assert {".jpg 1", ".doc 1", "no ending 1"} <= set(re.search(r"\((.*)\)", why)[1].split(", "))
    assert why.endswith(": expected " + ", ".join(READABLE)) and ".docx" in why
    assert shelf.ingest(folder).skipped == report.skipped and shelf.ingest(folder / "one.md").skipped == ()


def test_the_corpus_tab_takes_the_kinds_and_shows_what_was_left_out(shelf, tmp_path):
    from assistant.ui.corpus import report_html
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.md").write_text("Onra is deep.")
    (folder / "a.png").touch()
    shown = report_html(shelf.ingest(folder))
    assert "notes/: 1 file of a kind that is not read (.png 1): expected .md" in shown
    assert ".docx" in shown and ".pdf" in shown


# the whole of it


def test_a_question_is_answered_from_a_cell_of_a_pages_table(tmp_path):
    (tmp_path / "lakes.html").write_text(PAGE.replace("On|ra", "Onra"), encoding="utf-8")
    rag = Assistant(Config(index=str(tmp_path / "index"), llm="off"))
    rag.ingest([tmp_path / "lakes.html"])
    answer = rag.answer("What is the greatest depth of lake Tisse?")
    assert not answer.abstained and "7 m" in answer.text
    assert any("| Tisse | 3 m | 7 m |" in citation.quote for citation in answer.citations)
