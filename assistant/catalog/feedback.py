"""What people said of an answer: a thumb, a note, or both. It goes with its trace, and keeps it from being pruned."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from assistant.catalog.database import Database
from assistant.errors import InputError

SCHEMA = """
CREATE TABLE IF NOT EXISTS feedback (
    trace TEXT PRIMARY KEY REFERENCES traces(id) ON DELETE CASCADE,
    thumb TEXT NOT NULL, note TEXT NOT NULL, created TEXT NOT NULL);
"""
THUMBS = ("up", "down", "")
NOTE_LENGTH = 4000  # characters


@dataclass(frozen=True)
class Judgement:
    """thumb: "up", "down", or "" for a note alone. created: ISO 8601 in UTC, of its last change."""

    trace: str
    thumb: str
    note: str
    created: str


class Feedback:
    """One judgement a trace. Traces(database) makes the table, as its rows hang on those."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def set(self, trace_id: str, thumb: str, note: str = "") -> None:
        """Keep it in place of what was said before; neither thumb nor note takes it back.

        Raises InputError for another thumb, a note that is too long, or an unknown trace.
        """
        note = note.strip()
        if thumb not in THUMBS:
            raise InputError(f"the thumb is {thumb!r}: expected \"up\", \"down\" or \"\" for none")
        if len(note) > NOTE_LENGTH:
            raise InputError(f"the note has {len(note):,} characters; at most {NOTE_LENGTH:,} are kept: shorten it")
        with self._db.write() as connection:
            if connection.execute("SELECT 1 FROM traces WHERE id = ?", (trace_id,)).fetchone() is None:
                raise InputError(f"no trace {trace_id!r} in this index, so nothing can be said of it")
            connection.execute("DELETE FROM feedback WHERE trace = ?", (trace_id,))
            if thumb or note:
                connection.execute("INSERT INTO feedback VALUES (?,?,?,?)",
                                   (trace_id, thumb, note, datetime.now(UTC).isoformat(timespec="milliseconds")))

    def get(self, trace_id: str) -> Judgement | None:
        with self._db.read() as connection:
            row = connection.execute("SELECT * FROM feedback WHERE trace = ?", (trace_id,)).fetchone()
        return Judgement(**row) if row else None

    def all(self) -> list[Judgement]:
        """The oldest first."""
        with self._db.read() as connection:
            return [Judgement(**row) for row in connection.execute("SELECT * FROM feedback ORDER BY created, trace")]
