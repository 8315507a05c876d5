"""The Traces panel: what happened between questions and answers; open, replay, compare, explain, judge, export, import.

All that is shown of a trace is made of the trace, but why-not and the map, which ask the index as it is.
"""
from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import gradio as gr

from assistant import exchange
from assistant.catalog.traces import Summary, Wanted
from assistant.errors import GlassboxError
from assistant.pipeline import Assistant
from assistant.records import Trace
from assistant.replay import from_page, replay
from assistant.trace.compare import compare
from assistant.ui.fragment import fragment
from assistant.ui.inspector import chunks_html, cited_markers, evidence_html, prompt_html, timings_html
from assistant.ui.jobs import failure
from assistant.ui.prose import esc
from assistant.ui.replay_form import ReplayForm, changes
from assistant.ui.trace_pictures import flow_html, map_html
from assistant.ui.trace_view import (
    answer_part,
    compare_html,
    funnel_html,
    head_html,
    list_html,
    whole_html,
    why_not_html,
)
from assistant.ui.warmth import Warmth
from assistant.vector_map import vector_map
from assistant.why_not import why_not

PAGE = 50                # traces of the list to begin with, and more at each press of the button
SLOW_MS = 5000.0
MOST_CHUNKS = 3000       # offered by name under why-not; of a larger index a passage can be pasted
FILTERS = ("declined", "unsupported sentence", f"slow (over {SLOW_MS / 1000:g} s)", "thumbs down")
EMPTY = '<p class="gb-empty gb-choose">Choose a trace on the left to open it up.</p>'


