"""The Eval tab's place in the page. What stands in it belongs to the package `eval`, which may not be installed.

It is found by its name, so that nothing here depends on it: see eval/panel/tab.py.
"""
from __future__ import annotations

import importlib

import gradio as gr

from assistant.pipeline import Assistant
from assistant.ui.fragment import fragment
from assistant.ui.warmth import Warmth

PANEL = "eval.panel.tab"
MISSING = ('<p class="gb-empty gb-evalmissing">The eval suite is not installed with this copy of Glassbox: run the '
           "page from its source to measure it here.</p>")


def evals(assistant: Assistant, warmth: Warmth, page: gr.Blocks, tab: gr.Tab) -> object:
    """The panel, or one line where there is none."""
    try:
        panel = importlib.import_module(PANEL).Panel
    except (ImportError, AttributeError):
        return fragment(MISSING)
    return panel(assistant, warmth, page, tab)
