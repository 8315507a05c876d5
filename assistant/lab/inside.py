"""The one place that looks behind an Assistant's public verbs: the embedder's own table and tokens, stored vectors.

Only a sentence-transformers embedder can be opened; another raises InputError.
"""
from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from assistant.errors import InputError, ModelError
from assistant.lab.demo import Report, no_report, quoted
from assistant.pipeline import Assistant
from assistant.records import Chunk
from assistant.retrieve import search

T = TypeVar("T")
_KEPT: dict[tuple[str, ...], object] = {}
_LOCK = threading.Lock()
MAX_KEPT = 3  # results of one kind that are kept between runs; a graph over the word table has 50 MB


@dataclass(frozen=True)
class Tokens:
    """One text inside the embedder: its word pieces, special tokens included, and two vectors for each.

    static      float32 (n, dim), rows of the input table: alike wherever the piece stands
    contextual  float32 (n, dim), outputs of the last layer
    """

    pieces: tuple[str, ...]
    static: np.ndarray
    contextual: np.ndarray


def kept(key: tuple[str, ...], make: Callable[[], T]) -> T:
    """`make()` once for a key: its kind, then everything it depends on. The oldest of a kind are forgotten."""
    with _LOCK:
        if key in _KEPT:
            return _KEPT[key]  # type: ignore[return-value]
    made = make()  # outside the lock: a build of seconds must not hold up the other demos
    with _LOCK:
        of_kind = [other for other in _KEPT if other[0] == key[0] and other != key]
        for oldest in of_kind[:max(0, len(of_kind) - MAX_KEPT + 1)]:
            del _KEPT[oldest]
        _KEPT[key] = made
    return made


def models_key(rag: Assistant) -> tuple[str, str]:
    """What embedder and reranker contain."""
    reranker = rag.parts.reranker
    return rag.parts.embedder.fingerprint, reranker.fingerprint if reranker else "off"


def _embedder(rag: Assistant):
    """What reads texts, without what an encoder of questions may add to it."""
    made = rag.parts.embedder
    return getattr(made, "_inner", made)


def _network(rag: Assistant):
    model = getattr(_embedder(rag), "model", None)
    if model is None or not hasattr(model, "tokenizer"):
        raise InputError(f"this demo looks inside the embedder, which {rag.parts.embedder.name} does not allow: "
                         "set embedder=embedded")
    return model


def probabilities(rag: Assistant, question: str, texts: Sequence[str],
                  cosines: Sequence[float]) -> tuple[float | None, ...]:
    """`Assistant.rerank` where the cosines are known already; None each with rerank=off.

    cosines: of the question's `Assistant.embed_query` with the texts' `Assistant.embed`; for chunks of the index, those
    of `nearest_chunks`.
    """
    reranker = rag.parts.reranker
    if reranker is None:
        return (None,) * len(texts)
    found = reranker.probabilities(reranker.logits(question, list(texts)), np.asarray(cosines, np.float32))
    return tuple(round(float(value), 4) for value in found)


def embedder_name(rag: Assistant) -> str:
    return rag.parts.embedder.name


def max_tokens(rag: Assistant) -> int:
    """Word pieces that the embedder reads; what lies beyond is cut off."""
    return rag.parts.embedder.max_tokens


def count_tokens(rag: Assistant, texts: Sequence[str]) -> list[int]:
    return rag.parts.embedder.count_tokens(texts)


def cut_pieces(rag: Assistant, text: str) -> list[str]:
    """The word pieces of a text, without special tokens."""
    return list(_network(rag).tokenizer.tokenize(text))


def table(rag: Assistant) -> tuple[list[str], np.ndarray]:
    """(pieces, float32 (vocabulary, dim)): the embedder's input table, rows not normalised."""
    def read():
        network = _network(rag)
        rows = network[0].auto_model.get_input_embeddings().weight.detach().cpu().numpy()
        pieces = [""] * len(rows)
        for piece, at in network.tokenizer.get_vocab().items():
            if at < len(rows):
                pieces[at] = piece
        return pieces, rows
    return kept(("table", rag.parts.embedder.fingerprint), read)


def tokens(rag: Assistant, texts: Sequence[str]) -> list[Tokens]:
    """Each text's pieces and vectors, special tokens included."""
    network, (_, rows) = _network(rag), table(rag)
    found = []
    for text in texts:
        ids = network.tokenizer(text, truncation=True, max_length=max_tokens(rag))["input_ids"]
        with _embedder(rag)._lock:
            outputs = network.encode([text], output_value="token_embeddings", show_progress_bar=False)[0]
        outputs = outputs.cpu().numpy().astype(np.float32)[:len(ids)]
        pieces = tuple(network.tokenizer.convert_ids_to_tokens(ids))
        found.append(Tokens(pieces, rows[ids], outputs))
    return found


