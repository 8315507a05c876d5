"""Fakes that implement the protocols of assistant.protocols, and where the tests' files are."""
from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assistant import Assistant, Config
from assistant.catalog.database import Database
from assistant.catalog.documents import Documents
from assistant.catalog.lexical import Lexical
from assistant.ingest.index import Index
from assistant.protocols import chunk_of
from assistant.records import Answer, Chunk, Evidence, Hit, Score, Span, Trace

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "corpus"
LONG = "\n\n".join(f"Lake number {n} is {n}.5 m deep and lies in the north of the land." for n in range(30))


class FakeEmbedder:
    """Bags of hashed words as unit vectors; a word is a word piece, and two special tokens are counted."""

    query_fingerprint = "off"

    def __init__(self, name: str = "fake", dim: int = 64, max_tokens: int = 256) -> None:
        self.name, self.fingerprint, self.dim, self.max_tokens = name, f"{name}-{dim}", dim, max_tokens
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.embedded += texts
        vectors = np.zeros((len(texts), self.dim), np.float32)
        for at, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()) or ["?"]:
                vectors[at, int(hashlib.sha256(word.encode("utf-8", "replace")).hexdigest(), 16) % self.dim] += 1
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    def embed_query(self, texts: Sequence[str]) -> np.ndarray:
        return self.embed(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(re.findall(r"\w+|[^\w\s]", text)) + 2 for text in texts]


class FakeStore:
    """Vectors in a dict, searched one by one. `fail` names a method that raises at its next call, as a crash would."""

    def __init__(self) -> None:
        self.held: dict[str, np.ndarray] = {}
        self.fail = ""

    def _maybe_fail(self, method: str) -> None:
        if self.fail == method:
            self.fail = ""
            raise RuntimeError(f"{method} crashed")

    def upsert(self, ids: Sequence[str], vectors: np.ndarray) -> None:
        self._maybe_fail("upsert")
        assert len(ids) == len(vectors)
        self.held |= dict(zip(ids, vectors, strict=True))

    def delete(self, ids: Sequence[str]) -> None:
        self._maybe_fail("delete")
        for name in ids:
            self.held.pop(name, None)

    def search(self, vector: np.ndarray, n: int) -> list[tuple[str, float]]:
        scored = [(name, float(held @ vector)) for name, held in self.held.items()]
        return sorted(scored, key=lambda pair: -pair[1])[:n]

    def vectors(self, ids: Sequence[str]) -> np.ndarray:
        return np.array([self.held[name] for name in ids], np.float32)

    def ids(self) -> set[str]:
        return set(self.held)


class Shelf:
    """An Index over fakes in one folder: `shelf.ingest(path)`; `shelf.whole()` says whether its three parts agree."""

    def __init__(self, folder: Path, chunk_tokens: int = 64, embedder: FakeEmbedder | None = None,
                 store: FakeStore | None = None) -> None:
        self.database = Database(folder / "catalog.sqlite3")
        self.documents, self.lexical = Documents(self.database), Lexical(self.database)
        self.index = Index(self.database, self.documents, self.lexical)
        self.embedder, self.store, self.chunk_tokens = embedder or FakeEmbedder(), store or FakeStore(), chunk_tokens

    def ingest(self, *paths: Path, **options):
        return self.index.ingest(paths, self.embedder, self.store, self.chunk_tokens, **options)

    def whole(self) -> bool:
        ids = self.documents.chunk_ids()
        with self.database.read() as connection:
            words = sorted(row[0] for row in connection.execute("SELECT id FROM lexical"))
        return sorted({chunk_of(name) for name in self.store.ids()}) == ids == words and set(ids) <= self.store.ids()

    def texts(self) -> dict[str, str]:
        return {document.source: document.text for document in self.documents.all()}


def made_trace(name: str = "t", *, texts: Sequence[str] = ("A text of a chunk.",), ms: float = 20.0,
               **changes) -> Trace:
    """A whole trace made by hand: one hit a text, the first kept and evidence."""
    hits = tuple(Hit(Chunk(f"c{n}", "d", "Part", text, 100 * n, 100 * n + len(text), 9), "Book", Score(0.9 - n / 10, n),
                     Score(5.0 - n / 10, n), Score(1 / (60 + n), n), Score(0.8 - n / 10, n), n == 1, f"number {n}")
                 for n, text in enumerate(texts, 1))
    given = dict(id=name, parent=None, created="2026-01-02T03:04:05.678+00:00", status="complete", question="What?",
                 history=(), query="What?", query_reason="", config={"k": 4, "rerank": True, "threshold": None},
                 config_fingerprint="cc", index_fingerprint="ii", hits=hits, gate="passed", gate_reason="enough",
                 calibrated=True, evidence=(Evidence(1, "c1", "Book", "Part", ((100, 106),), "A text", 0.7),),
                 prompt=(), draft="", answer=Answer("A text [1].", trace_id=name),
                 spans=(Span("dense", 0.0, ms / 2, 1, 20), Span("rerank", ms / 2, ms / 2, 20, 20)))
    return Trace(**{**given, **changes})


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def over(folder: Path, text: str, **settings: object) -> Assistant:
    """An Assistant with the real models, without the language model, over one Markdown document in the folder."""
    (folder / "guide.md").write_text(text, encoding="utf-8")
    made = Assistant(Config(index=str(folder / "index"), llm="off", **settings))
    made.ingest([folder / "guide.md"])
    return made
