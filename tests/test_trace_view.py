"""The Traces tab as HTML: nothing of a trace becomes markup, counts and lines are those of the trace; the form."""
from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from assistant.catalog.feedback import Judgement
from assistant.catalog.traces import Summary
from assistant.records import Answer, Check, Span
from assistant.trace.compare import compare
from assistant.ui.replay_form import changes
from assistant.ui.trace_pictures import flow_html, map_html
from assistant.ui.trace_view import answer_part, compare_html, funnel_html, head_html, list_html, why_not_html
from assistant.vector_map import Point, VectorMap
from assistant.why_not import Step, WhyNot
from tests.fakes import made_trace

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
TRACE = made_trace(EVIL, question=EVIL * 9, parent=EVIL, error=EVIL, texts=(EVIL, "two", "three"), gate_reason=EVIL,
                   config={EVIL: EVIL}, answer=Answer(EVIL), checks=(Check(EVIL, False, (), EVIL),), threshold=0.65,
                   spans=(Span("dense", 0, 1, 1, 40), Span("lexical", 1, 1, 1, 30), Span("fuse", 2, 1, 50, 3),
                          Span(EVIL, 3, 1, 1, 1)))
SUMMARY = Summary(EVIL, EVIL, EVIL, EVIL, EVIL, "failed", False, 2, 1, 12.0, "down", EVIL)
WHY = WhyNot(EVIL, TRACE.hits[0].chunk, EVIL, EVIL, (Step("dense", 0.5, 3, 9, False, EVIL),), False, EVIL, EVIL, True)
POINTS = tuple(Point(hit.chunk, n / 3, n / 3, 0.9, n) for n, hit in enumerate(TRACE.hits, 1))
MAP = VectorMap(EVIL, 0.5, 0.5, POINTS, 700, 0.3, 0.4, True)
MADE = {"map": map_html(MAP, frozenset({"c1"})), "list": list_html([SUMMARY], 9),
        "head": head_html(TRACE, EVIL, Judgement(EVIL, "up", EVIL, "")),
        "answer": answer_part(TRACE), "funnel": funnel_html(TRACE), "flow": flow_html(TRACE),
        "compare": compare_html(TRACE, TRACE, compare(TRACE, made_trace("b", config={}))), "why": why_not_html(WHY)}


class Strict(HTMLParser):
    """Every tag that is opened is closed, in its order; no script, no handler."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attributes):
        assert tag not in ("script", "img") and not any(name.startswith("on") for name, _ in attributes)
        self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", MADE)
def test_no_text_of_a_trace_becomes_markup(name):
    parser = Strict()
    parser.feed(MADE[name])
    parser.close()
    assert parser.open == [] and MADE[name]


def test_the_list_says_where_questions_leave_no_traces():
    for rows in ([], [SUMMARY]):
        assert "traces=off" in list_html(rows, len(rows), kept=False) and "traces=off" not in list_html(rows, len(rows))
    assert "Every question leaves a trace" not in list_html([], 0, kept=False)


def test_the_head_says_what_was_searched_and_why():
    said = head_html(made_trace(question="What is teh?", query="What is the?", query_reason="\"teh\" is read as the"),
                     "", None)
    assert "Searched: <q>What is the?</q> (&quot;teh&quot; is read as the)" in said
    assert "Asked as two" in head_html(made_trace(query="What?", query_reason="asked as two"), "", None)
    assert "Searched" not in head_html(made_trace(query="What?"), "", None)


def test_the_funnel_counts_what_came_through():
    counts = re.findall(r'<span>([^<]+)</span>.*?<b class="gb-value">(\d+)</b>', MADE["funnel"])
    assert counts == [("found by vectors", "40"), ("found by words", "30"), ("candidates after fusion", "3"),
                      ("reach the threshold 0.65", "1"), ("chunks kept", "1"), ("evidence sentences", "1"),
                      ("cited in the answer", "0")]
    assert "Nothing was searched" in funnel_html(made_trace(spans=()))


def test_the_flow_draws_a_line_for_each_candidate_with_the_kept_ones_on_top():
    lines = re.findall(r'<g class="gb-flowline([^"]*)" data-chunk="([^"]+)"><title>([^<]+)</title>', MADE["flow"])
    assert [chunk for _, chunk, _ in lines] == ["c2", "c3", "c1"] and lines[-1][0] == " gb-kept"
    assert "dense 1, lexical 1, fused 1, reranked 1. number 1" in lines[-1][2]
    assert flow_html(made_trace(texts=())) == ""


def test_a_rank_out_of_sight_stands_on_the_last_line():
    import dataclasses

    from assistant.records import Score
    made = made_trace(texts=("one", "two"))
    far = dataclasses.replace(made.hits[1], lexical=Score(0.1, 160))
    drawn = flow_html(dataclasses.replace(made, hits=(made.hits[0], far)))
    assert "over 24" in drawn and "lexical 160" in drawn
    heights = [float(y) for y in re.findall(r'cy="(\d+)"', drawn)]
    assert max(heights) < float(re.search(r'viewBox="0 0 \d+ (\d+)"', drawn)[1])


def test_the_form_says_only_what_differs_from_the_trace():
    config = {"dense": True, "lexical": True, "rerank": True, "llm": "big.gguf", "reranker": "embedded", "k": 4,
              "candidates": 20, "threshold": None, "temperature": 0}
    made, every = made_trace(config=config), ["dense", "lexical", "rerank"]
    assert changes(made, every, 4, 20, "", 0.0, "embedded", "big.gguf") == {}
    assert changes(made, ["dense"], 2.0, None, " 0.5 ", None, "", None) == {
        "lexical": False, "rerank": False, "k": 2, "threshold": "0.5"}
    assert changes(made, every, 4, 20, None, 0.7, " my/reranker ", "off") == {
        "temperature": 0.7, "reranker": "my/reranker", "llm": "off"}
    off = made_trace(config={**config, "llm": "off", "threshold": 0.5})
    assert changes(off, every, 4, 20, "", 0, "embedded", "embedded") == {"llm": "embedded", "threshold": None}
    assert changes(off, every, 4, 20, "0.5", 0, "embedded", "off") == {}


def test_the_map_says_what_it_is_worth():
    assert "keeps 30% of the true neighbours" in MADE["map"] and "40% of the question's own" in MADE["map"]
    assert "need not be near" in MADE["map"] and "3 chunks of 700" in MADE["map"] and "another one" in MADE["map"]
    import dataclasses
    good = map_html(dataclasses.replace(MAP, kept=0.7, total=3, index_changed=False), frozenset())
    assert "gb-drift" not in good and good.count("<circle") == 3 and good.count('class="gb-near"') == 3
