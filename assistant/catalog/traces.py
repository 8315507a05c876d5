"""Traces: what happened between a question and its answer, one row a question, kept for a time and up to a number.

A trace's JSON (the layout of assistant.trace) is packed with zlib, apart from the summary that lists are made of. The
texts of its candidates and the fixed messages of its prompt are stored once each, by their hash, and go when the
last trace that shows them goes; so a trace opens the same after the index has changed.
"""
from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from assistant.catalog import feedback
from assistant.catalog.database import Database
from assistant.errors import InputError
from assistant.records import Trace
from assistant.trace import from_json, to_json
from assistant.trace.stopwatch import total_ms

SCHEMA = """
CREATE TABLE IF NOT EXISTS traces (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, stored TEXT NOT NULL, created TEXT NOT NULL,
    parent TEXT, question TEXT NOT NULL, answer TEXT NOT NULL, status TEXT NOT NULL, abstained INTEGER NOT NULL,
    unsupported INTEGER NOT NULL, kept INTEGER NOT NULL, milliseconds REAL NOT NULL);
CREATE INDEX IF NOT EXISTS traces_by_time ON traces(created);
CREATE INDEX IF NOT EXISTS traces_by_stored ON traces(stored);
CREATE INDEX IF NOT EXISTS traces_by_parent ON traces(parent);
CREATE TABLE IF NOT EXISTS trace_bodies (
    trace INTEGER PRIMARY KEY REFERENCES traces(number) ON DELETE CASCADE, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS trace_texts (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS trace_uses (
    trace INTEGER NOT NULL REFERENCES traces(number) ON DELETE CASCADE,
    text INTEGER NOT NULL REFERENCES trace_texts(id), PRIMARY KEY (trace, text)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS trace_uses_by_text ON trace_uses(text);
"""
_COLUMNS = ("id", "stored", "created", "parent", "question", "answer", "status", "abstained", "unsupported", "kept",
            "milliseconds")
SHORT = 80   # characters; a shorter message of a prompt stays in the body
LAST = "last"


@dataclass(frozen=True)
class Summary:
    """A line of the list. unsupported: sentences of the draft that failed their check; kept: chunks; thumb, note: ""
    without feedback; milliseconds: to the end of the last stage."""

    id: str
    parent: str | None
    created: str
    question: str
    answer: str
    status: str
    abstained: bool
    unsupported: int
    kept: int
    milliseconds: float
    thumb: str
    note: str


@dataclass(frozen=True)
class Wanted:
    """Which traces a list shows; all conditions hold together. search: in question, answer or note, whatever its case.

    slower: milliseconds that it took at least; parent: only replays of this trace
    """

    search: str = ""
    declined: bool = False
    unsupported: bool = False
    slower: float | None = None
    thumb: str = ""
    status: str = ""
    parent: str = ""

    def where(self) -> tuple[str, dict[str, object]]:
        """SQL conditions and their values."""
        escaped = self.search.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        tests = {"(question LIKE :like ESCAPE '\\' OR answer LIKE :like ESCAPE '\\' OR note LIKE :like ESCAPE '\\')":
                 escaped, "abstained": self.declined, "unsupported > 0": self.unsupported,
                 "milliseconds >= :slower": self.slower, "thumb = :thumb": self.thumb,
                 "status = :status": self.status, "parent = :parent": self.parent}
        values = {"like": f"%{escaped}%", "slower": self.slower, "thumb": self.thumb, "status": self.status,
                  "parent": self.parent}
        return " AND ".join(["TRUE", *(test for test, used in tests.items() if used)]), values


