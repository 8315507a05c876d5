"""The two searches, side by side: vectors and words."""
from __future__ import annotations

import numpy as np

from assistant.catalog.lexical import Lexical
from assistant.protocols import VectorStore
from assistant.records import Score
from assistant.retrieve.fuse import ranked

DEPTH = 5  # each search looks this many times deeper than `candidates`, so that fusion knows both ranks of a chunk


def dense(vector: np.ndarray, store: VectorStore, candidates: int) -> dict[str, Score]:
    """{chunk id: cosine} of the nearest chunks. vector: float32 (dim,), unit length."""
    return ranked(store.search(vector, candidates * DEPTH))


def lexical(query: str, index: Lexical, candidates: int) -> dict[str, Score]:
    """{chunk id: BM25} of the chunks that share words with the query."""
    return ranked(index.search(query, candidates * DEPTH))
