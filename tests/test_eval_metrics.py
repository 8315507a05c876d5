"""The suite's metrics against values derived by hand, and ranking against an outside oracle."""
from __future__ import annotations

import math

import ir_measures
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.suite.cases import Passage, Target
from eval.suite.metrics import (
    Count,
    RiskPoint,
    abstention_counts,
    citation_counts,
    first_ranks,
    percentile,
    ranking_counts,
    risk_area,
    risk_coverage,
)


def _target(*spans: tuple[int, int], document: str = "d") -> Target:
    return Target(tuple(Passage(document, start, end, "") for start, end in spans))


def test_a_chunk_finds_a_span_when_it_covers_four_fifths_of_it():
    target = [_target((100, 200))]
    assert first_ranks(target, [[("d", 0, 179)], [("d", 120, 300)]]) == [2]   # 79, then 80 of 100 characters
    assert first_ranks(target, [[("e", 100, 200)]]) == [None]                 # another document
    assert first_ranks(target, [[("d", 100, 150)], [("d", 150, 200)]]) == [None]  # two halves are no chunk


def test_evidence_is_read_together_and_overlaps_count_once():
    target = [_target((100, 200))]
    assert first_ranks(target, [[("d", 100, 150)], [("d", 150, 200)]], together=True) == [2]
    assert first_ranks(target, [[("d", 100, 160)], [("d", 110, 179)]], together=True) == [None]  # 79 in all
    assert first_ranks(target, [[("d", 100, 140), ("d", 160, 200)]], together=True) == [1]       # a row and its header


def test_any_passage_of_a_target_finds_it_and_each_is_credited_at_its_first_chunk():
    targets = [_target((0, 10), (50, 60)), _target((20, 30))]
    assert first_ranks(targets, [[("d", 50, 60)], [("d", 0, 30)], [("d", 0, 10)]]) == [1, 2]


def test_ranking_by_hand():
    counts = ranking_counts([1, 3, None])
    assert [counts[f"recall@{n}"] for n in (1, 3, 5, 10)] == [Count(1, 3), Count(2, 3), Count(2, 3), Count(2, 3)]
    assert counts["mrr@10"].part == 1 and counts["found@5"] == Count(0)
    assert ranking_counts([1, 5])["found@5"] == Count(1) and ranking_counts([1, 6])["found@5"] == Count(0)
    # gains 1 at ranks 1 and 3; ideal: three gains of 1 at ranks 1, 2, 3
    assert counts["ndcg@10"].part == pytest.approx((1 + 1 / 2) / (1 + 1 / math.log2(3) + 1 / 2))


def test_a_chunk_that_finds_two_spans_gains_two():
    counts = ranking_counts([2, 2])
    assert counts["recall@1"] == Count(0, 2) and counts["recall@3"] == Count(2, 2)
    assert counts["mrr@10"].part == 0.5
    assert counts["ndcg@10"].part == pytest.approx(1 / math.log2(3))   # 2/log2(3), ideal 2 at rank 1


def test_beyond_ten_and_nothing_found():
    assert {name: count.part for name, count in ranking_counts([11]).items()} == \
        {"recall@1": 0, "recall@3": 0, "recall@5": 0, "recall@10": 0, "found@5": 0, "mrr@10": 0, "ndcg@10": 0}
    assert ranking_counts([None])["ndcg@10"] == Count(0.0) and ranking_counts([]) == {}


@given(st.lists(st.one_of(st.none(), st.integers(1, 15)), min_size=1, max_size=5, unique_by=lambda r: r or object()))
def test_recall_agrees_with_ir_measures_where_a_chunk_finds_one_span(ranks):
    qrels = [ir_measures.Qrel("q", str(at), 1) for at in range(len(ranks))]
    run = [ir_measures.ScoredDoc("q", str(ranks.index(rank)) if rank in ranks else f"x{rank}", float(-rank))
           for rank in range(1, 16)]
    measures = [ir_measures.R @ 1, ir_measures.R @ 5, ir_measures.R @ 10, ir_measures.RR @ 10, ir_measures.nDCG @ 10]
    values = ir_measures.calc_aggregate(measures, qrels, run)
    counts = ranking_counts(ranks)
    for measure in measures:
        name = str(measure).lower().replace("r@", "recall@") if str(measure)[:2] == "R@" else \
            str(measure).lower().replace("rr@", "mrr@")
        assert counts[name].part / counts[name].whole == pytest.approx(values[measure]), measure


def test_citations_by_hand():
    said = {("a", (1,)), ("b", (1, 2)), ("c", (1, 2)), ("c", (2,))}
    sentences = [("a", (1,)), ("b", (1, 2)), ("c", (1, 2)), ("d", (3,)), ("e", ())]
    counts = citation_counts(sentences, lambda text, markers: (text, markers) in said)
    # recall: a, b, c of five. precision: a's one; b's two, as neither alone says it and neither does without the other;
    # of c's two [2], while [1] says nothing and [2] alone does; d's none: 4 of 6
    assert counts == {"citation_recall": Count(3, 5), "citation_precision": Count(4, 6)}


def test_a_marker_that_is_given_twice_counts_once():
    assert citation_counts([("a", (1, 1))], lambda text, markers: markers == (1,))["citation_precision"] == Count(1, 1)


def test_abstention_by_hand():
    rows = [abstention_counts(*pair) for pair in ((True, False), (True, True), (False, True), (False, True),
                                                  (False, False))]
    total = {name: (sum(r[name].part for r in rows), sum(r[name].whole for r in rows)) for name in rows[0]}
    assert total == {"abstention_precision": (2, 3), "abstention_recall": (2, 3)}


def test_risk_coverage_by_hand():
    points = risk_coverage([(0.9, True), (0.7, False), (0.7, True), (0.5, True), (None, False)])
    assert points == [RiskPoint(0.9, 0.2, 0.0), RiskPoint(0.7, 0.6, 1 / 3), RiskPoint(0.5, 0.8, 0.25)]
    # steps: 0.2 at 0, 0.4 at 1/3, 0.2 at 1/4, over 0.8
    assert risk_area(points) == pytest.approx((0.4 / 3 + 0.05) / 0.8)
    assert risk_coverage([(None, False)]) == [] and risk_area([]) is None


def test_percentiles_by_hand():
    values = [float(n) for n in range(20, 0, -1)]
    assert percentile(values, 0.5) == 10.5 and percentile(values, 0.95) == 19.0
    assert percentile([3.0], 0.95) == 3.0 and percentile([], 0.5) is None
