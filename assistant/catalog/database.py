"""One SQLite file, opened once a thread, in write-ahead mode so that reading never waits for writing.

Not covered: more than one machine. A catalog on a network file system can be damaged; keep the index on a local disk.
"""
from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assistant.errors import StoreError

BUSY_SECONDS = 30.0  # how long a write waits for another process's write before it gives up


class Database:
    """`with db.read() as connection` and `with db.write() as connection`; a write is one transaction, all or nothing."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._local = threading.local()
        self._write_lock = threading.Lock()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.read() as connection:
                connection.execute("PRAGMA journal_mode=WAL")
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"cannot open the catalog {self.path}: {error}; name a folder that can be written "
                             "with --index, or move the damaged file away and ingest again") from error

    def create(self, schema: str) -> None:
        """Make a table group's tables where they are missing."""
        with self._write_lock, self.read() as connection:
            connection.executescript(schema)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA synchronous=NORMAL")
            self._local.connection = connection
        yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        with self._write_lock, self.read() as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                raise StoreError(f"cannot write to the catalog {self.path}: {error}; close the other program that "
                                 "holds it, or free some disk space") from error
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
