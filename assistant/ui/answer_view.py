"""The right column: tabs over the inspector's HTML for one answer, and the settings of the next question."""
from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from assistant.lab import related
from assistant.records import Found, Trace
from assistant.ui.fragment import fragment
from assistant.ui.icons import icon
from assistant.ui.inspector import chunks_html, cited_markers, evidence_html, prompt_html, timings_html
from assistant.ui.prose import esc
from assistant.ui.settings import Settings
from assistant.ui.thread import LIVE

NOTHING = '<p class="gb-empty">Ask something, and what was found for it shows here.</p>'
WAITING = '<p class="gb-empty gb-wait">Searching…</p>'
LATER = '<p class="gb-empty">This is complete once the answer is.</p>'


class AnswerView:
    """`outputs` are what the methods update: the head, then one HTML a tab."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self.head = fragment(_head("", ""), elem_id="gb-viewhead")
        with gr.Tabs(elem_id="gb-viewtabs", overflow_behavior="wrap"):
            with gr.Tab("Evidence", elem_id="gb-tab-evidence", render_children=True):
                self.evidence = fragment(NOTHING, elem_id="gb-evidence")
            with gr.Tab("Chunks", elem_id="gb-tab-chunks", render_children=True):
                self.chunks = fragment(NOTHING, elem_id="gb-chunks")
            with gr.Tab("Timings", elem_id="gb-tab-timings", render_children=True):
                self.timings = fragment(NOTHING, elem_id="gb-timings")
            with gr.Tab("Prompt", elem_id="gb-tab-prompt", render_children=True):
                self.prompt = fragment(NOTHING, elem_id="gb-prompt")
            with gr.Tab("Settings", elem_id="gb-tab-settings", render_children=True):
                self.settings = settings()
        self.outputs = [self.head, self.evidence, self.chunks, self.timings, self.prompt]

    def of_trace(self, trace: Trace | None) -> dict:
        if trace is None:
            return dict(zip(self.outputs, (_head("", ""), NOTHING, NOTHING, NOTHING, NOTHING), strict=True))
        facts = {"trace": trace.id, "asked": trace.created[:19].replace("T", " ") + " UTC", "status": trace.status,
                 "configuration": trace.config_fingerprint, "index": trace.index_fingerprint, "error": trace.error}
        return dict(zip(self.outputs, (
            _head(trace.question, trace.id, _lab(trace)),
            evidence_html(trace.hits, trace.evidence, cited_markers(trace)),
            chunks_html(trace, trace.threshold),
            timings_html(trace.spans, trace.config, facts), prompt_html(trace)), strict=True))

    def of_found(self, question: str, found: Found) -> dict:
        """While the answer is being written: the evidence is there, the rest follows."""
        return dict(zip(self.outputs, (
            _head(question, LIVE), evidence_html(found.retrieval.hits, found.evidence),
            chunks_html(found.retrieval, found.retrieval.threshold),
            timings_html(found.retrieval.spans) if found.retrieval.spans else LATER, LATER), strict=True))

    def waiting(self, question: str) -> dict:
        return dict(zip(self.outputs, (_head(question, LIVE), WAITING, WAITING, LATER, LATER), strict=True))


def _lab(trace: Trace) -> str:
    """Links to the demos that an answer touches."""
    if trace.answer.abstained:
        return ""
    links = ", ".join(f'<button type="button" class="gb-link" data-lab="{esc(demo.name)}">{esc(demo.title)}</button>'
                      for demo in related(f"{trace.question} {trace.answer.text}"))
    return f'<p class="gb-tolab">Try it in the Lab: {links}</p>' if links else ""


def _head(question: str, trace_id: str, lab: str = "") -> str:
    words = f'<p class="gb-forq" title="{esc(question, 300)}">{esc(question, 140)}</p>' if question else ""
    link = (f'<button type="button" class="gb-tool" data-link="{esc(trace_id)}">{icon("link")}Copy link</button>'
            if trace_id and trace_id != LIVE else "")
    close = ('<button type="button" class="gb-tool gb-phone" data-panel="" aria-label="Close">'
             f'{icon("close")}Close</button>')
    return (f'<div class="gb-viewhead" data-trace="{esc(trace_id)}"><div><h2 class="gb-caps">How this was answered</h2>'
            f"{words}{lab}</div><div>{link}{close}</div></div>")
