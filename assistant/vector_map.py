"""A map in two dimensions of a question and the chunks' vectors, and how far such a map can be trusted.

Hundreds of dimensions do not fit into two: the map is drawn by t-SNE (van der Maaten and Hinton, 2008), which tries to
keep neighbours together, and the share of true neighbours that it did keep is measured and shown beside it. Like
why-not this is computed now, over the index as it is.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assistant.errors import InputError
from assistant.pipeline import Assistant
from assistant.records import Chunk, Trace

NEIGHBOURS = 10   # nearest in the vectors, whose place on the map is judged
MOST = 600        # chunks on the map; of a larger index those nearest to the question
STEPS = 500       # of t-SNE: as good as its 1,000 by default, measured by the neighbours that are kept
PERPLEXITY = 20   # t-SNE's: about how many neighbours a point minds
FAITHFUL = 0.5    # share of kept neighbours under which the map comes with a warning


@dataclass(frozen=True)
class Point:
    """A chunk on the map. x, y: 0..1; rank: from 1 by cosine with the question, among all chunks of the index."""

    chunk: Chunk
    x: float
    y: float
    cosine: float
    rank: int


@dataclass(frozen=True)
class VectorMap:
    """points: nearest to the question first. kept: 0..1, the mean over all points of the share of their ten true
    nearest that are among their ten nearest on the map; kept_of_query: the same for the question alone."""

    query: str
    x: float
    y: float
    points: tuple[Point, ...]
    total: int
    kept: float
    kept_of_query: float
    index_changed: bool

    @property
    def faithful(self) -> bool:
        return self.kept >= FAITHFUL


def vector_map(rag: Assistant, trace: Trace) -> VectorMap:
    """The map of the trace's query among the chunks of the index; EmptyIndexError without any, InputError where the
    query was not kept (redact=on)."""
    if trace.redacted and trace.history:
        raise InputError(f"trace {trace.id} was kept without its earlier turns (redact=on), so its query cannot be "
                         "placed on a map: ask it again in a conversation")
    rag.retrieve(trace.query)  # refuses an empty index, or one of another embedder, in its own words
    chunks, store = rag.chunks(), rag.parts.store
    vectors = store.vectors([chunk.id for chunk in chunks])
    query = rag.embed_query([trace.query])[0]
    cosines = vectors @ query
    order = np.argsort(-cosines, kind="stable")[:MOST]
    every = np.vstack([query[None, :], vectors[order]])
    flat = layout(every)
    shares = kept_neighbours(every, flat)
    points = tuple(Point(chunks[at], float(x), float(y), float(cosines[at]), rank)
                   for rank, (at, (x, y)) in enumerate(zip(order.tolist(), flat[1:], strict=True), 1))
    return VectorMap(trace.query, float(flat[0, 0]), float(flat[0, 1]), points, len(chunks), float(shares.mean()),
                     float(shares[0]), trace.index_fingerprint != rag.index_fingerprint())


def layout(vectors: np.ndarray) -> np.ndarray:
    """float64 (n, 2) in 0..1 from float32 (n, dim), the same at every call."""
    if len(vectors) < 5:  # too few for t-SNE: a line
        return np.column_stack([np.linspace(0, 1, len(vectors)), np.full(len(vectors), 0.5)])
    from sklearn.manifold import TSNE
    made = TSNE(2, perplexity=min(PERPLEXITY, (len(vectors) - 1) / 3), init="pca", random_state=0, method="exact",
                max_iter=STEPS)
    flat = made.fit_transform(np.asarray(vectors, np.float32)).astype(np.float64)
    low, high = flat.min(axis=0), flat.max(axis=0)
    return (flat - low) / np.maximum(high - low, 1e-9)


def kept_neighbours(vectors: np.ndarray, flat: np.ndarray, n: int = NEIGHBOURS) -> np.ndarray:
    """(n points,): for each, the share of its n nearest by cosine that are among its n nearest on the map."""
    n = min(n, len(vectors) - 1)
    if n < 1:
        return np.ones(len(vectors))
    far = ((flat[:, None, :] - flat[None, :, :]) ** 2).sum(axis=2)
    true, drawn = (_nearest(distances, n) for distances in (-(vectors @ vectors.T), far))
    return np.array([len(set(a) & set(b)) / n for a, b in zip(true, drawn, strict=True)])


def _nearest(distances: np.ndarray, n: int) -> list[list[int]]:
    distances = distances.astype(np.float64, copy=True)
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1, kind="stable")[:, :n].tolist()
