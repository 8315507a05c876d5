"""The suite of failure modes on the real models: the problem and its fix, pair by pair; and a demo that crashes."""
from __future__ import annotations

import json
from dataclasses import replace

import pytest

from assistant.lab import demos, get
from eval.report import tables
from eval.suite import failures, runs


@pytest.fixture(scope="module")
def found(rag) -> dict:
    return failures.measured(rag)


def test_each_demo_shows_its_problem_and_its_fix(found):
    assert set(found["demos"]) == {"domain", "negation", "dilution", "stale", "drift"}
    assert not found["not_measured"] and not found["crashed"]
    cells = found["metrics"]["open"]
    assert cells == found["metrics"]["all"] and all(cell["n"] == 0 for cell in found["metrics"]["held"].values())
    for name, said in found["demos"].items():
        assert {"problem", "fix"} <= set(said["roles"].values()) <= {"problem", "fix", "beside"}
        worst = max(said["values"][number] for number, role in said["roles"].items() if role == "problem")
        best = max(said["values"][number] for number, role in said["roles"].items() if role == "fix")
        assert best > worst + 0.1, name
        for number, value in said["values"].items():
            cell = cells[f"{name}.{number}"]
            assert cell["value"] == pytest.approx(value, abs=2e-6)
            assert cell["low"] - 2e-6 <= value <= cell["high"] + 2e-6
    assert cells["negation.bi_encoder_right"]["n"] == 50
    assert cells["negation.bi_encoder_right"]["high"] < cells["negation.cross_encoder_right"]["low"]
    assert cells["stale.stale_first"]["n"] == cells["domain.dense_first"]["n"] == cells["dilution.alone"]["n"] == 12
    assert len(found["questions"]) == 50 + 3 * 12 + 6 == len({row["id"] for row in found["questions"]})
    json.dumps(found)


def test_two_runs_are_compared_pair_by_pair(found):
    """The other run ranks three of the fifty denials wrong that this one ranks right."""
    def as_run(rows: list[dict]) -> dict:
        return {"created": "now", "config": {}, "fingerprints": {"gold": "g", "config": "c"},
                "suites": {"failures": {**found, "questions": rows}}}
    name, spoilt = "negation.cross_encoder_right", []
    for row in found["questions"]:
        worse = len(spoilt) < 3 and row["counts"].get(name) == [1.0, 1.0]
        if worse:
            spoilt.append({**row, "counts": {**row["counts"], name: [0.0, 1.0]}})
    ids = {row["id"] for row in spoilt}
    before = as_run([row for row in found["questions"] if row["id"] not in ids] + spoilt)
    after = as_run(found["questions"])
    comparisons = {found.metric: found for suite, found in runs.compared(before, after, "open") if suite == "failures"}
    assert (comparisons[name].win, comparisons[name].loss) == (3, 0)
    assert comparisons[name].difference.value == pytest.approx(0.06)
    assert comparisons["stale.fresh_first"].difference.value == 0
    assert name in tables.comparison_table(before, after, "open")


def test_a_demo_that_crashes_is_listed_and_has_no_number(rag):
    def broken(rag):
        raise ZeroDivisionError("no pairs")
    done: list[None] = []
    found = failures.measured(rag, [replace(get("domain"), measure=broken), replace(get("negation"), measure=None),
                                    get("stale")], lambda: done.append(None))
    assert len(done) == 2
    assert found["crashed"] == ["domain"] and found["not_measured"] == ["negation"]
    assert found["demos"]["domain"] == {"error": "ZeroDivisionError: no pairs"}
    assert list(found["metrics"]["open"]) == ["stale.stale_first", "stale.fresh_first"]
    result = {"suites": {"failures": found}, "timings": {"suites_s": {}, "latency_ms": {}},
              "fingerprints": {"index": "i"}}
    shown = tables.table(result, "open")
    assert "crashed: domain: ZeroDivisionError: no pairs" in shown and "not measured: negation" in shown
    assert "stale:      problem stale_first" in shown


def test_the_roles_name_what_is_measured(rag):
    for demo in demos():
        assert bool(demo.measure) == bool(demo.roles)
        if demo.measure:
            assert set(demo.measure(rag)) == set(demo.roles)
