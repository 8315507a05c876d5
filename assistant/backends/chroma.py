"""Vectors in Chroma: embedded in the index folder, or a Chroma server. HNSW, cosine, vectors passed explicitly.

An embedded Chroma reads its graph into memory once and does not see what another process writes later (an
`assistant ingest` beside a running page). So every write leaves a new word in the file `generation`, and whoever
finds another word there than its own opens the folder anew.
"""
from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from assistant.config import Config
from assistant.errors import StoreError

COLLECTION = "chunks"
BATCH = 2000  # under Chroma's own limit of 5,461 a call
# Wider than Chroma's 100 and 100: on 6,000 random vectors, the hardest case, the share of the true 100 nearest that
# are found rises from 0.69 to above 0.95, and a search still takes under 20 ms.
HNSW = {"space": "cosine", "ef_search": 400, "ef_construction": 200}
_SPELLINGS = itertools.count()  # Chroma shares one client among equal paths; another spelling gets one of its own


class ChromaStore:
    """assistant.protocols.VectorStore. Chroma answers with the distance 1 - cosine. Safe between threads."""

    def __init__(self, connect: Callable[[], object], folder: Path | None) -> None:
        """connect: gives a chromadb client. folder: where an embedded one keeps its files; None for a server."""
        self._connect, self._generation = connect, folder and folder / "generation"
        self._lock = threading.RLock()
        self._open()

    def _open(self) -> None:
        self._seen = self._word()
        self._client = self._connect()
        self._collection = self._client.get_or_create_collection(
            COLLECTION, embedding_function=None, configuration={"hnsw": HNSW})

    def _word(self) -> str:
        return self._generation.read_text() if self._generation and self._generation.is_file() else ""

    def _fresh(self):
        if self._word() != self._seen:
            self._client.close()
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
        with self._lock:
            try:
                self._upsert(ids, vectors)
            except InvalidArgumentError:
                # a collection keeps the dimensions of its first vectors, even when it is empty again
                if self._collection.count():
                    raise
                self._client.delete_collection(COLLECTION)
                self._open()
                self._upsert(ids, vectors)
            self._wrote()

    def _upsert(self, ids: Sequence[str], vectors: np.ndarray) -> None:
        for at in range(0, len(ids), BATCH):
            self._fresh().upsert(ids=list(ids[at:at + BATCH]), embeddings=vectors[at:at + BATCH])

    def delete(self, ids: Sequence[str]) -> None:
        if not len(ids):
            return
        with self._lock:
            for at in range(0, len(ids), BATCH):
                self._fresh().delete(ids=list(ids[at:at + BATCH]))
            self._wrote()

    def search(self, vector: np.ndarray, n: int) -> list[tuple[str, float]]:
        with self._lock:
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
        with self._lock:
            found = self._fresh().get(ids=list(ids), include=["embeddings"])
        row = {chunk_id: at for at, chunk_id in enumerate(found["ids"])}  # Chroma answers in its own order
        if missing := [chunk_id for chunk_id in ids if chunk_id not in row]:
            raise StoreError(f"{len(missing)} chunks have no vector, {missing[0]} for one: run `assistant ingest` on "
                             "the documents again, which mends it")
        return np.asarray(found["embeddings"], np.float32)[[row[chunk_id] for chunk_id in ids]]

    def ids(self) -> set[str]:
        with self._lock:
            return set(self._fresh().get(include=[])["ids"])


def build(config: Config) -> ChromaStore:
    """Open or make the collection. A server's URL is `http://host:port`."""
    import chromadb
    from chromadb.config import Settings
    settings = Settings(anonymized_telemetry=False)
    folder = Path(config.index).expanduser() / "vectors" if config.vectors == "embedded" else None

    def connect():
        if folder:
            return chromadb.PersistentClient(f"{folder}" + "/." * (next(_SPELLINGS) % 200), settings=settings)
        from urllib.parse import urlsplit
        url = urlsplit(config.vectors)
        return chromadb.HttpClient(host=url.hostname or config.vectors, port=url.port or 8000,
                                   ssl=url.scheme == "https", settings=settings)

    try:
        return ChromaStore(connect, folder)
    except Exception as error:  # chromadb's own errors, SQLite's, the file system's and httpx's
        where = "the index folder" if folder else config.public()["vectors"]
        why = " ".join(str(error).split())
        raise StoreError(f"cannot open the vectors in {where} ({type(error).__name__}: {why}); expected a folder "
                         "that can be written or a running Chroma server; see the setting `vectors`") from error
