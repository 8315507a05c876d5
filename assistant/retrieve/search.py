"""The two searches, side by side: vectors and words."""
from __future__ import annotations

import numpy as np

from assistant.catalog.lexical import Lexical
from assistant.protocols import VectorStore, chunk_of
from assistant.records import Score
from assistant.retrieve.fuse import ranked

VECTORS = 3  # vectors of a chunk among the nearest, about: one of its own, some of its sentences
DEPTH = 5  # each search looks this many times deeper than `candidates`, so that fusion knows both ranks of a chunk


def dense(vector: np.ndarray, store: VectorStore, candidates: int) -> dict[str, Score]:
    """{chunk id: cosine of the question and the chunk's nearest vector, its own or a sentence's}.

    vector: float32 (dim,), unit length.
    """
    nearest: dict[str, float] = {}
    for name, cosine in store.search(vector, candidates * DEPTH * VECTORS):
        nearest.setdefault(chunk_of(name), cosine)
    return ranked(nearest)


def lexical(query: str, index: Lexical, candidates: int) -> dict[str, Score]:
    """{chunk id: BM25} of the chunks that share words with the query."""
    return ranked(index.search(query, candidates * DEPTH))
