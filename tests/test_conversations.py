from __future__ import annotations

import pytest

from assistant.catalog.conversations import UNTITLED, Conversations, history, title_of
from assistant.catalog.database import Database
from assistant.errors import InputError


@pytest.fixture()
def store(tmp_path):
    return Conversations(Database(tmp_path / "catalog.db"))


def filled(store):
    made = store.create("What is HNSW?")
    store.append(made.id, "user", "What is HNSW?")
    store.append(made.id, "assistant", "A graph index [1].", "t1")
    store.append(made.id, "user", "And IVF?")
    store.append(made.id, "notice", "The index is empty.")
    return made.id


def test_turns_come_back_in_order_from_a_new_process_view_of_the_file(tmp_path):
    first = Conversations(Database(tmp_path / "catalog.db"))
    key = filled(first)
    again = Conversations(Database(tmp_path / "catalog.db"))
    assert [(t.position, t.role, t.trace_id) for t in again.turns(key)] == [
        (0, "user", ""), (1, "assistant", "t1"), (2, "user", ""), (3, "notice", "")]
    assert again.get(key).title == "What is HNSW?"


def test_history_leaves_out_notices_and_the_questions_they_answer(store):
    assert history(store.turns(filled(store))) == [
        {"role": "user", "content": "What is HNSW?"}, {"role": "assistant", "content": "A graph index [1]."}]


def test_list_is_latest_first_and_searches_titles_and_turns_literally(store):
    a = store.create("100% recall")
    b = store.create("1000 vectors")
    assert [c.id for c in store.list()] == [b.id, a.id]
    store.append(a.id, "user", "is a_b a name?")
    assert store.list()[0].id == a.id
    assert [c.id for c in store.list("100%")] == [a.id]
    assert [c.id for c in store.list("A_B")] == [a.id]
    assert store.list("axb") == []


def test_first_question_names_an_untitled_conversation_and_rename_holds(store):
    made = store.create()
    assert made.title == UNTITLED
    store.append(made.id, "user", "Why cosine?\nand more")
    assert store.get(made.id).title == "Why cosine? and more"
    store.rename(made.id, "  Cosine  ")
    store.append(made.id, "user", "next")
    assert store.get(made.id).title == "Cosine"
    with pytest.raises(InputError, match="old one was kept"):
        store.rename(made.id, " \n")


def test_titles_are_cut_at_a_word_and_control_characters_go():
    long = "word " * 40
    assert len(title_of(long)) <= 60 and title_of(long).endswith("word…")
    assert title_of("x" * 1_000_000) == "x" * 59 + "…"
    assert title_of("\x00\x01 \n") == UNTITLED
    assert title_of("a\x00b") == "a b"


def test_truncate_and_delete(store):
    key = filled(store)
    store.truncate(key, 0)
    assert [t.content for t in store.turns(key)] == ["What is HNSW?"]
    assert store.append(key, "assistant", "again", "t2").position == 1
    store.truncate(key, -1)
    assert store.turns(key) == []
    store.append(key, "user", "q")
    store.delete(key)
    store.delete(key)
    assert store.turns(key) == []
    with pytest.raises(InputError, match="no conversation"):
        store.append(key, "user", "late")


def test_a_trace_leads_to_its_conversation(store):
    key = filled(store)
    assert store.of_trace("t1") == key
    assert store.of_trace("nope") is None
    assert store.of_trace("") is None


def test_markdown_holds_every_turn(store):
    text = store.markdown(filled(store))
    assert text.startswith("# What is HNSW?\n")
    assert "## And IVF?" in text and "A graph index [1]." in text and "> The index is empty." in text


def test_an_unknown_role_is_a_mistake_of_the_caller(store):
    with pytest.raises(ValueError, match="expected one of user"):
        store.append(store.create().id, "system", "x")
