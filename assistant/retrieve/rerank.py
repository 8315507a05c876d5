"""The cross-encoder's word on each candidate, as a probability."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from assistant.protocols import Embedder, Reranker
from assistant.records import Score
from assistant.retrieve.fuse import ranked


def rerank(question: str, passages: Mapping[str, str], cosines: np.ndarray, reranker: Reranker) -> dict[str, Score]:
    """{id: probability that the passage answers}. passages: {id: text}; cosines (n,) of question and passage."""
    if not passages:
        return {}
    logits = reranker.logits(question, list(passages.values()))
    return ranked(zip(passages, reranker.probabilities(logits, cosines).tolist(), strict=True))


def probabilities(question: str, texts: Sequence[str], reranker: Reranker, embedder: Embedder,
                  question_vector: np.ndarray | None = None) -> np.ndarray:
    """float32 (n,): the probability for each text by itself, input order. An empty list gives (0,)."""
    if not len(texts):
        return np.zeros(0, np.float32)
    vector = embedder.embed_query([question])[0] if question_vector is None else question_vector
    return reranker.probabilities(reranker.logits(question, texts), embedder.embed(texts) @ vector)
