"""Vectors in Chroma: embedded in the index folder, or a Chroma server. HNSW, cosine, vectors passed explicitly."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assistant.config import Config
from assistant.errors import StoreError

COLLECTION = "chunks"
BATCH = 2000  # under Chroma's own limit of 5,461 a call


class ChromaStore:
    """assistant.protocols.VectorStore. Chroma answers with the distance 1 - cosine."""

    def __init__(self, collection) -> None:
        self._collection = collection

    def upsert(self, ids: Sequence[str], vectors: np.ndarray) -> None:
        for at in range(0, len(ids), BATCH):
            self._collection.upsert(ids=list(ids[at:at + BATCH]), embeddings=vectors[at:at + BATCH])

    def delete(self, ids: Sequence[str]) -> None:
        for at in range(0, len(ids), BATCH):
            self._collection.delete(ids=list(ids[at:at + BATCH]))

    def search(self, vector: np.ndarray, n: int) -> list[tuple[str, float]]:
        n = min(n, self._collection.count())
        if n == 0:
            return []
        found = self._collection.query(query_embeddings=vector[None, :], n_results=n, include=["distances"])
        return [(chunk_id, 1.0 - distance)
                for chunk_id, distance in zip(found["ids"][0], found["distances"][0], strict=True)]

    def vectors(self, ids: Sequence[str]) -> np.ndarray:
        if not len(ids):
            return np.zeros((0, 0), np.float32)
        found = self._collection.get(ids=list(ids), include=["embeddings"])
        row = {chunk_id: at for at, chunk_id in enumerate(found["ids"])}  # Chroma answers in its own order
        return np.asarray(found["embeddings"], np.float32)[[row[chunk_id] for chunk_id in ids]]

    def ids(self) -> set[str]:
        return set(self._collection.get(include=[])["ids"])


def build(config: Config) -> ChromaStore:
    """Open or make the collection. A server's URL is `http://host:port`."""
    import chromadb
    from chromadb.config import Settings
    settings = Settings(anonymized_telemetry=False)
    try:
        if config.vectors == "embedded":
            client = chromadb.PersistentClient(str(Path(config.index).expanduser() / "vectors"), settings=settings)
        else:
            from urllib.parse import urlsplit
            url = urlsplit(config.vectors)
            client = chromadb.HttpClient(host=url.hostname or config.vectors, port=url.port or 8000,
                                         ssl=url.scheme == "https", settings=settings)
        return ChromaStore(client.get_or_create_collection(
            COLLECTION, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}))
    except Exception as error:  # chromadb's own errors, SQLite's, the file system's and httpx's
        where = "the index folder" if config.vectors == "embedded" else config.vectors
        raise StoreError(f"cannot open the vectors in {where} ({type(error).__name__}: {error}); expected a folder "
                         "that can be written or a running Chroma server; see the setting `vectors`") from error
