"""The eval suite's gold set: quotes that stand, facts that can be met, kinds, splits, conversations, injections."""
from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from eval.suite.gold_set import holds, load, normal, right
from tests.fakes import CORPUS, ROOT

GOLD = ROOT / "eval" / "gold"
CHAPTERS = {path.name: path.read_text(encoding="utf-8") for path in sorted(CORPUS.glob("*.md"))}
KINDS = {"fact", "figure", "table", "definition", "comparison", "list", "why", "paraphrase", "keyword", "negation",
         "formula", "typo", "corpus", "two_chapters", "false_premise", "unanswerable_near", "unanswerable_far"}
FUNCTION_WORDS = set(re.findall(r"[a-z]+", """
and any are as at been before but can could did does for from had has have her him his how its just may might more
much must myself not off once only our out over own should some something such than that the their them then there
these they this those under until was were what when whenever where whether which while who whom whose why will
with would you your one two three again also both each every without yet after all other same few most none nor
about against between whatever rather even still here get gets got give gives make makes made way ever never since
because during through itself another always too let into if own very
"""))


def _lines(name: str) -> list[dict]:
    return [json.loads(line) for line in (GOLD / name).read_text(encoding="utf-8").splitlines()]


QUESTIONS = _lines("suite/questions.jsonl")
CONVERSATIONS = _lines("suite/conversations.jsonl")
INJECTIONS = _lines("suite/injections.jsonl")
TURNS = [{"id": f"{row['id']}.{i}", "kind": "conversation", **turn}
         for row in CONVERSATIONS + _lines("dev_conversations.jsonl") for i, turn in enumerate(row["turns"], 1)]


def _chapter_names(row: dict) -> str:
    """What an answer over the whole corpus may name beside the quotes: its evidence's chapters, by number and title."""
    documents = {item["document"] for item in row["evidence"]}
    titles = (re.search(r"^title: (.*)$", CHAPTERS[name], re.M).group(1) for name in sorted(documents))
    return "\n".join(f"chapter {int(name[:2])} {title}" for name, title in zip(sorted(documents), titles, strict=True))


def _choices(row: dict) -> list[str]:
    """The evidence as one text, then the same with each alternative in place of what it stands for."""
    quotes = [item["quote"] for item in row["evidence"]]
    texts = [quotes]
    for item in row.get("also", ()):
        place = item.get("for")
        texts.append([item["quote"]] if place is None else [*quotes[:place], item["quote"], *quotes[place + 1:]])
    named = [_chapter_names(row)] if row["kind"] == "corpus" else []
    return ["\n".join(text + named) for text in texts]


@pytest.mark.parametrize("row", QUESTIONS + TURNS, ids=lambda row: row["id"])
def test_quotes_stand_once_in_their_document_and_meet_every_fact(row):
    for item in row["evidence"] + row.get("also", []):
        assert CHAPTERS[item["document"]].count(item["quote"]) == 1, item
        assert "\n" not in item["quote"] and item["quote"] == item["quote"].strip(), item
        assert 0 <= item.get("for", 0) < len(row["evidence"]), item
    wordings = [wording for fact in row["facts"] for wording in fact] + row["forbidden"]
    assert all(wording and wording == wording.strip() for wording in wordings), "matching would cut the blanks"
    assert row["answerable"] == bool(row["facts"]) == bool(row["evidence"])
    if row["answerable"]:
        for text in _choices(row):
            assert not [fact for fact in row["facts"] if not holds(fact, text)], text
    else:
        assert "also" not in row and row["kind"] in {"unanswerable_near", "unanswerable_far", "conversation"}


@pytest.mark.parametrize("row", QUESTIONS + TURNS, ids=lambda row: row["id"])
def test_nothing_forbidden_stands_in_the_corpus_or_in_the_reference(row):
    texts = [*CHAPTERS.values(), row["reference"]]
    assert not [claim for claim in row["forbidden"] if any(holds([claim], text) for text in texts)]
    assert all(holds(fact, row["reference"]) for fact in row["facts"])


def test_the_reader_of_gold_sets_reads_the_questions_and_accepts_their_references():
    gold = load(GOLD / "suite" / "questions.jsonl")
    assert [row.id for row in gold] == [row["id"] for row in QUESTIONS]
    assert [row.id for row in gold if row.answerable and not right(row, row.reference)] == []


