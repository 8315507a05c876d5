"""A piece of the page's own HTML as a Gradio component, and how its buttons reach Python."""
from __future__ import annotations

import gradio as gr

# page.js turns a click on [data-event] inside the component into that event, with the element's data
WIRE = "window.glassbox.wire(element, trigger, server)"


def fragment(value: str = "", *, wired: bool = False, **kwargs) -> gr.HTML:
    """HTML without Gradio's own prose styles. `wired`: its buttons trigger events."""
    if wired:
        kwargs["js_on_load"] = WIRE
    return gr.HTML(value, apply_default_css=False, **kwargs)
