"""What the pipeline needs of a model or a store. Conveniences are functions over these, elsewhere."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from assistant.records import Message


class Embedder(Protocol):
    """Texts to vectors. `fingerprint` hashes the weights; `max_tokens` counts special tokens too.

    query_fingerprint: hashes what reads queries in another way than texts; "off" where nothing does.
    """

    name: str
    fingerprint: str
    query_fingerprint: str
    dim: int
    max_tokens: int

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (n, dim), rows of unit length, input order. An empty list gives (0, dim)."""

    def embed_query(self, texts: Sequence[str]) -> np.ndarray:
        """The same for questions, to be compared with the vectors of texts."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Word pieces of each text with its special tokens, neither padded nor truncated."""


def sentence_id(chunk_id: str, n: int) -> str:
    """The id of the vector of a chunk's n-th sentence, from 0. The vector of the whole chunk has the chunk's own id."""
    return f"{chunk_id}/{n}"


def chunk_of(vector_id: str) -> str:
    """The chunk that a vector belongs to."""
    return vector_id.partition("/")[0]


class VectorStore(Protocol):
    """Vectors by id, searched by approximate nearest neighbours in cosine."""

    def upsert(self, ids: Sequence[str], vectors: np.ndarray) -> None: ...

    def delete(self, ids: Sequence[str]) -> None: ...

    def search(self, vector: np.ndarray, n: int) -> list[tuple[str, float]]:
        """The n nearest vectors as (id, cosine), best first; fewer where the store holds fewer."""

    def vectors(self, ids: Sequence[str]) -> np.ndarray:
        """float32 (n, dim) of the ids, in their order. KeyError names an id that is not there."""

    def ids(self) -> set[str]: ...


class Reranker(Protocol):
    """A cross-encoder with its calibration. `threshold` is the gate's default probability."""

    name: str
    fingerprint: str
    calibrated: bool
    threshold: float

    def logits(self, question: str, texts: Sequence[str]) -> np.ndarray:
        """float32 (n,), higher is better, input order."""

    def probabilities(self, logits: np.ndarray, cosines: np.ndarray) -> np.ndarray:
        """float32 (n,) in 0..1 from the logits and the embedder's cosines of question and text, both (n,)."""


class Generator(Protocol):
    """A chat model. `fingerprint` hashes the weights' content or names the served model."""

    name: str
    fingerprint: str

    def stream(self, messages: Sequence[Message], *, temperature: float, max_tokens: int) -> Iterator[str]:
        """Pieces of the reply as they come. Closing the iterator stops the model."""
