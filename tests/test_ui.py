"""The interface's HTML, as pure functions over records: escaping, offsets, whose words, what is shown when."""
from __future__ import annotations

import html
import queue
import random
import re
import socket
from html.parser import HTMLParser
from pathlib import Path

import pytest

from assistant.catalog.conversations import Conversations, Turn
from assistant.catalog.database import Database
from assistant.catalog.documents import Size
from assistant.config import Config
from assistant.errors import ConfigError, InputError
from assistant.records import (
    Answer,
    Chunk,
    Citation,
    Document,
    Evidence,
    Hit,
    IngestReport,
    Score,
    Span,
    Support,
    Trace,
)
from assistant.ui.answer import answer_html, partial, sources_text
from assistant.ui.conversation_list import list_html
from assistant.ui.corpus import Corpus, chunks_of_html, documents_html, progress_html
from assistant.ui.inspector import chunks_html, evidence_html, prompt_html, timings_html
from assistant.ui.prose import Mark, esc, inline, marked, math
from assistant.ui.thread import examples, first_screen, lone_html, turns_html

EVIL = '<script>alert("x")</script> & <img src=x onerror=alert(1)>'
TEXT = "HNSW walks a graph. IVF scans lists."
BEST = Score(0.9, 1)
BASE = 100  # where the chunk starts in its document


def hit(kept: bool = True, text: str = TEXT, rerank: Score | None = BEST) -> Hit:
    chunk = Chunk("c1", "d1", "Chapter 9 > ANN", text, BASE, BASE + len(text), 12)
    return Hit(chunk, "Connections", Score(-0.5, 3), Score(6.0, 2), Score(1 / 61, 7), rerank, kept, "best of 20")


def evidence(start: int, end: int, marker: int = 1, text: str = TEXT) -> Evidence:
    return Evidence(marker, "c1", "Connections", "Chapter 9 > ANN", ((BASE + start, BASE + end),), text[start:end], 0.8)


def trace(answer: Answer | None = None, **changes) -> Trace:
    given = dict(id="t1", parent=None, created="2026-01-02T03:04:05Z", status="complete", question="HNSW?", history=(),
                 query="HNSW?", query_reason="", config={"k": 4, "rerank": True, "threshold": None},
                 config_fingerprint="aa", index_fingerprint="bb", hits=(hit(),), gate="passed", gate_reason="0.90",
                 calibrated=True, evidence=(evidence(0, 19),), prompt=({"role": "system", "content": EVIL},),
                 draft=EVIL, answer=answer or cited(),
                 spans=(Span("dense", 0.0, 5.0, 1, 20), Span("rerank", 5.0, 15.0, 20, 20)))
    known = {key: value for key, value in (given | changes).items()}
    return Trace(**known)


def cited() -> Answer:
    text = "A graph is walked [1]. HNSW walks a graph. [1]"
    quote = TEXT[:19]
    return Answer(text, tuple(Citation(1, "c1", "Connections", "Chapter 9 > ANN", BASE, BASE + 19, quote, at, at + 3)
                              for at in (18, 43)),
                  support=(Support(0, 22, True, (1,), 0.8, "model"), Support(23, 46, True, (1,), 0.8, "quoted")),
                  trace_id="t1")


