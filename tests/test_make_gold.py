"""Drafted gold questions: from three unlike documents, and what holds of every draft of any document."""
from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from assistant.ingest.load import load, survey
from assistant.text.sentences import plain
from eval.drafting.patterns import KINDS, from_heading, from_list, from_row, from_sentence
from eval.make_gold import PER_SECTION, documents_of, draft, main
from eval.suite import cases as suite_gold
from eval.suite.gold_set import holds
from tests.fakes import CORPUS

POLICY = """# Travel policy

Employees must book flights at least 14 days before departure. Rail travel is preferred for journeys under five hours
because it costs less. A travel request is a form that names the purpose, the dates and the cost of a trip. It is short.

## Daily allowance

| Country | Meals per day | Hotel limit |
|---|---|---|
| Germany | €42 | €120 |
| Norway | €68 | €165 |

The allowance is paid without receipts. The allowance is paid without receipts.

## Claiming

A claim includes the following documents:

- Receipts: originals or photographs
- Approved request: with the manager's signature

## What happens to a late claim?

A late claim is paid only if the manager explains the delay in writing.
"""
MANUAL = """# Brewster K7 kettle

The kettle takes about four minutes to boil a full load. The kettle should be descaled every 8 weeks.

| Property | K7 | K7 Mini |
|---|---|---|
| Capacity | 1.7 l | 0.9 l |

| Code | Meaning | What to do |
|---|---|---|
| E1 | No water | Fill the kettle and press START |
| E2 | Sensor fault | Send the kettle to the service |

To descale the kettle, follow these steps:

1. Fill it with half a litre of water and two spoons of citric acid.
2. Bring it to the boil and wait 20 minutes.
"""
MINUTES = """Minutes of the Garden Committee

Tom Becker presented the accounts for the spring quarter. The committee
decided to raise the plot fee to 55 euros a year. This was long overdue.

The new pump was installed on 2 May 2026. The rain tank holds 6,000 litres.

- Ruth Okafor: write to the city about the fence

The next meeting takes place on 18 June 2026 at Ruth's house.
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("drafts") / "docs"
    made.mkdir()
    for name, text in (("policy.md", POLICY), ("manual.md", MANUAL), ("minutes.txt", MINUTES)):
        (made / name).write_text(text, encoding="utf-8")
    return made


def asked(folder: Path) -> dict[str, dict]:
    return {row["question"]: row for row in draft(documents_of([folder])[0], 40)}


def test_a_policy_a_manual_and_minutes_give_questions_that_a_person_would_ask(folder):
    found = asked(folder)
    for question, fact in {
            "How many days before departure must employees book flights?": "14 days",
            "Why is rail travel preferred for journeys under five hours?": "it costs less",
            "What is a travel request?": "form that names the purpose", "What is the hotel limit of Norway?": "€165",
            "What does a claim include?": "Receipts",
            "What happens to a late claim?": "A late claim is paid only if the",
            "How long does the kettle take to boil a full load?": "four minutes",
            "How often should the kettle be descaled?": "8 weeks", "What is the capacity of the K7?": "1.7 l",
            "What should be done about E2?": "Send the kettle to the service",
            "How do you descale the kettle?": "Fill it with half", "Who presented the accounts for the spring quarter?":
            "Tom Becker", "What did the committee decide to raise?": "plot fee", "When was the new pump installed?":
            "2 May 2026", "How many litres does the rain tank hold?": "6,000 litres",
            "What is Ruth Okafor to do?": "write to the city about", "When does the next meeting take place?":
            "18 June 2026"}.items():
        assert question in found, f"{question} not in\n" + "\n".join(found)
        assert found[question]["facts"][0] == [fact]
    assert len(found["How do you descale the kettle?"]["evidence"]) == 2


def test_drafts_are_marked_and_load_as_a_gold_set(folder, tmp_path):
    rows = draft(documents_of([folder])[0])
    assert all(row["draft"] and row["todo"] and row["kind"] in KINDS for row in rows)
    assert [row["id"] for row in rows] == [f"d{n:03}" for n in range(1, len(rows) + 1)]
    file = tmp_path / "drafts.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    cases = suite_gold.load(file, {d.source: d.text for d in load(survey([folder]).sources)})
    assert len(cases) == len(rows) and all(case.targets for case in cases)


def test_a_passage_that_stands_twice_is_never_quoted(folder):
    assert not any("without receipts" in item["quote"] for row in asked(folder).values() for item in row["evidence"])


def test_every_draft_of_the_chapters_holds_what_is_promised():
    documents, _ = documents_of([CORPUS])
    texts = {document.source: document.text for document in documents}
    rows = draft(documents, 10)
    assert rows == draft(documents, 10), "the same documents give the same drafts"
    assert len(rows) > 60 and {"definition", "table", "why", "figure"} <= {row["kind"] for row in rows}
    for row in rows:
        said = " ".join(plain(item["quote"]) for item in row["evidence"])
        assert all(texts[item["document"]].count(item["quote"]) == 1 for item in row["evidence"]), row
        assert row["facts"] and all(holds(fact, said) for fact in row["facts"]), row
        assert not all(holds(fact, row["question"]) for fact in row["facts"]), "a question that says its answer"
        assert row["question"].endswith("?") and row["question"][0].isupper(), row["question"]
        assert not re.search(r"\b(this|these|it|they|we)\b", row["question"], re.I), row["question"]
    assert len({row["question"] for row in rows}) == len(rows)
    by_document = [sum(row["evidence"][0]["document"] == name for row in rows) for name in texts]
    assert max(by_document) <= 10 and min(by_document) >= 4, "spread over the documents, capped in each"


def test_drafts_of_a_document_are_spread_over_its_sections(tmp_path):
    many = "# A\n\n" + "\n".join(f"A blorb{n} is a kind of grey fish number {n}.\n" for n in range(20))
    (tmp_path / "a.md").write_text(f"{many}\n# B\n\nA wombat is a kind of digger with fur.\n", encoding="utf-8")
    documents = documents_of([tmp_path / "a.md"])[0]
    few = draft(documents, PER_SECTION + 1)
    assert [row["question"] for row in few] == ["What is a blorb0?", "What is a blorb1?", "What is a blorb2?",
                                                "What is a wombat?"]
    assert len(draft(documents, 12)) == 12, "where there is nothing else, a section gives more"


def test_a_question_that_two_passages_answer_is_left_out(tmp_path):
    (tmp_path / "a.md").write_text("The rain tank holds 70 litres. The well was dug in 1911.\n", encoding="utf-8")
    (tmp_path / "b.md").write_text("The rain tank holds 90 litres. The wall was built in 1950.\n", encoding="utf-8")
    assert [row["question"] for row in draft(documents_of([tmp_path])[0])] == ["When was the wall built?"]


@pytest.mark.parametrize("sentence", [
    "This is a tool that cuts.", "It takes 4 minutes.", "The result is a list of numbers.", "There are 4 kinds of tea.",
    "The Jaccard index is 2/4.", "They must pay within 30 days.", "What is a kettle?", "Short one.",
    "In 1990 the club was founded by a group of friends.", "The one that holds 4 litres is a tank."])
def test_sentences_that_lean_on_others_or_say_little_give_nothing(sentence):
    assert list(from_sentence(sentence, sentence.lower())) == []


@pytest.mark.parametrize("sentence, question, fact", [
    ("Claims must be submitted within 30 days of the end of the trip.", None, None),
    ("Employees must submit claims within 30 days of the end of the trip.",
     "Within how many days of the end of the trip must employees submit claims?", "30 days"),
    ("Records must be kept for six years.", "For how long must records be kept?", "six years"),
    ("The museum was founded in 1874 by two sisters.", "When was the museum founded?", "1874"),
    ("A season ticket costs €85 per person.", "How much does a season ticket cost per person?", "€85"),
    ("HNSW stands for hierarchical navigable small world.", "What does HNSW stand for?",
     "hierarchical navigable small world"),
    ("The tower is 38 metres high.", "How high is the tower?", "38 metres"),
    ("Green tea must not be brewed with boiling water, because heat makes tea bitter.",
     "Why must green tea not be brewed with boiling water?", "heat makes tea bitter")])
def test_each_pattern_turns_its_sentence_round(sentence, question, fact):
    found = {made.question: made.facts for made in from_sentence(sentence, sentence.lower())}
    if question is None:
        question, fact = "Within how many days of the end of the trip must claims be submitted?", "30 days"
    assert found[question] == ((fact,),)


def test_rows_lists_and_headings():
    rows = [made.question for made in from_row(["Model", "Dimensions", "What it holds", "Right first"],
                                               ["MiniLM", "384", "words", "72 %"], "")]
    assert rows == ["What are the dimensions of MiniLM?", "What does the table give as “right first” for MiniLM?"]
    assert list(from_row(["A", "B"], ["only one"], "")) == [] and list(from_row(["A", "Size"], ["12", "3"], "")) == []
    made = from_list("There are two rules for the pool:", ["Never run.", "Never dive at night."], "")
    assert made is not None and made.question == "What are the two rules for the pool?" and len(made.facts) == 2
    assert from_list("Some remarks:", ["Never run.", "Never dive."], "") is None
    assert from_heading("2.1 How to reset the pump", "") == "How do you reset the pump?"
    assert from_heading("Why chunking matters", "") == "Why does chunking matter?"
    assert from_heading("Overview", "") == "" and from_heading("What is this?", "") == ""


def test_the_command_writes_drafts_and_keeps_a_reviewed_file(folder, tmp_path, capsys):
    out = tmp_path / "gold.jsonl"
    assert main([str(folder), "--out", str(out), "--per-document", "3"]) == 0
    assert len(out.read_text(encoding="utf-8").splitlines()) == 9
    assert "9 drafts of 3 documents" in capsys.readouterr().err
    before = out.read_text(encoding="utf-8")
    assert main([str(folder), "--out", str(out)]) == 2 and "is there already" in capsys.readouterr().err
    assert out.read_text(encoding="utf-8") == before
    assert main([str(tmp_path / "nothing"), "--out", str(tmp_path / "x.jsonl")]) == 2
    assert main([str(folder), "--out", str(tmp_path / "x.jsonl"), "--per-document", "0"]) == 2
    assert not (tmp_path / "x.jsonl").exists()
