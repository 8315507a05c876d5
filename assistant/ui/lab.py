"""The Lab panel: every demo as a card by its chapter; one opened, its inputs, a run, what it saw.

A demo's components are made when it is opened, and its libraries are loaded when it runs: the page's start pays for
neither.
"""
from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import gradio as gr

from assistant.errors import GlassboxError, InputError
from assistant.lab import Demo, demos, get
from assistant.lab.quiz import reviews
from assistant.pipeline import Assistant
from assistant.ui.fragment import WIRE, fragment
from assistant.ui.lab_inputs import checked, component, preset
from assistant.ui.lab_runs import Run
from assistant.ui.lab_view import (
    Chapter,
    caption_html,
    cards_html,
    chapters,
    head_html,
    note_html,
    numbers_html,
    progress_html,
    question_html,
    table_html,
    verdict_html,
)
from assistant.ui.warmth import Warmth

FOLLOWERS = 32  # windows that may wait for a run; how many run at a time is lab_runs' matter
SCRIPT = f"{WIRE}; window.glassbox.lab(watch)"  # buttons reach Python; the address and the cards follow the demo
Updates = dict


class Lab:
    def __init__(self, assistant: Assistant, warmth: Warmth, page: gr.Blocks, tab: gr.Tab) -> None:
        self.rag, self.warmth = assistant, warmth
        self.runs: dict[str, Run] = {}  # by window
        self.shown: dict[str, str] = {}  # the demo that a window has open
        self.opened = gr.State("")
        with gr.Row(elem_id="gb-lab", equal_height=False):
            with gr.Column(elem_id="gb-lablist", min_width=0):
                self.cards = fragment(cards_html({}), elem_id="gb-labcards", js_on_load=SCRIPT)
            with gr.Column(elem_id="gb-labdemo", min_width=0):
                self._demo()
        self._events(page, tab)

    def _demo(self) -> None:
        self.head = fragment("", elem_id="gb-labhead", js_on_load=SCRIPT)

        @gr.render(inputs=self.opened, triggers=[self.opened.change], show_progress="hidden")
        def form(name: str) -> None:
            if name:
                self._form(get(name))

        self._board()
        with gr.Row(elem_id="gb-labbuttons", equal_height=False):
            self.go = gr.Button("Run", variant="primary", min_width=90, scale=0, visible=False, elem_id="gb-labgo")
            self.stop = gr.Button("Stop", variant="stop", min_width=90, scale=0, visible=False, elem_id="gb-labstop")
        self.state = fragment("", elem_id="gb-labstate")
        self.verdict = fragment("", elem_id="gb-labverdict")
        with gr.Row(elem_id="gb-labresult", equal_height=False):
            with gr.Column(elem_id="gb-labpicture", min_width=0):
                self.caption = fragment("", elem_id="gb-labcaption")
                self.figure = gr.Plot(show_label=False, container=False, visible=False, elem_id="gb-labfigure")
            self.numbers = fragment("", elem_id="gb-labnumbers")
        self.table = fragment("", elem_id="gb-labtable", wired=True)
        self.results = [self.verdict, self.caption, self.figure, self.numbers, self.table]
        self.outputs = [self.opened, self.head, self.go, self.stop, self.state, *self.results, self.board]

    def _board(self) -> None:
        """The one input that is not made anew with its form: Gradio's editor of pictures, once shown, must stay in the
        page (an update that reaches it after it left is an error there), so another demo hides it by its styles."""
        self.draws, spec = next((demo.name, spec) for demo in demos() for spec in demo.shown if spec.kind == "picture")
        self.board = component(spec, self.draws, visible=False)  # until opened: the page's start does not pay for it

    def _form(self, demo: Demo) -> None:
        """The inputs of a demo, its presets, and what makes it run."""
        long = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": FOLLOWERS,
                "concurrency_id": "lab", "trigger_mode": "always_last"}
        asks = reviews(self.rag) if demo.name == "quiz" else {}
        with gr.Row(elem_classes=["gb-labform"], equal_height=False):
            components = [self.board if spec.kind == "picture" else
                          component(replace(spec, high=max(asks)) if spec.name == "chapter" and asks else spec,
                                    demo.name) for spec in demo.shown]
        if asks:  # the quiz: what is asked must be seen before it is answered
            question = fragment(question_html(asks.get(demo.shown[0].default)))
            components[0].change(lambda chapter: question_html(asks.get(chapter)), components[0], question,
                                 show_progress="hidden", api_visibility="private", queue=False)
        ran = {"fn": self.run, "inputs": [self.opened, *components], "outputs": self.outputs[2:-1], **long}
        with gr.Row(elem_classes=["gb-labpresets"], equal_height=False):
            for label, values in (*demo.presets, ("Reset", {})):
                button = gr.Button(label, size="sm", min_width=0, scale=0)
                filled = button.click(partial(_only, preset(demo, values)), None, components, show_progress="hidden",
                                      api_visibility="private", queue=False)
                if not demo.trains and values and not asks:
                    filled.then(**ran)
        if any(spec.name == "item" for spec in demo.shown):  # rows and points that ask for another item
            def pick(event: gr.EventData, *given: object) -> object:
                return _only(picked(demo, given, str(event._data.get("name", "")), event._data.get("value", "")))

            self.table.select(pick, components, components, show_progress="hidden", api_visibility="private",
                              queue=False).then(**ran)
        triggers = [self.go.click]
        if not demo.trains and not asks:  # quick ones follow their inputs
            triggers += [part.release for part in components if isinstance(part, gr.Slider)]
            triggers += [part.input for part in components if isinstance(part, gr.Radio | gr.Dropdown)]
            triggers += [part.submit for part in components if isinstance(part, gr.Textbox) and part.lines == 1]
        gr.on(triggers, **ran)

    def _events(self, page: gr.Blocks, tab: gr.Tab) -> None:
        quiet = {"show_progress": "hidden", "api_visibility": "private"}
        tab.select(lambda: cards_html(self._chapters()), None, self.cards, **quiet)
        page.load(self.open_page, None, self.outputs, **quiet)
        self.cards.select(self.open_card, self.opened, self.outputs, **quiet)
        self.head.delete(self.close, None, self.outputs, **quiet)
        self.stop.click(self.stop_run, None, self.stop, queue=False, **quiet)
        self.opened.change(self.settle, self.opened, self.outputs[2:-1], **quiet)
        page.unload(self.forget)

    # what a person does

    def open_page(self, request: gr.Request) -> Updates:
        """What the address asks for: `?lab=NAME` a demo."""
        name = dict(request.query_params).get("lab", "")
        if not name:
            return {self.state: ""}
        try:
            return self._open(get(name), request)
        except InputError as error:
            return {**self._cleared(), self.state: note_html(str(error), bad=True)}

    def open_card(self, opened: str, request: gr.Request, event: gr.EventData) -> Updates:
        demo = get(str(event._data.get("id", "")))
        return {self.opened: gr.skip()} if demo.name == opened else self._open(demo, request)

    def settle(self, opened: str, request: gr.Request) -> Updates:
        """A demo just opened is clean and can be run, whatever a run of the one before it still said on its way out:
        updates of two events reach the page in either order."""
        run = self.runs.get(request.session_hash or "")
        if not opened or (run and run.demo.name == opened):
            return {self.go: gr.skip()}
        return {self.go: gr.update(interactive=True, value="Run"), self.stop: gr.update(visible=False),
                self.state: "", **self._blank()}

    def close(self, request: gr.Request) -> Updates:
        self.shown.pop(request.session_hash or "", None)
        self._stop(request)
        return self._cleared()

    def run(self, request: gr.Request, opened: str, *given: object) -> Iterator[Updates]:
        """Measure in a thread and show how far it is, then what was seen or what is wrong."""
        demo, window = get(opened), request.session_hash or ""
        if self.shown.get(window) != opened:  # another demo was opened while this was on its way
            return
        self._stop(request)
        try:
            run = Run(demo, checked(demo, given), self.rag)
        except GlassboxError as error:
            yield {**self._idle(), self.state: note_html(str(error), bad=True)}
            return
        self.runs[window] = run.start()
        try:
            yield {self.go: gr.update(interactive=False, value="Running"), self.state: self._progress(run),
                   self.stop: gr.update(visible=run.slow, interactive=True)}
            for _ in run.follow():
                if not self._wanted(run, window):
                    return
                if not run.done:
                    yield {self.state: self._progress(run), self.stop: gr.update(visible=run.slow)}
            if self._wanted(run, window):
                yield {**self._idle(), **self._seen(run)}
        finally:  # the page may have left
            run.stop.set()

    def _wanted(self, run: Run, window: str) -> bool:
        """Whether the window still waits for this run: it has neither begun another nor opened another demo."""
        return self.runs.get(window) is run and self.shown.get(window) == run.demo.name

    def stop_run(self, request: gr.Request) -> object:
        if run := self.runs.get(request.session_hash or ""):
            run.stop.set()
        return gr.update(interactive=False)

    def forget(self, request: gr.Request) -> None:
        self.shown.pop(request.session_hash or "", None)
        self._stop(request)

    # what is shown

    def _chapters(self) -> dict[int, Chapter]:
        with contextlib.suppress(GlassboxError):
            return chapters(self.rag.documents())
        return {}

    def _open(self, demo: Demo, request: gr.Request) -> Updates:
        self.shown[request.session_hash or ""] = demo.name
        self._stop(request)
        board = {self.board: gr.update(visible=True)} if demo.name == self.draws else {}
        return {**self._cleared(), **board, self.opened: demo.name, self.head: head_html(demo, self._chapters()),
                self.go: gr.update(visible=True, interactive=True, value="Run")}

    def _cleared(self) -> Updates:
        return {self.opened: "", self.head: "", self.go: gr.update(visible=False),
                self.stop: gr.update(visible=False), self.state: "", **self._blank()}

    def _blank(self) -> Updates:
        return {**dict.fromkeys(self.results, ""), self.figure: gr.update(value=None, visible=False)}

    def _idle(self) -> Updates:
        return {self.go: gr.update(interactive=True, value="Run again"), self.stop: gr.update(visible=False)}

    def _progress(self, run: Run) -> str:
        loading = self.warmth.state == "loading" and not run.share
        return progress_html(run.share, "loading the models" if loading else
                             "stopping" if run.stop.is_set() else run.what)

    def _seen(self, run: Run) -> Updates:
        if run.error:
            return {**self._blank(), self.state: note_html(run.error, bad=True)}
        if not (result := run.result):
            return {self.state: note_html("Stopped; nothing was measured.")}
        return {self.state: "", self.verdict: verdict_html(result, run.seconds),
                self.caption: caption_html(run.title, result.alt), self.numbers: numbers_html(result),
                self.figure: gr.update(value=run.figure, visible=True), self.table: table_html(result.table)}

    def _stop(self, request: gr.Request) -> None:
        if run := self.runs.pop(request.session_hash or "", None):
            run.stop.set()


def picked(demo: Demo, given: Sequence[object], name: str, value: object) -> list[object]:
    """The components' values with the one changed that the pressed button names."""
    return [spec.parse(value) if spec.name == name else known
            for spec, known in zip(demo.shown, given, strict=True)]


def _only(values: list[object]) -> object:
    """As Gradio takes values from a function: a list for several components, the value itself for one."""
    return values if len(values) > 1 else values[0]
