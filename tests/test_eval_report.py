"""The report of a result made by hand, and runs kept and compared."""
from __future__ import annotations

import copy
import json
from html.parser import HTMLParser

import pytest

from assistant.errors import InputError
from eval import runs
from eval.report import page


def _row(name: str, good: int, split: str = "open", **changes) -> dict:
    return {"id": name, "kind": "fact", "split": split, "group": name, "question": f"What is <{name}>?",
            "answerable": True, "counts": {"right": [good, 1], "right_or_declined": [good, 1]}, "answer": "An & answer",
            "reference": "Other", "declined": False, "confidence": 0.5, "origins": [], **changes}


CELL = {"value": 0.5, "low": 0.2, "high": 0.8, "n": 4}
RESULT = {
    "layout": runs.LAYOUT, "created": "2026-01-02T03:04:05+00:00", "config": {"k": 4}, "limit": None,
    "fingerprints": {"config": "abc", "index": "i", "gold": "g", "corpus": "c"},
    "suites": {
        "retrieval": {"stages": ["dense", "evidence"], "crashed": [],
                      "kinds": {"open": {"fact": {"reranked.recall@5": [1, 2]}}},
                      "metrics": {"open": {"dense.recall@5": CELL}, "held": {}, "all": {}},
                      "questions": [_row("q1", 1, counts={}, lost_at="search", ranks={"dense": [None]},
                                         wanted=[{"document": "d", "quote": "The quote"}],
                                         retrieved=[{"document": "d", "start": 0, "end": 4, "text": "Text"}])]},
        "answers": {"metrics": {"open": {"right": CELL}, "held": {"right": CELL}, "all": {"right": CELL}},
                    "kinds": {"open": {"fact": {"right_or_declined": [2, 3]}}}, "crashed": [],
                    "questions": [_row("q1", 1), _row("q2", 0), _row("q3", 0, "held"), _row("q4", 1)]},
        "abstention": {"metrics": {}, "kinds": {}, "questions": [],
                       "risk_coverage": [[0.9, 0.5, 0.0], [0.1, 1.0, 0.5]]},
        "injection": {"absent": "the gold set holds no injections"},
        "failures": {"demos": {"stale": {"values": {"fresh_first": 1.0}}}, "not_measured": ["negation"]}},
    "timings": {"suites_s": {}, "peak_memory_mb": 9.0, "latency_ms": {"dense": {"p50": 1, "p95": 2, "n": 4}}}}


class _Parsed(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.links = "", []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("src", "href")]
        assert tag not in ("q1", "q2"), "a question's text became a tag"

    def handle_data(self, data):
        self.text += data


def test_the_page_stands_alone_and_says_what_went_wrong():
    found = _Parsed(page(RESULT))
    assert found.links == [] and "url(" not in page(RESULT)
    for words in ("Lost at search", "The quote", "What is <q2>?", "An & answer", "2 of 3", "Not measured: negation",
                  "absent: the gold set holds no injections", "What went wrong: 2 questions"):
        assert words in found.text, words
    assert "What is <q3>?" not in found.text, "held-out questions are not shown"


def test_the_page_gives_the_verdict_against_another_run():
    other = copy.deepcopy(RESULT)
    for row in other["suites"]["answers"]["questions"]:
        row["counts"]["right"] = [0, 1]
    assert "2 / 1 / 0" in page(RESULT, other) and "no difference that this set can show" in page(RESULT, RESULT)


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
