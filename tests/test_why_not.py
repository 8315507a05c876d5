"""Why-not on the embedded models: where a chunk stands at each stage agrees with the retrieval itself."""
from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from assistant.errors import InputError
from assistant.protocols import chunk_of
from assistant.retrieve.split import questions
from assistant.text.readable import passage as reading
from assistant.trace import redacted
from assistant.why_not import why_not
from tests.test_pipeline import FAR, HNSW


@pytest.fixture(scope="module")
def quiet(rag):
    return rag.with_config(rag.config.replace({"llm": "off"}))


@pytest.fixture(scope="module")
def trace(quiet):
    return quiet.trace(quiet.answer(HNSW).trace_id)


def steps(found):
    return {step.stage: step for step in found.steps}


def test_a_kept_chunk_is_said_to_be_in(rag, trace):
    hit = next(hit for hit in trace.hits if hit.kept)
    found = why_not(rag, trace, hit.chunk.id)
    assert found.kept and found.verdict.startswith(f"it was kept ({hit.reason})") and not found.index_changed
    at = steps(found)
    for stage in ("dense", "lexical", "fused", "rerank"):
        score = getattr(hit, stage)
        assert (at[stage].rank, at[stage].passed) == (score.rank, True), stage
        assert at[stage].value == pytest.approx(score.value, abs=1e-4)
    assert at["evidence"].rank is not None


def test_a_dropped_candidate_says_what_dropped_it(rag, trace):
    hit = [hit for hit in trace.hits if not hit.kept and hit.rerank][-1]
    found = why_not(rag, trace, hit.chunk.id[:10])
    assert not found.kept and hit.reason in found.verdict and steps(found)["select"].words == hit.reason


def test_a_chunk_that_no_search_reached_has_its_true_place_among_all(rag, trace):
    known = {hit.chunk.id for hit in trace.hits}
    vector = rag.embed_query([trace.query])[0]
    store = rag.parts.store
    ids = sorted(store.ids())
    cosines = store.vectors(ids) @ vector
    best = {}
    for name, cosine in zip(ids, cosines.tolist(), strict=True):
        best[chunk_of(name)] = max(cosine, best.get(chunk_of(name), -1.0))
    worst = min((name for name in best if name not in known), key=lambda name: best[name])
    found = why_not(rag, trace, worst)
    dense = steps(found)["dense"]
    assert dense.rank == dense.of == len(best) and dense.value == pytest.approx(best[worst], abs=1e-5)
    assert not found.kept and not dense.passed and steps(found)["fused"].passed is False
    assert "more candidates would not help" in found.remedy
    assert np.isclose(steps(found)["rerank"].value, rag_probability(rag, trace.query, found.chunk), atol=1e-3)


def rag_probability(rag, query, chunk):
    from assistant.text.readable import passage
    vector = rag.embed_query([query])[0]
    reranker = rag.parts.reranker
    cosine = rag.parts.store.vectors([chunk.id]) @ vector
    return float(reranker.probabilities(reranker.logits(query, [passage(chunk)]), cosine)[0])


def test_a_cut_is_said_with_the_setting_that_moves_it(rag, quiet):
    narrow = quiet.with_config(quiet.config.replace({"candidates": 1}))
    trace = narrow.trace(narrow.answer(HNSW).trace_id)
    second = quiet.retrieve(HNSW).hits[1]
    found = why_not(rag, trace, second.chunk.id)  # the trace's settings count, not today's
    assert found.verdict == "fusion put it at rank 2, and only 1 are candidates"
    assert found.remedy.startswith("it would be let in with candidates=2:") and steps(found)["rerank"].rank == 2


def test_a_pasted_passage_is_found_in_its_chunk_across_line_breaks_and_case(rag, trace):
    hit = trace.hits[0]
    words = hit.chunk.text.upper().split()[:12]
    found = why_not(rag, trace, passage="\n".join(words))
    assert found.chunk == hit.chunk and found.place == "holds the passage"


