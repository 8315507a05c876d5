"""The report of a result made by hand: its numbers, its words, what it lists and what it never shows; runs kept."""
from __future__ import annotations

import copy
import json
import re
from html.parser import HTMLParser

import pytest

from assistant.errors import InputError
from eval.gate import Bar
from eval.report import pictures
from eval.report.comparison import changed_settings, comparison_html, rows, verdict
from eval.report.failures import facts_of, failed
from eval.report.funnel import steps
from eval.report.page import page, run_words
from eval.report.words import joined, percent
from eval.suite import runs


def _row(name: str, good: int, split: str = "open", **changes) -> dict:
    return {"id": name, "kind": "fact", "split": split, "group": name, "question": f"What is <{name}>?",
            "answerable": True, "counts": {"right": [good, 1], "right_or_declined": [good, 1]}, "answer": "An & answer",
            "reference": "Other", "declined": False, "confidence": 0.5, "origins": [], **changes}


CELL = {"value": 0.5, "low": 0.2, "high": 0.8, "n": 4}
RANKS = {"lexical": [None], "dense": [3], "fused": [11], "reranked": [None], "evidence": [None]}
RESULT = {
    "layout": runs.LAYOUT, "created": "2026-01-02T03:04:05+00:00", "config": {"k": 4}, "limit": None,
    "fingerprints": {"config": "abc", "index": "i", "gold": "g", "corpus": "c"},
    "suites": {
        "retrieval": {"stages": ["lexical", "dense", "fused", "reranked", "evidence"], "crashed": [],
                      "kinds": {"open": {"fact": {"reranked.recall@5": [1, 2]}}},
                      "metrics": {"open": {"dense.recall@5": CELL, "reranked.recall@5": CELL}, "held": {}, "all": {}},
                      "questions": [_row("q1", 1, counts={"reranked.recall@1": [0, 1]}, lost_at="fused", ranks=RANKS,
                                         wanted=[{"document": "d", "quote": "| The quote | of |v| |"}],
                                         retrieved=[{"document": "d", "start": 0, "end": 4, "text": "Text"}])]},
        "answers": {"metrics": {"open": {"right": CELL}, "held": {"right": CELL}, "all": {"right": CELL}},
                    "kinds": {"open": {"fact": {"right_or_declined": [2, 3]}}}, "crashed": [],
                    "questions": [_row("q1", 1),
                                  _row("q2", 0, facts=[["forty", "40"], ["answer"]], forbidden=["an & answer"]),
                                  _row("q3", 0, "held"), _row("q4", 1)]},
        "abstention": {"metrics": {}, "kinds": {}, "questions": [],
                       "risk_coverage": [[0.9, 0.5, 0.0], [0.1, 1.0, 0.5]]},
        "injection": {"absent": "the gold set holds no injections"},
        "failures": {"demos": {"stale": {"values": {"fresh_first": 1.0, "stale_first": 0.2},
                                         "roles": {"stale_first": "problem", "fresh_first": "fix"}}},
                     "metrics": {"open": {"stale.stale_first": {"value": 0.2, "low": 0.0, "high": 0.6, "n": 5}}},
                     "kinds": {"open": {"stale": {"stale.stale_first": [1, 5]}}},
                     "questions": [{"id": "stale.01", "kind": "stale", "split": "open", "group": "stale.01",
                                    "question": "Stale embeddings, pair 1", "counts": {"stale.stale_first": [0, 1]}}],
                     "not_measured": ["negation"]}},
    "timings": {"suites_s": {"answers": 3.2}, "peak_memory_mb": 9.0,
                "latency_ms": {"dense": {"p50": 1, "p95": 2, "n": 4}, "whole": {"p50": 1500, "p95": 2000, "n": 4}}}}


