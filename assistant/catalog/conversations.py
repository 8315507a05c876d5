"""Conversations of the chat: what was asked and answered, in order, with the trace of each answer.

Kept in the index's catalog, so a reload or a restart loses nothing. A turn's role is "user", "assistant" or
"notice"; a notice is a line of Glassbox itself (an error, for instance) and never part of the history that the
pipeline sees, and neither is the question that it answers.
"""
from __future__ import annotations

import sqlite3
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from assistant.catalog.database import Database
from assistant.errors import InputError
from assistant.records import Message

SCHEMA = """
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, created TEXT NOT NULL, updated TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS turns (
    conversation TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
    position INTEGER NOT NULL, role TEXT NOT NULL, content TEXT NOT NULL, trace_id TEXT NOT NULL,
    PRIMARY KEY (conversation, position));
CREATE INDEX IF NOT EXISTS turns_by_trace ON turns(trace_id);
"""
ROLES = ("user", "assistant", "notice")
UNTITLED = "New conversation"
TITLE_LENGTH = 60  # characters; a title longer than this is cut at a word


@dataclass(frozen=True)
class Conversation:
    """`created` and `updated` are ISO 8601 in UTC."""

    id: str
    title: str
    created: str
    updated: str


@dataclass(frozen=True)
class Turn:
    """One message. `position` counts from 0 without gaps; `trace_id` is "" for all but answers."""

    position: int
    role: str
    content: str
    trace_id: str = ""


class Conversations:
    def __init__(self, database: Database) -> None:
        self._db = database
        database.create(SCHEMA)

    def create(self, title: str = "") -> Conversation:
        """A new, empty conversation. `title` may be a whole question: it is cut to one short line."""
        now = _now()
        made = Conversation(uuid.uuid4().hex[:12], title_of(title), now, now)
        with self._db.write() as connection:
            connection.execute("INSERT INTO conversations VALUES (?,?,?,?)",
                               (made.id, made.title, made.created, made.updated))
        return made

    def get(self, conversation_id: str) -> Conversation:
        with self._db.read() as connection:
            row = connection.execute("SELECT * FROM conversations WHERE id = ?", (conversation_id,)).fetchone()
        if row is None:
            raise InputError(f"no conversation {conversation_id!r} in this index: it was deleted, "
                             "or belongs to another")
        return Conversation(**row)

    def exists(self, conversation_id: str | None) -> bool:
        with self._db.read() as connection:
            row = connection.execute("SELECT 1 FROM conversations WHERE id = ?", (conversation_id,)).fetchone()
        return row is not None

    def list(self, search: str = "") -> list[Conversation]:
        """Latest first. With `search`, those whose title or any turn contains it, whatever its case."""
        like = "%" + search.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        sql = ("SELECT * FROM conversations AS c WHERE title LIKE :like ESCAPE '\\' OR EXISTS (SELECT 1 FROM turns "
               "WHERE conversation = c.id AND content LIKE :like ESCAPE '\\') ORDER BY updated DESC, rowid DESC")
        with self._db.read() as connection:
            return [Conversation(**row) for row in connection.execute(sql, {"like": like})]

    def rename(self, conversation_id: str, title: str) -> None:
        """Raises InputError for a title without a visible character, or an unknown conversation."""
        if not title.strip():
            raise InputError("a conversation needs a title of at least one character: the old one was kept")
        self.get(conversation_id)
        with self._db.write() as connection:
            connection.execute("UPDATE conversations SET title = ? WHERE id = ?", (title_of(title), conversation_id))

    def delete(self, conversation_id: str) -> None:
        """Remove a conversation and its turns; its traces stay. Deleting an unknown one does nothing."""
        with self._db.write() as connection:
            connection.execute("DELETE FROM turns WHERE conversation = ?", (conversation_id,))
            connection.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))

    def turns(self, conversation_id: str) -> list[Turn]:
        with self._db.read() as connection:
            return [Turn(**row) for row in connection.execute(
                "SELECT position, role, content, trace_id FROM turns WHERE conversation = ? ORDER BY position",
                (conversation_id,))]

    def append(self, conversation_id: str, role: str, content: str, trace_id: str = "") -> Turn:
        """Add a turn at the end. The first question gives an untitled conversation its title."""
        if role not in ROLES:
            raise ValueError(f"role is {role!r}: expected one of {', '.join(ROLES)}")
        title = self.get(conversation_id).title
        with self._db.write() as connection:
            position = connection.execute("SELECT coalesce(max(position) + 1, 0) FROM turns WHERE conversation = ?",
                                          (conversation_id,)).fetchone()[0]
            try:
                connection.execute("INSERT INTO turns VALUES (?,?,?,?,?)",
                                   (conversation_id, position, role, content, trace_id))
            except sqlite3.IntegrityError:  # deleted by another window since the line above
                raise InputError("the conversation was deleted meanwhile: start a new one and ask again") from None
            if title == UNTITLED and role == "user":
                title = title_of(content)
            connection.execute("UPDATE conversations SET updated = ?, title = ? WHERE id = ?",
                               (_now(), title, conversation_id))
        return Turn(position, role, content, trace_id)

    def truncate(self, conversation_id: str, after: int) -> None:
        """Remove the turns behind position `after`; -1 empties the conversation."""
        with self._db.write() as connection:
            connection.execute("DELETE FROM turns WHERE conversation = ? AND position > ?", (conversation_id, after))

    def of_trace(self, trace_id: str) -> str | None:
        """The conversation that shows this trace, or None."""
        with self._db.read() as connection:
            row = connection.execute("SELECT conversation FROM turns WHERE trace_id = ? LIMIT 1",
                                     (trace_id,)).fetchone()
        return row["conversation"] if row and trace_id else None

    def markdown(self, conversation_id: str) -> str:
        """The conversation as one Markdown text: its title, then each turn under who said it."""
        conversation = self.get(conversation_id)
        parts = [f"# {conversation.title}", f"*Glassbox, {conversation.created[:10]}*"]
        for turn in self.turns(conversation_id):
            if turn.role == "user":
                parts.append(f"## {turn.content.strip()}" if _one_line(turn.content) else
                             "## Question\n\n" + turn.content.strip())
            elif turn.role == "assistant":
                parts.append(turn.content.strip() + (f"\n\n<sub>trace {turn.trace_id}</sub>" if turn.trace_id else ""))
            else:
                parts.append(f"> {turn.content.strip()}")
        return "\n\n".join(parts) + "\n"


def history(turns: list[Turn]) -> list[Message]:
    """The turns as the pipeline takes them: answered questions and their answers, in order."""
    messages: list[Message] = []
    for question, reply in pairwise(turns):
        if question.role == "user" and reply.role == "assistant":
            messages += [{"role": "user", "content": question.content}, {"role": "assistant", "content": reply.content}]
    return messages


def title_of(question: str) -> str:
    """The first line that says something, in at most TITLE_LENGTH characters, cut at a word."""
    line = " ".join("".join(c if c.isprintable() else " " for c in question[:4 * TITLE_LENGTH]).split())
    if len(line) <= TITLE_LENGTH:
        return line or UNTITLED
    cut = line[:TITLE_LENGTH - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut).rstrip(" ,.;:") + "…"


def _one_line(text: str) -> bool:
    return "\n" not in text.strip() and len(text) <= 300


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
