"""What stands in the Eval tab where the package `eval`, which the tab belongs to, is not installed.

The tab itself is eval/panel/tab.py. Who composes the page hands in the one or the other; nothing here imports `eval`.
"""
from __future__ import annotations

import gradio as gr

from assistant.pipeline import Assistant
from assistant.ui.fragment import fragment
from assistant.ui.warmth import Warmth

MISSING = ('<p class="gb-empty gb-evalmissing">The eval suite is not installed with this copy of Glassbox: run the '
           "page from its source to measure it here.</p>")


def missing(assistant: Assistant, warmth: Warmth, page: gr.Blocks, tab: gr.Tab) -> gr.HTML:
    """A panel of one line."""
    return fragment(MISSING)
