"""Fusion, ties, the gate, the choice of chunks and their neighbours; the lexical index; the stages in their order."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import Config
from assistant.records import Chunk, Hit, Score
from assistant.retrieve.fuse import candidates, fuse, ranked
from assistant.retrieve.rerank import probabilities, rerank
from assistant.retrieve.select import gate, neighbours, select, with_form
from assistant.retrieve.stages import retrieve
from assistant.text.forms import form
from assistant.trace import Stopwatch
from tests.fakes import Shelf


def a_chunk(name: str, text: str = "", heading: str = "H", start: int = 0, header: str = "") -> Chunk:
    text = text or f"Text of {name} alone."
    return Chunk(name, "d", heading, text, start, start + len(text), 9, header, 0 if header else -1)


def hit(name: str, probability: float | None = None, **fields) -> Hit:
    score = None if probability is None else Score(probability, 1)
    return Hit(a_chunk(name, **fields), "Document", rerank=score)


class WordReranker:
    """Probability: the share of the question's words that the text holds. Implements protocols.Reranker."""

    name, fingerprint, calibrated, threshold = "words", "words", True, 0.4

    def logits(self, question, texts):
        words = set(question.lower().strip("?").split())
        return np.array([len(words & set(text.lower().replace(".", "").split())) / len(words) for text in texts],
                        np.float32)

    def probabilities(self, logits, cosines):
        assert len(logits) == len(cosines)
        return np.asarray(logits, np.float32)


class SomeParts:
    def __init__(self, shelf: Shelf, reranker=None) -> None:
        self.embedder, self.store, self.reranker = shelf.embedder, shelf.store, reranker


# fusion


def test_fusion_adds_one_over_sixty_plus_rank():
    dense, words = ranked({"a": 0.9, "b": 0.5, "c": 0.1}), ranked({"b": 7.0, "d": 2.0})
    fused = fuse([dense, words])
    # a: 1/61; b: 1/62 + 1/61; c: 1/63; d: 1/62
    assert {name: score.value for name, score in fused.items()} == pytest.approx(
        {"b": 1 / 62 + 1 / 61, "a": 1 / 61, "d": 1 / 62, "c": 1 / 63})
    assert [(name, score.rank) for name, score in fused.items()] == [("b", 1), ("a", 2), ("d", 3), ("c", 4)]
    assert max(score.value for score in fuse([dense, dense]).values()) == pytest.approx(2 / 61)
    assert fuse([]) == {}


def test_half_of_the_candidates_are_the_nearest_by_meaning():
    """What only its meaning finds loses in the fusion to what both find at middling places."""
    dense = ranked({name: 1 - n / 100 for n, name in enumerate("abcdefgh")})
    words = ranked({name: 9.0 - n for n, name in enumerate("hgfed")})
    fused = fuse([dense, words])
    assert "a" not in list(fused)[:4]
    found = candidates(fused, dense, 4)
    assert {"a", "b"} <= set(found) and len(found) == 4
    assert list(found) == [name for name in fused if name in found]  # in the fusion's order, with the fusion's ranks
    assert all(found[name] == fused[name] for name in found)
    assert list(candidates(fused, {}, 3)) == list(fused)[:3] and candidates({}, {}, 3) == {}


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.sampled_from([0.0, 0.5, 1.0])), st.randoms())
def test_equal_scores_stand_in_the_order_of_their_ids_whatever_came_first(scores, random):
    pairs = list(scores.items())
    random.shuffle(pairs)
    again = ranked(pairs)
    assert list(again.items()) == list(ranked(scores).items())
    assert [score.rank for score in again.values()] == list(range(1, len(scores) + 1))
    assert list(again) == sorted(scores, key=lambda name: (-scores[name], name))


# the gate


def test_the_gate_passes_at_the_threshold_and_says_why_in_words():
    hits = [hit("a", 0.40), hit("b", 0.10)]
    assert gate(hits, 0.40, "").state == "passed"
    assert gate(hits, 0.41, "").state == "declined"
    assert gate(hits, 0.41, "").reason == "best probability 0.40, below the threshold 0.41"
    assert gate([], 0.4, "") == gate([], 0.4, "whatever") and gate([], 0.4, "").state == "declined"
    off = gate([hit("a")], None, "no gate: rerank is off")
    assert (off.state, off.reason, off.threshold) == ("off", "no gate: rerank is off", None)


# the choice


