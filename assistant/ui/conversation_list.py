"""The left column: conversations to open, search, rename, export and delete."""
from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from assistant.catalog.conversations import Conversation, Conversations
from assistant.errors import GlassboxError
from assistant.ui.fragment import fragment
from assistant.ui.icons import icon
from assistant.ui.prose import esc
from assistant.ui.thread import hint_html


def list_html(conversations: Sequence[Conversation], current: str | None, search: str = "") -> str:
    """One row a conversation, the current one marked; the tools of a row show on hover, focus and touch."""
    if not conversations:
        words = (f"Nothing found for “{esc(search.strip(), 40)}”." if search.strip() else
                 "Your conversations will be listed here.")
        return f'<p class="gb-empty">{words}</p>'
    rows = []
    for item in conversations:
        here = item.id == current
        name = esc(item.title)
        # by keyboard one stop a row; the tools are reached in the open conversation's row
        stop = "" if here else ' tabindex="-1"'
        rows.append(
            f'<li class="{"gb-here" if here else ""}" data-id="{esc(item.id)}">'
            f'<button type="button" class="gb-open" data-event="select" data-id="{esc(item.id)}"'
            f'{" aria-current=true" if here else ""} title="{name}">{name}</button>'
            f'<span class="gb-rowtools">'
            f'<button type="button"{stop} data-act="rename" data-id="{esc(item.id)}" data-title="{name}" '
            f'aria-label="Rename {name}" title="Rename">{icon("rename")}</button>'
            f'<button type="button"{stop} data-act="export" data-id="{esc(item.id)}" data-title="{name}" '
            f'aria-label="Export {name} as Markdown" title="Export as Markdown">{icon("export")}</button>'
            f'<button type="button"{stop} data-event="delete" data-id="{esc(item.id)}" data-confirm="Delete?" '
            f'aria-label="Delete {name}" title="Delete">{icon("delete")}</button></span></li>')
    return f'<ul class="gb-list" aria-label="Conversations">{"".join(rows)}</ul>'


class ConversationList:
    """The components; opening, renaming and deleting are wired by the chat."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

        def export_markdown(conversation_id: str) -> str:
            try:
                return conversations.markdown(conversation_id)
            except GlassboxError as error:
                return f"{error}\n"

        with gr.Row(elem_id="gb-listhead"):
            self.new = gr.Button("New conversation", elem_id="gb-new", size="sm")
        self.search = gr.Textbox(placeholder="Search conversations", label="Search conversations", show_label=False,
                                 container=False, elem_id="gb-search", max_lines=1)
        self.rows = fragment("", elem_id="gb-conversations", server_functions=[export_markdown],
                            wired=True)

    def html(self, current: str | None, search: str = "") -> str:
        return list_html(self._conversations.list(search), current, search)

    def rename(self, current: str | None, search: str, event: gr.EventData) -> tuple[object, str]:
        """The hint, where the title cannot be used, and the list."""
        hint: object = gr.skip()
        try:
            self._conversations.rename(str(event._data.get("id", "")), str(event._data.get("title", "")))
        except GlassboxError as error:
            hint = hint_html(str(error))
        return hint, self.html(current, search)
