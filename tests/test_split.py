"""What a question asks is told from how it is asked: two things at once, and how long an answer is wished for."""
from __future__ import annotations

import pytest

from assistant.records import Chunk, Hit, Score
from assistant.retrieve.manner import wants_one, without
from assistant.retrieve.select import Gate, select
from assistant.retrieve.split import questions
from tests.fakes import over


@pytest.mark.parametrize("query, second", [
    ("How many dimensions does text-embedding-3 have, and what does it cost per million tokens?",
     "what does text-embedding-3 cost per million tokens"),
    ("Which temperature is the default, and from which one does CLIP start?", "from which temperature does CLIP start"),
    ("What does K-means do and what does IVF use it for?", "what does IVF use K-means for"),
    ("How many days do I get, and until when can I use leftover days of a year?",
     "until when can I use leftover days of a year"),
    ("How fast is exact search? What happens when the collection grows tenfold?",
     "What happens when the collection grows tenfold"),
])
def test_two_questions_are_taken_apart_and_the_second_stands_alone(query, second):
    assert questions(query)[1:] == (second,)


@pytest.mark.parametrize("query", [
    "How does HNSW search?", "Who published Word2Vec, and when?", "How and why does BM25 saturate?",
    "What is the difference between HNSW and IVF?", "Which document comes first, and which if you count words?",
    "I use pgvector and what I get is slow", "Which scheme finds it, and which one overlooks it?", "and why?"])
def test_one_question_stays_one(query):
    assert questions(query) == (query,)


def hit(name: str, probability: float) -> Hit:
    return Hit(Chunk(name, "d", "Lakes", f"text of {name}", 0, 9, 3), "Guide", rerank=Score(probability, 1))


def test_two_questions_choose_their_passages_by_turns():
    hits = [hit("a", 0.9), hit("b", 0.8), hit("c", 0.7), hit("d", 0.2)]
    first = {"a": Score(0.9, 1), "b": Score(0.8, 2), "c": Score(0.7, 3), "d": Score(0.0, 4)}
    second = {"d": Score(0.2, 1), "a": Score(0.1, 2), "b": Score(0.0, 3), "c": Score(0.0, 4)}
    passed = Gate("passed", "", 0.1)
    assert [h.chunk.id for h in select(hits, 2, passed, 0.05) if h.kept] == ["a", "b"]
    both = select(hits, 2, passed, 0.05, [first, second])
    assert [h.chunk.id for h in both] == ["a", "b", "c", "d"]
    assert [h.chunk.id for h in both if h.kept] == ["a", "d"]


@pytest.mark.parametrize("asked, searched", [
    ("What is an embedding, in one sentence?", "What is an embedding?"), ("Briefly explain BM25", "Explain BM25"),
    ("In simple terms, what is HNSW?", "What is HNSW?"), ("Explain BM25 in two sentences.", "Explain BM25."),
    ("How many words fit in a sentence?", "How many words fit in a sentence?"), ("in short?", "in short?"),
    ("What happens in one sentence of a text?", "What happens in one sentence of a text?")])
def test_how_an_answer_is_wished_for_is_not_searched(asked, searched):
    query, why = without(asked)
    assert query == searched and bool(why) == (asked != searched)


@pytest.mark.parametrize("asked, one", [
    ("What is HNSW, in one sentence?", True), ("In a single line, what is HNSW?", True),
    ("What is HNSW in two sentences?", False), ("What is one sentence?", False)])
def test_one_sentence_is_told_from_a_few(asked, one):
    assert wants_one(asked) is one


# on the real models


GUIDE = """# Lakes
Tisse is a shallow lake of four metres. Its water is warm in summer and many people swim there.

# Boats
A day ticket for the ferry costs nine crowns. The ferry leaves from the northern pier.
"""


@pytest.fixture(scope="module")
def rag(tmp_path_factory):
    return over(tmp_path_factory.mktemp("two"), GUIDE)


def test_an_answer_holds_what_both_questions_ask(rag):
    answer = rag.answer("How deep is Tisse, and what does a day ticket for the ferry cost?")
    assert "four metres" in answer.text and "nine crowns" in answer.text
    trace = rag.trace(answer.trace_id)
    assert "asked as two" in trace.query_reason
    assert {e.heading.split(" > ")[-1] for e in trace.evidence[:2]} == {"Lakes", "Boats"}


def test_the_half_that_nothing_answers_brings_no_passage_of_its_own(rag):
    answer = rag.answer("What does a day ticket for the ferry cost, and who invented the telephone exchange?")
    assert "nine crowns" in answer.text and "Tisse" not in answer.text


def test_one_sentence_is_given_where_one_is_asked_for(rag):
    assert len(rag.answer("What does the ferry cost, in one sentence?").support) == 1
