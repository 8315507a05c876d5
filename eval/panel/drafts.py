"""The part of the Eval tab where drafted questions are reviewed, and what its other parts share with it."""
from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from functools import wraps

import gradio as gr

from assistant.errors import GlassboxError
from assistant.pipeline import Assistant
from assistant.ui.fragment import WIRE, fragment
from assistant.ui.jobs import failure
from eval.panel.view import drafts_html, note_html, saved_html

OURS = ""         # the choice of Glassbox's own gold set
OWN = ("Glassbox’s own, on the ten chapters", OURS)
EVERY = ("every document", "")
QUIET = {"show_progress": "hidden", "api_visibility": "private"}
SCRIPT = f"{WIRE}; window.glassbox.evals(element, trigger, watch)"
ABOUT = ("Questions drafted from the documents of this index, for you to accept, change or reject. Accepted ones "
         "become a gold set of your own, which Run can ask. Add to it what no program drafts: questions in other "
         "words than the document’s, and some that it does not answer.")


def told(where: int, count: int) -> Callable:
    """Of a handler of `count` outputs: an error becomes a note in output `where`, and the others stay as they are."""
    def decorate(handler: Callable) -> Callable:
        @wraps(handler)
        def safe(*given, **named) -> object:
            try:
                return handler(*given, **named)
            except GlassboxError as error:
                note = note_html(str(error), bad=True)
            except Exception as error:  # the page must stay usable
                traceback.print_exc(file=sys.stderr)
                note = note_html(failure(error), bad=True)
            return [note if at == where else gr.skip() for at in range(count)] if count > 1 else note
        return safe
    return decorate


def sets() -> list[tuple[str, str]]:
    """The gold sets to choose from."""
    from eval.panel import own_sets
    return [OWN, *((f"{name}, on this index’s documents", name) for name in own_sets.names())]


class Drafts:
    """Lays itself out where it is made; `events` connects it."""

    def __init__(self, assistant: Assistant) -> None:
        self.rag = assistant
        self.drafted = gr.State([])
        fragment(f'<p class="gb-note">{ABOUT}</p>')
        with gr.Row(elem_classes=["gb-evalrow"], equal_height=False):
            self.source = gr.Dropdown([EVERY], value="", label="Of", elem_id="gb-evalsource", min_width=0, scale=3)
            self.most = gr.Number(8, label="At most, of each", precision=0, minimum=1, maximum=100, min_width=0,
                                  elem_id="gb-evalmost", scale=1)
        self.make = gr.Button("Draft questions", size="sm", elem_id="gb-evaldraft")
        self.cards = fragment("", elem_id="gb-evaldrafts", js_on_load=SCRIPT)
        with gr.Row(elem_id="gb-evalsave", equal_height=False, visible=False) as self.saving:
            self.name = gr.Textbox("my questions", label="Save the accepted ones as", max_lines=1, min_width=0,
                                   elem_id="gb-evalname")
            fragment('<button type="button" class="gb-evalsavego" data-savedrafts>Save</button>',
                     elem_id="gb-evalsavebuttons")
            self.saved = fragment("", elem_id="gb-evalsaved")   # in the bar, which stays in view

    def events(self, gold: gr.Dropdown) -> None:
        """gold: the choice of gold sets, which a saved one joins."""
        drafted = [self.drafted, self.cards, self.saving, self.saved]
        self.make.click(self.draft, [self.source, self.most], drafted, **QUIET)
        self.cards.submit(self.keep, [self.drafted, self.name], [self.saved, gold], **QUIET)

    @told(3, 4)
    def draft(self, source: str | None, most: float | None) -> list[object]:
        from eval.make_gold import draft
        from eval.panel import own_sets
        chosen = [d for d in self.rag.documents() if not source or d.id == source]
        rows = draft(own_sets.named(chosen), max(1, int(most or 1)))
        return [rows, drafts_html(rows), gr.update(visible=bool(rows)), ""]

    @told(0, 2)
    def keep(self, rows: list[dict], name: str, event: gr.EventData) -> list[object]:
        """Save the accepted ones; the event brings what the reviewer wrote in them."""
        from eval.panel import own_sets
        accepted = reviewed(rows, event._data.get("accepted") or {})
        count = own_sets.save(name, accepted, self.rag.documents())
        text = own_sets.path(name).read_text(encoding="utf-8")
        return [saved_html(name.strip(), count, text), gr.update(choices=sets())]


def reviewed(rows: Sequence[dict], accepted: dict[str, dict]) -> list[dict]:
    """The accepted drafts with what the reviewer wrote. accepted: {draft's id: {"question", "facts"}}, a fact a line,
    its other wordings behind bars."""
    made = []
    for row in rows:
        if (said := accepted.get(row["id"])) is None:
            continue
        facts = [[word.strip() for word in line.split("|") if word.strip()] for line in str(said["facts"]).split("\n")]
        made.append({**row, "question": str(said["question"]).strip(), "facts": [fact for fact in facts if fact]})
    return made