def visible(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<sup[^>]*>.*?</sup>", "", markup)))


def marks_in(markup: str) -> list[tuple[int, int, str]]:
    found = re.findall(r'<mark[^>]*data-start="(\d+)" data-end="(\d+)"[^>]*>(.*?)</mark>', markup, re.S)
    return [(int(start), int(end), visible(inner)) for start, end, inner in found]


class Tags(HTMLParser):
    """The names of the elements and attributes that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}


# text


def test_no_text_of_others_becomes_markup():
    some = Hit(Chunk("c", "d", EVIL, EVIL, 0, len(EVIL), 3), EVIL, Score(0.1, 1), reason=EVIL)
    said = Answer(EVIL + " [1]", (Citation(1, "c", EVIL, EVIL, 0, 5, EVIL, 0, 3),), trace_id="t")
    item = Evidence(1, "c", EVIL, EVIL, ((0, len(EVIL)),), EVIL, 0.5)
    evil = trace(said, question=EVIL, query=EVIL + "!", query_reason=EVIL, hits=(some,), evidence=(item,),
                 gate_reason=EVIL)
    document = Document("d", EVIL, EVIL, EVIL, "")
    pages = [
        turns_html([Turn(0, "user", EVIL), Turn(1, "assistant", EVIL, "t"), Turn(2, "notice", EVIL)],
                   lambda _: evil, "t"),
        lone_html(evil), evidence_html(evil.hits, evil.evidence), chunks_html(evil), prompt_html(evil),
        timings_html(evil.spans, {EVIL: EVIL}), first_screen([document]), chunks_of_html(document, [some.chunk]),
        documents_html([Size("d", EVIL, EVIL, 9, 1)]), progress_html(1, 2, EVIL), marked(f"```\n{EVIL}\n```"),
        marked(f"| {EVIL} |\n|---|\n| {EVIL} |"),
        inline(f"`{EVIL}` **{EVIL}** ${EVIL}$"),
    ]
    for page in pages:
        tags = Tags()
        tags.feed(page)
        assert tags.seen and not {"script", "img"} & tags.seen
        assert not [name for name in tags.attributes if name.startswith("on")]


@pytest.mark.parametrize("seed", range(40))
def test_marks_are_the_evidence_character_for_character(seed):
    dice = random.Random(seed)
    words = ["HNSW", "<b>", "a&b", "naïve", "“x”", "0.5", "graph", "…", "IVF."]
    text = "\n\n".join(" ".join(dice.choices(words, k=dice.randint(2, 9))) for _ in range(dice.randint(1, 4)))
    base = dice.randint(0, 5000)
    cuts = sorted(dice.sample(range(len(text) + 1), 4))
    spans = [(base + cuts[0], base + cuts[1]), (base + cuts[2], base + cuts[3])]
    page = marked(text, base, [Mark(start, end, n) for n, (start, end) in enumerate(spans, 1)], "ev-")
    covered = set()
    for start, end, shown in marks_in(page):
        assert shown == text[start - base:end - base]
        covered |= set(range(start, end))
    wanted = {at for start, end in spans for at in range(start, end) if not text[at - base].isspace()}
    assert wanted <= covered
    assert covered <= {at for start, end in spans for at in range(start, end)}
    assert re.sub(r"\s", "", visible(page)) == re.sub(r"\s", "", text)


def test_a_table_keeps_its_cells_and_marks_its_row():
    text = "| Model | Size |\n|---|---|\n| MiniLM | 384 |\n| BGE | 768 |"
    start = text.index("| MiniLM")
    page = marked(text, 0, [Mark(start, text.index("\n| BGE"), 2), Mark(0, text.index("\n"), 2, main=False)], "ev-")
    cells = [visible(cell) for cell in re.findall(r"<t[hd]>(.*?)</t[hd]>", page)]
    assert cells == ["Model", "Size", "MiniLM", "384", "BGE", "768"]
    assert [shown for *_, shown in marks_in(page)] == ["Model", "Size", "MiniLM", "384"]
    assert page.index('id="ev-2"') > page.index("Size")  # the row, not its header, is where a chip leads
    assert page.count('id="ev-2"') == 1


def test_prices_stay_prices_and_formulas_are_set():
    assert inline("from $0.02 to $0.13 a million") == "from $0.02 to $0.13 a million"
    assert visible(inline(r"it is $\sqrt{2} \approx 1.414$ long")) == "it is √2 ≈ 1.414 long"
    assert visible(math(r"\frac{a}{b_1}")) == "a / b1"
    assert "<sub>" in math("x_i") and "<sup>" in math("x^{2}")
    for broken in ("{", "}", "_", "^", "\\", r"\frac", r"\frac{", r"\sqrt", "a__b^^c", "{" * 50):
        math(broken)


def test_control_characters_and_lone_surrogates_cannot_break_the_page():
    assert esc("a\x00b\x1b") == "a\ufffdb\ufffd"
    esc("\ud800").encode("utf-8")
    assert esc("x" * 50, 10) == "x" * 10 + " … 40 more characters", "no markup: it may stand in an attribute"


# answers


def test_whose_words_a_sentence_is_can_be_seen_and_markers_are_chips():
    page = answer_html(cited())
    said = re.search(r'<p class="gb-said">(.*?)</p>', page)[1]
    quoted = re.search(r"<blockquote.*?>(.*?)</blockquote>", page)[1]
    assert "A graph is walked" in said and "HNSW walks" not in said
    assert "HNSW walks a graph." in quoted
    assert page.count('data-act="cite" data-marker="1"') == 2
    assert 'aria-label="Source 1: Connections &gt; Chapter 9 &gt; ANN"' in page
    assert "[1]" not in visible(page)


def test_neighbours_of_one_origin_share_a_paragraph_unless_a_line_ends():
    one = partial([("One [1].", Support(0, 8, True, (1,), 1, "quoted")),
                   (" Two [2].", Support(9, 17, True, (2,), 1, "quoted"))])
    assert answer_html(one).count("<blockquote") == 1
    two = partial([("One [1].", Support(0, 8, True, (1,), 1, "quoted")),
                   ("\n\nTwo [2].", Support(10, 18, True, (2,), 1, "quoted"))])
    assert answer_html(two).count("<blockquote") == 2


def test_a_fenced_quotation_is_set_as_code_with_its_chip():
    text = "```\nindex = faiss.IndexFlatIP(384)\nindex.add(x)\n``` [3]"
    page = answer_html(Answer(text, support=(Support(0, len(text), True, (3,), 1, "quoted"),)))
    assert "```" not in page and "index = faiss.IndexFlatIP(384)\nindex.add(x)" in page and 'data-marker="3"' in page


def test_only_the_markers_at_a_sentences_end_are_citations():
    said = Support(0, 40, True, (3, 4), 1, "quoted")
    page = answer_html(partial([("As x[0] and [2] say, it is [1] so [3][4].", said)]))
    assert re.findall(r'data-act="cite" data-marker="(\d+)"', page) == ["3", "4"]
    assert visible(page) == "As x[0] and [2] say, it is [1] so34."


def test_code_that_was_cut_from_its_fence_is_still_code():
    page = marked('x = embed(["a"])\n\nprint(x[0])\n```')
    assert page.count("<pre") == 2 and "<p" not in page.replace("<pre", "") and "```" not in page


def test_an_answer_without_any_support_is_still_shown():
    assert visible(answer_html(Answer("Plain text [2]."))) == "Plain text2."
    assert answer_html(Answer("")) == ""


def test_copied_text_names_each_source_once():
    assert sources_text(cited()) == ("A graph is walked [1]. HNSW walks a graph. [1]\n\nSources\n"
                                     "[1] Connections > Chapter 9 > ANN: “HNSW walks a graph.”")


# the inspector


def test_the_rest_of_a_split_table_stands_under_its_header():
    rest = "| Tisse | 4 m |\n| Velm | 90 m |"
    table = marked(rest, 100, [Mark(100, 114, 1)], header="| Lake | *Depth* |")
    assert re.findall(r"<th>(.*?)</th>", table) == ["Lake", "<em>Depth</em>"]
    assert [len(re.findall("<td>", row)) for row in table.split("<tr>")[1:]] == [0, 2, 2]
    assert re.findall("<th>", marked(rest)) == ["<th>"] * 2


def test_evidence_is_marked_inside_its_chunk_cited_apart_from_uncited():
    page = evidence_html([hit()], [evidence(0, 19, 1), evidence(20, 36, 2)], frozenset({1}))
    assert marks_in(page) == [(100, 119, "HNSW walks a graph."), (120, 136, "IVF scans lists.")]
    assert '<mark class="cited" data-marker="1"' in page and '<mark class="uncited" data-marker="2"' in page
    assert 'id="ev-1"' in page and 'id="ev-2"' in page
    assert page.count("<article") == 1


def test_a_row_read_as_pairs_says_so():
    row = "MiniLM 384"
    item = Evidence(1, "c1", "D", "H", ((BASE, BASE + len(row)),), "Model: MiniLM; dimensions: 384", 0.7)
    assert "read as: Model: MiniLM; dimensions: 384" in evidence_html([hit(text=row)], [item])
    assert "read as" not in evidence_html([hit()], [evidence(0, 19)])


def test_bars_say_their_scale_and_stand_where_the_score_is():
    page = chunks_html(trace(), threshold=0.35)
    dense = re.search(r'<div class="gb-bar gb-dense".*?</div>', page)[0]
    assert 'aria-valuemin="-1"' in dense and 'aria-valuenow="-0.5"' in dense
    assert "left:25.0%;width:25.0%" in dense  # from -0.5 to 0 on -1..1
    assert "rank 3" in dense
    rerank = re.search(r'<div class="gb-bar gb-rerank".*?</div>', page)[0]
    assert 'class="gb-tick" style="left:35.0%"' in rerank and "width:90.0%" in rerank
    fused = re.search(r'<div class="gb-bar gb-fused".*?</div>', page)[0]
    assert "width:50.0%" in fused  # 1/61 of at most 2/61
    assert "rank 7 before reranking, 1 after" in page
    assert "width:100.0%" in re.search(r'<div class="gb-bar gb-lexical".*?</div>', page)[0]


def test_a_missing_score_is_no_zero_and_an_uncalibrated_one_says_so():
    page = chunks_html(trace(hits=(hit(rerank=None),), gate="off"))
    assert "rerank: no score from this stage" in page and "rank 7</span>" in page
    assert "uncalibrated" in chunks_html(trace(calibrated=False))
    assert "uncalibrated" not in chunks_html(trace())


def test_dropped_chunks_are_folded_behind_the_kept_ones():
    page = chunks_html(trace(hits=(hit(), hit(kept=False), hit(kept=False))))
    assert page.index("gb-kept") < page.index('<details class="gb-fold"><summary>2 more candidates')
    assert '<details class="gb-fold" open>' in chunks_html(trace(hits=(hit(kept=False),), gate="declined"))


def test_the_waterfall_has_one_time_axis():
    page = timings_html(trace().spans, {"k": 4, "rerank": True, "threshold": None})
    assert "left:0.00%;width:25.00%" in page and "left:25.00%;width:75.00%" in page
    assert "<b>0.02 s</b>" in page
    assert visible(page).count("auto") == 1 and ">on<" in page


def test_the_prompt_tab_says_what_was_searched_and_why():
    page = prompt_html(trace(query="What is IVF?", query_reason="\"And IVF?\" asks on"))
    assert "What is IVF?" in visible(page) and "asks on" in page
    assert "No language model was called" in prompt_html(trace(prompt=(), gate="declined", gate_reason="0.02"))


# the conversation


def test_only_the_last_question_can_be_edited_and_retried():
    turns = [Turn(0, "user", "a"), Turn(1, "assistant", "b", "t1"), Turn(2, "user", "c"),
             Turn(3, "assistant", "d", "t2")]
    page = turns_html(turns, lambda _: trace(), "t2")
    assert page.count('data-event="edit"') == 1 and 'data-position="2"' in page
    assert page.count('data-act="retry"') == 1
    assert page.count("gb-inview") == 1
    assert 'data-act="retry"' not in turns_html(turns, lambda _: None, "", running=True)


def test_a_decline_lists_the_closest_sections_once():
    text = "The documents do not cover this. The closest sections are \"ANN\" (probability 0.02)."
    fixed = Answer(text, (), True, (Support(0, len(text), True, (), None, "fixed"),), "t1")
    page = turns_html([Turn(0, "user", "q"), Turn(1, "assistant", text, "t1")],
                      lambda _: trace(fixed, gate="declined", hits=(hit(kept=False, rerank=Score(0.02, 1)),)), "t1")
    shown = visible(re.sub(r'data-copy="[^"]*"', "", page))
    assert "do not cover this." in shown and "The closest sections are" not in shown
    assert shown.count("Chapter 9 › ANN") == 1 and "probability 0.02" in shown


def test_an_interrupted_question_offers_to_go_on():
    assert "interrupted" in turns_html([Turn(0, "user", "q")], lambda _: None, "")
    assert "interrupted" not in turns_html([Turn(0, "user", "q")], lambda _: None, "", running=True)


def test_the_first_screen_fits_the_documents():
    assert "index is empty" in first_screen([])
    lesson = Document("d", "Lesson", "l.md", "HNSW one-hot Word2Vec Euclidean negation", "")
    assert len(examples([lesson])) == 6
    other = Document("d", "Zebras", "z.md", "stripes", "")
    assert examples([other])[0][0] == "What is said about Zebras?"


def test_the_list_marks_the_open_conversation(tmp_path):
    store = Conversations(Database(tmp_path / "c.db"))
    one = store.create(EVIL)
    page = list_html(store.list(), one.id)
    assert "aria-current=true" in page and "<script" not in page and 'class="gb-here"' in page
    assert "Nothing found" in list_html([], None, "zz")


# documents


class Sized:
    """An assistant whose documents are told by their sizes; it keeps what it is given to read, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self._documents, self.error, self.read = self, error, []

    def sizes(self) -> list[Size]:
        return [Size("d1", "Zebras", "zebra.md", 1234, 5)]

    def ingest(self, paths, progress):
        if self.error:
            raise self.error
        self.read += [Path(path).read_text() for path in paths]
        return IngestReport(tuple(paths), (), (), (), (), 1, 0.1)


def corpus(rag: Sized) -> Corpus:
    made = object.__new__(Corpus)
    made.rag = rag
    return made


def test_the_documents_are_listed_by_their_sizes_and_no_text_is_loaded():
    table, _ = corpus(Sized()).show("")
    assert "Zebras" in table and ">5</td>" in table and ">1,234</td>" in table


@pytest.mark.parametrize("error", [None, InputError("bad"), RuntimeError("worse")])
def test_an_uploaded_file_is_gone_once_it_was_read(tmp_path, error, capsys):
    paths = [tmp_path / name for name in ("a.md", "b.md")]
    for path in paths:
        path.write_text("private")
    made, steps = corpus(Sized(error)), queue.Queue()
    made._ingest([str(path) for path in paths], steps)
    assert not any(path.exists() for path in paths) and steps.qsize() == 1
    assert made.rag.read == ([] if error else ["private"] * 2)


def test_gradio_drops_its_copies_of_what_was_uploaded(tmp_path):
    from assistant import Assistant
    from assistant.ui.page import build
    assert build(Assistant(Config(index=str(tmp_path)))).delete_cache == (3600, 3600)


# settings and serving


def test_settings_read_back_what_the_page_holds():
    import gradio as gr

    from assistant.ui.settings import SHOWN, Settings
    with gr.Blocks():
        settings = Settings(Config(k=3))
    values = dict(zip(SHOWN, settings.values(), strict=True))
    assert values["k"] == 3 and values["threshold"] == "auto"
    assert settings.config_from(settings.values()) == Config(k=3)
    assert settings.config_from(list((values | {"rerank": False, "threshold": "0.4"}).values())).threshold == 0.4
    with pytest.raises(ConfigError, match="threshold"):
        settings.config_from(list((values | {"threshold": "much"}).values()))
    with pytest.raises(ConfigError):
        settings.config_from(list((values | {"max_tokens": None}).values()))
    assert "rerank = off" in settings.note_html(list((values | {"rerank": False}).values()))


def test_a_port_in_use_is_named_with_the_remedy():
    from assistant.ui.page import check_port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port}.*--port"):
            check_port("127.0.0.1", port)
    with pytest.raises(InputError, match="--port"):
        check_port("127.0.0.1", 99999)


def test_no_font_or_style_comes_from_another_machine():
    from assistant.ui.theme import SCRIPTS, STYLES, Glass
    theme = Glass()
    css = theme._get_theme_css() + "".join(file.read_text() for file in (*STYLES, *SCRIPTS))
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\((?![\"']?data:)", css)
    assert theme._stylesheets == []