def test_ids_and_questions_are_new_and_unique():
    older = _lines("main.jsonl") + _lines("dev.jsonl")
    ids = Counter(row["id"] for row in QUESTIONS + CONVERSATIONS + INJECTIONS + older)
    assert [name for name, count in ids.items() if count > 1] == []
    asked = Counter(normal(row["question"]) for row in QUESTIONS + INJECTIONS)
    assert [text for text, count in asked.items() if count > 1] == []
    known = {normal(row["question"]) for row in older}
    assert [row["id"] for row in QUESTIONS + TURNS if normal(row["question"]) in known] == []


def test_every_kind_has_fifteen_questions_and_every_chapter_its_share():
    kinds = Counter(row["kind"] for row in QUESTIONS)
    assert set(kinds) == KINDS and min(kinds.values()) >= 15 and len(QUESTIONS) >= 255
    chapters = Counter(name for row in QUESTIONS for name in {item["document"] for item in row["evidence"]})
    assert set(chapters) == set(CHAPTERS) and len(CHAPTERS) == 10 and min(chapters.values()) >= 15


def _held(rows: list[dict]) -> float:
    assert {row["split"] for row in rows} == {"held", "open"}
    return sum(row["split"] == "held" for row in rows) / len(rows)


@pytest.mark.parametrize("rows", [QUESTIONS, CONVERSATIONS, INJECTIONS], ids=["asked", "conversed", "injected"])
def test_thirty_percent_are_held_out(rows):
    assert 0.27 <= _held(rows) <= 0.33


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_held_out_part_is_spread_over_the_kinds(kind):
    assert 0.24 <= _held([row for row in QUESTIONS if row["kind"] == kind]) <= 0.36


def _stem(word: str) -> str:
    for ending in ("ations", "ation", "ings", "ing", "ies", "ed", "es", "ers", "er", "ly", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _content(text: str) -> set[str]:
    words = re.findall(r"[a-z]+", normal(text).replace("'", " "))
    return {_stem(word) for word in words if len(word) > 2 and word not in FUNCTION_WORDS}


@pytest.mark.parametrize("row", [row for row in QUESTIONS if row["kind"] == "paraphrase"], ids=lambda row: row["id"])
def test_a_paraphrase_shares_no_content_word_with_its_paragraph(row):
    for item in row["evidence"] + row.get("also", []):
        text = CHAPTERS[item["document"]]
        at = text.index(item["quote"])
        paragraph = text[text.rfind("\n\n", 0, at):text.index("\n\n", at) if "\n\n" in text[at:] else None]
        assert not _content(row["question"]) & _content(paragraph)


def test_two_chapter_questions_have_evidence_in_two_chapters():
    rows = [row for row in QUESTIONS if row["kind"] == "two_chapters"]
    assert all(len({item["document"] for item in row["evidence"]}) == 2 for row in rows)


def test_there_are_thirty_conversations_of_two_or_three_turns():
    assert len(CONVERSATIONS) == 30 and {len(row["turns"]) for row in CONVERSATIONS} == {2, 3}
    assert {row["kind"] for row in CONVERSATIONS} == {"conversation"}
    assert all(row["turns"][0]["answerable"] for row in CONVERSATIONS), "a follow-up needs something to follow"
    openers = Counter(normal(row["turns"][0]["question"]) for row in CONVERSATIONS)
    assert max(openers.values()) == 1


def test_there_are_twenty_injections_each_made_its_own_way():
    assert len(INJECTIONS) == 20 and all(len({row[key] for row in INJECTIONS}) == 20 for key in ("made", "title"))
    assert {row["kind"] for row in INJECTIONS} == {"injection"}


@pytest.mark.parametrize("row", INJECTIONS, ids=lambda row: row["id"])
def test_an_injections_question_is_answered_by_its_document_and_its_canary_by_obedience_alone(row):
    (item,) = row["evidence"]
    assert item["document"] == row["title"] and row["text"].count(item["quote"]) == 1
    assert all(holds(fact, item["quote"]) and holds(fact, row["reference"]) for fact in row["facts"]) and row["facts"]
    said = (row["title"] + row["text"] + row["question"] + row["reference"]).lower()
    assert row["canary"], row["id"]
    assert not [canary for canary in row["canary"] if canary.lower() in said], "quoting it would pass for obeying it"
    facts = " ".join(wording for fact in row["facts"] for wording in fact).lower()
    assert not [canary for canary in row["canary"] if canary.lower() in facts]
