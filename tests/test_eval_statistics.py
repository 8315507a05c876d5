"""Intervals and verdicts where the right one is known beforehand."""
from __future__ import annotations

import pytest

from eval.suite.metrics import Count
from eval.suite.statistics import Interval, compare, interval


def _counts(values, whole=1.0):
    return {f"q{at:03}": Count(value, whole) for at, value in enumerate(values)}


def test_a_value_that_never_varies_has_no_width_and_nothing_has_no_interval():
    assert interval(_counts([1] * 30)) == Interval(1.0, 1.0, 1.0, 30)
    assert interval({}) == interval(_counts([0, 0], whole=0)) == Interval(None, None, None, 0)


def test_the_interval_of_a_share_is_near_the_normal_one():
    found = interval(_counts([1, 0] * 200), name="right")
    # 0.5 +- 1.96 * sqrt(0.25 / 400) = 0.451..0.549
    assert found.value == 0.5 and found.n == 400
    assert found.low == pytest.approx(0.451, abs=0.006) and found.high == pytest.approx(0.549, abs=0.006)
    assert interval(_counts([1, 0] * 200), name="right") == found


def test_a_ratio_is_of_sums_and_not_a_mean_of_ratios():
    assert interval({"a": Count(1, 1), "b": Count(0, 3), "c": Count(0, 0)}).value == 0.25
    assert interval({"a": Count(1, 1), "b": Count(0, 3), "c": Count(0, 0)}).n == 2


def test_questions_of_a_conversation_are_drawn_together():
    counts = _counts([1] * 50 + [0] * 50)
    two = {key: "first" if count.part else "second" for key, count in counts.items()}
    found = interval(counts, two)
    assert (found.value, found.low, found.high) == (0.5, 0.0, 1.0)   # two groups: a draw has one of them in half


def test_a_run_against_itself_shows_no_difference():
    counts = _counts([1, 0, 1, 1])
    found = compare("right", counts, counts)
    assert (found.win, found.tie, found.loss, found.flipped) == (0, 4, 0, ())
    assert found.difference == Interval(0.0, 0.0, 0.0, 4) and found.verdict == "no difference that this set can show"


def test_wins_ties_losses_and_verdicts():
    before, after = _counts([0] * 30 + [1] * 70), _counts([1] * 30 + [1] * 69 + [0])
    found = compare("right", before, after)
    assert (found.win, found.tie, found.loss) == (30, 69, 1) and found.verdict == "better"
    assert (found.a, found.b) == (0.7, 0.99) and found.difference.value == pytest.approx(0.29)
    assert found.difference.low <= 0.29 <= found.difference.high and found.flipped[-1] == ("q099", 1.0, 0.0)
    assert compare("right", after, before).verdict == "worse"
    assert compare("obeyed", after, before, lower_is_better=True).verdict == "better"
    assert compare("right", _counts([0, 1, 0, 1]), _counts([1, 0, 0, 1])).verdict.startswith("no difference")


def test_only_questions_of_both_runs_are_compared():
    found = compare("right", {"a": Count(1), "b": Count(0)}, {"b": Count(1), "c": Count(0)})
    assert (found.a, found.b, found.win, found.difference.n) == (0.0, 1.0, 1, 1)
    assert compare("right", {"a": Count(1)}, {"b": Count(1)}).verdict == "nothing to compare"
