"""The models and the store that a Config names, each built once, when first needed, by whichever thread is first."""
from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from assistant.config import Config
from assistant.protocols import Embedder, Generator, Reranker, VectorStore


class Parts:
    """`embedder`, `store`, `reranker` (None where rerank=off) and `generator` (None where llm=off) of one Config."""

    def __init__(self, config: Config, made: dict | None = None, lock: threading.RLock | None = None) -> None:
        self._config = config
        self._made: dict[tuple[str, str], object] = {} if made is None else made
        self._lock = lock or threading.RLock()

    def with_config(self, config: Config) -> Parts:
        """Parts of another Config; a part that both name alike is the same object."""
        return Parts(config, self._made, self._lock)

    def with_embedder(self, embedder: Embedder) -> Parts:
        """These parts with another embedder in the place of the one that the Config names; they share the rest."""
        others = {key: part for key, part in self._made.items() if key != self._reranker_key}  # bound to its embedder
        return Parts(self._config, {**others, self._embedder_key: embedder}, self._lock)

    def with_reranker(self, reranker: Reranker) -> Parts:
        """The same with another reranker; no calibration but its own counts."""
        return Parts(self._config, {**self._made, self._reranker_key: reranker}, self._lock)

    @property
    def _reranker_key(self) -> tuple[str, str]:
        config = self._config
        return "calibrated", "\n".join((config.reranker, config.embedder, config.query_encoder, config.index))

    @property
    def _embedder_key(self) -> tuple[str, str]:
        return "query_encoder", f"{self._config.embedder} {self._config.query_encoder}"

    @property
    def embedder(self) -> Embedder:
        def build():
            from assistant.backends import embedder
            return embedder.build(self._config)
        def with_queries():
            from assistant.backends import query_encoder
            return query_encoder.build(self._config, plain)
        plain = self._part("embedder", self._config.embedder, build)
        return self._part(*self._embedder_key, with_queries)

    @property
    def store(self) -> VectorStore:
        def build():
            from assistant.backends import chroma
            return chroma.build(self._config)
        return self._part("vectors", f"{self._config.index} {self._config.vectors}", build)

    @property
    def reranker(self) -> Reranker | None:
        """With the calibration that holds for it and the embedder; none may, and then it is uncalibrated."""
        def build():
            from assistant.backends import cross_encoder
            return cross_encoder.build(self._config)

        def with_calibration():
            from assistant.backends.calibration import Calibrated
            return Calibrated(self._part("reranker", self._config.reranker, build), lambda: self.embedder,
                              Path(self._config.index).expanduser())
        return self._part(*self._reranker_key, with_calibration) if self._config.rerank else None

    @property
    def generator(self) -> Generator | None:
        def build():
            from assistant.backends import generator
            return generator.build(self._config)
        return self._part("llm", self._config.llm, build)

    def fingerprints(self) -> dict[str, str]:
        """{"embedder", "query_encoder", "reranker", "llm"} -> what the model contains; "off" without one."""
        return {"embedder": self.embedder.fingerprint,
                "query_encoder": self.embedder.query_fingerprint,
                "reranker": self.reranker.fingerprint if self.reranker else "off",
                "llm": self.generator.fingerprint if self.generator else "off"}

    def warm(self) -> None:
        """Load everything and run each model once, so that the first question waits for nothing."""
        vector = self.embedder.embed_query(["warm"])[0]
        self.store.search(vector, 1)
        if self.reranker:
            self.reranker.logits("warm", ["up"])
        if self.generator:
            self.generator.load()
        self.fingerprints()

    def _part(self, kind: str, name: str, build: Callable[[], object]):
        with self._lock:
            if (kind, name) not in self._made:
                self._made[kind, name] = build()
            return self._made[kind, name]

