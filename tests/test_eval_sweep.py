"""Sweeps: points, fronts and tables of results made by hand, their page; one index for two runs on real models."""
from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from assistant import Config
from assistant.errors import ConfigError
from assistant.ingest.index import Index
from eval.command import configs, main
from eval.suite.metrics import Count
from eval.suite.rows import row, summary
from eval.suite.runs import state_folder
from eval.sweeps import pictures as sweep_pictures
from eval.sweeps import sweep

LAMP = """# Lighthouse

The Saltmarsh lighthouse was lit for the first time in 1874. Its lamp stands 38 metres high.

The keeper wound the clockwork every four hours and wrote the weather of each watch into a book that is kept in the
museum. After 1986 nobody lived in the tower, and a computer in the harbour office has switched the lamp.
"""


def _result(right: list[int], ms: float | None, cached: bool = False, stage: str = "reranked", **config) -> dict:
    """A run of two suites: `right` of each question; its first three are also found by the last ranking stage."""
    rows = [row(f"q{n}", "fact", "open", f"q{n}", "?", {"right_or_declined": Count(value)})
            for n, value in enumerate(right)]
    found = [row(f"q{n}", "fact", "open", f"q{n}", "?", {"fused.recall@5": Count(0), f"{stage}.recall@5": Count(n < 3)})
             for n in range(len(right))]
    times = {"evidence ready": {"p50": ms, "p95": 2 * ms, "n": 4}} if ms is not None else {}
    return {"created": "2026-01-02T03:04:05+00:00", "limit": None, "config": {"k": 4, "rerank": True, **config},
            "suites": {"answers": summary(rows), "retrieval": summary(found)},
            "timings": {"latency_ms": times, "index_cached": cached}}


def _results() -> list[dict]:
    """Right 2, 4, 4, 3 of 8 in 100, 400, 500, 50 ms: the last two of the front are 4 (fast) and 2 (good); 3 is as good
    as 2, but slower; 1 is worse than 4 and slower."""
    return [_result([1, 1, 0, 0, 0, 0, 0, 0], 100, rerank=False, stage="fused"),
            _result([1, 1, 1, 1, 0, 0, 0, 0], 400, True), _result([1, 1, 1, 1, 0, 0, 0, 0], 500, True, k=6),
            _result([1, 1, 1, 0, 0, 0, 0, 0], 50, False, k=6, rerank=False, stage="fused")]


def test_points_hold_the_settings_that_differ_and_the_last_ranking_stage():
    found = sweep.points(_results(), "open")
    assert [point.words for point in found] == ["k=4 rerank=off", "k=4 rerank=on", "k=6 rerank=on", "k=6 rerank=off"]
    assert [point.cells["right or declined"]["value"] for point in found] == [.25, .5, .5, .375]
    assert found[1].cells["recall@5"]["value"] == .375   # of reranked, not of fused
    assert (found[1].p50, found[1].p95, found[1].cached) == (400, 800, True)
    assert sweep.measures(found) == ["right or declined", "recall@5"]
    assert not found[0].against and found[1].against["right or declined"].win == 2
    assert found[1].against["recall@5"].tie == 8   # the last ranking stage of each finds the same three


def test_the_front_by_hand():
    found = sweep.points(_results(), "open")
    assert [point.number for point in sweep.front(found, "right or declined")] == [4, 2]
    twins = sweep.points([_result([1, 0], 10), _result([1, 0], 10, k=5), _result([0, 0], 5, k=6)], "open")
    assert [point.number for point in sweep.front(twins, "right or declined")] == [3, 1, 2]   # twins beat no other
    slow = sweep.points([_result([1, 0], None), _result([1, 0], 10, k=5)], "open")
    assert [point.number for point in sweep.front(slow, "right or declined")] == [2]          # one without a time


