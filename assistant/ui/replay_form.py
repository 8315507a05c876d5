"""The form that says with which settings a trace is asked again."""
from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from assistant.config import Config
from assistant.records import Trace

SWITCHES = ("dense", "lexical", "rerank")


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
            temperature = gr.Number(label="temperature", minimum=0, maximum=2, step=0.1, min_width=90,
                                    elem_id="gb-replaytemperature")
        with gr.Row(equal_height=False):
            models = [gr.Dropdown(self._models(name), label=label, info="others are named in the settings",
                                  min_width=220, elem_id=f"gb-replay{name}")
                      for name, label in (("reranker", "reranker"), ("llm", "language model"))]
        self.go = gr.Button("Replay", variant="primary", size="sm", elem_id="gb-replaygo")
        self.components = [switches, k, candidates, threshold, temperature, *models]

    def _models(self, name: str) -> list[str]:
        """What can be named without knowing more: the embedded one, none, and today's."""
        named = str(self._config.public()[name])  # the page shows no path and no password
        return list(dict.fromkeys(["embedded", *(["off"] if name == "llm" else []), named]))

    def values(self, trace: Trace) -> list[object]:
        """The trace's own settings, as the components hold them."""
        config, own = trace.config, self._config
        threshold = config.get("threshold")
        return [[name for name in SWITCHES if config.get(name) is not False],
                config.get("k", own.k), config.get("candidates", own.candidates),
                "" if threshold is None else str(threshold), config.get("temperature", own.temperature),
                *(self._chosen(name, str(config.get(name, "embedded"))) for name in ("reranker", "llm"))]

    def _chosen(self, name: str, own: str) -> object:
        """The trace's own model, which need not be one of today's."""
        return gr.update(choices=list(dict.fromkeys([*self._models(name), own])), value=own)


def changes(trace: Trace, switches: Sequence[str], k: float | None, candidates: float | None, threshold: str | None,
            temperature: float | None, reranker: str | None, llm: str | None) -> dict[str, object]:
    """What the form says otherwise than the trace: {setting: value}; a field left empty says nothing."""
    given: dict[str, object] = {name: name in switches for name in SWITCHES}
    given |= {name: int(value) for name, value in (("k", k), ("candidates", candidates)) if value is not None}
    given["threshold"] = (threshold or "").strip() or None
    given |= {"temperature": float(temperature)} if temperature is not None else {}
    given |= {name: value.strip() for name, value in (("reranker", reranker), ("llm", llm)) if (value or "").strip()}
    before = {**trace.config, "threshold": trace.config.get("threshold")}
    return {name: value for name, value in given.items() if name in before and not _same(before[name], value)}


def _same(before: object, value: object) -> bool:
    if isinstance(before, (int, float)) and isinstance(value, (int, float)):
        return float(before) == float(value)
    return str(before) == str(value)
