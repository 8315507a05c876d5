"""What the command prints, from results made by hand."""
from __future__ import annotations

from eval.report import tables
from eval.suite.metrics import Count
from eval.suite.rows import row, summary

TIMES = {"suites_s": {"answers": 3.2}, "whole_s": 4.0, "latency_ms": {"rerank": {"p50": 12.34, "p95": 56.78, "n": 3}},
         "peak_memory_mb": 512.4}


def _run(rights: list[int], **config) -> dict:
    rows = [row(f"q{at:02}", "fact", "held" if at == 0 else "open", f"q{at:02}", "?",
                {"right": Count(right), "words": Count(10 + 5 * right), "same": Count(1)}, answerable=True)
            for at, right in enumerate(rights)]
    return {"created": "2026-01-01T00:00:00+00:00", "limit": None, "config": {"k": 4, "llm": "off", **config},
            "fingerprints": {"gold": "g", "config": "c0ffee", "index": "i"}, "timings": TIMES,
            "suites": {"answers": summary(rows)}}


def test_a_run_is_shown_with_intervals_of_the_split():
    shown = tables.table(_run([1] + [1, 0] * 10), "open").splitlines()
    assert shown[0] == "open part; each number with its 95 % interval" and shown[2] == "answers"
    name, value, low, _, high, n, *held = shown[3].split()
    assert (name, value, n) == ("right", "0.500", "n=20") and float(low) < 0.5 < float(high)
    assert held == ["held", "out", "1.000", "1.00–1.00"]
    assert shown[-2:] == ["  rerank                                     12.3     56.8",
                          "seconds: answers 3, 4 in all; peak memory 512 MB; index i"]
    assert "n=1\n" in tables.table(_run([1] + [1, 0] * 10), "held") + "\n"


def test_it_is_said_where_the_held_out_part_is_worse():
    run = _run([1] * 20)
    rows = [{**made, "split": "held" if at % 2 else "open",
             "counts": {"right": [float(at % 2 == 0 or at < 4), 1.0], "words": [10.0 if at % 2 else 20.0, 1.0]}}
            for at, made in enumerate(run["suites"]["answers"]["questions"])]
    run["suites"]["answers"] = summary(rows)
    shown = tables.table(run, "open")
    assert "! worse where nobody tunes, by more than chance: right\n" in shown  # fewer words are no worse
    assert "nobody tunes" not in tables.table(run, "held") + tables.table(run, "all")
    run["suites"]["answers"] = summary([made for made in rows if made["id"] < "q18"])   # nine of each are too few
    assert "nobody tunes" not in tables.table(run, "open")


def test_the_verdict_names_what_it_is_of():
    before, after = _run([0] * 21), _run([1] * 21, k=6)
    shown = tables.comparison_table(before, after, "open").splitlines()
    assert shown[0].endswith("c0ffee; llm=off") and shown[1].endswith("c0ffee; k=6 llm=off")
    assert shown[4] == ("B against A: better in answers.right; no difference that this set can show in the other 1 (of "
                        "2 numbers about one in twenty differs by chance)")
    line = next(line for line in shown if line.startswith("answers.right"))
    assert line.split() == ["answers.right", "0.000", "1.000", "+1.000", "+1.000", "to", "+1.000", "20/0/0", "better"]
    assert shown[shown.index(line) + 1].startswith("    flipped: q01 0>1, q02 0>1")
    longer = next(line for line in shown if line.startswith("answers.words"))
    assert longer.split()[-1] == "longer"   # which is neither good nor bad by itself
    whole = tables.comparison_table(before, after, "all")
    assert "q00" not in whole and whole.count(", 1 held out") == 1   # a held-out question is never named
    assert tables.comparison_table(before, before, "open").splitlines()[4] == \
        "B against A: no difference that this set can show"


def test_suites_of_one_run_only_are_named():
    other = _run([1, 1])
    other["suites"]["abstention"] = {"metrics": {}, "questions": []}
    assert tables.comparison_table(_run([1, 1]), other, "all").splitlines()[-1] == "in one of the two only: abstention"