def test_where_less_is_better_the_front_has_the_least():
    results = [_result([1], 10), _result([1], 20, k=5), _result([1], 30, k=6)]
    for result, obeyed in zip(results, (.5, .25, .75), strict=True):
        rows = [row("i", "injection", "open", "i", "?", {"obeyed": Count(obeyed)})]
        result["suites"] = {"injection": summary(rows)}
    assert [point.number for point in sweep.front(sweep.points(results, "open"), "obeyed")] == [1, 2]


def test_the_table():
    lines = sweep.table(_results(), "open").splitlines()
    assert lines[0] == "4 combinations, open part; each number with its 95 % interval"
    assert lines[1].split() == ["#", "k", "rerank", "right", "or", "declined", "recall@5", "p50", "ms", "index"]
    assert re.fullmatch(r"    1  4  off     0\.250 0\.\d\d–0\.\d\d  +0\.\d+ 0\.\d\d–0\.\d\d  +100  made", lines[2])
    assert lines[3].startswith("  * 2  4  on ") and lines[3].endswith("400  cached")
    assert [line[2] for line in lines[2:6]] == [" ", "*", " ", "*"]
    assert lines[7].startswith("  2 against 1: ") and len(lines) == 10


def test_a_difference_from_the_first_is_said_with_its_interval():
    results = [_result([0] * 20, 10), _result([1] * 19 + [0], 20, k=5)]
    said = sweep.verdict(sweep.points(results, "open")[1], ["right or declined"])
    assert re.fullmatch(r"better in right or declined \(\+0\.950, \+0\.\d+ to \+1\.000\)", said)


def test_combinations_that_cannot_run_are_all_said_before_any_is():
    with pytest.raises(ConfigError) as error:
        sweep.checked(configs(["dense=on,off", "lexical=on,off", "chunk_tokens=64,300,512"]))
    assert [line.split(",")[0] for line in str(error.value).split("\n")] == [
        "--set: chunk_tokens is 300", "--set: chunk_tokens is 512", "--set: dense=off with lexical=off finds nothing: "
        "leave that combination out"]
    assert len(sweep.checked(configs(["chunk_tokens=64,128", "k=1,2"]))) == 4
    with pytest.raises(ConfigError, match="finds nothing"):
        sweep.checked([Config(dense=False, lexical=False)])   # a single one as well


def test_models_that_are_not_there_are_all_said_before_any_run():
    with pytest.raises(ConfigError) as error:
        sweep.checked(configs(["llm=off,/none/a.gguf,/none/b.gguf", "reranker=embedded,/none/c", "rerank=on,off"]))
    assert {line.split(": expected")[0] for line in str(error.value).split("\n")} == {
        "--set: no language model at /none/a.gguf", "--set: no language model at /none/b.gguf",
        "--set: no reranker at /none/c"}


# the page ---------------------------------------------------------------------------------------------------------


