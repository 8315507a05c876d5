"""What the suite measures, as pure functions: ranking over gold spans, citations, abstention, times.

A metric of one question is a Count(part, whole); over a set it is the sum of the parts by the sum of the wholes. So a
share over questions has wholes of 1, and a precision over citations has as many as were given.

Ranking: a chunk finds a target when it covers at least 80 % of one of its passages. Each target is credited once, at
its first chunk. Recall@n is the share of targets that the first n chunks find. For MRR@10 and nDCG@10 a chunk's gain is
how many targets it finds first; what no chunk found has a gain of 1 each in the ideal order (`ir-measures` computes
both from these gains).
"""
from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from eval.suite.cases import Target

COVER = 0.8          # share of a passage's characters that must be covered
DEPTHS = (1, 3, 5, 10)
FIRST = 5            # found@5: a question all of whose targets are in the first five, as in eval.benchmark
CUT = 10             # rank at which MRR and nDCG are cut
Piece = tuple[str, int, int]
"""(document's name, start, end): a chunk, or one span of an evidence item."""


@dataclass(frozen=True)
class Count:
    """`part` of `whole`, both >= 0; a question to which a metric does not apply has none."""

    part: float
    whole: float = 1.0


def first_ranks(targets: Sequence[Target], ranking: Sequence[Sequence[Piece]], *,
                together: bool = False) -> list[int | None]:
    """For each target the rank (from 1) of the first entry that finds it; None where none does.

    ranking   each entry is a chunk's piece, or the pieces of one evidence item
    together  an entry counts with those before it: evidence sentences are read together, and a quote of two sentences
              is found when both are there
    """
    ranks: list[int | None] = [None] * len(targets)
    seen: list[Piece] = []
    for rank, entry in enumerate(ranking, 1):
        seen = [*seen, *entry] if together else list(entry)
        for at, target in enumerate(targets):
            if ranks[at] is None and any(_covered(p.document, p.start, p.end, seen) >= COVER * (p.end - p.start)
                                         for p in target.passages):
                ranks[at] = rank
    return ranks


def _covered(document: str, start: int, end: int, pieces: Iterable[Piece]) -> int:
    """How many characters of [start, end) the pieces cover, each counted once."""
    covered, reached = 0, start
    for left, right in sorted((max(start, a), min(end, b)) for name, a, b in pieces if name == document):
        left = max(left, reached)
        if right > left:
            covered, reached = covered + right - left, right
    return covered


def ranking_counts(ranks: Sequence[int | None]) -> dict[str, Count]:
    """{"recall@1": ..., "mrr@10": ..., "ndcg@10": ...} of one question from its targets' first ranks."""
    if not ranks:
        return {}
    out = {f"recall@{n}": Count(sum(rank is not None and rank <= n for rank in ranks), len(ranks)) for n in DEPTHS}
    whole = all(rank is not None and rank <= FIRST for rank in ranks)
    rr, ndcg = _ir_measures(ranks)
    return {**out, f"found@{FIRST}": Count(float(whole)), f"mrr@{CUT}": Count(rr), f"ndcg@{CUT}": Count(ndcg)}


def _ir_measures(ranks: Sequence[int | None]) -> tuple[float, float]:
    """(RR@10, nDCG@10): a document of the run is a rank, its relevance the number of targets first found there."""
    import ir_measures
    found = [rank for rank in ranks if rank is not None]
    qrels = [ir_measures.Qrel("q", f"rank {rank}", found.count(rank)) for rank in sorted(set(found))]
    qrels += [ir_measures.Qrel("q", f"missed {at}", 1) for at, rank in enumerate(ranks) if rank is None]
    deepest = max([*found, 1])
    run = [ir_measures.ScoredDoc("q", f"rank {rank}", float(deepest - rank)) for rank in range(1, deepest + 1)]
    values = ir_measures.calc_aggregate([ir_measures.RR @ CUT, ir_measures.nDCG @ CUT], qrels, run)
    return values[ir_measures.RR @ CUT], values[ir_measures.nDCG @ CUT]


def citation_counts(sentences: Sequence[tuple[str, tuple[int, ...]]],
                    supports: Callable[[str, tuple[int, ...]], bool]) -> dict[str, Count]:
    """ALCE's citation recall and precision (Gao and others, 2023, section 4) of one answer.

    sentences  (text, markers that it cites); supports(text, markers): whether those passages together say it
    Recall: a sentence counts when it cites something and its citations together support it. Precision: a citation
    counts when its sentence does, and it is not irrelevant, that is: it alone does not support the sentence while the
    others without it do.
    """
    backed = precise = given = 0
    for text, markers in sentences:
        markers = tuple(dict.fromkeys(markers))
        given += len(markers)
        if not markers or not supports(text, markers):
            continue
        backed += 1
        for marker in markers:
            others = tuple(m for m in markers if m != marker)
            precise += supports(text, (marker,)) or not (others and supports(text, others))
    return {"citation_recall": Count(backed, len(sentences)), "citation_precision": Count(precise, given)}


def abstention_counts(answerable: bool, abstained: bool) -> dict[str, Count]:
    """Precision: of the declined, the unanswerable. Recall: of the unanswerable, the declined."""
    good = float(abstained and not answerable)
    return {"abstention_precision": Count(good, float(abstained)),
            "abstention_recall": Count(good, float(not answerable))}


@dataclass(frozen=True)
class RiskPoint:
    """Where the questions at or above `confidence` are answered: coverage of all, risk among the answered, 0..1."""

    confidence: float
    coverage: float
    risk: float


def risk_coverage(outcomes: Sequence[tuple[float | None, bool]]) -> list[RiskPoint]:
    """The curve over (confidence, answer right) of all questions; None as confidence: it was declined, never covered.

    Questions of one confidence enter together, so that their order cannot matter.
    """
    answered = sorted(((c, ok) for c, ok in outcomes if c is not None), key=lambda pair: -pair[0])
    points, wrong = [], 0
    for at, (confidence, ok) in enumerate(answered, 1):
        wrong += not ok
        if at == len(answered) or answered[at][0] != confidence:
            points.append(RiskPoint(confidence, at / len(outcomes), wrong / at))
    return points


def risk_area(points: Sequence[RiskPoint]) -> float | None:
    """Mean risk over the covered share (the curve as steps), 0..1, lower is better; None without an answer."""
    if not points:
        return None
    before, area = 0.0, 0.0
    for point in points:
        area += (point.coverage - before) * point.risk
        before = point.coverage
    return area / before


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` of the values do not exceed (nearest rank); None without values."""
    if not values:
        return None
    if share == 0.5:
        return statistics.median(values)
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]