class Traces:
    def __init__(self, database: Database, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """now: the clock that a trace's age is told by."""
        self._db, self._now = database, now
        with database.read() as connection:  # one table, from before the first release, which nobody has to keep
            old = "body" in {row["name"] for row in connection.execute("PRAGMA table_info(traces)")}
        if old:
            database.create("DROP TABLE IF EXISTS traces")
        database.create(SCHEMA + feedback.SCHEMA)

    def add(self, trace: Trace, days: int | None = None, count: int | None = None) -> None:
        """Keep it, in place of one with its id; then let go of what is older than `days` or beyond the latest `count`.

        Age and order are those of storing, so that an import stays. A trace with feedback stays and does not count.
        """
        stored = self._now()
        failed = sum(not c.supported for c in trace.checks) or sum(not s.supported for s in trace.answer.support)
        row = (trace.id, _iso(stored), trace.created, trace.parent, trace.question, trace.answer.text, trace.status,
               trace.answer.abstained, failed, sum(hit.kept for hit in trace.hits), total_ms(trace.spans))
        body, texts = _lifted(to_json(trace))
        with self._db.write() as connection:
            number = connection.execute(
                f"INSERT INTO traces ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "
                f"ON CONFLICT(id) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _COLUMNS[1:])} "
                "RETURNING number", row).fetchone()[0]
            before = self._texts_of(connection, [number])
            connection.execute("DELETE FROM trace_uses WHERE trace = ?", (number,))
            ids = self._put(connection, texts)
            connection.executemany("INSERT OR IGNORE INTO trace_uses VALUES (?,?)", [(number, at) for at in ids])
            connection.execute("INSERT OR REPLACE INTO trace_bodies VALUES (?,?)", (number, _pack(body(ids))))
            self._sweep(connection, before)
            self._prune(connection, stored, days, count)

    def get(self, trace_id: str) -> Trace:
        with self._db.read() as connection:
            row = connection.execute("SELECT number, body FROM traces JOIN trace_bodies ON trace = number WHERE id = ?",
                                     (trace_id,)).fetchone()
            if row is None:
                raise InputError(f"no trace {trace_id!r} in this index: it may belong to another index, have been "
                                 "deleted or pruned, or have been made with traces off")
            texts = {at: text for at, text in connection.execute(
                "SELECT id, trace_texts.text FROM trace_texts JOIN trace_uses ON id = trace_uses.text WHERE trace = ?",
                (row["number"],))}
        return from_json(_put_back(json.loads(zlib.decompress(row["body"])), texts))

    def list(self, wanted: Wanted = Wanted(), limit: int = 50, offset: int = 0) -> list[Summary]:
        """Latest first; limit -1 gives all."""
        where, values = wanted.where()
        sql = ("SELECT id, parent, traces.created, question, answer, status, abstained, unsupported, kept, "
               "milliseconds, coalesce(thumb, ''), coalesce(note, '') "
               f"FROM traces LEFT JOIN feedback ON feedback.trace = id WHERE {where} "
               "ORDER BY traces.created DESC, number DESC LIMIT :limit OFFSET :offset")
        with self._db.read() as connection:
            return [Summary(*row[:6], bool(row[6]), *row[7:])
                    for row in connection.execute(sql, {**values, "limit": limit, "offset": offset})]

    def count(self, wanted: Wanted | None = None) -> int:
        """How many there are, or how many of them are wanted."""
        where, values = (wanted or Wanted()).where()
        join = "LEFT JOIN feedback ON feedback.trace = id" if wanted else ""
        with self._db.read() as connection:
            return connection.execute(f"SELECT count(*) FROM traces {join} WHERE {where}", values).fetchone()[0]

    def has(self, trace_id: str) -> bool:
        with self._db.read() as connection:
            return connection.execute("SELECT 1 FROM traces WHERE id = ?", (trace_id,)).fetchone() is not None

    def resolve(self, name: str) -> str:
        """The id that is meant: an id, the beginning of one, or "last"."""
        with self._db.read() as connection:
            if name == LAST:
                found = connection.execute(
                    "SELECT id FROM traces ORDER BY created DESC, number DESC LIMIT 1").fetchall()
            else:
                found = connection.execute(
                    "SELECT id FROM traces WHERE substr(id, 1, ?) = ? ORDER BY id != ?, id LIMIT 3",
                    (len(name), name, name)).fetchall()
        if name and found and (found[0][0] == name or len(found) == 1):
            return found[0][0]
        if name and len(found) > 1:
            raise InputError(f"{name!r} begins more than one trace's id ({', '.join(row[0] for row in found)}): "
                             "write more of it")
        raise InputError(f"no trace {name!r} in this index: `assistant trace list` shows them")

    def delete(self, ids: Iterable[str]) -> int:
        """Remove traces and their feedback for good, texts that no other trace shows too; how many there were.

        What they held is overwritten in the file, not only unlinked.
        """
        with self._db.read() as connection:
            connection.execute("PRAGMA secure_delete = ON")
        try:
            with self._db.write() as connection:
                numbers = [row[0] for row in connection.execute(
                    "SELECT number FROM traces WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),))]
                self._drop(connection, numbers)
        finally:
            with self._db.read() as connection:
                connection.execute("PRAGMA secure_delete = OFF")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # the log holds the old pages too
        return len(numbers)

    def _prune(self, connection: sqlite3.Connection, now: datetime, days: int | None, count: int | None) -> None:
        free = "id NOT IN (SELECT trace FROM feedback)"
        old: list[int] = []
        if days is not None:
            old += [row[0] for row in connection.execute(
                f"SELECT number FROM traces WHERE stored < ? AND {free}", (_iso(now - timedelta(days=days)),))]
        if count is not None:
            excess = connection.execute(f"SELECT count(*) FROM traces WHERE {free}").fetchone()[0] - len(old) - count
            if excess > 0:
                old += [row[0] for row in connection.execute(
                    f"SELECT number FROM traces WHERE number NOT IN (SELECT value FROM json_each(?)) AND {free} "
                    "ORDER BY stored, number LIMIT ?", (json.dumps(old), excess))]
        self._drop(connection, old)

    def _drop(self, connection: sqlite3.Connection, numbers: list[int]) -> None:
        if numbers:
            texts = self._texts_of(connection, numbers)
            connection.execute("DELETE FROM traces WHERE number IN (SELECT value FROM json_each(?))",
                               (json.dumps(numbers),))
            self._sweep(connection, texts)

    def _texts_of(self, connection: sqlite3.Connection, numbers: list[int]) -> list[int]:
        return [row[0] for row in connection.execute(
            "SELECT DISTINCT text FROM trace_uses WHERE trace IN (SELECT value FROM json_each(?))",
            (json.dumps(numbers),))]

    def _sweep(self, connection: sqlite3.Connection, texts: list[int]) -> None:
        """Remove those of the texts that no trace shows."""
        if texts:
            connection.execute("DELETE FROM trace_texts WHERE id IN (SELECT value FROM json_each(?)) AND NOT EXISTS "
                               "(SELECT 1 FROM trace_uses WHERE text = trace_texts.id)", (json.dumps(texts),))

    def _put(self, connection: sqlite3.Connection, texts: list[str]) -> list[int]:
        """The texts' ids, each stored where it is not yet."""
        ids = []
        for text in texts:
            digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
            connection.execute("INSERT OR IGNORE INTO trace_texts (hash, text) VALUES (?,?)", (digest, text))
            ids.append(connection.execute("SELECT id FROM trace_texts WHERE hash = ?", (digest,)).fetchone()[0])
        return ids


def _places(body: dict) -> list[tuple[dict, str]]:
    """Where the shared texts stand: each candidate's, and the long messages of the prompt but the last."""
    return ([(hit["chunk"], "text") for hit in body["hits"]]
            + [(message, "content") for message in body["prompt"][:-1]
               if not isinstance(message.get("content"), str) or len(message["content"]) >= SHORT])


def _lifted(body: dict) -> tuple[Callable[[list[int]], dict], list[str]]:
    """(the body with the texts' ids in their places, once those are known; the texts)."""
    places = _places(body)
    texts = [holder[key] for holder, key in places]

    def with_ids(ids: list[int]) -> dict:
        for (holder, key), at in zip(places, ids, strict=True):
            holder[key] = at
        return body
    return with_ids, texts


def _put_back(body: dict, texts: dict[int, str]) -> dict:
    for holder, key in _places(body):
        if isinstance(holder[key], int):
            holder[key] = texts[holder[key]]
    return body


def _pack(body: dict) -> bytes:
    return zlib.compress(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
