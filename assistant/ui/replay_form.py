"""The form that says with which settings a trace is asked again."""
from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from assistant.config import Config
from assistant.records import Trace

SWITCHES = ("dense", "lexical", "rerank", "llm")


class ReplayForm:
    """`components` in the order that `values` fills and `changes` reads; `go` is the button."""

    def __init__(self, config: Config) -> None:
        self._config = config
        switches = gr.CheckboxGroup(list(SWITCHES), label="Ask again with", elem_id="gb-replayswitches")
        with gr.Row(equal_height=False):
            k = gr.Number(label="k", precision=0, minimum=1, maximum=20, min_width=90, elem_id="gb-replayk")
            candidates = gr.Number(label="candidates", precision=0, minimum=1, maximum=200, min_width=90,
                                   elem_id="gb-replaycandidates")
            threshold = gr.Textbox(label="threshold", placeholder="auto", max_lines=1, min_width=90,
                                   elem_id="gb-replaythreshold")
        self.go = gr.Button("Replay", variant="primary", size="sm", elem_id="gb-replaygo")
        self.components = [switches, k, candidates, threshold]

    def values(self, trace: Trace) -> list[object]:
        """The trace's own settings, as the components hold them."""
        config = trace.config
        threshold = config.get("threshold")
        return [[name for name in SWITCHES if config.get(name) not in (False, "off")],
                config.get("k", self._config.k), config.get("candidates", self._config.candidates),
                "" if threshold is None else str(threshold)]


def changes(trace: Trace, switches: Sequence[str], k: float | None, candidates: float | None,
            threshold: str | None) -> dict[str, object]:
    """What the form says otherwise than the trace: {setting: value}."""
    given: dict[str, object] = {name: name in switches for name in ("dense", "lexical", "rerank")}
    given |= {name: int(value) for name, value in (("k", k), ("candidates", candidates)) if value is not None}
    given["threshold"] = (threshold or "").strip() or None
    if ("llm" in switches) != (trace.config.get("llm") != "off"):
        given["llm"] = "embedded" if "llm" in switches else "off"
    before = {**trace.config, "threshold": trace.config.get("threshold")}
    return {name: value for name, value in given.items() if name not in before or str(before[name]) != str(value)}
