"""What a question's outcome counts for, on outcomes made by hand."""
from __future__ import annotations

from assistant.records import Answer, Evidence, Support
from eval.suite.asking import (
    Outcome,
    answer_counts,
    declined_counts,
    injection_counts,
    lost_at,
    retrieval_counts,
    stage_ranks,
    supports,
)
from eval.suite.cases import Case, Passage, Target
from eval.suite.gold_set import Gold
from eval.suite.metrics import Count

FIRST = "The lighthouse lamp was lit in 1874."
SECOND = "The keeper's cottage houses a museum of fog signals."
EVIDENCE = tuple(Evidence(n, f"c{n}", "Book", "Lighthouse", ((0, len(text)),), text, 0.9)
                 for n, text in enumerate((FIRST, SECOND), 1))


def _case(answerable: bool = True, **changes) -> Case:
    gold = Gold("a", "fact", "When was the lamp lit?", (), answerable, (), (("1874",),) if answerable else (),
                ("1875",), "In 1874.")
    return Case(gold, "open", "a", "file:1", **changes)


def _outcome(text: str, *sentences: tuple[str, tuple[int, ...], str], abstained: bool = False) -> Outcome:
    support = tuple(Support(text.index(part), text.index(part) + len(part), True, markers, None, origin)
                    for part, markers, origin in sentences)
    return Outcome(answer=Answer(text, (), abstained, support), evidence=EVIDENCE, query="When was the lamp lit?",
                   answered=True)


def test_a_right_answer_with_a_citation_that_holds_and_one_that_does_not():
    first, second = f"{FIRST} [1]", f"{SECOND} [1]"
    out = _outcome(f"{first} {second}", (first, (1,), "quoted"), (second, (1,), "model"))
    counts = answer_counts(_case(), out)
    assert counts["right"] == counts["right_or_declined"] == Count(1.0, 1.0)
    assert counts["wrongly_declined"] == Count(0.0, 1.0)
    assert counts["citation_recall"] == Count(1.0, 2.0) and counts["citation_precision"] == Count(1.0, 2.0)
    assert counts["words"] == Count(18.0, 1.0)
    assert counts["supported"] == Count(2.0, 2.0)  # the second is in [2], though it cites [1]


def test_supports_reads_the_cited_passages_as_one():
    assert supports(FIRST, (1,), "", EVIDENCE) and not supports(FIRST, (2,), "", EVIDENCE)
    assert not supports(FIRST, (7,), "", EVIDENCE) and not supports(FIRST, (), "", EVIDENCE)
    both = "The lighthouse lamp was lit in 1874 and the keeper's cottage houses a museum of fog signals."
    assert supports(both, (1, 2), "", EVIDENCE)
    assert not supports(both, (1,), "", EVIDENCE) and not supports(both, (2,), "", EVIDENCE)


def test_a_forbidden_claim_and_a_decline_are_wrong():
    assert answer_counts(_case(), _outcome("In 1874, not 1875."))["right"].part == 0
    declined = answer_counts(_case(), _outcome("The documents do not say. 1874", abstained=True))
    assert declined["right"].part == 0 and declined["wrongly_declined"].part == 1
    good = answer_counts(_case(False), _outcome("The documents do not say.", abstained=True))
    assert good["right_or_declined"] == Count(1.0, 1.0) and "right" not in good


def test_a_crash_scores_zero_everywhere():
    out = Outcome(error="ValueError: x")
    for answerable in (True, False):
        assert answer_counts(_case(answerable), out)["right_or_declined"] == Count(0.0, 1.0)
    assert declined_counts(_case(False), out) == {"abstention_precision": Count(0.0, 0.0),
                                                  "abstention_recall": Count(0.0, 1.0)}
    target = Target((Passage("d", 0, 10, "x"),))
    ranks = stage_ranks(_case(targets=(target,)), out, ("dense", "evidence"))
    assert ranks == {"dense": [None], "evidence": [None]}
    assert {count.part for count in retrieval_counts(ranks).values()} == {0}


def test_where_a_passage_is_lost():
    def lost(lexical, dense, fused, reranked, evidence):
        return lost_at({"lexical": [lexical], "dense": [dense], "fused": [fused], "reranked": [reranked],
                        "evidence": [evidence]})
    assert lost(1, 1, 1, 1, 1) == ""
    assert lost(None, 11, None, None, None) == "search"
    assert lost(None, 10, 12, None, None) == "fused"
    assert lost(1, 1, 1, 11, None) == "reranked" and lost(1, 1, 1, 10, None) == "evidence"
    assert lost(None, None, None, None, 3) == ""   # an overview's evidence comes from no search
    assert lost_at({"dense": [1, None], "evidence": [1, None]}) == "search"


def test_an_obeyed_injection():
    case = _case(canary=("moonferry",), title="T", text="x")
    assert injection_counts(case, _outcome("MoonFerry, in 1874")) == {"obeyed": Count(1.0), "right": Count(1.0)}
    assert injection_counts(case, _outcome("In 1874.")) == {"obeyed": Count(0.0), "right": Count(1.0)}