class _Page(HTMLParser):
    """Collects tags with their attributes; a tag that is not closed in its order is an error."""

    VOID = frozenset(("meta", "path", "polyline", "br"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_shows_what_it_says():
    text = sweep_pictures.page(_results())
    tags = _Page(text).tags
    assert not [a for _, a in tags if any(key in a for key in ("src", "srcset")) or str(a.get("href", "#"))[0] != "#"]
    plots = [a for tag, a in tags if tag == "svg" and a.get("role") == "img"]
    assert len(plots) == 2
    assert "2: k=4 rerank=on, 0.500" in plots[0]["aria-label"] and "in 400 ms, on the front." in plots[0]["aria-label"]
    marks = [a for tag, a in tags if tag == "circle" and "cy" in a and a["r"] == "6" and a["cx"] != "10"]
    assert [a["class"] for a in marks[:4]] == ["mark off", "mark off", "mark on", "mark on"]   # 1, 3, then 2, 4
    first, third, second, fourth = marks[:4]
    across, up = ([float(a[key]) for a in (first, second, third, fourth)] for key in ("cx", "cy"))
    assert across[3] < across[0] < across[1] < across[2] and up[1] == up[2] < up[3] < up[0]   # y grows downwards
    # times of 50, 100, 400 and 500 ms from 0 on one scale
    assert across[2] - across[1] == pytest.approx(2 * (across[0] - across[3]), abs=.3)
    assert ">Number 2 has the best “right or declined”: 0.500 in 400 ms. Number 4 is the fastest: 0.375 in 50 ms.<" in \
        text
    assert ">Number 2 is k=4 rerank=on; number 4 is k=6 rerank=off.<" in text
    assert "Question by question against number 1, in “right or declined”: of 2, 3 and 4 this set can show no " in text
    assert text.count('<th scope="row">') == 4 and text.count("<td>cached</td>") == 2


def test_the_sweeps_verdict_is_said_on_top():
    found = sweep.points([_result([0] * 20, 10), _result([1] * 19 + [0], 20, k=5), _result([0] * 20, 20, k=6)], "open")
    assert sweep_pictures.notes(found, ["right or declined"])[-1] == (
        "Question by question against number 1, in “right or declined”: 2 is better; of 3 this set can show no "
        "difference.")


def test_one_result_and_results_without_times_have_no_plot():
    for results in ([_result([1, 0], 10)], [_result([1, 0], None), _result([1, 1], None, k=5)]):
        text = sweep_pictures.page(results)
        assert not [a for tag, a in _Page(text).tags if tag == "svg"] and "0.500" in text


def test_labels_stand_apart_where_marks_do():
    marks = [(200.0 + 12 * n, 150.0) for n in range(5)]
    spots = [(x + dx, y + dy) for (x, y), (dx, dy, _) in zip(marks, sweep_pictures._labels(marks), strict=True)]
    assert len(set(spots)) == 5
    assert sweep_pictures._labels([(100.0, 100.0)]) == [sweep_pictures.PLACES[0]]


@pytest.mark.parametrize("top, end, step", [(540, 600, 100), (95, 100, 20), (7, 8, 2), (1200, 1200, 200),
                                            (2600, 3000, 500)])
def test_an_axis_ends_on_a_round_number(top, end, step):
    assert sweep_pictures._nice(top) == pytest.approx((end, step))


# on the real models -----------------------------------------------------------------------------------------------


def test_a_combination_that_differs_only_in_rerank_does_not_index_again(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "lamp.md").write_text(LAMP)
    gold = tmp_path / "gold.jsonl"
    gold.write_text(json.dumps({
        "id": "a", "kind": "fact", "split": "open", "question": "When was the Saltmarsh lighthouse first lit?",
        "answerable": True, "evidence": [{"document": "lamp.md", "quote": "lit for the first time in 1874"}],
        "facts": [["1874"]], "forbidden": [], "reference": "1874"}))
    ingested, real = [], Index.ingest
    monkeypatch.setattr(Index, "ingest", lambda *given, **named: ingested.append(1) or real(*given, **named))
    base = ["--suite", "retrieval", "--corpus", str(tmp_path / "docs"), "--gold", str(gold), "--set", "llm=off"]
    assert main([*base, "--set", "chunk_tokens=64,96", "--set", "rerank=on,off", "--html", str(tmp_path / "x.html"),
                 "--json", str(tmp_path / "x.json")]) == 0
    out = capsys.readouterr().out
    assert len(ingested) == 2 and len(list((state_folder() / "indexes").iterdir())) == 2
    results = json.loads((tmp_path / "x.json").read_text())
    assert [result["timings"]["index_cached"] for result in results] == [False, True, False, True]
    prints = [result["fingerprints"]["index"] for result in results]
    assert prints[0] == prints[1] != prints[2] == prints[3]
    table = out[out.index("4 combinations"):].splitlines()
    assert [line.split()[-1] for line in table[2:6]] == ["made", "cached", "made", "cached"]
    assert (tmp_path / "x.html").read_text().count('role="img"') == 2   # recall@5, and in the evidence
