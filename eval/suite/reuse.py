"""What a run of the suite does only once: the vector of each text, however many questions ask for it.

A question's evidence stage embeds every sentence of the kept chunks, and the questions of a gold set keep meeting the
same chunks. A text is embedded by itself, so that its vector does not depend on which question came first.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from assistant import Assistant, Config
from assistant.parts import Parts
from assistant.protocols import Embedder


class Remembering:
    """assistant.protocols.Embedder over another one. Safe between threads where that one is."""

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner
        self._known: dict[str, np.ndarray] = {}
        self._asked: dict[str, np.ndarray] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)  # name, fingerprint, dim, max_tokens, count_tokens

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        return _remembered(self._known, self._inner.embed, texts)

    def embed_query(self, texts: Sequence[str]) -> np.ndarray:
        return _remembered(self._asked, self._inner.embed_query, texts)


def _remembered(known: dict[str, np.ndarray], embed: Callable, texts: Sequence[str]) -> np.ndarray:
    if not len(texts):
        return embed(texts)
    for text in texts:
        if text not in known:  # two threads may both embed it: they get the same vector
            known[text] = embed([text])[0]
    return np.stack([known[text] for text in texts])


class _Parts(Parts):
    """The parts of another one, the very same objects, with the remembering embedder where its name is asked for."""

    def __init__(self, inner: Parts, config: Config, remembering: tuple[tuple[str, str], Remembering]) -> None:
        super().__init__(config, inner._made, inner._lock)
        self._remembering = remembering

    def with_config(self, config: Config) -> Parts:
        return _Parts(self, config, self._remembering)

    @property
    def embedder(self) -> Embedder:
        names, remembering = self._remembering
        return remembering if _names(self._config) == names else super().embedder  # type: ignore[return-value]


def _names(config: Config) -> tuple[str, str]:
    return config.embedder, config.query_encoder


def remembering(rag: Assistant) -> Assistant:
    """The same Assistant, whose embedder remembers; the one that was given is left as it is, and shares every model."""
    twin = rag.with_config(rag.config)
    twin.parts = _Parts(rag.parts, rag.config, (_names(rag.config), Remembering(rag.parts.embedder)))
    return twin
