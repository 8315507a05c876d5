"""The lexical index: SQLite FTS5 over headings and readable chunk text, Porter stems, BM25.

FTS5's bm25() uses k1 = 1.2 and b = 0.75 (SQLite's documentation, "The bm25() function") and is negative, better
lower; scores here are its negation, so higher is better. A word of the query that the index does not hold is
replaced by the index's nearest words, so that a typing error does not lose the passage.
"""
from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable
from difflib import get_close_matches

from assistant.catalog.database import Database

SCHEMA = """
CREATE VIRTUAL TABLE IF NOT EXISTS lexical USING fts5(
    id UNINDEXED, heading, body, tokenize = "porter unicode61 remove_diacritics 2");
CREATE VIRTUAL TABLE IF NOT EXISTS lexical_words USING fts5vocab(lexical, row);
"""
HEADING_WEIGHT = 1.0   # measured: see eval/EXPERIMENTS.md
MAX_WORDS = 64         # a longer query is cut: its tail only adds noise and time
MIN_REPAIR = 4         # shorter unknown words have too many neighbours to guess from
REPAIR_CUTOFF = 0.78  # difflib's ratio with an indexed stem; "similarty" and "similar" pass, "hotel" and "model" do not
STOP = frozenset("""a about an and any are as at be been but by can could did do does for from had has have how i if
in into is it its just me my of on or our please shall should so some such tell than that the their them then there
these they this those to us was we were what when where which who whom whose why will with would you your""".split())  # noqa: SIM905


class Lexical:
    def __init__(self, database: Database) -> None:
        self._db = database
        database.create(SCHEMA)

    def add(self, connection: sqlite3.Connection, rows: Iterable[tuple[str, str, str]]) -> None:
        """Index (chunk id, heading, body) in the caller's transaction."""
        connection.executemany("INSERT INTO lexical (id, heading, body) VALUES (?,?,?)", list(rows))

    def remove(self, connection: sqlite3.Connection, ids: Iterable[str]) -> None:
        # one walk through the table for all of them: an FTS5 table has no index over its other columns
        connection.execute("DELETE FROM lexical WHERE rowid IN (SELECT rowid FROM lexical WHERE id IN "
                           "(SELECT value FROM json_each(?)))", (json.dumps(list(ids)),))

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
        """The words that are searched: no stop words (unless there is nothing else), typing errors repaired."""
        words = list(dict.fromkeys(re.findall(r"\w+", query.lower())))[:MAX_WORDS]
        content = [word for word in words if word not in STOP] or words
        terms: list[str] = []
        for word in content:
            terms.extend([word] if len(word) < MIN_REPAIR or self._known(word) else [word, *self._nearest(word)])
        return list(dict.fromkeys(terms))

    def _known(self, word: str) -> bool:
        with self._db.read() as connection:
            row = connection.execute("SELECT 1 FROM lexical WHERE lexical MATCH ? LIMIT 1", (f'"{word}"',)).fetchone()
        return row is not None

    def _nearest(self, word: str) -> list[str]:
        """At most two indexed stems that look like the word and begin with the same letter."""
        with self._db.read() as connection:
            stems = [row[0] for row in connection.execute(
                "SELECT term FROM lexical_words WHERE term >= ? AND term < ? AND length(term) >= ?",
                (word[0], word[0] + "\U0010ffff", MIN_REPAIR - 1))]
        return get_close_matches(word, stems, n=2, cutoff=REPAIR_CUTOFF)
