"""HTML and Word documents as Markdown that the chunker reads: ATX headings, pipe tables, fences, lists with `-`.

Of a page its main content is kept, as words: no script, menu, form, picture, link's address or emphasis. Not covered:
what a script would draw, styles in a sheet of their own, Word's headers, footers and comments.
"""
from __future__ import annotations

import io
import re
import warnings
import zipfile

from bs4 import BeautifulSoup, Tag, UnusualUsageWarning
from bs4.element import PreformattedString
from markdownify import MarkdownConverter

from assistant.ingest.grid import HEADINGS, plain_tables, tag
from assistant.text.sections import looks_like_title

NOISE = ("script, style, template, noscript, iframe, object, embed, svg, canvas, audio, video, nav, dialog, [hidden], "
         "[role=navigation], [role=search], [role=dialog], [style*='display:none'], [style*='display: none'], "
         "span[aria-hidden=true], i[aria-hidden=true], a[aria-hidden=true], .mw-editsection")
CONTROLS = "button, input, select, textarea, datalist, label"
BLOCKS = ["p", "ul", "ol", "dl", "pre", "table", "div", *HEADINGS]
BOXES = ["main", "header", "footer", "aside", "figure", "address", "details", "fieldset", "form", "center", "hgroup",
         "blockquote", "body"]
INLINE = "a, abbr, b, big, cite, del, em, font, i, ins, mark, s, small, span, strike, strong, sub, tt, u"
RAISED = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
MAX_UNPACKED = 50_000_000  # bytes of a Word file's XML
WORD_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='HTML Preformatted'] => pre:separator('\\n')
p[style-name='Source Code'] => pre:separator('\\n')
p[style-name='Code'] => pre:separator('\\n')
r[style-name='Verbatim Char'] => code
"""


def from_html(html: str) -> str:
    """A page's main content under its title: its own first heading of level 1, else the `<title>`.

    ValueError where there is none to read.
    """
    try:
        text = _converted(html)
    except Exception as error:  # tags nested hundreds deep, say: one such file must not end an ingest
        raise ValueError(f"the page cannot be read ({type(error).__name__}); save it anew from a browser") from error
    if not text:
        raise ValueError("the page holds no text, perhaps only a script that draws it; save it from a browser as text")
    return text


def _converted(html: str) -> str:
    """The page in Markdown; "" without a text."""
    warnings.filterwarnings("ignore", category=UnusualUsageWarning)  # at XHTML and the like
    soup = BeautifulSoup(html, "lxml")
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    for noise in [*soup.select(NOISE), *soup.find_all("title")]:
        noise.decompose()
    for mark in soup.find_all(string=lambda text: isinstance(text, PreformattedString)):
        mark.extract()  # comments, declarations
    for math in soup.find_all("math"):
        tex = math.find("annotation", encoding="application/x-tex")
        math.replace_with(f"${tex.get_text(strip=True)}$" if tex else math.get_text(" ", strip=True))
    for image in soup.find_all("img"):
        image.replace_with(image.get("alt", "") if image.find_parent(["td", "th"]) else "")  # a tick there is a word
    _drop_forms(soup)
    for heading in soup.find_all(HEADINGS):
        if not heading.get_text(strip=True):
            heading.decompose()
    content = _main(soup, title)
    if not content.get_text(strip=True):
        return ""
    for step in (_make_headings, _definitions, _words, plain_tables):
        step(content)
    for box in content.find_all(BOXES):
        box.name = "div"
    content.smooth()
    text = _Writer().convert_soup(content)
    text = re.sub("[\xad\u200b\ufeff]", "", text.replace("\xa0", " "))
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip() + "\n"


def from_docx(raw: bytes) -> str:
    """A Word document by way of HTML. ValueError where it is damaged, has a password, or holds no text."""
    import mammoth
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as parts:
            size = sum(part.file_size for part in parts.infolist() if part.filename.endswith((".xml", ".rels")))
        html = size <= MAX_UNPACKED and mammoth.convert_to_html(
            io.BytesIO(raw), style_map=WORD_STYLES, convert_image=lambda image: []).value
    except Exception as error:  # no zip, parts missing, no XML: its readers raise many kinds
        raise ValueError(f"the Word file cannot be read ({type(error).__name__}); save it anew as .docx, with no "
                         "password") from error
    if html is False:
        raise ValueError(f"it unpacks to {size / 1e6:.0f} MB, more than the {MAX_UNPACKED / 1e6:.0f} MB that are read; "
                         "split it")
    if not html.strip():
        raise ValueError("the Word file holds no text, perhaps only pictures; run OCR on it first")
    return from_html(html)


class _Writer(MarkdownConverter):
    class Options(MarkdownConverter.DefaultOptions):
        bullets, heading_style = "-", "atx"
        escape_asterisks = escape_underscores = False
        wrap, wrap_width = True, None  # one line a paragraph, however the page's source is wrapped

    def convert_br(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return " " if "_inline" in parent_tags else "\n"

    def convert_hr(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return "\n\n"  # at a text's start it would be read as front matter

    def convert_pre(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        classes = " ".join(name for part in (el, el.code) if part for name in part.get("class", []))
        language = re.search(r"(?:language|lang|highlight)-([\w+#]+)", classes)
        mark = "~~~" if "```" in text else "```"
        text = re.sub(r"^([ \t]*\n)+", "", text).rstrip()
        return f"\n\n{mark}{language[1] if language else ''}\n{text}\n{mark}\n\n" if text else ""

    def convert_td(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return " " + " ".join(text.split()).replace("|", "\\|") + " |"

    convert_th = convert_td


def _drop_forms(soup: BeautifulSoup) -> None:
    """Forms and what is filled in; not a form around a whole page, nor a button that folds a heading's text."""
    for form in soup.find_all("form"):
        if not form.find(["main", "article", "table", *HEADINGS]):
            form.decompose()
    for control in soup.select(CONTROLS):
        if control.find_parent([*HEADINGS, "summary", "dt"]):
            control.unwrap()
        else:
            control.decompose()


