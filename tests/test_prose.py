"""Texts as HTML: nothing of others becomes markup, marks stand where the evidence does, code keeps its form."""
from __future__ import annotations

import random
import re
from html.parser import HTMLParser

import pytest

from assistant.catalog.conversations import Turn
from assistant.catalog.documents import Size
from assistant.records import (
    Answer,
    Chunk,
    Citation,
    Document,
    Evidence,
    Hit,
    Score,
    Support,
)
from assistant.ui.answer import answer_html, partial, sources_text
from assistant.ui.corpus import chunks_of_html, documents_html, progress_html
from assistant.ui.inspector import chunks_html, evidence_html, prompt_html, timings_html
from assistant.ui.prose import Mark, esc, inline, marked, math
from assistant.ui.thread import first_screen, lone_html, turns_html
from tests.ui_values import EVIL, cited, marks_in, trace, visible


class Tags(HTMLParser):
    """The names of the elements and attributes that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}


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


def test_the_rest_of_a_split_table_stands_under_its_header():
    rest = "| Tisse | 4 m |\n| Velm | 90 m |"
    table = marked(rest, 100, [Mark(100, 114, 1)], header="| Lake | *Depth* |")
    assert re.findall(r"<th>(.*?)</th>", table) == ["Lake", "<em>Depth</em>"]
    assert [len(re.findall("<td>", row)) for row in table.split("<tr>")[1:]] == [0, 2, 2]
    assert "<th>" not in marked(rest)                                           # two rows, and no rule under the first
    assert marked("| Lake | Depth |\n|-|-|\n" + rest).count("<th>") == 2