def test_a_passage_that_is_nowhere_is_said_to_be_missing(rag, trace):
    found = why_not(rag, trace, passage="Boil the egg for six minutes and cool it in iced water straight away.")
    assert found.chunk is None and "no chunk of the index holds this passage" in found.verdict
    assert [step.stage for step in found.steps] == ["dense", "lexical", "rerank"] and "ingest" in found.remedy
    assert steps(found)["dense"].value == pytest.approx(float(
        rag.embed(["Boil the egg for six minutes and cool it in iced water straight away."])[0]
        @ rag.embed_query([trace.query])[0]), abs=1e-5)


def test_a_declined_question_names_the_threshold(rag, quiet):
    trace = quiet.trace(quiet.answer(FAR).trace_id)
    assert trace.answer.abstained
    found = why_not(rag, trace, trace.hits[0].chunk.id)
    assert "threshold" in found.verdict and found.remedy.startswith("it would be kept with threshold=")
    assert steps(found)["rerank"].passed is False


@pytest.mark.parametrize("asked", [FAR, "Who founded the company Pinecone?", HNSW])
def test_the_threshold_that_is_said_to_keep_a_passage_keeps_it_and_one_more_thousandth_does_not(rag, quiet, asked):
    """Also where a name in the question raises the threshold above the setting."""
    strict = quiet.with_config(quiet.config.replace({"threshold": 0.999 if asked == HNSW else None}))
    trace = strict.trace(strict.answer(asked).trace_id)
    assert trace.gate == "declined"
    hit = trace.hits[2]
    said = float(re.fullmatch(r"it would be kept with threshold=([\d.]+)", why_not(rag, trace, hit.chunk.id).remedy)[1])
    for threshold, kept in ((said, True), (said + 0.001, False)):
        found = quiet.with_config(quiet.config.replace({"threshold": threshold})).retrieve(asked)
        assert next(h for h in found.hits if h.chunk.id == hit.chunk.id).kept is kept, threshold


def test_a_candidate_above_the_floor_is_not_said_to_be_below_the_threshold(rag, trace):
    """With the gate open, half of its threshold is enough beside the best."""
    for hit in trace.hits:
        if hit.rerank:
            at = steps(why_not(rag, trace, hit.chunk.id))["rerank"]
            assert at.passed is not hit.reason.startswith("probability"), hit.reason
            assert ("below" in at.words) is hit.reason.startswith("probability"), hit.reason


def test_stages_that_are_off_say_so(rag, quiet):
    bare = quiet.with_config(quiet.config.replace({"rerank": "off", "lexical": "off"}))
    trace = bare.trace(bare.answer(HNSW).trace_id)
    found = why_not(rag, trace, trace.hits[-1].chunk.id)
    at = steps(found)
    assert at["lexical"].passed is None and at["lexical"].words == "off in the settings"
    assert at["rerank"].passed is None and at["rerank"].value is None


def test_another_index_is_said_to_be_another(rag, trace):
    assert why_not(rag, dataclasses.replace(trace, index_fingerprint="other"), trace.hits[0].chunk.id).index_changed


NARROW = "What does chapter 9 say about negation?"


def test_a_chunk_outside_the_named_chapter_is_said_never_to_have_been_searched(rag, quiet):
    trace = quiet.trace(quiet.answer(NARROW).trace_id)
    inside = {hit.chunk.document_id for hit in trace.hits}
    assert len(inside) == 1 and "chapter" not in trace.query  # the words that name it are no part of the search
    stranger = next(chunk for chunk in rag.chunks() if chunk.document_id not in inside)
    found = why_not(rag, trace, stranger.id)
    own = [chunk for chunk in rag.chunks() if chunk.document_id in inside]
    assert found.query == trace.query and not found.kept
    assert found.verdict.startswith("it was never searched: the question names chapter 9, so only the "
                                    f"{len(own)} chunks there")
    at = steps(found)
    assert at["dense"].passed is False and at["dense"].words.startswith("not searched: outside chapter 9")
    assert at["dense"].of == len(rag.chunks()) and at["fused"].words == "not searched"
    assert found.remedy.startswith("ask without naming the chapter; the reranker gives it 0.")


