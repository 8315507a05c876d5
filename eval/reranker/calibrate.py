"""Logit and cosine to a probability, and the gate's threshold, from questions that training never saw.

The candidates are what the stage meets: for each question the best passages by rank fusion, and the sentences of the
first of them, the gold among them. A candidate that holds the answer's words and is not the gold is left out: whether
it answers is unknown. For the gate, each question is asked twice: with its gold among the candidates and without.
The fit itself is `assistant calibrate`'s (assistant/calibrate.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.calibrate import choose, expected_error, fit
from eval.reranker import sources
from eval.reranker.evaluate import Case, Scored
from eval.reranker.sources import sentences
from eval.reranker.vectors import Bm25, Vectors

__all__ = ["Point", "candidates", "choose", "expected_error", "fit", "flatten", "reliability", "risk_coverage"]
PASSAGES = 10  # by rank fusion, for each question
SENTENCES = 3  # of each of the first three passages


@dataclass(frozen=True)
class Point:
    """One threshold: the share of questions answered, and of those the share that should not have been."""

    threshold: float
    coverage: float
    risk: float


def candidates(data: Path, vectors: Vectors, split: str, per_source: int = 150) -> list[tuple[Case, Case]]:
    """(passages, sentences) of each question of a split; titles in front of half, as headings are in the assistant."""
    every = sources.questions(data)
    pool: dict[str, str] = {}
    for q in every:
        if q.split == split:
            pool.setdefault(q.context, q.title)
    texts = list(pool)
    matrix, bm25 = vectors(texts), Bm25(texts)
    found = []
    for source in ("qed", "squad", "policy", "pubmed"):
        mine = [q for q in every if q.split == split and q.source == source]
        mine = mine[:: max(1, len(mine) // per_source)][:per_source]
        for at, (q, vector) in enumerate(zip(mine, vectors([q.text for q in mine]), strict=True)):
            rank = np.zeros(len(texts))
            for scores in (matrix @ vector, bm25.scores(q.text)):
                for place, i in enumerate(np.argsort(-scores)[:20]):
                    rank[i] += 1 / (61 + place)
            top = [texts[int(i)] for i in np.argsort(-rank)[:PASSAGES]]
            top = top if q.context in top else [*top[:-1], q.context]

            def holds(text: str, q=q) -> bool:
                return any(a.lower() in text.lower() for a in q.answers)

            def show(title: str, text: str, at=at) -> str:
                return f"{title}\n{text}" if at % 2 and title else text

            kept = [t for t in top if t == q.context or not holds(t)]
            whole = Case(
                q.text, tuple(show(pool[t], t) for t in kept), tuple(float(t == q.context) for t in kept)
            )
            parts: list[tuple[str, float]] = []
            for text in [q.context, *[t for t in kept if t != q.context][:2]] if q.answers else []:
                words = set(q.text.lower().split())
                near = sorted(sentences(text), key=lambda s: -len(words & set(s.lower().split())))
                gold = [s for s in near if text == q.context and holds(s)][:1]
                near = [s for s in near if not holds(s)]
                parts += [(show(pool[text], s), float(s in gold)) for s in gold + near[:SENTENCES]]
            found.append((whole, Case(q.text, tuple(t for t, _ in parts), tuple(g for _, g in parts))))
    return found


def flatten(scored: Sequence[Scored]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(logits, cosines, labels), each (all candidates,)."""
    return (
        np.concatenate([s.logits for s in scored]),
        np.concatenate([s.cosines for s in scored]),
        np.concatenate([np.asarray(s.case.gains, float) for s in scored]),
    )


def reliability(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = 10
) -> list[tuple[float, float, int]]:
    """(mean probability, share that answers, count) of each filled bin."""
    at = np.minimum((probabilities * bins).astype(int), bins - 1)
    return [
        (float(probabilities[at == b].mean()), float(labels[at == b].mean()), int((at == b).sum()))
        for b in range(bins)
        if (at == b).any()
    ]


def risk_coverage(answerable: np.ndarray, unanswerable: np.ndarray, right: np.ndarray) -> list[Point]:
    """The curve over thresholds 0.02 to 0.98, with as many answerable as unanswerable questions.

    answerable, unanswerable: best probability of each question; right: whether the best candidate is the gold.
    An answer is a risk where the question has none, or where the best candidate is not the gold.
    """
    points = []
    for threshold in np.arange(0.02, 0.99, 0.02):
        a, u = answerable >= threshold, unanswerable >= threshold
        answered = a.sum() + u.sum()
        wrong = u.sum() + (a & ~right).sum()
        points.append(
            Point(
                round(float(threshold), 2),
                float(answered / (len(a) + len(u))),
                float(wrong / max(1, answered)),
            )
        )
    return points
