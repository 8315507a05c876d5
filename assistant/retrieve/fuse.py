"""Reciprocal rank fusion, and the one place where things are sorted by score."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from assistant.records import Score

RRF_K = 60  # Cormack, Clarke and Buettcher, SIGIR 2009: their fixed constant


def ranked(scores: Mapping[str, float] | Iterable[tuple[str, float]]) -> dict[str, Score]:
    """{id: Score} best first; ranks count from 1; equal scores stand in the order of their ids, so runs repeat."""
    pairs = scores.items() if isinstance(scores, Mapping) else scores
    order = sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
    return {name: Score(float(value), rank) for rank, (name, value) in enumerate(order, 1)}


def fuse(rankings: Sequence[Mapping[str, Score]]) -> dict[str, Score]:
    """Sum over the rankings of 1 / (60 + rank), best first; 0..len(rankings)/61. An absent id adds nothing."""
    totals: dict[str, float] = {}
    for ranking in rankings:
        for name, score in ranking.items():
            totals[name] = totals.get(name, 0.0) + 1.0 / (RRF_K + score.rank)
    return ranked(totals)


def candidates(fused: Mapping[str, Score], by_dense: Mapping[str, Score], n: int) -> dict[str, Score]:
    """The n that are reranked, by their fused score: the nearest n / 2 by meaning, and the best of the fusion.

    Two middling places outweigh one good one, so a passage that shares no word with the question loses in the fusion
    to passages that share some; half the places are kept for what only its meaning finds (eval/EXPERIMENTS.md).
    """
    near = [name for name, score in by_dense.items() if score.rank <= n // 2]
    chosen = set(list(dict.fromkeys([*near, *fused]))[:n])
    return {name: score for name, score in fused.items() if name in chosen}