def test_at_most_k_are_kept_and_each_hit_says_why():
    hits = [hit("a", 0.9), hit("b", 0.8), hit("c", 0.7), hit("d", 0.1)]
    out = select(hits, 2, gate(hits, 0.5, ""), floor=0.25)
    assert [h.kept for h in out] == [True, True, False, False]
    assert [h.reason for h in out] == ["best of 4", "second of 4", "third; at most 2 are kept",
                                       "probability 0.10, below 0.25"]
    assert [h.chunk for h in out] == [h.chunk for h in hits] and not any(h.kept for h in hits)


def test_a_declined_question_keeps_nothing():
    hits = [hit("a", 0.2), hit("b", 0.1)]
    out = select(hits, 4, gate(hits, 0.5, ""), floor=0.25)
    assert [h.reason for h in out] == ["probability 0.20, below the threshold 0.50",
                                       "probability 0.10, below the threshold 0.50"]
    assert not any(h.kept for h in out)


def test_what_says_the_same_is_kept_once():
    words = "one two three four five six seven eight nine ten"
    hits = [
        hit("a", 0.9, text=words),
        hit("b", 0.8, text=words.upper() + "!"),
        hit("c", 0.7, text="other words are here"),
    ]
    out = select(hits, 4, gate(hits, 0.5, ""), floor=0.25)
    assert [(h.kept, h.reason) for h in out] == [
        (True, "best of 3"), (False, "same passage as 1"), (True, "third of 3")]


def test_without_a_gate_nothing_is_under_a_floor():
    hits = [hit("a"), hit("b"), hit("c")]
    assert [h.kept for h in select(hits, 2, gate(hits, None, "off"), floor=0.25)] == [True, True, False]


def test_neighbours_complete_what_begins_in_mid_thought_or_breaks_off():
    before = a_chunk("before", "Onra is the deepest lake.")
    leaning = a_chunk("leaning", "It freezes late.", start=26)
    colon = a_chunk("colon", "The lakes are these:", start=43)
    items = a_chunk("items", "Onra, Tisse and Velm.", start=64)
    elsewhere = a_chunk("elsewhere", "It is another section.", heading="Other", start=90)
    siblings = {"d": [before, leaning, colon, items, elsewhere]}

    def beside(*names):
        kept = [Hit(chunk, "Document", kept=True) for chunk in siblings["d"] if chunk.id in names]
        return [(h.chunk.id, h.reason, h.kept, h.dense, h.rerank) for h in neighbours(kept, siblings)]

    assert beside("before") == []
    assert beside("leaning") == [("before", "neighbour of 1", True, None, None)]
    assert beside("before", "colon") == [("items", "neighbour of 2", True, None, None)]
    assert beside("before", "leaning") == [], "what is kept already is not added"
    assert beside("elsewhere") == [], "another section does not complete it"


def test_a_part_of_a_table_brings_the_part_before_it():
    first = a_chunk("first", "| Lake | Depth |\n|---|---|\n| Onra | 41 |")
    second = a_chunk("second", "| Tisse | 12 |", start=41, header="| Lake | Depth |")
    kept = [Hit(second, "Document", kept=True)]
    assert [h.chunk.id for h in neighbours(kept, {"d": [first, second]})] == ["first"]


def test_a_formula_and_the_sentence_before_it_bring_each_other():
    said, formula = a_chunk("said", "The volume is simple."), a_chunk("formula", "$V = A \\times d$", start=22)
    for one, other in ((said, formula), (formula, said)):
        found = neighbours([Hit(one, "Document", kept=True)], {"d": [said, formula]})
        assert [h.chunk.id for h in found] == [other.id]


def test_what_has_the_form_that_is_asked_for_is_kept_too():
    def hit_of(name, text, value, kept):
        return replace(hit(name, value), chunk=a_chunk(name, text), kept=kept)
    hits = [hit_of("a", "MRR is a measure.", 0.9, True), hit_of("b", "MRR is low.", 0.5, False),
            hit_of("c", "The mean reciprocal rank (MRR) is a mean.", 0.3, False)]
    found = with_form(hits, form("What does MRR stand for?"), floor=0.2)
    assert [h.kept for h in found] == [True, False, True] and found[2].reason == "holds \"MRR\" spelled out"
    assert with_form(hits, form("What does MRR stand for?"), floor=0.4) == hits           # too unlikely
    assert with_form(hits, form("What is low?"), floor=0.2) == hits                       # no form is asked for
    none = [replace(h, kept=False) for h in hits]
    assert with_form(none, form("What does MRR stand for?"), floor=0.2) == none           # the gate is closed


