"""Vectors in Chroma: embedded in the index folder, or a Chroma server. HNSW, cosine, vectors passed explicitly.

A server is shared by many indexes, and an ingest removes what its own index does not know. So each index has a
collection of its own there, named in the file `collection` of the index folder.

An embedded Chroma reads its graph into memory once and does not see what another process writes later (an
`assistant ingest` beside a running page). So every write leaves a new word in the file `generation`, and whoever
finds another word there than its own opens the folder anew.
"""
from __future__ import annotations

import itertools
import os
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from assistant.config import Config
from assistant.errors import GlassboxError, StoreError

COLLECTION = "chunks"  # of an embedded store
BATCH = 2000  # under Chroma's own limit of 5,461 a call
# Wider than Chroma's 100 and 100: on 6,000 random vectors, the hardest case, the share of the true 100 nearest that
# are found rises from 0.69 to above 0.95, and a search still takes under 20 ms.
HNSW = {"space": "cosine", "ef_search": 400, "ef_construction": 200}
_SPELLINGS = itertools.count()  # Chroma shares one client among equal paths; another spelling gets one of its own


class ChromaStore:
    """assistant.protocols.VectorStore. Chroma answers with the distance 1 - cosine. Safe between threads.

    Chroma's errors, the file system's and a server's leave as StoreError.
    """

    def __init__(self, connect: Callable[[], object], index: Path, where: str, *, embedded: bool) -> None:
        """connect: gives a chromadb client. index: the index folder. where: the place, in the words of an error."""
        self._connect, self._index, self._where = connect, index, where
        self._generation = index / "vectors" / "generation" if embedded else None
        self._lock = threading.RLock()
        self._client = None
        with self._held("open"):
            self._open()

    def _open(self) -> None:
        """In the place of what is open. Nothing changes before all of it has worked: else the next use tries again."""
        seen, client = self._word(), self._connect()
        try:
            name = COLLECTION if self._generation else _own_name(self._index)
            collection = client.get_or_create_collection(name, embedding_function=None, configuration={"hnsw": HNSW})
        except Exception:
            client.close()
            raise
        former, self._client = self._client, client
        self._name, self._collection, self._seen = name, collection, seen
        if former is not None:
            former.close()

    @contextmanager
    def _held(self, verb: str = "use") -> Iterator[None]:
        with self._lock:
            try:
                yield
            except GlassboxError:
                raise
            except Exception as error:  # chromadb's own errors, SQLite's, the file system's and httpx's
                why = " ".join(str(error).split())
                raise StoreError(
                    f"cannot {verb} the vectors in {self._where} ({type(error).__name__}: {why}); expected a folder "
                    "that can be written or a running Chroma server; see the setting `vectors`") from error

    def _word(self) -> str:
        return self._generation.read_text() if self._generation and self._generation.is_file() else ""

    def _fresh(self):
        if self._word() != self._seen:
            self._open()
        return self._collection

    def _wrote(self) -> None:
        if self._generation:
            self._seen = uuid.uuid4().hex
            self._generation.write_text(self._seen)

    def upsert(self, ids: Sequence[str], vectors: np.ndarray) -> None:
        if not len(ids):
            return
        from chromadb.errors import InvalidArgumentError
        with self._held():
            try:
                self._upsert(ids, vectors)
            except InvalidArgumentError:
                # a collection keeps the dimensions of its first vectors, even when it is empty again
                if self._collection.count():
                    raise
                self._client.delete_collection(self._name)
                self._seen = None  # opened anew at the next use, also where that fails the first time
                self._upsert(ids, vectors)
            self._wrote()

    def _upsert(self, ids: Sequence[str], vectors: np.ndarray) -> None:
        for at in range(0, len(ids), BATCH):
            self._fresh().upsert(ids=list(ids[at:at + BATCH]), embeddings=vectors[at:at + BATCH])

    def delete(self, ids: Sequence[str]) -> None:
        if not len(ids):
            return
        with self._held():
            for at in range(0, len(ids), BATCH):
                self._fresh().delete(ids=list(ids[at:at + BATCH]))
            self._wrote()

    def search(self, vector: np.ndarray, n: int) -> list[tuple[str, float]]:
        with self._held():
            collection = self._fresh()
            n = min(n, collection.count())
            if n == 0:
                return []
            found = collection.query(query_embeddings=vector[None, :], n_results=n, include=["distances"])
        return [(chunk_id, min(1.0, max(-1.0, 1.0 - distance)))  # rounding may leave a hair's breadth outside
                for chunk_id, distance in zip(found["ids"][0], found["distances"][0], strict=True)]

    def vectors(self, ids: Sequence[str]) -> np.ndarray:
        if not len(ids):
            return np.zeros((0, 0), np.float32)
        held: dict[str, np.ndarray] = {}  # Chroma answers in its own order
        with self._held():
            for at in range(0, len(ids), BATCH):
                found = self._fresh().get(ids=list(ids[at:at + BATCH]), include=["embeddings"])
                held |= zip(found["ids"], found["embeddings"], strict=True)
        if missing := [chunk_id for chunk_id in ids if chunk_id not in held]:
            raise StoreError(f"{len(missing)} chunks have no vector, {missing[0]} for one: run `assistant ingest` on "
                             "the documents again, which mends it")
        return np.array([held[chunk_id] for chunk_id in ids], np.float32)

    def ids(self) -> set[str]:
        with self._held():
            return set(self._fresh().get(include=[])["ids"])


def _own_name(index: Path) -> str:
    """The name of the index's collection on a server; made, the first time, so that two processes agree on it."""
    file = index / "collection"
    if not file.is_file():
        index.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"collection.{uuid.uuid4().hex}")
        draft.write_text(f"glassbox-{uuid.uuid4().hex}")
        try:
            os.link(draft, file)  # whole or not at all, and only one of two
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text()


def build(config: Config) -> ChromaStore:
    """Open or make the collection. A server's URL is `http://host:port`."""
    import chromadb
    from chromadb.config import Settings
    settings = Settings(anonymized_telemetry=False)
    index, embedded = Path(config.index).expanduser(), config.vectors == "embedded"

    def connect():
        if embedded:
            return chromadb.PersistentClient(f"{index / 'vectors'}" + "/." * (next(_SPELLINGS) % 200),
                                             settings=settings)
        from urllib.parse import urlsplit
        url = urlsplit(config.vectors)
        return chromadb.HttpClient(host=url.hostname or config.vectors, port=url.port or 8000,
                                   ssl=url.scheme == "https", settings=settings)

    return ChromaStore(connect, index, "the index folder" if embedded else config.public()["vectors"],
                       embedded=embedded)
