"""Two traces side by side: what entered, left and moved, which stage is named for it, the word diff, the timings."""
from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from assistant.records import Answer, DocumentVersion, Score, Span
from assistant.trace.compare import SCORED, compare, word_diff
from assistant.trace_text import diff_text
from tests.fakes import made_trace

BEFORE = made_trace("a", texts=("one", "two", "three"), config={"dense": True, "candidates": 20, "k": 1})


def after(hits, **changes):
    return dataclasses.replace(BEFORE, id="b", hits=tuple(hits), **changes)


def without(hit, *stages):
    return dataclasses.replace(hit, **{stage: None for stage in stages})


def test_the_same_trace_has_no_difference():
    found = compare(BEFORE, BEFORE)
    assert (found.settings, found.entered, found.left, found.moved, found.same) == ((), (), (), (), 3)
    assert found.words == (("same", BEFORE.answer.text),) and not found.index_changed
    assert found.timings == (("dense", 10.0, 10.0), ("rerank", 10.0, 10.0))


def test_the_first_stage_that_differs_is_named():
    one, two, three = BEFORE.hits
    lifted = dataclasses.replace(two, rerank=Score(0.99, 1))
    sunk = dataclasses.replace(one, rerank=Score(0.7, 2), lexical=Score(3.0, 9), kept=False, reason="second")
    found = compare(BEFORE, after([lifted, sunk, three]))
    assert [(c.chunk.id, c.before, c.after, c.stage) for c in found.moved] == [("c2", 2, 1, "rerank"),
                                                                             ("c1", 1, 2, "lexical")]
    assert found.moved[0].why == "rerank rank 2 → 1" and found.moved[1].kept == (True, False)
    assert found.moved[1].ranks["lexical"] == (1, 9) and found.same == 1


def test_a_stage_that_was_switched_off_is_named_with_its_setting():
    off = {**BEFORE.config, "rerank": False}
    changed = after([without(hit, "rerank") for hit in reversed(BEFORE.hits)], config=off)
    found = compare(dataclasses.replace(BEFORE, config={**BEFORE.config, "rerank": True}), changed)
    assert found.settings == (("rerank", True, False),)
    assert {c.stage for c in found.moved} == {"rerank"} and "(rerank: on → off)" in found.moved[0].why


def test_selection_is_named_where_all_ranks_are_alike():
    kept = dataclasses.replace(BEFORE.hits[1], kept=True, reason="second of 3")
    found = compare(BEFORE, after([BEFORE.hits[0], kept, BEFORE.hits[2]], config={**BEFORE.config, "k": 2}))
    assert [(c.chunk.id, c.stage, c.why, c.kept) for c in found.moved] == [
        ("c2", "select", "number 2 → second of 3", (False, True))]


def test_what_entered_and_left_is_laid_to_a_search_a_cut_the_query_or_the_index():
    one, two, three = BEFORE.hits
    cut = compare(BEFORE, after([one, two], config={**BEFORE.config, "candidates": 2}))
    assert [(c.chunk.id, c.before, c.after, c.stage) for c in cut.left] == [("c3", 3, None, "fused")]
    assert cut.left[0].why == "fused rank 3 (candidates: 20 → 2)"
    words = dataclasses.replace(BEFORE, config={**BEFORE.config, "dense": False}, hits=(one, two))
    back = compare(words, BEFORE)
    assert [(c.chunk.id, c.after, c.stage) for c in back.entered] == [("c3", 3, "dense")]
    assert "dense: off → on" in back.entered[0].why
    asked = compare(BEFORE, after([one], query="another"))
    assert {c.stage for c in asked.left} == {"query"}
    old, new = (DocumentVersion("d", "Book", "b.md", sha) for sha in "12")
    edited = compare(dataclasses.replace(BEFORE, documents=(old,)), after([one, two], documents=(new,)))
    assert edited.left[0].stage == "index"
    beside = dataclasses.replace(without(three, "dense", "lexical", "fused", "rerank"), kept=True,
                                 reason="neighbour of 1")
    assert compare(BEFORE, after([one, two, three])).entered == ()
    grown = compare(dataclasses.replace(BEFORE, hits=(one, two)), after([one, two, beside]))
    assert (grown.entered[0].stage, grown.entered[0].kept) == ("select", (False, True))


def test_a_stage_that_ran_in_one_of_them_has_one_time():
    found = compare(BEFORE, after(BEFORE.hits, spans=(Span("dense", 0.0, 4.0, 1, 2), Span("generate", 4.0, 9.0, 1, 1))))
    assert found.timings == (("dense", 10.0, 4.0), ("rerank", 10.0, None), ("generate", None, 9.0))


def test_words_that_changed_are_told_from_those_that_stayed():
    found = compare(BEFORE, after(BEFORE.hits, answer=Answer("A text of his [1].")))
    assert found.words == (("same", "A text "), ("new", "of his "), ("same", "[1]."))
    assert word_diff("the cat sat down here now", "the dog sat on here now") == (
        ("same", "the "), ("gone", "cat sat down "), ("new", "dog sat on "), ("same", "here now"))


@given(st.text(alphabet="ab c.\n", max_size=40), st.text(alphabet="ab c.\n", max_size=40))
def test_the_runs_of_a_word_diff_join_to_both_texts(before, after):
    runs = word_diff(before, after)
    assert "".join(text for kind, text in runs if kind != "new") == before
    assert "".join(text for kind, text in runs if kind != "gone") == after
    assert all(text for _, text in runs)


def test_other_weights_under_the_same_settings_are_said():
    one = made_trace("a", config_fingerprint="11")
    assert compare(one, made_trace("b", config_fingerprint="22")).models_changed
    assert not compare(one, made_trace("b", config_fingerprint="11")).models_changed
    assert not compare(one, made_trace("b", config_fingerprint="", status="failed")).models_changed
    kept = dict(one.config)
    assert not compare(one, made_trace("b", config_fingerprint="22", config={**kept, "k": 3})).models_changed
    assert compare(one, made_trace("b", config_fingerprint="22", config={**kept, "redact": True})).models_changed


def test_a_candidate_that_only_completes_a_passage_in_the_other_is_laid_to_the_selection():
    one, two, three = BEFORE.hits
    beside = dataclasses.replace(without(three, *SCORED), kept=True, reason="neighbour of 1")
    found = compare(BEFORE, after([one, two, beside]))
    assert [(c.chunk.id, c.stage, c.kept) for c in found.moved] == [("c3", "select", (False, True))]
    assert found.moved[0].why == f"{three.reason} → neighbour of 1; a neighbour is not ranked"


def test_what_the_gates_said_is_told_where_it_differs():
    shut = after(BEFORE.hits, gate="declined", gate_reason="best probability 0.10, below the threshold 0.20")
    open_ = dataclasses.replace(BEFORE, gate="passed", gate_reason="")
    assert compare(open_, shut).gates == ("passed", "declined: best probability 0.10, below the threshold 0.20")
    assert compare(shut, shut).gates == ("", "")
    assert "now   declined: best" in diff_text(open_, shut, compare(open_, shut))
