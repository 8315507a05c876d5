"""What the query encoder gives and what it costs: held-out written questions, and public sets by the cosine alone."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from eval.query_encoder.pairs import WAYS, Pairs
from eval.reranker import evaluate
from eval.reranker.vectors import Vectors

Encoder = Callable[[list[str]], np.ndarray]  # questions -> float32 (n, dim), unit length
CRANFIELD = 100  # candidates of a query


def measured(encoders: dict[str, Encoder], sets: dict[str, Pairs], data: Path, vectors: Vectors) -> dict:
    """{encoder: {set: {way: {"recall@1", "recall@5", "recall@20", "mrr"}}, "trec_dl20", "cranfield": nDCG@10}}.

    sets: the questions of held-out documents, among the texts they are searched in. vectors: of the public sets' texts.
    """
    public = {"trec_dl20": evaluate.trec(data), "cranfield": evaluate.cranfield(data, CRANFIELD)}
    found: dict = {}
    for name, encoder in encoders.items():
        found[name] = {kind: _ranks(pairs, encoder) for kind, pairs in sets.items()}
        for kind, (cases, ideals) in public.items():
            asked = encoder([case.query for case in cases])
            gains = [_ranked(case, vectors(case.texts) @ query) for case, query in zip(cases, asked, strict=True)]
            found[name][kind] = round(float(np.mean([evaluate.ndcg10(g, i)
                                                     for g, i in zip(gains, ideals, strict=True)])), 4)
    return found


def _ranks(pairs: Pairs, encoder: Encoder) -> dict[str, dict[str, float]]:
    scores = encoder(list(pairs.queries)) @ pairs.vectors.T
    own = scores[np.arange(len(pairs.gold)), pairs.gold]
    ranks = 1 + (scores > own[:, None]).sum(1)
    return {way: {**{f"recall@{k}": round(float((ranks[pairs.way == n] <= k).mean()), 3) for k in (1, 5, 20)},
                  "mrr": round(float((1 / ranks[pairs.way == n]).mean()), 3)} for n, way in enumerate(WAYS)}


def _ranked(case: evaluate.Case, scores: np.ndarray) -> np.ndarray:
    """The gains in ranked order; of equal scores the lower gain comes first, so that ties count against the system."""
    gains = np.asarray(case.gains, float)
    return gains[np.lexsort((gains, -scores))]
