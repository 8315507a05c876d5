"""Traces: what happened between a question and its answer, one row a question.

The JSON of a trace is kept whole, so that it opens the same after the index has changed.
"""
from __future__ import annotations

import json

from assistant.catalog.database import Database
from assistant.errors import InputError
from assistant.records import Trace
from assistant.trace import from_json, to_json

SCHEMA = """
CREATE TABLE IF NOT EXISTS traces (
    id TEXT PRIMARY KEY, created TEXT NOT NULL, question TEXT NOT NULL, status TEXT NOT NULL,
    abstained INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS traces_by_time ON traces(created);
"""


class Traces:
    def __init__(self, database: Database) -> None:
        self._db = database
        database.create(SCHEMA)

    def add(self, trace: Trace) -> None:
        body = json.dumps(to_json(trace), ensure_ascii=False, separators=(",", ":"))
        with self._db.write() as connection:
            connection.execute("INSERT OR REPLACE INTO traces VALUES (?,?,?,?,?,?)",
                               (trace.id, trace.created, trace.question, trace.status, trace.answer.abstained, body))

    def get(self, trace_id: str) -> Trace:
        with self._db.read() as connection:
            row = connection.execute("SELECT body FROM traces WHERE id = ?", (trace_id,)).fetchone()
        if row is None:
            raise InputError(f"no trace {trace_id!r} in this index: it may belong to another index, or have been "
                             "made with traces off")
        return from_json(json.loads(row["body"]))

    def count(self) -> int:
        with self._db.read() as connection:
            return connection.execute("SELECT count(*) FROM traces").fetchone()[0]