def _main(soup: BeautifulSoup, title: str) -> Tag:
    """<main>, else the body, under the title where it has none of its own.

    Of the page's header and footer the sentences stay, the footer's under the title: they are about the whole.
    """
    body = soup.body or soup
    ends = {name: [block for block in body.find_all(name)
                   if not block.find_parent(["article", "section", "header", "footer"]) and not _in_main(block)]
            for name in ("header", "footer")}
    for block in (*ends["header"], *ends["footer"]):
        kept = [part.extract() for part in block.find_all(["h1", "p", "address"]) if part.name == "h1" or _says(part)]
        block.clear()
        block.extend(kept)
    mains = [main for main in body.select("main, [role=main]") if main.get_text(strip=True) and not _in_main(main)]
    content = body
    if mains:
        if any(main.find("h1") for main in mains):  # the header's is then the site's name
            for heading in [heading for heading in body.find_all("h1") if not _in_main(heading)]:
                heading.decompose()
        content = tag("div", [block.extract() for block in (*ends["header"], *mains, *ends["footer"])])
    if title and content.get_text(strip=True):
        if not content.find("h1"):
            content.insert(0, tag("h1", [title]))
        for block in ends["footer"]:
            if block.get_text(strip=True):
                block.insert(0, tag("h1", [title]))
    return content


def _in_main(part: Tag) -> bool:
    return any(box.name == "main" or box.get("role") == "main" for box in part.parents)


def _says(part: Tag) -> bool:
    text = part.get_text(" ", strip=True)
    linked = sum(len(link.get_text(strip=True)) for link in part.find_all("a"))
    sentence = len(text.split()) > 3 and re.search(r"\w\w[.!?](\s|$)", text)
    return bool(sentence) and 2 * linked < len(text) and "©" not in text


def _make_headings(content: Tag) -> None:
    """What folds a text, and a short line all in bold, become headings one level below the last real one."""
    level = 0
    for part in content.find_all([*HEADINGS, "summary", "p"]):
        if part.name in HEADINGS:
            level = int(part.name[1])
        elif part.name == "summary" or _bold_title(part):
            part.name = f"h{min(level + 1, 6)}"


def _bold_title(paragraph: Tag) -> bool:
    text = paragraph.get_text(strip=True)
    return (looks_like_title(text, strict=False) and not paragraph.find_parent(["table", "li", "blockquote", "dd"])
            and text == "".join(bold.get_text(strip=True) for bold in paragraph.find_all(["b", "strong"])))


def _definitions(content: Tag) -> None:
    """Terms and what they mean as `- term: meaning`, or as paragraphs where a meaning is more than a line."""
    for made in content.find_all("dl"):
        short = not any(meaning.find(BLOCKS) for meaning in made.find_all("dd"))
        item, joint = None, ": "
        for part in made.find_all(["dt", "dd"]):
            if not short:
                part.name = "p" if part.name == "dt" else "div"
            elif part.name == "dt" or item is None:
                part.name, item, joint = "li", part, ": "
            else:
                item.extend([joint, *list(part.contents)])
                part.decompose()
                joint = "; "
        made.name = "ul" if short else "div"


def _words(content: Tag) -> None:
    """Links and emphasis as their words; marks that only lead to another place of the page go."""
    for link in content.select("a[href^='#']"):
        if link.parent and link.parent.name == "sup":
            link.parent.decompose()  # a footnote's number would look like a citation of the answer
        elif not re.search(r"\w", link.get_text()):
            link.decompose()
    for raised in content.find_all("sup"):
        text = raised.get_text(strip=True)
        raised.replace_with(text.translate(RAISED) if re.fullmatch(r"[-+−]?\d+", text) else text)  # 10⁶ is not 106
    for emphasis in content.select(INLINE):
        emphasis.unwrap()
