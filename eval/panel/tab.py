"""The Eval tab: measure a configuration, read its report, compare two runs, review drafted questions.

A run is made by a process of its own (eval.panel.background), one at a time, and outlives the window that started it.
What is kept is what `assistant eval` keeps: the tab and the command read one another's runs. The suite itself is
imported when the tab is used, not when the page is built.
"""
from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import gradio as gr

from assistant.config import Config
from assistant.errors import ConfigError, GlassboxError, InputError
from assistant.pipeline import Assistant
from assistant.replay import from_page
from assistant.ui.fragment import fragment
from assistant.ui.warmth import Warmth
from eval.panel.background import Background, Request
from eval.panel.drafts import EVERY, OURS, OWN, QUIET, SCRIPT, Drafts, sets, told
from eval.panel.view import frame_html, note_html, progress_html, runs_html

SUITES = (("Retrieval: is the passage found, at which stage is it lost", "retrieval"),
          ("Answers: right, and with citations that hold", "answers"),
          ("Declining: what the documents do not say", "abstention"),
          ("Conversations: questions that follow one another", "conversations"),
          ("Injections: documents that give orders", "injection"),
          ("Failure modes: the Lab's problems and fixes", "failures"))
LIMIT = 30        # questions of each list to begin with: minutes, not half an hour
FOLLOWERS = 16    # windows that may follow a run
CHOOSE = '<p class="gb-empty">Open a kept run on the left to read its report.</p>'


