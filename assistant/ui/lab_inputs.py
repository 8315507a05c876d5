"""A demo's inputs as Gradio components, and their values back, checked under the names that the page shows."""
from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace

import gradio as gr

from assistant.lab import Demo, Input
from assistant.lab.shapes import COLOURS

SLIDER_SPAN = 2000  # a wider range is typed: a slider could not hit its values
RADIO_LETTERS = 36  # options longer than this together go into a list that opens
LINES_SHOWN = 8     # of a list, before it scrolls
CANVAS = 320        # pixels of the side of the picture that is drawn
BRUSH = 14          # pixels: its radius


def component(spec: Input, demo: str, visible: bool = True) -> gr.components.Component:
    """The component for one input, holding its default."""
    common = {"label": spec.label, "info": spec.help or None, "interactive": True, "elem_id": elem_id(demo, spec.name),
              "elem_classes": [f"gb-lab-{spec.kind}"], "key": (demo, spec.name), "preserved_by_key": None,
              "visible": visible}
    if spec.kind == "choice":
        few = sum(map(len, spec.options)) <= RADIO_LETTERS
        return (gr.Radio if few else gr.Dropdown)(list(spec.options), value=spec.default, **common)
    if spec.kind in ("file", "picture"):
        del common["info"]
        if spec.kind == "picture":
            colours = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in COLOURS.values()]
            return gr.ImageEditor(
                type="filepath", format="png", image_mode="RGBA", sources=["upload", "clipboard"], transforms=(),
                placeholder=textwrap.fill(spec.help, 30), layers=False, canvas_size=(CANVAS, CANVAS), fixed_canvas=True,
                height=CANVAS + 90, buttons=[],
                brush=gr.Brush(default_size=BRUSH, colors=colours, default_color=colours[0], color_mode="fixed"),
                eraser=gr.Eraser(default_size=BRUSH), **common)
        common["label"] = f"{spec.label} ({spec.help})" if spec.help else spec.label
        return gr.File(type="filepath", height=150, **common)
    if spec.kind == "number":
        if spec.high - spec.low <= SLIDER_SPAN:
            return gr.Slider(spec.low, spec.high, spec.default, step=step(spec), buttons=[], **common)
        return gr.Number(spec.default, **common)  # no bounds: the demo's own message names them better
    size = {"lines": 4, "max_lines": LINES_SHOWN} if spec.kind == "lines" else {"lines": 1, "max_lines": 4}
    return gr.Textbox(shown(spec, spec.default), placeholder="optional" if spec.optional else None, **size, **common)


def elem_id(demo: str, name: str) -> str:
    return f"gb-lab-{demo}-{name.replace('_', '-')}"


def step(spec: Input) -> float:
    """A slider's step: 1 for whole numbers, else the power of ten that gives it a hundred places or more."""
    if isinstance(spec.default, int):
        return 1
    return min(1.0, 10.0 ** math.floor(math.log10((spec.high - spec.low) / 100)))


def shown(spec: Input, value: object) -> object:
    """A value as the input's component holds it."""
    if spec.kind in ("file", "picture"):
        return value or None
    if spec.kind == "lines" and not isinstance(value, str):
        return "\n".join(value)
    return value


def preset(demo: Demo, values: Mapping[str, object]) -> list[object]:
    """What the components hold for a preset: its values, defaults for the rest."""
    return [shown(spec, values.get(spec.name, spec.default)) for spec in demo.shown]


def checked(demo: Demo, given: Sequence[object]) -> dict[str, object]:
    """{input: value} of the components' values. InputError speaks of the label that is on the page."""
    values = {spec.name: spec.default for spec in demo.inputs if spec.local}
    for spec, value in zip(demo.shown, given, strict=True):
        if spec.kind == "picture":
            value = drawn(value)
        values[spec.name] = replace(spec, name=f"“{spec.label}”").parse("" if value is None else value)
    return values


def drawn(value: object) -> str:
    """The path of the picture that an editor holds, "" where nothing was drawn or uploaded."""
    path = value.get("composite") if isinstance(value, Mapping) else value
    if not path:
        return ""
    from PIL import Image
    with Image.open(str(path)) as picture:
        empty = "A" in picture.getbands() and picture.getchannel("A").getextrema() == (0, 0)
    return "" if empty else str(path)
