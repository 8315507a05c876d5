"""Documents and their chunks, and what the index was made with."""
from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.catalog.database import Database
from assistant.errors import InputError
from assistant.records import Chunk, Document, DocumentVersion

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, source TEXT NOT NULL, text TEXT NOT NULL, sha256 TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS chunks (
    id TEXT PRIMARY KEY, document_id TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    heading TEXT NOT NULL, text TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    n_tokens INTEGER NOT NULL, header TEXT NOT NULL, header_start INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS chunks_by_document ON chunks(document_id, start);
"""


@dataclass(frozen=True)
class Size:
    """A document without its text: characters of it, and how many chunks it has."""

    id: str
    title: str
    source: str
    characters: int
    chunks: int


class Documents:
    """Documents in the order of their sources, chunks in the order of their documents."""

    def __init__(self, database: Database) -> None:
        self._db = database
        database.create(SCHEMA)

    def replace(self, connection: sqlite3.Connection, document: Document, chunks: Iterable[Chunk]) -> None:
        """Write a document and its chunks in the caller's transaction, in place of what was there under its id."""
        self.remove(connection, document.id)
        connection.execute("INSERT INTO documents VALUES (?,?,?,?,?)",
                           (document.id, document.title, document.source, document.text, document.sha256))
        connection.executemany(
            "INSERT INTO chunks VALUES (?,?,?,?,?,?,?,?,?)",
            [(c.id, c.document_id, c.heading, c.text, c.start, c.end, c.n_tokens, c.header, c.header_start)
             for c in chunks])

    def remove(self, connection: sqlite3.Connection, document_id: str) -> None:
        connection.execute("DELETE FROM chunks WHERE document_id = ?", (document_id,))
        connection.execute("DELETE FROM documents WHERE id = ?", (document_id,))
        self.set_meta(connection, {"revision": uuid.uuid4().hex})

    def all(self) -> list[Document]:
        with self._db.read() as connection:
            return [Document(**row) for row in connection.execute("SELECT * FROM documents ORDER BY source")]

    def get(self, document_id: str) -> Document:
        with self._db.read() as connection:
            row = connection.execute("SELECT * FROM documents WHERE id = ?", (document_id,)).fetchone()
        if row is None:
            raise InputError(f"no document {document_id!r} in this index: `assistant status` lists them")
        return Document(**row)

    def title(self, document_id: str) -> str:
        with self._db.read() as connection:
            row = connection.execute("SELECT title FROM documents WHERE id = ?", (document_id,)).fetchone()
        return row["title"] if row else ""

    def hashes(self) -> dict[str, str]:
        """{document id: sha256 of its text}."""
        with self._db.read() as connection:
            return {row["id"]: row["sha256"] for row in connection.execute("SELECT id, sha256 FROM documents")}

    def chunks(self, document_id: str | None = None) -> list[Chunk]:
        """A document's chunks, or all of them."""
        where, values = ("WHERE document_id = ?", (document_id,)) if document_id else ("", ())
        sql = (f"SELECT chunks.* FROM chunks JOIN documents ON documents.id = document_id {where} "
               "ORDER BY documents.source, chunks.start")
        with self._db.read() as connection:
            return [Chunk(**row) for row in connection.execute(sql, values)]

    def chunks_by_id(self, ids: Sequence[str]) -> dict[str, Chunk]:
        """{id: chunk} of those ids that are there."""
        found: dict[str, Chunk] = {}
        with self._db.read() as connection:
            for at in range(0, len(ids), 500):  # SQLite takes a limited number of variables
                part = list(ids[at:at + 500])
                marks = ",".join("?" * len(part))
                for row in connection.execute(f"SELECT * FROM chunks WHERE id IN ({marks})", part):
                    found[row["id"]] = Chunk(**row)
        return found

    def sizes(self) -> list[Size]:
        """Every document's size; no text is loaded."""
        with self._db.read() as connection:
            return [Size(**row) for row in connection.execute(
                "SELECT id, title, source, length(text) AS characters, (SELECT count(*) FROM chunks "
                "WHERE document_id = documents.id) AS chunks FROM documents ORDER BY source")]

    def counts(self) -> tuple[int, int]:
        """(documents, chunks)."""
        with self._db.read() as connection:
            return (connection.execute("SELECT count(*) FROM documents").fetchone()[0],
                    connection.execute("SELECT count(*) FROM chunks").fetchone()[0])

    def chunk_ids(self) -> list[str]:
        with self._db.read() as connection:
            return [row[0] for row in connection.execute("SELECT id FROM chunks ORDER BY id")]

    def versions(self, ids: Iterable[str]) -> tuple[DocumentVersion, ...]:
        """Which text of each document the index holds, in the order of their sources; unknown ids are left out."""
        with self._db.read() as connection:
            return tuple(DocumentVersion(**row) for row in connection.execute(
                "SELECT id, title, source, sha256 FROM documents WHERE id IN (SELECT value FROM json_each(?)) "
                "ORDER BY source", (json.dumps(sorted(ids)),)))

    def meta(self) -> dict[str, str]:
        """What the index was made with: embedder, embedder_fingerprint, chunk_tokens, layout; empty for a new index.

        roots: see there.
        revision: another one after every change, so that what is derived from all chunks need not be derived anew.
        """
        with self._db.read() as connection:
            return {row["key"]: row["value"] for row in connection.execute("SELECT key, value FROM meta")}

    def roots(self) -> dict[str, str]:
        """{what the names of a folder's documents begin with: the folder, as an absolute path}."""
        return json.loads(self.meta().get("roots", "{}"))

    def set_roots(self, connection: sqlite3.Connection, roots: dict[str, str]) -> None:
        self.set_meta(connection, {"roots": json.dumps(roots)})  # as ASCII: a path need not be Unicode

    def set_meta(self, connection: sqlite3.Connection, values: dict[str, str]) -> None:
        connection.executemany("INSERT OR REPLACE INTO meta VALUES (?,?)", list(values.items()))