class Panel:
    def __init__(self, assistant: Assistant, warmth: Warmth, page: gr.Blocks, tab: gr.Tab) -> None:
        self.rag = assistant
        self.current: Background | None = None   # one at a time, over all windows
        self._starting = threading.Lock()
        self.opened = gr.State("")
        with gr.Row(elem_id="gb-eval", equal_height=False):
            with gr.Column(elem_id="gb-evalleft", min_width=0):
                self._form()
            with gr.Column(elem_id="gb-evalright", min_width=0):
                self._shown()
        self._events(tab)

    # the layout

    def _form(self) -> None:
        fragment('<header class="gb-evalhead"><h2>Eval</h2><p>Measure a configuration on questions whose answers are '
                 "known: offline, with intervals, the same numbers every time.</p></header>")
        self.suites = gr.CheckboxGroup(list(SUITES), value=["retrieval"], label="Measure", elem_id="gb-evalsuites")
        with gr.Row(elem_classes=["gb-evalrow"], equal_height=False):
            self.gold = gr.Dropdown([OWN], value=OURS, label="Questions", elem_id="gb-evalgold", min_width=0, scale=3)
            self.limit = gr.Number(LIMIT, label="Of each list", precision=0, minimum=1, elem_id="gb-evallimit",
                                   min_width=0, scale=1, placeholder="all")
        self.model = gr.Checkbox(False, label="With the language model (slower)", elem_id="gb-evalmodel")
        with gr.Accordion("Settings to change", open=False, elem_id="gb-evalsettings"):
            self.settings = gr.Textbox(label="One a line, such as k = 6", lines=3, max_lines=8, elem_id="gb-evalset",
                                       placeholder="rerank = off\ncandidates = 40")
            self.upload = gr.UploadButton("Add a gold set of my own (.jsonl)", file_types=[".jsonl"], size="sm",
                                          elem_id="gb-evalupload")
        with gr.Row(elem_id="gb-evalbuttons", equal_height=False):
            self.go = gr.Button("Run", variant="primary", min_width=90, scale=0, elem_id="gb-evalgo")
            self.stop = gr.Button("Stop", variant="stop", min_width=90, scale=0, visible=False, elem_id="gb-evalstop")
        self.state = fragment("", elem_id="gb-evalstate")
        fragment('<h3 class="gb-caps">Kept runs</h3>')
        self.rows = fragment("", elem_id="gb-evalrows", wired=True)

    def _shown(self) -> None:
        with gr.Tabs(elem_id="gb-evaltabs", overflow_behavior="wrap") as self.tabs:
            with gr.Tab("Report", id="report", elem_id="gb-eval-report", render_children=True):
                self.report = fragment(CHOOSE, elem_id="gb-evalreport", js_on_load=SCRIPT)
            with gr.Tab("Compare", id="compare", elem_id="gb-eval-compare", render_children=True):
                with gr.Row(elem_classes=["gb-evalrow"], equal_height=False):
                    self.before = gr.Dropdown([], label="Before", elem_id="gb-evalbefore", min_width=0)
                    self.after = gr.Dropdown([], label="Now", elem_id="gb-evalafter", min_width=0)
                self.comparison = fragment('<p class="gb-empty">Choose two kept runs.</p>', elem_id="gb-evalcomparison",
                                           js_on_load=SCRIPT)
            with gr.Tab("Draft questions", id="drafts", elem_id="gb-eval-drafts", render_children=True):
                self.drafts = Drafts(self.rag)

    def _events(self, tab: gr.Tab) -> None:
        long = {**QUIET, "concurrency_limit": FOLLOWERS, "concurrency_id": "eval"}
        lists = [self.rows, self.before, self.after, self.gold, self.drafts.source]
        running = [self.go, self.stop, self.state, *lists, self.opened, self.report]
        pressed = [*running, self.tabs]
        tab.select(self.show, self.opened, running, **long)
        asked = [self.opened, self.suites, self.gold, self.limit, self.model, self.settings]
        # a press while the one before is not quite over must not be lost; it cannot start a second run
        self.go.click(self.run, asked, pressed, trigger_mode="multiple", **long)
        self.stop.click(self.halt, None, self.stop, queue=False, **QUIET)
        self.rows.select(self.open, None, [self.opened, self.rows, self.tabs, self.report], **QUIET)
        self.rows.delete(self.delete, self.opened, [self.opened, *lists[:3], self.report, self.state], **QUIET)
        for part in (self.before, self.after):
            part.input(self.compare, [self.before, self.after], self.comparison, **QUIET)
        self.drafts.events(self.gold)
        self.upload.upload(self.add_gold, self.upload, [self.state, self.gold], **QUIET)

    # running

    def show(self, opened: str) -> Iterator[list[object]]:
        """The lists as they are now, and the run that is under way, whoever started it."""
        lists = told(0, 5)(self._lists)(opened)
        yield [gr.skip(), gr.skip(), gr.skip(), *lists, gr.skip(), gr.skip()]
        if self.current and not self.current.done:
            yield from self._follow(self.current, opened)

    def run(self, opened: str, suites: Sequence[str], gold: str, limit: float | None, model: bool,
            settings: str) -> Iterator[list[object]]:
        """Start a run and follow it; where one is under way already, follow that one."""
        try:
            request = self._request(suites, gold, limit, model, settings)
        except (GlassboxError, OSError) as error:
            yield [gr.skip(), gr.skip(), note_html(str(error), bad=True), *[gr.skip()] * 8]
            return
        yield [*[gr.skip()] * 10, gr.update(selected="report")]   # where what is asked for will stand
        with self._starting:
            if self.current is None or self.current.done:
                self.current = Background(request).start()
        for shown in self._follow(self.current, opened):
            yield [*shown, gr.skip()]

    def _request(self, suites: Sequence[str], gold: str, limit: float | None, model: bool, settings: str) -> Request:
        if not suites:
            raise InputError("nothing is chosen to be measured: choose a suite")
        changes = from_page(self.rag.config, parsed(settings))
        config = self.rag.config.replace(changes)
        if not model and "llm" not in changes:
            config = config.replace({"llm": "off"})
        values = {field.name: getattr(config, field.name) for field in dataclasses.fields(Config)}
        if not gold:
            from eval.suite.runner import CORPUS
            if not CORPUS.is_dir():
                raise InputError("the ten chapters are not installed with this copy of Glassbox: choose a set of your "
                                 "own under Questions, or run the page from its source")
            return Request(tuple(suites), int(limit) if limit else None, values)
        from eval.panel import own_sets
        return Request(tuple(suites), int(limit) if limit else None, values, str(own_sets.path(gold)),
                       (str(own_sets.as_files(self.rag.documents())),))

    def _follow(self, run: Background, opened: str) -> Iterator[list[object]]:
        """Progress until the run is over, then its report."""
        busy = [gr.update(interactive=False, value="Running"), gr.update(visible=True, interactive=True)]
        rest = [gr.skip()] * 7
        yield [*busy, progress_html(run.share, run.what, run.seconds), *rest]
        for _ in run.follow():
            if not run.done:
                what = "stopping" if run.stop.is_set() else run.what
                yield [gr.skip(), gr.skip(), progress_html(run.share, what, run.seconds), *rest]
        idle = [gr.update(interactive=True, value="Run"), gr.update(visible=False)]
        if run.kept:
            yield [*idle, "", *self._lists(run.kept), run.kept, self._report(run.kept)]
        else:
            note = note_html(run.error, bad=True) if run.error else note_html("Stopped; nothing of it is kept.")
            yield [*idle, note, *self._lists(opened), gr.skip(), gr.skip()]

    def halt(self) -> object:
        if self.current:
            self.current.halt()
        return gr.update(interactive=False)

    # kept runs

    def _lists(self, opened: str) -> list[object]:
        """Values of the kept runs, both sides of the comparison, the gold sets, the documents."""
        from eval.panel.runs import kept
        runs = kept()
        choices = [(run.label, run.name) for run in runs]
        documents = [EVERY, *((d.title, d.id) for d in self.rag.documents())]
        return [runs_html(runs, opened), gr.update(choices=choices), gr.update(choices=choices),
                gr.update(choices=sets()), gr.update(choices=documents)]

    @staticmethod
    @told(0, 1)
    def _report(name: str) -> str:
        from eval.panel.runs import report_of
        return frame_html(report_of(name), name, "Report of the run")

    def open(self, event: gr.EventData) -> list[object]:
        name = str(event._data.get("id", ""))
        return [name, self._lists(name)[0], gr.update(selected="report"), self._report(name)]

    def delete(self, opened: str, event: gr.EventData) -> list[object]:
        from eval.panel.runs import delete
        name = str(event._data.get("id", ""))
        delete(name)
        gone = opened == name
        return ["" if gone else opened, *self._lists("" if gone else opened)[:3], CHOOSE if gone else gr.skip(),
                note_html("The run is deleted.")]

    @staticmethod
    @told(0, 1)
    def compare(before: str | None, after: str | None) -> str:
        if not before or not after:
            return '<p class="gb-empty">Choose two kept runs.</p>'
        from eval.panel.runs import comparison
        return frame_html(comparison(before, after), f"{before} {after}", "The two runs compared")

    @told(0, 2)
    def add_gold(self, file: str | None) -> list[object]:
        from eval.panel import own_sets
        if not file:
            return [gr.skip(), gr.skip()]
        name = Path(file).stem
        try:
            text = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{name}.jsonl cannot be read ({type(error).__name__}): expected JSON lines") from error
        count = own_sets.add(name, text, self.rag.documents())
        return [note_html(f"“{name}” holds {count} questions."), gr.update(choices=sets(), value=name)]


def parsed(settings: str) -> dict[str, str]:
    """{setting: value} of lines such as "k = 6". ConfigError for a line that is none."""
    found = {}
    for line in filter(None, map(str.strip, (settings or "").split("\n"))):
        name, equals, value = line.partition("=")
        if not equals:
            raise ConfigError(f"{line[:80]!r} is no setting: expected a line such as k = 6")
        found[name.strip()] = value.strip()
    return found
