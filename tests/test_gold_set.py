"""Gold questions: read with every bad line named, and judged by their key facts."""
from __future__ import annotations

import json

import pytest

from eval.suite.gold_set import Gold, holds, load, normal, right
from tests.fakes import ROOT

LINE = {
    "id": "g1",
    "kind": "figure",
    "question": "How deep is Onra?",
    "answerable": True,
    "evidence": [{"document": "lakes.md", "quote": "Onra is 41 m deep."}],
    "facts": [["41 m", "forty-one metres"], ["deep"]],
    "forbidden": ["12 m"],
}


def gold(**fields) -> Gold:
    known = {"id": "g", "kind": "k", "question": "q", "history": (), "answerable": True, "evidence": (), "facts": (),
             "forbidden": (), "reference": ""}
    return Gold(**known | fields)


def test_lines_become_gold_and_blank_ones_are_passed_over(tmp_path):
    file = tmp_path / "gold.jsonl"
    file.write_text(
        json.dumps(LINE) + "\n\n" + json.dumps({**LINE, "id": "g2", "history": [{"role": "user", "content": "x"}]})
    )
    one, two = load(file)
    assert one.facts == (("41 m", "forty-one metres"), ("deep",)) and one.evidence == (
        ("lakes.md", "Onra is 41 m deep."),
    )
    assert two.history == ({"role": "user", "content": "x"},) and one.history == ()


def test_every_bad_line_is_named(tmp_path):
    file = tmp_path / "gold.jsonl"
    file.write_text("{\n" + json.dumps(LINE) + "\n" + json.dumps({"id": "x"}) + "\n[1]\n")
    with pytest.raises(ValueError) as caught:
        load(file)
    assert [line.rsplit(":", 1)[0].split(" ")[0].split(":")[1] for line in str(caught.value).split("\n")] == [
        "1",
        "3",
        "4",
    ]


def test_a_right_answer_has_all_facts_in_one_wording_each_and_nothing_forbidden():
    one = gold(facts=(("41 m", "forty-one metres"), ("deep",)), forbidden=("12 m",))
    assert right(one, "Onra is forty-one\n metres DEEP [1].")
    assert not right(one, "Onra is 41 m."), "a fact is missing"
    assert not right(one, "Onra is 41 m deep, or 12 m."), "a forbidden claim"
    assert not right(gold(), "Anything."), "without facts only a decline is right"


def test_wordings_are_compared_without_typography():
    assert normal("“Self‑hosted” – **$0.02** [3] .") == '"self-hosted" - 0.02.'
    assert holds(["self-hosted"], "It is *self–hosted*.") and not holds(["hosted self"], "self-hosted")


@pytest.mark.parametrize("name", ["main.jsonl", "dev.jsonl"])
def test_the_sets_of_the_project_can_be_read_and_judge_their_own_references(name):
    rows = load(ROOT / "eval" / "gold" / name)
    assert len({row.id for row in rows}) == len(rows) >= 50
    assert all(row.facts for row in rows if row.answerable) and not any(row.facts for row in rows if not row.answerable)
    assert all(row.evidence for row in rows if row.answerable)


@pytest.mark.parametrize("collection", ["corpus", "lesson"])
def test_the_frozen_set_has_forty_answerable_questions_and_ten_that_are_not(collection):
    rows = [row for row in load(ROOT / "eval" / "gold" / "main.jsonl") if collection not in row.not_on]
    assert (sum(row.answerable for row in rows), sum(not row.answerable for row in rows)) == (40, 10)
