"""Questions with the text that answers each, among the vectors of all texts, as the embedder gives them.

Three families: public questions and their passages (the reranker's groups, eval/reranker/build.py), written questions
and their passages, and the same questions with the single sentences and rows that answer them (eval/written).
"""
from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eval.reranker import written
from eval.reranker.groups import Group
from eval.reranker.vectors import Vectors

PUBLIC = ("passage_qed", "passage_squad", "passage_policy", "passage_pubmed", "reworded", "multihop")
WAYS = ("plain", "other words", "another shape")  # of asking for a written fact, in the order of its questions


@dataclass(frozen=True)
class Pairs:
    """queries[i] is answered by vectors[gold[i]]; way[i] indexes WAYS, -1 for a public question.

    vectors: float32 (texts, dim), unit length.
    """

    queries: tuple[str, ...]
    gold: np.ndarray
    way: np.ndarray
    vectors: np.ndarray

    def beside(self, more: np.ndarray) -> Pairs:
        """The same questions among more texts."""
        return Pairs(self.queries, self.gold, self.way, np.concatenate([self.vectors, more]))


def drawn(pairs: Pairs, of: int, n: int, seed: int) -> Pairs:
    """n of the first `of` questions, drawn by the seed, and all that come after them, among the same texts."""
    keep = [*sorted(random.Random(seed).sample(range(of), min(n, of))), *range(of, len(pairs.queries))]
    return Pairs(tuple(pairs.queries[i] for i in keep), pairs.gold[keep], pairs.way[keep], pairs.vectors)


def of_passages(found: Sequence[written.Written], vectors: Vectors) -> Pairs:
    """Each written question with the passage that holds its answer."""
    texts, asked = [], []
    for document in found:
        for passage in document.passages:
            asked += [(ask, len(texts), way) for _, asks, _ in passage.items for way, ask in enumerate(asks)]
            texts.append(passage.text())
    return _pairs(asked, vectors(texts))


def of_lines(found: Sequence[written.Written], vectors: Vectors) -> Pairs:
    """Each written question with the sentence or row that answers it, as the assistant's evidence stage reads it."""
    places: dict[str, int] = {}
    asked = []
    for document in found:
        for passage in document.passages:
            for at, asks, _ in passage.items:
                place = places.setdefault(passage.quote(at), len(places))
                asked += [(ask, place, way) for way, ask in enumerate(asks)]
            for n in written.lines_that_answer(passage):
                places.setdefault(passage.quote((n,)), len(places))
    return _pairs(asked, vectors(list(places)))


def of_public(groups: Sequence[Group], vectors: Vectors, n: int, seed: int) -> Pairs:
    """n public questions, drawn by the seed, each with its passage, among the passages of their groups."""
    fit = [g for g in groups if g.kind in PUBLIC and 1 in g.gold]
    drawn = random.Random(seed).sample(fit, min(n, len(fit)))
    places: dict[str, int] = {}
    asked = []
    for group in drawn:
        at = [places.setdefault(text, len(places)) for text in group.texts]
        asked.append((group.query, at[group.gold.index(1)], -1))
    return _pairs(asked, vectors(list(places)))


def _pairs(asked: list[tuple[str, int, int]], vectors: np.ndarray) -> Pairs:
    queries, gold, way = zip(*asked, strict=True)
    return Pairs(queries, np.array(gold), np.array(way), vectors)
