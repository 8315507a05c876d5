"""The Chat panel: conversations left, the conversation in the middle, right what happened for the answer in view.

The store is the truth: every event reads the turns from it and shows them again. An answer is made by a job that
does not depend on the page; a handler only follows it.
"""
from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from functools import lru_cache

import gradio as gr

from assistant.catalog.conversations import history
from assistant.errors import GlassboxError, InputError
from assistant.pipeline import Assistant
from assistant.records import Trace
from assistant.ui.answer import answer_html
from assistant.ui.answer_view import AnswerView
from assistant.ui.conversation_list import ConversationList
from assistant.ui.fragment import fragment
from assistant.ui.jobs import Job, Jobs, failure, last_question
from assistant.ui.settings import Settings
from assistant.ui.thread import LIVE, address_html, first_screen, hint_html, live_html, lone_html, turns_html
from assistant.ui.warmth import Warmth

FOLLOWERS = 16     # pages that may follow answers at once; the work itself is bounded by jobs.RUNNING
TRACES_HELD = 128  # traces kept in memory, so that a long conversation is not parsed anew for each event
Updates = dict[gr.components.Component, object]


class Chat:
    def __init__(self, assistant: Assistant, warmth: Warmth, page: gr.Blocks, tab: gr.Tab) -> None:
        self.rag, self.warmth = assistant, warmth
        self.store = assistant.conversations
        self.jobs = Jobs(self.store)
        self._parsed = lru_cache(maxsize=TRACES_HELD)(assistant.trace)
        self._layout()
        self._events(page, tab)

    def _layout(self) -> None:
        self.opened = gr.State(False)   # the address has been read
        self.current = gr.State(None)   # id of the conversation on screen
        self.view = gr.State("")        # id of the trace in the inspector
        self.editing = gr.State(None)   # position of the question that the next one replaces
        with gr.Row(elem_id="gb-chat", equal_height=False):
            with gr.Column(elem_id="gb-left", min_width=0):
                self.list = ConversationList(self.store)
            with gr.Column(elem_id="gb-middle", min_width=0):
                with gr.Column(elem_id="gb-scroll"):
                    self.thread = fragment("", elem_id="gb-turns", wired=True)
                    self.live = fragment("", elem_id="gb-live")
                with gr.Column(elem_id="gb-composer"):
                    self.hint = fragment("", elem_id="gb-hint", wired=True)
                    with gr.Row(elem_id="gb-inputrow", equal_height=False):
                        self.box = gr.Textbox(placeholder="Ask a question", label="Question", show_label=False,
                                              container=False, lines=1, max_lines=8, elem_id="gb-question",
                                              html_attributes=gr.InputHTMLAttributes(enterkeyhint="send"))
                        self.send = gr.Button("Ask", variant="primary", elem_id="gb-send", min_width=64)
                        self.stop = gr.Button("Stop", variant="stop", elem_id="gb-stop", min_width=64, visible=False)
                    with gr.Row(elem_id="gb-underinput"):
                        fragment('<p class="gb-legend"><span class="gb-said">model, checked</span>'
                                '<span class="gb-quoted">quoted from documents</span></p>')
                        self.clear = fragment('<button type="button" class="gb-tool" id="gb-clear" data-event="delete" '
                                              'data-confirm="Clear?">Clear</button>', wired=True)
            with gr.Column(elem_id="gb-right", min_width=0):
                self.answer_view = AnswerView(lambda: Settings(self.rag.config))
                self.settings = self.answer_view.settings
        self.address = fragment("", elem_id="gb-address", visible="hidden",
                               js_on_load="window.glassbox.address(element, watch)")
        self.outputs = [self.thread, self.live, self.hint, self.box, self.send, self.stop, self.list.rows,
                        *self.answer_view.outputs, self.opened, self.current, self.view, self.editing, self.address]

    def _events(self, page: gr.Blocks, tab: gr.Tab) -> None:
        quiet = {"show_progress": "hidden", "api_visibility": "private"}
        long = {**quiet, "concurrency_limit": FOLLOWERS, "concurrency_id": "follow", "outputs": self.outputs}
        short = {**quiet, "concurrency_limit": FOLLOWERS, "outputs": self.outputs}
        values = self.settings.components
        asked = gr.on([self.box.submit, self.send.click], self.ask,
                      [self.box, self.current, self.editing, *values], **long)
        acted = self.thread.submit(self.act, [self.current, *values], **long)
        loaded = page.load(self.open_page, None, **long)
        opened = self.list.rows.select(self.open_row, None, cancels=[asked, acted, loaded], **long)
        followers = [asked, acted, loaded, opened]
        self.list.new.click(lambda: self.show(None), None, cancels=followers, **short)
        self.list.rows.delete(self.delete, self.current, cancels=None, **short)
        self.list.rows.edit(self.list.rename, [self.current, self.list.search], [self.hint, self.list.rows], **quiet)
        self.list.search.change(self.list.html, [self.current, self.list.search], self.list.rows, **quiet)
        self.thread.select(self.inspect, [self.current], trigger_mode="multiple", **short)
        self.thread.edit(self.edit, [self.current], **short)
        self.hint.select(lambda: {self.editing: None, self.hint: "", self.box: ""}, None, **short)
        tab.select(self.selected, [self.opened, self.current, self.view], **short)
        self.clear.delete(self.clear_turns, self.current, **short)
        self.stop.click(self.stop_answer, self.current, self.stop, queue=False, **quiet)

    # what a person does

    def ask(self, question: str, current: str | None, editing: int | None, *values) -> Iterator[Updates]:
        if not (question or "").strip():
            yield {self.hint: hint_html("The question is empty: write what you want to know.")}
            return
        if self.jobs.get(current):
            yield {self.hint: hint_html("An answer is being written: wait for it, or stop it first.")}
            return
        try:
            rag = self.rag.with_config(self.settings.config_from(values))
            if not self.store.exists(current):
                current, editing = self.store.create(question).id, None
            before = self.store.turns(current)
            if editing is not None:
                if editing != last_question(before).position:
                    yield {**self.show(current), self.hint: hint_html(
                        "The conversation went on in another window: nothing was replaced. Ask again to go on there.")}
                    return
                self.store.truncate(current, editing - 1)
                before = before[:editing]
            self.store.append(current, "user", question)
        except GlassboxError as error:
            yield {self.hint: hint_html(str(error))}
            return
        yield from self._answer(rag, current, question, history(before))

    def act(self, event: gr.EventData, current: str | None, *values) -> Iterator[Updates]:
        """An example question, a thumb on an answer, or the last question again."""
        data = event._data or {}
        if data.get("act") in ("up", "down"):
            yield self._judge(current, str(data.get("trace", "")), data["act"])
            return
        if data.get("act") == "ask":
            yield from self.ask(str(data.get("text", "")), current, None, *values)
            return
        turns = self.store.turns(current) if current else []
        asked = last_question(turns)
        if asked.position < 0 or self.jobs.get(current):
            yield {self.hint: hint_html("There is no question to ask again.") if asked.position < 0 else ""}
            return
        try:
            rag = self.rag.with_config(self.settings.config_from(values))
        except GlassboxError as error:
            yield {self.hint: hint_html(str(error))}
            return
        self.store.truncate(current, asked.position)
        yield from self._answer(rag, current, asked.content, history(turns[:asked.position]))

    def edit(self, current: str | None, event: gr.EventData) -> Updates:
        last = last_question(self.store.turns(current or ""))
        if self.jobs.get(current):
            return {self.hint: hint_html("This question can no longer be edited: another answer is being written.")}
        if last.position < 0 or last.position != int(event._data.get("position", -1)):
            return {**self.show(current), self.hint: hint_html(
                "The conversation has changed in another window: only its last question can be edited.")}
        return {self.box: last.content, self.editing: last.position, self.hint: hint_html(
            "Editing the last question. Sending it replaces the question and its answer.", cancel=True)}

    def inspect(self, current: str | None, event: gr.EventData) -> Updates:
        return self._inspected(current, str(event._data.get("trace", "")))

    def stop_answer(self, current: str | None) -> Updates:
        self.jobs.stop(current)
        return gr.update(interactive=False)

    def open_row(self, event: gr.EventData) -> Iterator[Updates]:
        yield from self._open(str(event._data.get("id", "")))

    def open_page(self, request: gr.Request) -> Iterator[Updates]:
        """What the address asks for: `?trace=ID` an answer, `?c=ID` a conversation, else the first screen."""
        asked = dict(request.query_params)
        if trace_id := asked.get("trace"):
            try:
                trace = self._trace(trace_id)
            except GlassboxError as error:
                yield {**self.show(None), self.hint: hint_html(str(error))}
                return
            if current := self.store.of_trace(trace_id):
                yield self.show(current, trace_id)
            else:
                yield {**self.show(None), self.thread: self._turns(None, [], trace_id, None), self.view: trace_id,
                       self.address: address_html(None, trace_id), **self.answer_view.of_trace(trace)}
            return
        yield from self._open(asked.get("c"))

    def delete(self, current: str | None, event: gr.EventData) -> Updates:
        gone = str(event._data.get("id", ""))
        self.jobs.stop(gone)
        self.store.delete(gone)
        return self.show(None) if gone == current else {self.list.rows: self.list.html(current)}

    def clear_turns(self, current: str | None) -> Updates:
        if self.jobs.get(current):
            return {self.hint: hint_html("An answer is being written: stop it before clearing the conversation.")}
        self.store.truncate(current, -1)
        return self.show(current)

    # what is shown

    def show(self, current: str | None, view: str | None = None) -> Updates:
        """The whole panel for a conversation; `view` None puts its last answer into the inspector."""
        current = current if self.store.exists(current) else None  # it may have been deleted in another window
        turns = self.store.turns(current) if current else []
        job = self.jobs.get(current)
        if view is None:
            view = next((turn.trace_id for turn in reversed(turns) if turn.trace_id), "")
        trace = self.trace_of(view)
        thread = (self._turns(current, turns, "" if job else view, job) if turns
                  else first_screen(self.rag.documents()))
        return {self.opened: True, self.thread: thread, self.live: self._live(job), self.hint: "", self.editing: None,
                self.send: gr.update(visible=job is None),
                self.stop: gr.update(visible=job is not None, interactive=True),
                self.list.rows: self.list.html(current), self.current: current, self.view: view,
                self.address: address_html(current, ""), **self.answer_view.of_trace(trace)}

    def selected(self, opened: bool, current: str | None, view: str) -> Updates:
        """The panel came to the front: what the first screen offers depends on the documents.

        Gradio also says so while the page loads, when what the address asks for has not been read yet.
        """
        first = opened and not current and not view
        return {self.thread: first_screen(self.rag.documents())} if first else {self.opened: opened}

    def trace_of(self, trace_id: str) -> Trace | None:
        try:
            return self._trace(trace_id) if trace_id else None
        except GlassboxError:  # of another index, or traces are off: the answer is shown without its workings
            return None

    def _trace(self, trace_id: str) -> Trace:
        """A trace as it was parsed before, where the index still has it; a deleted one raises as any unknown one."""
        return self._parsed(trace_id) if self.rag.traces.has(trace_id) else self.rag.trace(trace_id)

    def _open(self, current: str | None) -> Iterator[Updates]:
        try:
            current = self.store.get(current).id if current else None
        except InputError as error:
            yield {**self.show(None), self.hint: hint_html(str(error))}
            return
        yield {**self.show(current), self.box: ""}
        if job := self.jobs.get(current):
            yield from self._follow(job)

    def _inspected(self, current: str | None, trace_id: str) -> Updates:
        trace = self.trace_of(trace_id)
        if trace is None:
            return {self.hint: hint_html(f"The trace {trace_id} is not in this index any more.")}
        return {self.thread: self._turns(current, self.store.turns(current or ""), trace_id, self.jobs.get(current)),
                self.view: trace_id, **self.answer_view.of_trace(trace)}

    def _turns(self, current: str | None, turns: list, view: str, job: Job | None) -> str:
        """The conversation, or where there is none the answer that `view` names."""
        thumbs = {judged.trace: judged.thumb for judged in self.rag.feedback.all()}
        if not turns:
            return lone_html(self._trace(view), thumbs.get(view, ""))
        return turns_html(turns, self.trace_of, view, job is not None, current or "", thumbs)

    def _judge(self, current: str | None, trace_id: str, thumb: str) -> Updates:
        """A second press takes the thumb back; a note that was written in the Traces tab stays."""
        before = self.rag.feedback.get(trace_id)
        try:
            self.rag.feedback.set(trace_id, "" if before and before.thumb == thumb else thumb,
                                  before.note if before else "")
        except GlassboxError as error:
            return {self.hint: hint_html(str(error))}
        turns, job = self.store.turns(current) if current else [], self.jobs.get(current)
        return {**self._inspected(current, trace_id), self.hint: ""} if not job else {
            self.thread: self._turns(current, turns, "", job)}

    def _answer(self, rag: Assistant, current: str, question: str, before: list) -> Iterator[Updates]:
        job = self.jobs.start(rag, current, question, before)
        yield {**self.show(current), self.box: "", **self.answer_view.waiting(question)}
        yield from self._follow(job)

    def _follow(self, job: Job) -> Iterator[Updates]:
        found, view = False, self.answer_view
        idle = {self.send: gr.update(visible=True), self.stop: gr.update(visible=False)}
        try:
            for _ in job.follow():
                if job.done:
                    break
                updates: Updates = {self.live: self._live(job)}
                if job.found and not found:
                    found, updates = True, updates | view.of_found(job.question, job.found)
                yield updates
            if job.answer:
                self.warmth.again()
            yield self.show(job.conversation_id) if not job.unstored else {
                self.live: _reply_html(job), self.hint: hint_html(job.unstored), **idle,
                **(view.of_found(job.question, job.found) if job.found else view.of_trace(None))}
        except Exception as error:  # drawing failed, not answering: the stored turns are safe
            traceback.print_exc(file=sys.stderr)
            yield {self.hint: hint_html(failure(error)), self.live: "", **idle}

    def _live(self, job: Job | None) -> str:
        return live_html(job, loading=self.warmth.state == "loading")


def _reply_html(job: Job) -> str:
    """An answer that is in memory alone."""
    return (f'<div class="gb-thread"><article class="gb-turn gb-answer" data-trace="{LIVE}"><div class="gb-body" '
            f'dir="auto">{answer_html(job.answer) if job.answer else ""}</div></article></div>')
