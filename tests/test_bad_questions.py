"""Questions that make no sense, and indexes that cannot answer: one line with the remedy, and nothing is lost."""
from __future__ import annotations

import pytest

from assistant import Assistant, Config
from assistant.errors import EmptyIndexError, IndexMismatchError, InputError
from assistant.text.askable import MAX_QUESTION
from tests.fakes import CORPUS


@pytest.mark.parametrize(
    "question, said",
    [
        ("", "the question is empty"),
        (" \n\t ", "the question is empty"),
        ("x" * (MAX_QUESTION + 1), "4,001 characters"),
        ("word " * 200_000, "1,000,000 characters"),
        ("a\0b", "not text"),
        ("lone \ud800 surrogate", "not text"),
        ("\x1b[2J", "not text"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_in_one_line(rag, question, said):
    with pytest.raises(InputError, match=said) as caught:
        rag.answer(question)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "question",
    [
        "😀🚀",
        "\U000e0fff of a newer Unicode",  # not assigned yet, as an emoji that is newer than Python is
        "👩‍👩‍👧",
        "ما هو التضمين؟",
        "מהו וקטור?",
        "می‌خواهم بدانم",
        "???",
        "\"'; DROP TABLE chunks; --",
        "<script>alert(1)</script>",
        "a" * MAX_QUESTION,
        "%s {0} $(ls)",
        "What is\na vector?",
        "向量是什么",
    ],
)
def test_an_odd_question_gets_an_answer_or_an_abstention(rag, question):
    answer = rag.with_config(rag.config.replace({"llm": "off"})).answer(question)
    assert answer.text and (answer.abstained or answer.citations)


def test_an_empty_index_says_how_to_fill_it(tmp_path):
    with pytest.raises(EmptyIndexError, match="run `assistant ingest PATH`"):
        Assistant(Config(index=str(tmp_path / "with a space"))).answer("What?")


def test_an_index_of_another_embedder_is_refused(rag, tmp_path):
    with rag._db.read() as connection:
        made = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    assert made["chunk_tokens"] == "128" and made["embedder"] == "all-MiniLM-L6-v2"
    other = Assistant(Config(index=str(tmp_path / "index")))
    other.ingest([CORPUS / "00-why-embeddings.md"])
    with other._db.write() as connection:
        connection.execute("UPDATE meta SET value = 'another' WHERE key = 'embedder_fingerprint'")
    with pytest.raises(IndexMismatchError, match="--rebuild"):
        other.answer("What is an embedding?")


def test_rebuild_with_a_mistake_loses_nothing(tmp_path):
    made = Assistant(Config(index=str(tmp_path / "index")))
    made.ingest([CORPUS / "00-why-embeddings.md"])
    with pytest.raises(InputError):
        made.ingest([tmp_path / "nowhere"], rebuild=True)
    assert len(made.documents()) == 1
