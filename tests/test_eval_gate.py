"""The gate: below a bar by more than the interval allows, and what is wrong with its file."""
from __future__ import annotations

import pytest

from assistant.errors import InputError
from eval import gate
from tests.fakes import ROOT


def _result(**cells) -> dict:
    return {"suites": {"answers": {"metrics": {"open": {
        name: {"value": value, "low": low, "high": high, "n": 9} for name, (value, low, high) in cells.items()}}}}}


def _load(tmp_path, text):
    (tmp_path / "gate.toml").write_text(text)
    return gate.load(tmp_path / "gate.toml")


@pytest.mark.parametrize("bar, verdict", [(0.7, "passed"), (0.9, "passed"), (0.91, "failed")])
def test_a_number_fails_when_its_whole_interval_is_below_the_bar(tmp_path, bar, verdict):
    made = _load(tmp_path, f"[answers]\nright = {bar}")
    (_, found, words), = gate.judged(made, _result(right=(0.8, 0.7, 0.9)))
    assert found == verdict and words.startswith("0.800 (0.700 to 0.900), at least")


@pytest.mark.parametrize("bar, verdict", [(0.0, "failed"), (0.05, "passed")])
def test_where_lower_is_better_the_bar_is_a_ceiling(tmp_path, bar, verdict):
    made = _load(tmp_path, f"[answers]\nwrongly_declined = {bar}")
    assert [row[1] for row in gate.judged(made, _result(wrongly_declined=(0.1, 0.02, 0.2)))] == [verdict]


def test_a_suite_that_was_not_run_is_said_and_a_missing_number_fails(tmp_path):
    made = _load(tmp_path, "[answers]\nright = 0.5\n[abstention]\nabstention_recall = 0.5")
    assert [row[1] for row in gate.judged(made, _result())] == ["failed", "not run"]
    (_, found, words), _ = gate.judged(made, _result(right=(None, None, None)))   # as where nobody was asked such a one
    assert found == "failed" and "no question that was asked counts" in words


def test_everything_wrong_with_the_file_is_named(tmp_path):
    with pytest.raises(InputError) as error:
        _load(tmp_path, 'split = "some"\n[answer]\nright = 1\n[answers]\nrihgt = 1\nright = "much"')
    for words in ("split is 'some'", "unknown suite 'answer'", "no metric 'rihgt'", "answers.right is 'much'"):
        assert words in str(error.value)
    assert len(str(error.value).split("\n")) == 4
    text = ('split = "some"\nx = 1\n\n[answers]\n"checker.rihgt" = 1\n"right"= nan\nwords = "many"\n'
            '[ "retreival" ]\ny = 2')
    with pytest.raises(InputError) as error:
        _load(tmp_path, text)
    assert [line.split("gate.toml:")[1].split(" ")[0] for line in str(error.value).split("\n")] \
        == ["1:", "2:", "5:", "6:", "7:", "8:"]
    with pytest.raises(InputError, match="holds no bar"):
        _load(tmp_path, "")
    with pytest.raises(InputError, match="cannot read the gate"):
        gate.load(tmp_path / "none.toml")


def test_a_gate_made_of_a_run_passes_it_and_fails_a_worse_one(tmp_path):
    """0.816 becomes at least 0.81, and where lower is better 0.091 becomes at most 0.1."""
    result = _result(right=(0.816, 0.7, 0.9), wrongly_declined=(0.091, 0.05, 0.13), words=(50.0, 45.0, 55.0))
    result["suites"]["answers"]["checker"] = {"metrics": {"recall": {"value": 0.38, "low": 0.3, "high": 0.5, "n": 50}}}
    text = gate.proposed(result)
    assert text == ('split = "open"\n\n[answers]\n"right" = 0.81\n"wrongly_declined" = 0.1\n'
                    '"checker.recall" = 0.38\n')
    made = _load(tmp_path, text)
    assert [row[1] for row in gate.judged(made, result)] == ["passed"] * 3
    worse = _result(right=(0.7, 0.65, 0.8), wrongly_declined=(0.2, 0.11, 0.3))
    assert [row[1] for row in gate.judged(made, worse)] == ["failed", "failed", "failed"]  # the last has no number


def test_the_shipped_gate_is_good_and_every_number_it_proposes_is_known():
    made = gate.load(ROOT / "eval" / "gate.toml")
    assert made.split == "open" and len(made.bars) >= 5
    assert all(set(names) <= gate.METRICS[suite] for suite, names in gate.BARRED.items())
