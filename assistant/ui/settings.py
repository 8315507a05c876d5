"""The settings that apply to the next question, made of what Config says of each."""
from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from assistant.config import Config, describe
from assistant.trace.compare import setting
from assistant.ui.fragment import fragment
from assistant.ui.prose import esc

SHOWN = ("k", "candidates", "threshold", "evidence", "dense", "lexical", "rerank", "temperature", "max_tokens")


class Settings:
    """The components in the order of SHOWN; `config_from(values)` reads them back."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.note = fragment(self.note_html(self.values()), elem_id="gb-settings-note")
        about = {row["name"]: row for row in describe()}
        self.components = [self._component(about[name]) for name in SHOWN]
        self.reset = gr.Button("Reset", size="sm", elem_id="gb-reset", variant="secondary")
        for component in self.components:
            component.change(lambda *values: self.note_html(values), self.components, self.note,
                             show_progress="hidden", api_visibility="private", queue=False)
        self.reset.click(lambda: self.values(), None, self.components, show_progress="hidden",
                         api_visibility="private", queue=False)

    def values(self) -> list[object]:
        """The configuration's own values, as the components hold them."""
        return [_shown(name, getattr(self._config, name)) for name in SHOWN]

    def config_from(self, values: Sequence[object]) -> Config:
        """The configuration with the page's values; ConfigError says which of them is out of range."""
        changed = {name: value for name, value, own in zip(SHOWN, values, self.values(), strict=True)
                   if not _same(value, own)}
        return self._config.replace({name: "" if value is None else value for name, value in changed.items()})

    def note_html(self, values: Sequence[object]) -> str:
        changed = [f"<code>{name} = {esc(setting(value))}</code>"
                   for name, value, own in zip(SHOWN, values, self.values(), strict=True)
                   if not _same(value, own)]
        if not changed:
            return '<p class="gb-note">These apply to the next question, in this window.</p>'
        return f'<p class="gb-note" role="status">The next question runs with {", ".join(changed)}.</p>'

    def _component(self, about: dict[str, object]) -> gr.components.Component:
        name, value = str(about["name"]), _shown(str(about["name"]), getattr(self._config, str(about["name"])))
        common = {"label": name, "info": str(about["help"]), "elem_id": f"gb-set-{name}", "interactive": True}
        if isinstance(value, bool):
            return gr.Checkbox(value, **common)
        if name == "threshold":
            return gr.Textbox(value, max_lines=1, **common)
        if name == "max_tokens":
            return gr.Number(value, minimum=about["low"], maximum=about["high"], precision=0, **common)
        step = 0.05 if name == "temperature" else 1
        return gr.Slider(about["low"], about["high"], value, step=step, buttons=[], **common)


def _shown(name: str, value: object) -> object:
    return setting(value) if name == "threshold" else value


def _same(value: object, own: object) -> bool:
    if isinstance(own, str):
        return str(value).strip().lower() == own
    return value == own
