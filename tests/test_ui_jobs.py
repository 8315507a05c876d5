"""Answers in the making: a job outlives its page, tells errors in a line, and stops when asked."""
from __future__ import annotations

import threading

import pytest

from assistant.catalog.conversations import Conversations
from assistant.catalog.database import Database
from assistant.errors import InputError
from assistant.records import Answer, Found, Progress, Retrieval, Sentence, Support
from assistant.ui.jobs import Jobs
from assistant.ui.thread import live_html
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