class Traces:
    def __init__(self, assistant: Assistant, warmth: Warmth, page: gr.Blocks, tab: gr.Tab) -> None:
        self.rag = assistant
        self.opened = gr.State("")
        self.shown = gr.State(PAGE)
        with gr.Row(elem_id="gb-traces", equal_height=False):
            with gr.Column(elem_id="gb-tracecolumn", min_width=0):
                self._list()
            with gr.Column(elem_id="gb-trace", min_width=0):
                self._open()
        self._events(page, tab)

    def _list(self) -> None:
        with gr.Row(elem_id="gb-tracefind", equal_height=False):
            self.search = gr.Textbox(placeholder="Search questions, answers and notes", label="Search traces",
                                     show_label=False, container=False, max_lines=1, elem_id="gb-tracesearch")
            self.file = gr.UploadButton("Import", file_types=[".json", ".jsonl"], size="sm", min_width=0,
                                        elem_id="gb-traceimport")
        self.filters = gr.CheckboxGroup(list(FILTERS), label="Only", show_label=False, container=False,
                                        elem_id="gb-tracefilters")
        self.message = fragment("", elem_id="gb-tracemessage")
        self.rows = fragment("", elem_id="gb-tracerows", wired=True)
        with gr.Row(elem_id="gb-tracebuttons", equal_height=False):
            self.more = gr.Button("Show more", size="sm", visible=False, min_width=0, elem_id="gb-tracemore")

    def _open(self) -> None:
        def export_trace(asked: list[str]) -> str:
            trace_id, kind = asked
            try:
                return exchange.written(self.rag, [self.rag.trace(trace_id)], kind)
            except GlassboxError as error:
                return f"{error}\n"

        self.head = fragment(EMPTY, elem_id="gb-tracehead", wired=True, server_functions=[export_trace])
        with gr.Row(elem_id="gb-judge", equal_height=False, visible=False) as self.judge:
            self.note = gr.Textbox(placeholder="A note on this answer", label="Note", show_label=False, container=False,
                                   max_lines=3, elem_id="gb-tracenote", scale=4)
            self.keep = gr.Button("Keep note", size="sm", min_width=90, scale=0, elem_id="gb-keepnote")
        with gr.Tabs(elem_id="gb-tracetabs", visible=False, overflow_behavior="wrap") as self.tabs:
            with gr.Tab("Answer", id="answer", elem_id="gb-trace-answer", render_children=True):
                self.answer = fragment("")
            with gr.Tab("Stages", id="stages", elem_id="gb-trace-stages", render_children=True):
                self.stages = fragment("")
            with gr.Tab("Timings", id="timings", elem_id="gb-trace-timings", render_children=True):
                self.timings = fragment("")
            with gr.Tab("Prompt", id="prompt", elem_id="gb-trace-prompt", render_children=True):
                self.prompt = fragment("")
            with gr.Tab("Replay", id="replay", elem_id="gb-trace-replay", render_children=True):
                self.form = ReplayForm(self.rag.config)
                self.replayed = fragment("", elem_id="gb-replayed")
            with gr.Tab("Compare", id="compare", elem_id="gb-trace-compare", render_children=True):
                self.other = gr.Dropdown([], label="Compare this one with", elem_id="gb-traceother")
                self.comparison = fragment("", elem_id="gb-comparison")
            with gr.Tab("Map", id="map", elem_id="gb-trace-map", render_children=True):
                self.draw = gr.Button("Draw the map", variant="primary", size="sm", elem_id="gb-mapdraw")
                self.map = fragment("", elem_id="gb-map")
            with gr.Tab("Why not?", id="why", elem_id="gb-trace-why", render_children=True):
                self.chunk = gr.Dropdown([], label="A chunk of the corpus", elem_id="gb-whychunk", filterable=True,
                                         info="type words of its heading or of its beginning")
                self.passage = gr.Textbox(label="or the passage that should have been found", lines=3, max_lines=8,
                                          elem_id="gb-whypassage")
                self.ask_why = gr.Button("Explain", variant="primary", size="sm", elem_id="gb-whyask")
                self.why = fragment("", elem_id="gb-why")
        self.parts = [self.opened, self.head, self.judge, self.note, self.tabs, self.answer, self.stages, self.timings,
                      self.prompt, *self.form.components, self.other, self.comparison,
                      self.map, self.why, self.replayed]

    def _events(self, page: gr.Blocks, tab: gr.Tab) -> None:
        quiet = {"show_progress": "hidden", "api_visibility": "private"}
        at_once = {**quiet, "queue": False}  # what only reads the catalog need not wait behind an answer
        listing = [self.search, self.filters, self.shown, self.opened]
        rows = [self.rows, self.more]
        tab.select(self.show, listing, rows, **at_once).then(self.chunks, None, self.chunk, **quiet)
        for component in (self.search, self.filters):
            component.change(self.show_first, [self.search, self.filters, self.opened], [*rows, self.shown], **at_once)
        self.more.click(lambda shown: shown + PAGE, self.shown, self.shown, **quiet).then(
            self.show, listing, rows, **quiet)
        for source in (self.rows, self.head):
            source.select(self.open, None, self.parts, **at_once).then(self.show, listing, rows, **at_once)
        self.rows.delete(self.delete, self.opened, [self.message, *self.parts], **quiet).then(
            self.show, listing, rows, **quiet)
        self.head.submit(self.thumb, [self.opened, self.note], self.head, **quiet).then(
            self.show, listing, rows, **quiet)
        self.keep.click(self.keep_note, [self.opened, self.note], self.head, **quiet).then(
            self.show, listing, rows, **quiet)
        self.file.upload(self.take, self.file, [self.message, self.file, *self.parts], **quiet).then(
            self.show, listing, rows, **quiet)
        self.form.go.click(self.replay, [self.opened, *self.form.components], self.parts, **quiet).then(
            self.show, listing, rows, **quiet)
        self.other.input(self.compare, [self.other, self.opened], self.comparison, **quiet)
        self.draw.click(self.draw_map, self.opened, self.map, **quiet)
        self.ask_why.click(self.explain, [self.opened, self.chunk, self.passage], self.why, **quiet)

    # the list

    def show(self, search: str, filters: list[str], shown: int, opened: str) -> tuple[str, object]:
        wanted = Wanted(search or "", FILTERS[0] in filters, FILTERS[1] in filters,
                        SLOW_MS if FILTERS[2] in filters else None, "down" if FILTERS[3] in filters else "")
        found, total = self.rag.traces.list(wanted, shown), self.rag.traces.count(wanted)
        rows = list_html(found, total, opened, wanted != Wanted(), self.rag.config.traces)
        return rows, gr.update(visible=total > shown)

    def show_first(self, search: str, filters: list[str], opened: str) -> tuple[str, object, int]:
        return *self.show(search, filters, PAGE, opened), PAGE

    def delete(self, opened: str, event: gr.EventData) -> list[object]:
        gone = str(event._data.get("id", ""))
        self.rag.traces.delete([gone])
        return ["", *(self._nothing() if gone == opened else [gr.skip() for _ in self.parts])]

    def take(self, path: str | None) -> list[object]:
        """Keep the traces of an uploaded file, and open the first."""
        try:
            added, known = exchange.keep(self.rag, exchange.read(Path(path).read_bytes(), Path(path).name))
        except Exception as error:
            return [_wrong(error), gr.update(value=None), *[gr.skip() for _ in self.parts]]
        words = f"{len(added)} imported" + (f", {len(known)} were here already" if known else "")
        return [_note(f"{words}."), gr.update(value=None), *self._parts((added or known)[0])]

    # one trace

    def open(self, event: gr.EventData) -> list[object]:
        """The trace that was chosen; none goes back to the list."""
        chosen = str(event._data.get("id", ""))
        return self._parts(chosen) if chosen else self._nothing()

    def _parts(self, trace_id: str, other: str = "", note: str = "") -> list[object]:
        """The values of `parts`. other: the trace to compare with; note: what the replay says."""
        try:
            trace = self.rag.trace(trace_id)
        except GlassboxError as error:
            return [gr.skip(), _note(str(error), bad=True), *[gr.skip() for _ in self.parts[2:]]]
        judged = self.rag.feedback.get(trace.id)
        other = other or (trace.parent if trace.parent and self.rag.traces.has(trace.parent) else "")
        facts = {"configuration": trace.config_fingerprint, "index": trace.index_fingerprint}
        passages = evidence_html(trace.hits, trace.evidence, cited_markers(trace))
        passages = passages.replace(' id="ev-', ' data-passage="')  # the chat's inspector in the same page has the ids
        return [trace.id, self._head(trace), gr.update(visible=True), judged.note if judged else "",
                gr.update(visible=True, **({"selected": "compare"} if note else {})),
                f'{answer_part(trace)}<h4 class="gb-caps">Evidence</h4>{passages}',
                f"{funnel_html(trace)}{flow_html(trace)}{whole_html(trace)}{chunks_html(trace, trace.threshold)}",
                timings_html(trace.spans, trace.config, facts), prompt_html(trace),
                *self.form.values(trace),
                gr.update(choices=self._others(trace), value=other or None),
                self.compare(other, trace.id) if other else _note("Choose another trace."), "", "", note]

    def _nothing(self) -> list[object]:
        return ["", EMPTY, gr.update(visible=False), "", gr.update(visible=False), *[gr.skip() for _ in self.parts[5:]]]

    def _head(self, trace: Trace) -> str:
        return head_html(trace, str(exchange.drift_of(self.rag, trace)), self.rag.feedback.get(trace.id))

    def _others(self, trace: Trace) -> list[tuple[str, str]]:
        """What it is likely to be compared with: its parent, its replays, the same question, the latest."""
        family = self.rag.traces.list(Wanted(parent=trace.id), PAGE)
        alike = self.rag.traces.list(Wanted(search=trace.question), PAGE)
        found = {s.id: s for s in (*family, *alike, *self.rag.traces.list(limit=PAGE)) if s.id != trace.id}
        named = [(_one_line(s), s.id) for s in found.values()]
        if trace.parent and trace.parent not in found and self.rag.traces.has(trace.parent):
            named.insert(0, (f"its parent, {trace.parent[:12]}", trace.parent))
        return named

    def thumb(self, opened: str, note: str, event: gr.EventData) -> object:
        """A second press takes the thumb back."""
        thumb, before = str(event._data.get("act", "")), self.rag.feedback.get(opened)
        return self._judge(opened, "" if before and before.thumb == thumb else thumb, note)

    def keep_note(self, opened: str, note: str) -> object:
        before = self.rag.feedback.get(opened)
        return self._judge(opened, before.thumb if before else "", note)

    def _judge(self, opened: str, thumb: str, note: str) -> object:
        try:
            self.rag.feedback.set(opened, thumb, note or "")
            return self._head(self.rag.trace(opened))
        except GlassboxError as error:
            return _note(str(error), bad=True)

    # replay, compare, why not

    def replay(self, opened: str, *values) -> Iterator[list[object]]:
        """Ask again with what differs from the trace's settings, then show the new trace beside it."""
        last = len(self.parts) - 1
        yield [*[gr.skip()] * last, '<p class="gb-empty gb-wait" role="status">Asking again…</p>']
        try:
            before = self.rag.trace(opened)
            answer = replay(self.rag, before, from_page(self.rag.config, changes(before, *values)))
            yield self._parts(answer.trace_id, before.id, _note("Replayed; compared with the one it replays."))
        except Exception as error:
            yield [*[gr.skip()] * last, _wrong(error)]

    def compare(self, other: str | None, opened: str) -> str:
        if not other:
            return _note("Choose another trace.")
        try:
            before, after = sorted((self.rag.trace(other), self.rag.trace(opened)), key=lambda trace: trace.created)
        except GlassboxError as error:
            return _note(str(error), bad=True)
        return compare_html(before, after, compare(before, after))

    def chunks(self) -> object:
        chunks = self.rag.chunks()[:MOST_CHUNKS]
        return gr.update(choices=[(f"{_cut(c.heading.split(' > ')[-1], 60)}: {_cut(c.text, 120)}", c.id)
                                  for c in chunks])

    def explain(self, opened: str, chunk: str | None, passage: str) -> Iterator[str]:
        passage = (passage or "").strip()
        if not passage and not chunk:
            yield _note("Choose a chunk, or paste the passage that should have been found.", bad=True)
            return
        yield from _computed("Looking at every chunk…", lambda: why_not_html(
            why_not(self.rag, self.rag.trace(opened), None if passage else chunk, passage or None)))

    def draw_map(self, opened: str) -> Iterator[str]:
        def draw() -> str:
            trace = self.rag.trace(opened)
            kept = frozenset(hit.chunk.id for hit in trace.hits if hit.kept)
            return map_html(vector_map(self.rag, trace), kept)
        yield from _computed("Laying out the vectors…", draw)


def _computed(wait: str, make: Callable[[], str]) -> Iterator[str]:
    """What is computed now: that it is at work, then the result or what is wrong."""
    yield f'<p class="gb-empty gb-wait" role="status">{wait}</p>'
    try:
        yield make()
    except Exception as error:
        yield _wrong(error)


def _wrong(error: Exception) -> str:
    """What is wrong; of what nobody foresaw the log says more. The page must stay usable."""
    if not isinstance(error, GlassboxError):
        traceback.print_exc(file=sys.stderr)
    return _note(str(error) if isinstance(error, GlassboxError) else failure(error), bad=True)


def _one_line(item: Summary) -> str:
    """A trace among others of the same question."""
    tags = ", ".join(word for word, fits in (("declined", item.abstained), ("replay", item.parent)) if fits)
    return (f"{item.created[5:16].replace('T', ' ')} · {item.id[:8]} · {_cut(item.question, 60)}"
            + (f" ({tags})" if tags else ""))


def _cut(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[:limit - 1] + "…"


def _note(text: str, bad: bool = False) -> str:
    return f'<p class="gb-note{" gb-bad" if bad else ""}" role="status">{esc(text, 600)}</p>'


