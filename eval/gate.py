"""The gate: bars in a TOML file, and the numbers of a run that fall below theirs by more than their interval allows.

    split = "open"                    # "open" by default, or "all", "held"
    [retrieval]
    "reranked.recall@5" = 0.9         # fails where the interval's upper end is below it
    [injection]
    obeyed = 0.05                     # lower is better: fails where the interval's lower end is above it

Names are those of the result's metrics; of the answers also "checker." and a metric of the sentence checker.
`python -m eval.gate RUN` prints a gate from a kept run: its own values, to two digits, as bars for BARRED. A later run
then fails where it is worse by more than chance allows.
"""
from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import InputError
from assistant.lab import demos
from eval.suite import checker
from eval.suite.asking import STAGES
from eval.suite.gold_lines import SPLITS
from eval.suite.metrics import CUT, DEPTHS, FIRST
from eval.suite.runner import SUITES
from eval.suite.runs import LOWER_IS_BETTER

_RANKING = [*(f"recall@{n}" for n in DEPTHS), f"found@{FIRST}", f"mrr@{CUT}", f"ndcg@{CUT}"]
_SAID = {"right", "right_or_declined", "wrongly_declined", "supported", "citation_recall", "citation_precision",
         "words"}
METRICS = {
    "retrieval": {f"{stage}.{name}" for stage in STAGES for name in _RANKING},
    "answers": _SAID | {f"checker.{name}" for name in checker.METRICS},
    "conversations": _SAID | {f"evidence.{name}" for name in _RANKING},
    "abstention": {"abstention_precision", "abstention_recall"}, "injection": {"obeyed", "right"},
    "failures": {f"{demo.name}.{name}" for demo in demos() for name in demo.roles}}


BARRED = {   # what `proposed` sets bars for: what a person would miss, once each
    "retrieval": ("lexical.recall@10", "dense.recall@10", "fused.recall@10", "reranked.recall@5", "reranked.mrr@10",
                  "reranked.ndcg@10", "evidence.recall@10"),
    "answers": ("right", "right_or_declined", "wrongly_declined", "supported", "citation_recall", "citation_precision",
                "checker.recall", "checker.false_passed"),
    "conversations": ("right", "right_or_declined", "evidence.recall@10"),
    "abstention": ("abstention_precision", "abstention_recall"), "injection": ("obeyed", "right"),
    "failures": tuple(f"{demo.name}.{name}" for demo in demos() for name, role in demo.roles.items() if role == "fix")}


@dataclass(frozen=True)
class Bar:
    """What a metric of a suite must reach (at most, where lower is better)."""

    suite: str
    metric: str
    value: float


@dataclass(frozen=True)
class Gate:
    """The bars, all for one split of the gold set."""

    split: str
    bars: tuple[Bar, ...]


def load(path: Path) -> Gate:
    """The file's gate. InputError names every unknown suite, metric and value in it, with its line."""
    try:
        text = path.read_text(encoding="utf-8")
        rows = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"cannot read the gate {path}: {error}") from error
    split, wrong, bars = rows.pop("split", "open"), [], []
    lines = _lines(text)

    def at(suite: str, metric: str = "") -> str:
        line = lines.get((suite, metric), lines.get((suite, "")))
        return f"{path}:{line}" if line else str(path)
    if split not in (*SPLITS, "all"):
        wrong.append(f"{at('', 'split')}: split is {split!r}: expected one of {', '.join((*SPLITS, 'all'))}")
    for suite, metrics in rows.items():
        if suite not in SUITES or not isinstance(metrics, dict):
            where = at(suite) if isinstance(metrics, dict) else at("", suite)
            wrong.append(f"{where}: unknown suite {suite!r}: expected one of {', '.join(SUITES)}")
            continue
        for metric, value in metrics.items():
            if metric not in METRICS[suite]:
                wrong.append(f"{at(suite, metric)}: {suite} has no metric {metric!r}: expected one of "
                             f"{', '.join(sorted(METRICS[suite])) or '(none)'}")
            elif isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                wrong.append(f"{at(suite, metric)}: {suite}.{metric} is {value!r}: expected a number")
            else:
                bars.append(Bar(suite, metric, float(value)))
    if not bars and not wrong:
        wrong.append(f"{path}: it holds no bar")
    if wrong:
        raise InputError("\n".join(wrong))
    return Gate(split, tuple(bars))


def _lines(text: str) -> dict[tuple[str, str], int]:
    """{(table, key): the line where it stands}, "" as key for the table itself; of a file as people write one, a key a
    line. What is written otherwise has no line, and is named by the file alone."""
    found, table = {}, ""
    for number, line in enumerate(text.split("\n"), 1):
        if header := re.match(r"""\s*\[\s*["']?([^\]"']+?)["']?\s*\]""", line):
            table = header[1]
            found[table, ""] = number
        elif key := re.match(r"""\s*["']?([\w.@ -]+?)["']?\s*=""", line):
            found.setdefault((table, key[1]), number)
    return found


def judged(gate: Gate, result: dict) -> list[tuple[Bar, str, str]]:
    """(bar, "passed", "failed" or "not run", in words) for each bar. A suite that ran without the metric fails."""
    out = []
    for bar in gate.bars:
        found = result["suites"].get(bar.suite)
        if found is None:
            out.append((bar, "not run", f"the suite {bar.suite} was not run"))
            continue
        cell = _cell(found, gate.split, bar.metric)
        if not cell or cell["value"] is None:
            why = "" if cell is None else ": no question that was asked counts towards it"
            out.append((bar, "failed", f"the run has no such number{why}"))
            continue
        lower = bar.metric in LOWER_IS_BETTER
        bad = cell["low"] > bar.value if lower else cell["high"] < bar.value
        out.append((bar, "failed" if bad else "passed",
                    f"{cell['value']:.3f} ({cell['low']:.3f} to {cell['high']:.3f}), "
                    f"{'at most' if lower else 'at least'} {bar.value:g} wanted"))
    return out


def _cell(found: dict, split: str, metric: str) -> dict | None:
    """The metric of a suite's part of the result; those of the checker have no split."""
    name = metric.removeprefix("checker.")
    if name != metric:
        return found.get("checker", {}).get("metrics", {}).get(name)
    return found.get("metrics", {}).get(split, {}).get(metric)


def proposed(result: dict) -> str:
    """A gate's TOML from a run's open part: its values, rounded to two digits towards the easier side."""
    lines = ['split = "open"']
    for suite, names in BARRED.items():
        rows = []
        for name in names:
            cell = _cell(result["suites"].get(suite, {}), "open", name)
            if cell and cell["value"] is not None:
                easier = math.ceil if name in LOWER_IS_BETTER else math.floor
                rows.append(f'"{name}" = {easier(round(100 * cell["value"], 4)) / 100:g}')
        lines += ["", f"[{suite}]", *rows] if rows else []
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys

    from eval.suite.runs import kept
    print(proposed(kept(sys.argv[1] if len(sys.argv) > 1 else "last")), end="")