# the reranker's stage


def test_probabilities_come_in_the_order_of_the_texts_and_ranks_in_that_of_the_scores(shelf):
    texts = ["cold water", "deep cold lake", "nothing"]
    values = probabilities("deep cold lake", texts, WordReranker(), shelf.embedder)
    assert values.tolist() == pytest.approx([1 / 3, 1.0, 0.0])
    assert probabilities("x", [], WordReranker(), shelf.embedder).shape == (0,)
    scored = rerank("deep cold lake", {"a": texts[0], "b": texts[1]}, np.zeros(2), WordReranker())
    assert scored["b"] == Score(1.0, 1) and scored["a"].rank == 2
    assert rerank("x", {}, np.zeros(0), WordReranker()) == {}


WORDS = ["compare", "compresses", "feelings", "hot", "image", "pairs", "paris", "similarity", "trained", "word2vec"]


# the stages together, on fakes


@pytest.fixture()
def lakes(shelf, tmp_path):
    for name, text in {
        "onra": "Onra is a deep lake.",
        "tisse": "Tisse is a shallow lake.",
        "ferry": "The ferry costs ten.",
    }.items():
        (tmp_path / f"{name}.md").write_text(f"# {name.title()}\n\n{text}\n")
    shelf.ingest(*(tmp_path / f"{name}.md" for name in ("onra", "tisse", "ferry")))
    return shelf


def run(shelf, question="deep lake?", reranker=None, history=(), **settings):
    config = replace(Config(index="unused"), **settings)
    return retrieve(question, history, config, SomeParts(shelf, reranker), shelf.documents, shelf.lexical, Stopwatch())[
        0
    ]


def test_every_hit_carries_every_stages_score_and_rank(lakes):
    found = run(lakes, reranker=WordReranker())
    best = found.hits[0]
    assert best.chunk.text == "Onra is a deep lake." and best.kept and best.document == "Onra"
    assert best.rerank == Score(1.0, 1) and best.dense.rank == 1 and best.lexical.rank == 1
    assert best.fused.value == pytest.approx(2 / 61) and best.fused.rank == 1
    assert found.gate == "passed" and found.calibrated
    assert found.threshold == pytest.approx(0.25)  # 0.4 at half its odds: the best holds "deep" and "lake"
    assert [span.stage for span in found.spans] == [
        "contextualise",
        "embed",
        "dense",
        "lexical",
        "fuse",
        "rerank",
        "select",
    ]
    ferry = next(h for h in found.hits if "ferry" in h.chunk.text)
    assert ferry.lexical is None and ferry.dense is not None and not ferry.kept


@pytest.mark.parametrize("off", ["dense", "lexical", "rerank"])
def test_a_stage_that_is_off_gives_no_score_and_the_others_go_on(lakes, off):
    reranker = None if off == "rerank" else WordReranker()
    found = run(lakes, reranker=reranker, **{off: False})
    assert found.hits[0].chunk.text == "Onra is a deep lake."
    assert all(getattr(h, off) is None for h in found.hits)
    assert off not in [span.stage for span in found.spans]
    if off == "rerank":
        assert found.gate == "off" and "rerank is off" in found.gate_reason and not found.calibrated


def test_the_order_of_the_hits_and_the_limit_of_candidates(lakes):
    found = run(lakes, reranker=WordReranker(), candidates=2, k=1)
    assert len(found.hits) == 2 and [h.kept for h in found.hits] == [True, False]
    assert [h.rerank.rank for h in found.hits] == [1, 2]


def test_a_follow_up_is_searched_with_what_it_leaves_out(lakes):
    found = run(lakes, "and Tisse?", WordReranker(), [{"role": "user", "content": "How deep is Onra?"},
                                                      {"role": "assistant", "content": "Deep."}])
    assert "Tisse" in found.query and "deep" in found.query and found.query_reason and found.question == "and Tisse?"


def test_an_own_threshold_replaces_the_rerankers(lakes):
    assert run(lakes, reranker=WordReranker(), threshold=0.0).gate == "passed"
    declined = run(lakes, "deep river far away?", WordReranker(), threshold=0.9)
    assert declined.gate == "declined" and not any(h.kept for h in declined.hits) and declined.threshold == 0.9


def test_an_orphan_vector_is_passed_over(lakes):
    lakes.store.held["orphan"] = lakes.embedder.embed(["deep lake?"])[0]
    assert run(lakes, reranker=WordReranker()).hits[0].chunk.text == "Onra is a deep lake."
