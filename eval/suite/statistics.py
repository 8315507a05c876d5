"""Intervals and comparisons: a seeded bootstrap over questions, and two runs compared question by question.

A value is the sum of the counts' parts by the sum of their wholes (see metrics). Questions are drawn with replacement;
those of one conversation are drawn together, since they are not independent. The 95 % interval is the percentile one
(Efron and Tibshirani, 1993, chapter 13). The seed is fixed: the same counts give the same interval.
"""
from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.suite.metrics import Count

DRAWS = 2000
SEED = 20240
LEVEL = 0.95
SAME = 1e-12   # two values nearer than this are a tie


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval over n questions; `value`, `low`, `high` are None where nothing counts."""

    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Comparison:
    """Run B against run A on the questions of both.

    a, b, difference  difference = b - a, with its paired 95 % interval
    win, tie, loss    questions on which B is better, alike, worse
    flipped           ((question's id, value in A, value in B), ...) of wins and losses
    verdict           "better", "worse" or "no difference that this set can show"; of B
    """

    metric: str
    a: float | None
    b: float | None
    difference: Interval
    win: int
    tie: int
    loss: int
    flipped: tuple[tuple[str, float, float], ...]
    verdict: str


def interval(counts: Mapping[str, Count], groups: Mapping[str, str] | None = None, name: str = "") -> Interval:
    """The interval of {question: count}. groups: {question: what it is drawn with}, itself by default.

    name  seeds the draws, so that metrics are not all drawn alike.
    """
    kept = {key: count for key, count in counts.items() if count.whole > 0}
    if not kept:
        return Interval(None, None, None, 0)
    part, whole = _grouped([kept], groups)
    values = _drawn(part, whole, name)[0]
    low, high = _bounds(values)
    return Interval(_value(part[0], whole[0]), low, high, len(kept))


def compare(metric: str, a: Mapping[str, Count], b: Mapping[str, Count], groups: Mapping[str, str] | None = None, *,
            lower_is_better: bool = False) -> Comparison:
    """B against A, paired over the questions that both runs have."""
    both = sorted(set(a) & set(b))
    rows = [{key: run[key] for key in both} for run in (a, b)]
    single = [{key: c.part / c.whole for key, c in row.items() if c.whole > 0} for row in rows]
    flipped = tuple((key, single[0][key], single[1][key]) for key in both
                    if key in single[0] and key in single[1] and abs(single[1][key] - single[0][key]) > SAME)
    sign = -1 if lower_is_better else 1
    win = sum(sign * (after - before) > 0 for _, before, after in flipped)
    shared = sum(key in single[0] and key in single[1] for key in both)
    if not any(single[0]) or not any(single[1]):
        nothing = Interval(None, None, None, 0)
        return Comparison(metric, None, None, nothing, 0, 0, 0, (), "nothing to compare")
    part, whole = _grouped(rows, groups)
    drawn = _drawn(part, whole, metric)
    values = [_value(part[at], whole[at]) for at in (0, 1)]
    low, high = _bounds(drawn[1] - drawn[0])
    if sign * low > 0 and sign * high > 0:
        verdict = "better"
    elif sign * low < 0 and sign * high < 0:
        verdict = "worse"
    else:
        verdict = "no difference that this set can show"
    return Comparison(metric, values[0], values[1], Interval(values[1] - values[0], low, high, len(both)), win,
                      shared - len(flipped), len(flipped) - win, flipped, verdict)


def _grouped(rows: Sequence[Mapping[str, Count]], groups: Mapping[str, str] | None) -> tuple[np.ndarray, np.ndarray]:
    """(parts, wholes), each float64 (runs, groups), in the order of the groups' names."""
    names = sorted({(groups or {}).get(key, key) for row in rows for key in row})
    place = {name: at for at, name in enumerate(names)}
    part, whole = np.zeros((len(rows), len(names))), np.zeros((len(rows), len(names)))
    for run, row in enumerate(rows):
        for key, count in row.items():
            at = place[(groups or {}).get(key, key)]
            part[run, at] += count.part
            whole[run, at] += count.whole
    return part, whole


def _drawn(part: np.ndarray, whole: np.ndarray, name: str) -> np.ndarray:
    """float64 (runs, DRAWS): the values of the draws; both runs share each draw. A draw that counts nothing is nan."""
    generator = np.random.default_rng([SEED, zlib.crc32(name.encode())])
    n = part.shape[1]
    times = generator.multinomial(n, np.full(n, 1 / n), size=DRAWS)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (part @ times.T) / (whole @ times.T)


def _bounds(values: np.ndarray) -> tuple[float, float]:
    low, high = np.nanpercentile(values, [100 * (1 - LEVEL) / 2, 100 * (1 + LEVEL) / 2])
    return float(low), float(high)


def _value(part: np.ndarray, whole: np.ndarray) -> float:
    return float(part.sum() / whole.sum())
