"""The lexical index: SQLite FTS5 over headings and readable chunk text, Porter stems, BM25.

FTS5's bm25() uses k1 = 1.2 and b = 0.75 (SQLite's documentation, "The bm25() function") and is negative, better
lower; scores here are its negation, so higher is better. A second table without stems knows how the documents' words
are spelled.
"""
from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Sequence

import numpy as np

from assistant.catalog.database import Database
from assistant.text.words import STOP

SCHEMA = """
CREATE VIRTUAL TABLE IF NOT EXISTS lexical USING fts5(
    id UNINDEXED, heading, body, tokenize = "porter unicode61 remove_diacritics 2");
CREATE VIRTUAL TABLE IF NOT EXISTS spelling USING fts5(
    id UNINDEXED, body, tokenize = "unicode61 remove_diacritics 0", detail = none);
CREATE VIRTUAL TABLE IF NOT EXISTS spelling_words USING fts5vocab(spelling, row);
CREATE TABLE IF NOT EXISTS word_vectors (word TEXT PRIMARY KEY, vector BLOB NOT NULL);
"""
HEADING_WEIGHT = 1.0   # measured: see eval/EXPERIMENTS.md
VOCABULARY = 5000      # words with a vector: about 5 s of embedding, 4 MB
MAX_WORDS = 64         # a longer query is cut: its tail only adds noise and time


class Lexical:
    """Beside `Documents` in one database, whose meta says when something has changed."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._vectors: tuple | None = None
        database.create(SCHEMA)

    def add(self, connection: sqlite3.Connection, rows: Iterable[tuple[str, str, str]]) -> None:
        """Index (chunk id, heading, body) in the caller's transaction."""
        rows = list(rows)
        connection.executemany("INSERT INTO lexical (id, heading, body) VALUES (?,?,?)", rows)
        connection.executemany("INSERT INTO spelling (id, body) VALUES (?,?)",
                               [(name, f"{heading}\n{body}") for name, heading, body in rows])

    def remove(self, connection: sqlite3.Connection, ids: Iterable[str]) -> None:
        # one walk through the table for all of them: an FTS5 table has no index over its other columns
        names = json.dumps(list(ids))
        for table in ("lexical", "spelling"):
            connection.execute(f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE id IN "
                               "(SELECT value FROM json_each(?)))", (names,))

    def search(self, query: str, n: int) -> list[tuple[str, float]]:
        """The n best chunks as (id, BM25), best first. Any word may match; a query of no words finds nothing."""
        words = self.terms(query)
        if not words:
            return []
        match = " OR ".join(f'"{word}"' for word in words)
        sql = ("SELECT id, -bm25(lexical, 0.0, ?, 1.0) AS score FROM lexical WHERE lexical MATCH ? "
               "ORDER BY score DESC, id LIMIT ?")
        with self._db.read() as connection:
            return [(row["id"], max(0.0, row["score"]))
                    for row in connection.execute(sql, (HEADING_WEIGHT, match, n))]

    def terms(self, query: str) -> list[str]:
        """The words that are searched: no stop words (unless there is nothing else)."""
        words = list(dict.fromkeys(re.findall(r"\w+", query.lower())))[:MAX_WORDS]
        return [word for word in words if word not in STOP] or words

    def holds(self, word: str) -> bool:
        """Whether the documents use the word, in any inflection that its stem covers."""
        with self._db.read() as connection:
            return connection.execute("SELECT 1 FROM lexical WHERE lexical MATCH ? LIMIT 1",
                                      (f'"{word}"',)).fetchone() is not None

    def words_without_vector(self) -> list[str]:
        """Those of the documents' `VOCABULARY` most frequent words whose vector is not stored yet."""
        with self._db.read() as connection:
            stored = {row[0] for row in connection.execute("SELECT word FROM word_vectors")}
            rows = connection.execute("SELECT term FROM spelling_words ORDER BY doc DESC, term LIMIT ?", (VOCABULARY,))
            return [row[0] for row in rows
                    if row[0] not in stored and row[0] not in STOP and re.fullmatch(r"[^\W\d_]{3,}", row[0])]

    def add_word_vectors(self, connection: sqlite3.Connection, words: Sequence[str], vectors: np.ndarray) -> None:
        """vectors: (n, dim), rows of unit length; kept in half precision."""
        connection.executemany("INSERT OR REPLACE INTO word_vectors VALUES (?,?)", [
            (word, row.astype(np.float16).tobytes()) for word, row in zip(words, vectors, strict=True)])

    def clear_word_vectors(self, connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM word_vectors")

    def word_vectors(self) -> tuple[list[str], np.ndarray]:
        """(words, float32 (n, dim)) of the words that the documents use and that have a vector."""
        with self._db.read() as connection:
            version = tuple(connection.execute("SELECT (SELECT count(*) FROM word_vectors), "
                                               "(SELECT value FROM meta WHERE key = 'revision')").fetchone())
            kept = self._vectors  # read once: another thread may replace it
            if kept is None or kept[0] != version:
                rows = connection.execute("SELECT word, vector FROM word_vectors WHERE word IN "
                                          "(SELECT term FROM spelling_words) ORDER BY word").fetchall()
                matrix = np.array([np.frombuffer(row["vector"], np.float16) for row in rows], np.float32)
                self._vectors = kept = version, [row["word"] for row in rows], matrix
        return kept[1], kept[2]

    def words_from(self, letter: str) -> list[str]:
        """The documents' words, as written, that begin with a letter; the more frequent first."""
        with self._db.read() as connection:
            rows = connection.execute("SELECT term FROM spelling_words WHERE term >= ? AND term < ? "
                                      "ORDER BY doc DESC, term", (letter, letter + "\U0010ffff"))
            return [row[0] for row in rows]