def embed_wide(rag: Assistant, texts: Sequence[str], batch: int = 512) -> np.ndarray:
    """`Assistant.embed` with wide batches: five times faster for texts of one word, too much memory for long ones."""
    with _embedder(rag)._lock:
        vectors = _network(rag).encode(list(texts), batch_size=batch, normalize_embeddings=True,
                                       show_progress_bar=False, convert_to_numpy=True)
    return np.asarray(vectors, np.float32)


class PictureEncoder:
    """A CLIP through sentence-transformers: the methods of assistant.lab.tiny_clip.TinyClip."""

    scale = 100.0  # CLIP's own, at which its training caps it
    side = 224
    _EXPECTED = ('expected "embedded", or the folder of a CLIP that sentence-transformers reads, such as a copy of '
                 "clip-ViT-B-32")

    def __init__(self, rag: Assistant, name: str) -> None:
        try:
            other = rag.with_config(rag.config.replace({"embedder": name}))  # the same index, which is not asked
            self._network, self._lock = _network(other), _embedder(other)._lock
            self.key = other.parts.embedder.fingerprint
        except (ModelError, OSError, ValueError) as error:  # a name too long for a path is an OSError
            raise InputError(f"model {quoted(name, 120)} is not on this machine, or is no model: "
                             f"{self._EXPECTED}") from error
        self._check(name)

    def _check(self, name: str) -> None:
        try:
            self.images(np.zeros((1, 32, 32, 3), np.uint8))
        except Exception as error:  # a text model fails on a picture in one of many ways
            raise InputError(f"model {quoted(name, 120)} reads no pictures ({type(error).__name__}): "
                             f"{self._EXPECTED}") from error

    def images(self, pictures: np.ndarray) -> np.ndarray:
        """float32 (n, dim) unit rows from uint8 (n, s, s, 3)."""
        from PIL import Image
        return self._encode([Image.fromarray(picture) for picture in pictures])

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        return self._encode(list(texts))

    def _encode(self, items: list) -> np.ndarray:
        with self._lock:
            vectors = self._network.encode(items, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, np.float32)


def embed_mixed(rag: Assistant, texts: Sequence[str], group: int = 6, report: Report = no_report) -> np.ndarray:
    """`Assistant.embed` for many texts, or of mixed lengths: a batch is padded to its longest, so like goes with like.

    Never more than `group` at a time, so that the embedder stays on one thread: on a busy machine its threads wait for
    each other, and 150 short texts in one call took 9.6 s, in two calls 1.5 s.
    """
    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    parts = []
    for start in range(0, len(order), group):
        report(start / len(order), f"embedding {len(texts):,} texts")
        parts.append(rag.embed([texts[at] for at in order[start:start + group]]))
    made = np.concatenate(parts)
    vectors = np.empty_like(made)
    vectors[order] = made
    return vectors


def own_vectors(rag: Assistant, texts: Sequence[str], report: Report = no_report) -> np.ndarray:
    """`embed_mixed` of a list that the user gave, kept: changing another input does not embed it again."""
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    return kept(("own", rag.parts.embedder.fingerprint, digest), lambda: embed_mixed(rag, texts, 32, report))


def chunk_vectors(rag: Assistant, least: int = 1) -> tuple[list[Chunk], np.ndarray]:
    """(chunks, float32 (n, dim) unit rows) of the index. InputError where it holds fewer than `least`."""
    chunks = rag.chunks()
    if len(chunks) < least:
        raise InputError(f"the index holds {len(chunks)} chunks: expected at least {least}; ingest more documents, or "
                         "give texts of your own")
    def read():
        return rag.parts.store.vectors([chunk.id for chunk in chunks])
    return chunks, kept(("chunks", rag.index_fingerprint(), rag.parts.embedder.fingerprint), read)


def nearest_chunks(rag: Assistant, question: np.ndarray, n: int) -> tuple[list[Chunk], np.ndarray, np.ndarray]:
    """(at most n chunks, float32 their cosines, float32 the cosines for `probabilities`), as the assistant's own search
    has them, best first: a chunk is as near as its nearest vector, its own or a sentence's, and the reranker gets the
    mean of that and its own (assistant.retrieve.stages). question: float32 (dim,), a row of `Assistant.embed_query`."""
    known = {chunk.id: chunk for chunk in rag.chunks()}
    near = search.dense(question, rag.parts.store, n)
    names = [name for name in near if name in known][:n]
    nearest = np.array([near[name].value for name in names], np.float32)
    return [known[name] for name in names], nearest, (rag.parts.store.vectors(names) @ question + nearest) / 2


def last_trace_id(rag: Assistant) -> str | None:
    """The newest trace of the index."""
    with rag._db.read() as connection:
        row = connection.execute("SELECT id FROM traces ORDER BY created DESC LIMIT 1").fetchone()
    return row["id"] if row else None
