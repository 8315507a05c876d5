"""The two searches, side by side: vectors and words."""
from __future__ import annotations

from collections.abc import Collection

import numpy as np

from assistant.catalog.lexical import Lexical
from assistant.protocols import VectorStore, chunk_of
from assistant.records import Score
from assistant.retrieve.fuse import ranked

VECTORS = 3  # vectors of a chunk among the nearest, about: one of its own, some of its sentences
EVERY = 1_000_000  # as many as there may be
DEPTH = 5  # each search looks this many times deeper than `candidates`, so that fusion knows both ranks of a chunk


def dense(vector: np.ndarray, store: VectorStore, candidates: int) -> dict[str, Score]:
    """{chunk id: cosine of the question and the chunk's nearest vector, its own or a sentence's}.

    vector: float32 (dim,), unit length.
    """
    nearest: dict[str, float] = {}
    for name, cosine in store.search(vector, candidates * DEPTH * VECTORS):
        nearest.setdefault(chunk_of(name), cosine)
    return ranked(nearest)


def dense_within(vector: np.ndarray, store: VectorStore, candidates: int, ids: Collection[str]) -> dict[str, Score]:
    """The same of the named chunks alone, however far they are: exact cosines with the whole chunk where the search
    does not reach them."""
    names = sorted(ids)
    found = dict(zip(names, (store.vectors(names) @ vector).tolist(), strict=True))
    found |= {name: score.value for name, score in dense(vector, store, candidates).items() if name in found}
    return ranked(found)


def lexical(query: str, index: Lexical, candidates: int, ids: Collection[str] | None = None) -> dict[str, Score]:
    """{chunk id: BM25} of the chunks that share words with the query; of `ids` alone where they are given."""
    found = index.search(query, candidates * DEPTH if ids is None else EVERY)
    return ranked(found if ids is None else [(name, score) for name, score in found if name in ids])