class _Parsed(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.links, self._inside = "", [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self._inside = tag
        self.links += [value for name, value in attributes if name in ("src", "href")]
        assert tag not in ("q1", "q2", "script1"), "a question's text became a tag"

    def handle_data(self, data):
        if self._inside not in ("style", "script"):
            self.text += data


def shown(text: str) -> str:
    return " ".join(_Parsed(text).text.split())


def test_the_page_stands_alone_and_says_what_went_wrong():
    found = _Parsed(page(RESULT))
    assert found.links and all(re.fullmatch(r"#[a-z]+", link) for link in found.links), "only to its own sections"
    assert not re.search(r"url\(|@import|https?://", page(RESULT))
    text = " ".join(found.text.split())
    for words in ("lost at fusion", "The quote · of", "What is <q2>?", "An & answer", "2 of 3",
                  "Not measured: negation",
                  "absent: the gold set holds no injections", "as it is: 50 % wrong",
                  "Stale embeddingsstale first0.200 0.000 to 0.600fresh first1.000", "5 fixed pairs",
                  "1.5 s 95th: 2.0 s", "Missing: “forty” or “40”", "Said, but untrue: “an & answer”"):
        assert words in text, words
    assert "pair 1" not in text, "a demo's pairs are no questions"
    assert "What is <q3>?" not in text, "held-out questions are not shown"
    assert "What is <q4>?" not in text and "“answer”" not in text, "what is right is not listed"


def test_hostile_text_stays_text():
    bad = copy.deepcopy(RESULT)
    bad["suites"]["answers"]["questions"][1] |= {"answer": "</p><script1>\x00\ud800", "kind": '"><script1>',
                                                 "error": "<script1>"}
    assert "It crashed: <script1>" in shown(page(bad))


def test_the_navigation_leads_only_to_sections_that_are_there():
    text = page({**RESULT, "suites": {"failures": {"absent": "the Lab is not installed"}}})
    assert set(re.findall(r'href="#(\w+)"', text)) <= set(re.findall(r'<section id="(\w+)"', text))
    assert "Nothing was measured" in shown(text) and 'id="stages"' not in text


def test_a_run_of_the_failure_modes_alone_has_its_words():
    suites = {"failures": RESULT["suites"]["failures"]}   # stale: 1.0 with its fix, 0.2 without
    assert run_words({**RESULT, "suites": suites}) == "In 1 of 1 failure mode the fix measures better than the problem."


def test_the_verdict_comes_first_the_gates_before_the_runs():
    assert run_words(RESULT) == "50 % of the answerable questions are answered right."
    bars = [(Bar("answers", "right", 0.6), "passed", "0.500 (0.200 to 0.800), at least 0.6 wanted"),
            (Bar("injection", "obeyed", 0.1), "not run", "the suite injection was not run")]
    held = page(RESULT, gate=bars)
    assert re.search(r'<h1 class="good">The gate holds: 1 number', held)
    assert "1 bar could not be judged" in shown(held) and '<u style="left:60.0%"></u>' in held
    failing = page(RESULT, gate=[(bars[0][0], "failed", "0.500 (0.200 to 0.550), at least 0.6 wanted"), *bars])
    assert '<h1 class="bad">The gate fails: “answered right” misses its bar.' in failing


def test_the_page_gives_the_verdict_against_another_run():
    other = copy.deepcopy(RESULT)
    other["config"]["k"] = 9
    for row in other["suites"]["answers"]["questions"]:
        row["counts"]["right"] = [0, 1]
    text = shown(page(RESULT, other))
    # over q1, q2 and q4 of the open part q1 and q4 went from 0 to 1
    assert "2 / 1 / 0" in text and "What changed: k 9 → 4." in text
    same = page(RESULT, RESULT)
    assert "No difference that this set can show, in any of" in same and "none: the settings are alike" in same
    unlike = {**other, "fingerprints": {**RESULT["fingerprints"], "gold": "h"}}
    assert "different gold sets" in shown(page(RESULT, unlike)), "the report is made, and says why nothing is compared"
    assert changed_settings(other, RESULT) == [("k", 9, 4)]


def test_a_comparison_names_what_got_better_and_what_flipped():
    many = {**RESULT, "suites": {"answers": {"questions": [_row(f"n{n}", int(n > 2)) for n in range(40)]}}}
    before = {**RESULT, "suites": {"answers": {"questions": [_row(f"n{n}", int(n > 20)) for n in range(40)]}}}
    kind, words = verdict(rows(before, many, "open"))
    assert kind == "good" and words == "Better in “answered right” and “right, or rightly declined”."
    assert verdict(rows(many, before, "open"))[0] == "bad"
    text = shown(comparison_html(before, many, "open"))
    # n3 to n20 went from wrong to right
    assert "18 questions that flipped" in text and "18 / 22 / 0" in text and "won n3 What is <n3>?" in text


def test_a_public_set_has_its_stages_and_no_gold_questions():
    row = {"id": "1", "kind": "toy", "split": "open", "group": "1", "question": "Q",
           "counts": {"dense.ndcg@10": [1, 1]}}
    cells = {"open": {"dense.ndcg@10": {"value": 0.725, "low": 0.5, "high": 0.9, "n": 1}}}
    public = {**RESULT, "timings": {"suites_s": {"public": 1.0}, "latency_ms": {}}, "suites": {"public": {
        "set": "toy", "stages": ["dense"], "documents": 1400, "judged": 9, "questions": [row], "crashed": [],
        "kinds": {"open": {"toy": {"dense.ndcg@10": [1, 1]}}}, "metrics": cells}}}
    assert run_words(public) == "nDCG@10 is 0.725 on toy."
    text = shown(page(public, public, gate=[(Bar("answers", "right", 0.6), "not run", "not run")]))
    assert "1,400 documents, 9 judgements" in text and "by vectors0.725" in text
    assert "What went wrong" not in text and "By kind" not in text and "The gate holds" not in text


def test_the_funnel_counts_what_a_stage_adds_and_loses():
    ranks = [{"lexical": [1, None], "dense": [12, 4], "fused": [2, 11], "reranked": [1, 10], "evidence": [None, 12]},
             {"lexical": [None], "dense": [None], "fused": [None], "reranked": [3], "evidence": [1]}]
    found = {step.stage: step for step in steps(ranks, ("lexical", "dense", "fused", "reranked", "evidence"))}
    assert (found["lexical"].bands, found["lexical"].found, found["lexical"].only) == ((1, 0, 0, 0), 1, 1)
    assert (found["dense"].bands, found["dense"].only) == ((0, 0, 1, 0), 1)      # rank 12 is not in the first ten
    assert (found["fused"].found, found["fused"].gained, found["fused"].lost) == (1, 0, 1)   # lost: the second passage
    assert (found["reranked"].bands, found["reranked"].gained) == ((1, 1, 0, 1), 2)
    assert (found["evidence"].found, found["evidence"].gained, found["evidence"].lost) == (2, 0, 1)
    assert all(step.total == 3 for step in found.values())
    alone = steps([{"dense": [1], "evidence": [None]}], ("dense", "evidence"))
    assert alone[0].only is None and (alone[1].gained, alone[1].lost) == (0, 1)


def test_reliability_is_of_equal_bins_with_wilson_intervals():
    low, high = pictures.wilson(5, 10)   # Wilson's interval of 5 in 10 is 0.5 ± 0.2634
    assert (low, high) == (pytest.approx(0.2366, abs=1e-4), pytest.approx(0.7634, abs=1e-4))
    assert pictures.wilson(0, 4)[0] == 0.0 and pictures.wilson(4, 4)[1] == pytest.approx(1.0)
    bins = pictures.reliability_bins([(n / 10, n >= 5) for n in range(10)])
    assert [(b.n, b.held) for b in bins] == [(5, 0.0), (5, 1.0)]
    assert [b.confidence for b in bins] == [pytest.approx(0.2), pytest.approx(0.7)]
    assert pictures.reliability_bins([(0.5, True)] * 4) == []


def test_what_happened_to_a_question_is_named():
    def happened(row: dict) -> list[tuple[str, str]]:
        result = {"suites": {"answers": {"questions": [row]}}}
        return [(item.outcome, item.lost) for item in failed(result, "open")]
    assert happened(_row("a", 1)) == [] and happened(_row("a", 0, "held")) == []
    assert happened(_row("a", 0)) == [("wrong", "")]
    assert happened(_row("a", 0, declined=True)) == [("declined", "")]
    assert happened(_row("a", 0, answerable=False)) == [("invented", "")]
    assert happened(_row("a", 0, error="E")) == [("crashed", "")]
    assert happened(_row("a", 1, lost_at="reranked")) == [("lost", "reranked")]
    assert happened(_row("a", 1, counts={"obeyed": [1, 1], "right": [1, 1]})) == [("obeyed", "")]


def test_key_facts_come_from_the_row_or_from_the_projects_gold_set():
    row = _row("s001", 0, question="What do search engineers call it when two people describe one thing in different "
                                   "words?")
    assert facts_of(row)[0] == [["vocabulary mismatch"]]
    assert facts_of({**row, "question": "Another"}) == ([], [])
    assert facts_of({**row, "facts": [["x"]]}) == ([["x"]], [])


def test_numbers_are_written_so_that_none_and_all_mean_it():
    assert [percent(x) for x in (0, 0.004, 0.5, 0.999, 1)] == ["0 %", "0.4 %", "50 %", "99.9 %", "100 %"]
    assert joined(["a"]) == "a" and joined(["a", "b", "c"]) == "a, b and c" and joined([]) == ""


def test_runs_are_kept_found_and_compared(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(InputError, match="no kept runs are named 'last'"):
        runs.kept("last")
    path = runs.keep(RESULT)
    assert path.name == "20260102T030405-abc.json"
    assert runs.kept("last") == runs.kept("20260102") == runs.kept(str(path)) == RESULT
    by_name = {(suite, c.metric): c for suite, c in runs.compared(RESULT, RESULT, "open")}
    assert (by_name["answers", "right"].tie, by_name["answers", "right"].a) == (3, pytest.approx(2 / 3))
    other = {**RESULT, "fingerprints": {**RESULT["fingerprints"], "gold": "h"}}
    with pytest.raises(InputError, match="different gold sets"):
        list(runs.compared(RESULT, other))


@pytest.mark.parametrize("text, words", [("{", "no run"), ("[]", "no run"), (json.dumps({"layout": 0}), "layout 0")])
def test_a_file_that_is_no_run_is_refused(tmp_path, text, words):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=words):
        runs.kept(str(tmp_path / "a.json"))


def test_the_gates_misses_stand_open_and_the_rest_is_folded_away():
    bars = [(Bar("answers", "right", 0.6), "passed", "0.500 (0.200 to 0.800), at least 0.6 wanted"),
            (Bar("answers", "right", 0.9), "failed", "0.500 (0.200 to 0.800), at least 0.9 wanted"),
            (Bar("injection", "obeyed", 0.1), "not run", "the suite injection was not run")]
    section = re.search(r'<section id="gate">.*?</section>', page(RESULT, gate=bars))[0]
    open_part, *folded = section.split("<details")
    assert "at least 0.9 wanted" in open_part and "at least 0.6 wanted" not in open_part
    assert "1 bar held" in folded[0] and "at least 0.6 wanted" in folded[0] and "1 bar not judged" in folded[1]


def test_a_turn_that_went_wrong_shows_what_was_asked_before_and_where_its_passage_was_lost():
    result = copy.deepcopy(RESULT)
    turn = _row("c1.2", 0, turns=["What is HNSW?"], query="cost of HNSW", ranks=RANKS, lost_at="fused", facts=[["x"]],
                wanted=[{"document": "d", "quote": "The wanted one"}],
                retrieved=[{"document": "d", "start": 0, "end": 4, "text": "Another"}])
    result["suites"]["conversations"] = {"metrics": {}, "kinds": {"open": {"fact": {"right": [0, 1]}}},
                                         "questions": [turn], "crashed": []}
    item, = (item for item in failed(result, "open") if item.id == "c1.2")
    assert (item.outcome, item.lost) == ("wrong", "fused")
    said = shown(page(result))
    assert "Asked beforeWhat is HNSW?Searched forcost of HNSW" in said
    assert "The wanted one" in said and "Another" in said