def test_ranks_inside_a_named_chapter_are_those_of_the_trace(rag, quiet):
    trace = quiet.trace(quiet.answer(NARROW).trace_id)
    for hit in (trace.hits[0], [hit for hit in trace.hits if hit.fused][-1]):
        at = steps(why_not(rag, trace, hit.chunk.id))
        for stage in ("dense", "lexical", "fused", "rerank"):
            score = getattr(hit, stage)
            assert at[stage].rank == (score and score.rank), stage
        assert at["dense"].of == len(rag.chunks(hit.chunk.document_id))


def test_a_follow_up_is_asked_again_with_its_earlier_turns(rag, quiet):
    history = [{"role": "user", "content": HNSW}, {"role": "assistant", "content": "One is a graph."}]
    trace = quiet.trace(quiet.answer("What does it cost in memory?", history).trace_id)
    assert trace.query != trace.question
    hit = next(hit for hit in trace.hits if hit.kept and hit.fused)
    found = why_not(rag, trace, hit.chunk.id)
    assert found.query == trace.query and found.kept and steps(found)["fused"].rank == hit.fused.rank
    with pytest.raises(InputError, match="earlier turns"):
        why_not(rag, redacted(trace), hit.chunk.id)


def test_words_that_the_documents_do_not_use_are_searched_as_in_the_question(rag, quiet):
    trace = quiet.trace(quiet.answer("Which lingo do felines and canines share?").trace_id)
    assert "is also searched as" in trace.query_reason
    hit = next(hit for hit in trace.hits if hit.lexical)
    found = steps(why_not(rag, trace, hit.chunk.id))["lexical"]
    assert (found.rank, found.passed) == (hit.lexical.rank, True)
    assert found.value == pytest.approx(hit.lexical.value, abs=1e-6)


def test_evidence_that_no_search_brought_is_not_said_to_be_missing(rag, quiet):
    trace = quiet.trace(quiet.answer("Which chapters mention Matryoshka?").trace_id)
    kept = {hit.chunk.id for hit in trace.hits if hit.kept}
    past = next(e for e in trace.evidence if e.chunk_id not in kept)
    found = why_not(rag, trace, past.chunk_id)
    assert found.kept and f"[{past.marker}]" in found.verdict


def test_a_reply_that_searched_nothing_has_nothing_to_explain(rag, quiet):
    trace = quiet.trace(quiet.answer("Hello!").trace_id)
    with pytest.raises(InputError, match="nothing was searched"):
        why_not(rag, trace, rag.chunks()[0].id)


def test_bad_input_is_refused(rag, trace):
    for given in ({}, {"chunk_id": "a", "passage": "b"}, {"chunk_id": "nowhere"}, {"passage": " ... "},
                  {"passage": ""}):
        with pytest.raises(InputError):
            why_not(rag, trace, **given)


def test_of_two_questions_a_chunk_is_measured_by_the_one_that_it_answers_better(rag, quiet):
    asked = "How does HNSW search its graph, and what does the temperature of InfoNCE divide?"
    trace = quiet.trace(quiet.answer(asked).trace_id)
    one, other = questions(trace.query)
    dropped = next(hit for hit in trace.hits if not hit.kept and hit.reason.endswith("are kept"))
    assert "two questions" in why_not(rag, trace, dropped.chunk.id).remedy
    known = {hit.chunk.id for hit in trace.hits}
    away = next(chunk for chunk in rag.chunks() if chunk.id not in known)
    values = [quiet.rerank(ask, [reading(away)])[0] for ask in (one, other)]
    assert steps(why_not(rag, trace, away.id))["rerank"].value == pytest.approx(max(values), abs=1e-3)
