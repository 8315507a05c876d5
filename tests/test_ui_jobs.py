"""Answers in the making: a job outlives its page, tells errors in a line, and stops when asked."""
from __future__ import annotations

import threading
from types import SimpleNamespace

import gradio as gr
import pytest

from assistant import Assistant, Config
from assistant.catalog.conversations import Conversations
from assistant.catalog.database import Database
from assistant.errors import InputError, StoreError
from assistant.records import Answer, Found, Progress, Retrieval, Sentence, Support
from assistant.ui.chat import Chat
from assistant.ui.jobs import Jobs
from assistant.ui.thread import live_html
from assistant.ui.warmth import Warmth
from tests.test_ui import evidence, hit


class Scripted:
    """An assistant whose stream is given; it ends with an error where that is an exception."""

    def __init__(self, *events, gate: threading.Event | None = None) -> None:
        self.events, self.gate, self.seen = events, gate, None

    def stream(self, question, history=(), stop=None):
        self.seen = history
        for event in self.events:
            if self.gate:
                self.gate.wait(5)
            if isinstance(event, Exception):
                raise event
            yield event


@pytest.fixture()
def store(tmp_path):
    return Conversations(Database(tmp_path / "c.db"))


@pytest.fixture()
def chat(tmp_path):
    """The panel over an empty index; no model is loaded."""
    rag = Assistant(Config(index=str(tmp_path / "index"), llm="off"))
    with gr.Blocks() as page, gr.Tab("Chat") as tab:
        return Chat(rag, Warmth(rag), page, tab)


def finish(job) -> None:
    for _ in job.follow():
        pass
    assert job.done


def test_a_job_stores_the_answer_though_nobody_follows_it(store):
    key = store.create("q").id
    store.append(key, "user", "q")
    retrieval = Retrieval("q", "q", "", (hit(),), "passed", "", True, 0.3)
    sentence = Sentence("One [1].", Support(0, 8, True, (1,), 1.0, "model"))
    gate = threading.Event()
    jobs = Jobs(store)
    job = jobs.start(Scripted(Progress("search"), Found(retrieval, (evidence(0, 19),)), sentence,
                              Answer("One [1].", trace_id="t9"), gate=gate), key, "q", [])
    assert jobs.get(key) is job and jobs.start(Scripted(), key, "again", []) is job
    assert "role=\"status\"" in live_html(job)
    gate.set()
    finish(job)
    assert [(t.role, t.content, t.trace_id) for t in store.turns(key)][1:] == [("assistant", "One [1].", "t9")]
    assert jobs.get(key) is None


def test_an_error_is_one_line_in_the_conversation_and_the_question_stays(store, capfd):
    key = store.create("q").id
    store.append(key, "user", "q")
    finish(Jobs(store).start(Scripted(InputError("the index is empty: ingest something")), key, "q", []))
    assert store.turns(key)[1].content == "the index is empty: ingest something"
    store.append(key, "user", "p")
    finish(Jobs(store).start(Scripted(ValueError("odd\nthing")), key, "p", []))
    notice = store.turns(key)[3].content
    assert "ValueError: odd thing" in notice and "Traceback" not in notice and "\n" not in notice
    assert "The question is kept. See the log" in notice
    assert "Traceback" in capfd.readouterr().err
    assert [turn.role for turn in store.turns(key)] == ["user", "notice", "user", "notice"]


def test_a_stop_before_the_first_sentence_says_so(store):
    key = store.create("q").id
    store.append(key, "user", "q")
    gate = threading.Event()
    job = Jobs(store).start(Scripted(Progress("search"), Answer("", trace_id="t"), gate=gate), key, "q", [])
    job.stop.set()
    gate.set()
    finish(job)
    assert store.turns(key)[1].role == "notice" and "Stopped" in store.turns(key)[1].content


def asked(chat, *turns: str) -> str:
    """A conversation of these turns, questions and answers by turns."""
    key = chat.store.create("q").id
    for at, text in enumerate(turns):
        chat.store.append(key, ("user", "assistant")[at % 2], text)
    return key


def test_a_reply_that_cannot_be_stored_is_shown_with_the_reason(chat, monkeypatch, capsys):
    def full(*turn):
        raise StoreError("the disk is full; make room on the disk")
    key = asked(chat, "q")
    monkeypatch.setattr(chat.store, "append", full)
    answer = Answer("One.", support=(Support(0, 4, True, (), 1.0, "model"),))
    job = chat.jobs.start(Scripted(answer), key, "q", [])
    *_, last = chat._follow(job)
    assert "make room on the disk" in last[chat.hint] and "One." in last[chat.live]
    assert "make room on the disk" in capsys.readouterr().err and chat.thread not in last
    *_, last = chat._follow(chat.jobs.start(Scripted(InputError("the index is empty")), key, "q", []))
    assert "the index is empty" in last[chat.hint] and "make room" in last[chat.hint]


def test_a_reply_to_a_deleted_conversation_is_dropped_in_silence(chat, capsys):
    key, gate = asked(chat, "q"), threading.Event()
    job = chat.jobs.start(Scripted(Answer("One."), gate=gate), key, "q", [])
    chat.store.delete(key)
    gate.set()
    *_, last = chat._follow(job)
    assert last[chat.hint] == last[chat.live] == "" and capsys.readouterr().err == ""


def test_an_edited_question_replaces_no_turn_that_another_window_has_added(chat):
    key = asked(chat, "a", "A", "b", "B")
    edit = SimpleNamespace(_data={"position": 0})
    updates, = chat.ask("a, but shorter", key, 0, *chat.settings.values())
    assert "another window" in updates[chat.hint] and updates[chat.editing] is None and chat.box not in updates
    updates = chat.edit(key, edit)
    assert "another window" in updates[chat.hint] and updates[chat.editing] is None
    assert [turn.content for turn in chat.store.turns(key)] == ["a", "A", "b", "B"]
    assert chat.edit(key, SimpleNamespace(_data={"position": 2}))[chat.editing] == 2


def test_the_last_question_is_replaced_with_its_answer(chat, monkeypatch):
    key, began = asked(chat, "a", "A", "b", "B"), []
    monkeypatch.setattr(chat, "_answer", lambda rag, *given: iter(began.append(given) or ()))
    assert list(chat.ask("c", key, 2, *chat.settings.values())) == []
    assert [turn.content for turn in chat.store.turns(key)] == ["a", "A", "c"]
    assert began == [(key, "c", [{"role": "user", "content": "a"}, {"role": "assistant", "content": "A"}])]


def test_what_could_not_be_loaded_is_tried_again_once_an_answer_came(chat, monkeypatch):
    warmth, key, loaded = chat.warmth, asked(chat, "q"), threading.Event()
    monkeypatch.setattr(warmth._assistant, "warm", loaded.set)
    warmth.state, warmth.error = "failed", "the server does not answer"
    *_, _ = chat._follow(chat.jobs.start(Scripted(InputError("no")), key, "q", []))
    assert warmth.state == "failed"
    *_, _ = chat._follow(chat.jobs.start(Scripted(Answer("One.")), key, "q", []))
    assert loaded.wait(5) and warmth.state != "failed"
