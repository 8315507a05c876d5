"""One SQLite file, opened once a thread, in write-ahead mode so that reading never waits for writing.

Not covered: more than one machine. A catalog on a network file system can be damaged; keep the index on a local disk.
"""
from __future__ import annotations

import fcntl
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assistant.errors import StoreError

BUSY_SECONDS = 30.0    # how long a write waits for another process's write before it gives up
INGEST_SECONDS = 60.0  # how long an ingest waits for another one
POLL_SECONDS = 0.05


class Database:
    """`with db.read() as connection`, `with db.write() as connection`; a write is one transaction, all or nothing."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._local = threading.local()
        self._write_lock = threading.Lock()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._failure(error) from error
        with self.read() as connection:
            connection.execute("PRAGMA journal_mode=WAL")

    def create(self, schema: str) -> None:
        """Make a table group's tables where they are missing."""
        with self._write_lock, self.read() as connection:
            connection.executescript(schema)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """SQLite's errors inside leave as StoreError."""
        try:
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
                connection.row_factory = sqlite3.Row
                connection.execute("PRAGMA foreign_keys=ON")
                connection.execute("PRAGMA synchronous=NORMAL")
                self._local.connection = connection
            yield connection
        except sqlite3.Error as error:
            raise self._failure(error) from error

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        with self._write_lock, self.read() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk has ended it already
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """One ingest at a time, among threads and processes: catalog and vectors change together. Not for nesting."""
        began = time.monotonic()
        try:
            file = self.path.with_name("ingest.lock").open("a")
        except OSError as error:
            raise self._failure(error) from error
        with file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() - began > INGEST_SECONDS:
                        raise StoreError(f"another ingest has been at work on {self.path.parent} for over "
                                         f"{INGEST_SECONDS:.0f} s: wait for it to end, then try again") from None
                    time.sleep(POLL_SECONDS)
            yield

    def _failure(self, error: Exception) -> StoreError:
        said = str(error)
        if "locked" in said or "busy" in said:
            remedy = "close the other program that writes to it"
        elif "full" in said:
            remedy = "make room on the disk"
        elif "not a database" in said or "malformed" in said:
            remedy = "move the damaged file away and ingest again"
        else:
            remedy = "name a folder that can be written with --index"
        return StoreError(f"cannot use the catalog {self.path}: {said}; {remedy}")
