"""Answers in the making. A job outlives the page that started it: a reload finds it, a closed tab loses nothing."""
from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Sequence

from assistant.catalog.conversations import Conversations, Turn
from assistant.errors import GlassboxError, InputError
from assistant.records import Answer, Found, Message, Progress, Sentence, Support
from assistant.ui.work import Work

RUNNING = 2        # answers computed at a time; the machine that this is sized for has two cores


class Job(Work):
    """One question on its way to an answer. unstored: why the reply, once it is done, is in memory alone."""

    idle_seconds = 15

    def __init__(self, conversation_id: str, question: str) -> None:
        super().__init__()
        self.conversation_id, self.question = conversation_id, question
        self.stage = "waiting"
        self.found: Found | None = None
        self.sentences: list[tuple[str, Support]] = []
        self.answer: Answer | None = None
        self.notice = self.unstored = ""
        self.began = time.monotonic()

    def take(self, event: Progress | Found | Sentence | Answer) -> None:
        if isinstance(event, Progress):
            self.stage = event.stage
        elif isinstance(event, Found):
            self.found = event
        elif isinstance(event, Sentence):
            self.sentences.append((event.text, event.support))
        else:
            self.answer = event
        self.changed()


class Jobs:
    """The running jobs by conversation; at most one a conversation."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations
        self._running: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._slots = threading.Semaphore(RUNNING)

    def get(self, conversation_id: str | None) -> Job | None:
        with self._lock:
            return self._running.get(conversation_id or "")

    def stop(self, conversation_id: str | None) -> None:
        """Stop what is running there, if anything is."""
        if job := self.get(conversation_id):
            job.stop.set()
            job.changed()

    def start(self, rag, conversation_id: str, question: str, history: list[Message]) -> Job:
        """Answer `question`, whose turn is already stored, and store the reply. Where one is running, that one."""
        with self._lock:
            if conversation_id in self._running:
                return self._running[conversation_id]
            job = self._running[conversation_id] = Job(conversation_id, question)
        threading.Thread(target=self._run, args=(rag, job, history), daemon=True, name="answer").start()
        return job

    def _run(self, rag, job: Job, history: list[Message]) -> None:
        try:
            with self._slots:
                job.stage = "start"
                job.changed()
                for event in rag.stream(job.question, history=history, stop=job.stop):
                    job.take(event)
        except GlassboxError as error:
            job.notice = str(error)
        except Exception as error:  # the page must say that something failed, and the log why
            traceback.print_exc(file=sys.stderr)
            job.notice = failure(error, "The question is kept.")
        try:
            self._store(job)
        except InputError:  # the conversation was deleted meanwhile: nobody waits for the reply
            pass
        except GlassboxError as error:
            print(f"assistant: the reply was not stored: {error}", file=sys.stderr)
            job.unstored = f"{job.notice} The reply could not be stored: {error}".lstrip()
        finally:
            with self._lock:
                self._running.pop(job.conversation_id, None)
            job.done = True
            job.changed()

    def _store(self, job: Job) -> None:
        answer = job.answer
        if answer and answer.text.strip():
            self._conversations.append(job.conversation_id, "assistant", answer.text, answer.trace_id)
            return
        stopped = "Stopped before the first sentence was ready. The question is kept."
        empty = "The answer came back empty. The question is kept."
        job.notice = job.notice or (stopped if job.stop.is_set() else empty)
        self._conversations.append(job.conversation_id, "notice", job.notice, answer.trace_id if answer else "")


def last_question(turns: Sequence[Turn]) -> Turn:
    """The last question of a conversation; where there is none an empty one at position -1."""
    return next((turn for turn in reversed(turns) if turn.role == "user"), Turn(-1, "user", ""))


def failure(error: BaseException, kept: str = "") -> str:
    """One line for an error that nobody foresaw, its text cut, since it may hold anything. kept: what is not lost."""
    words = " ".join(str(error).split())
    words = f": {words[:160]}" if words else ""
    return (f"Something failed inside Glassbox ({type(error).__name__}{words}). {kept}{' ' if kept else ''}"
            "See the log of the program for the cause.")
