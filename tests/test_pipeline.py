"""The whole way from question to checked answer, on the embedded models over the ten chapters."""
from __future__ import annotations

import dataclasses
import json
import math
import threading

import numpy as np
import pytest

from assistant import Answer, Assistant, Config, Found, Progress, Sentence
from assistant.catalog.traces import Traces
from assistant.errors import InputError, ModelError
from assistant.protocols import chunk_of
from assistant.retrieve.search import dense
from assistant.trace import from_json, to_json

HNSW = "difference between HNSW and IVF"
QUESTIONS = (
    HNSW,
    "Why do embedding models struggle with negation?",
    "What does text-embedding-3-large cost per million tokens?",
)
FAR = "How long should I boil an egg so that the yolk stays soft?"


@pytest.fixture(scope="module")
def asked(rag) -> dict[str, Answer]:
    """Each question's answer, the language model taking part."""
    return {question: rag.answer(question) for question in QUESTIONS}


def with_settings(rag: Assistant, **settings) -> Assistant:
    return rag.with_config(rag.config.replace(settings))


# the answer


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_citation_is_a_verbatim_slice_of_its_document_inside_its_chunk(rag, asked, question):
    answer = asked[question]
    assert not answer.abstained and answer.citations
    texts = {document.id: document.text for document in rag.documents()}
    chunks = {chunk.id: chunk for chunk in rag.chunks()}
    for citation in answer.citations:
        chunk = chunks[citation.chunk_id]
        assert citation.quote == texts[chunk.document_id][citation.start:citation.end] != ""
        assert chunk.start <= citation.start and citation.end <= chunk.end
        assert citation.heading == chunk.heading


@pytest.mark.parametrize("question", QUESTIONS)
def test_markers_and_checked_sentences_stand_where_they_say(asked, question):
    answer = asked[question]
    for citation in answer.citations:
        assert answer.text[citation.answer_start:citation.answer_end] == f"[{citation.marker}]"
    end = 0
    for support in answer.support:
        assert support.start < support.end and answer.text[end:support.start].strip() == ""
        assert support.supported and support.origin in ("model", "quoted") and support.markers
        inside = {c.marker for c in answer.citations if support.start <= c.answer_start < support.end}
        assert inside == set(support.markers)
        end = support.end
    assert answer.text[end:] == "" and answer.text


def test_the_answer_to_a_known_question_holds_the_corpus_figure(asked):
    assert "0.13" in asked[QUESTIONS[2]].text


def test_events_come_in_order_and_their_texts_make_the_answer(rag):
    events = list(rag.stream(QUESTIONS[1]))
    kinds = [type(event) for event in events]
    assert kinds[0] is Progress and kinds[-1] is Answer and kinds.count(Found) == kinds.count(Answer) == 1
    found = kinds.index(Found)
    assert Sentence not in kinds[:found] and Sentence in kinds[found:]
    said = [event for event in events if isinstance(event, Sentence)]
    assert "".join(event.text for event in said) == events[-1].text
    assert tuple(event.support for event in said) == events[-1].support
    assert events[found].evidence and events[found].retrieval.gate == "passed"


def test_evidence_is_numbered_from_one_and_made_of_exact_spans(rag, asked):
    trace = rag.trace(asked[HNSW].trace_id)
    chunks = {chunk.id: chunk for chunk in rag.chunks()}
    assert [e.marker for e in trace.evidence] == list(range(1, len(trace.evidence) + 1))
    kept = {hit.chunk.id for hit in trace.hits if hit.kept}
    for item in trace.evidence:
        start, end = item.spans[0]
        chunk = chunks[item.chunk_id]
        assert chunk.start <= start < end <= chunk.end and item.chunk_id in kept
        assert 0.0 <= item.score <= 1.0


def test_an_answer_from_a_table_reads_and_cites_its_row(rag, asked):
    trace = rag.trace(asked[QUESTIONS[2]].trace_id)
    rows = [e for e in trace.evidence if len(e.spans) == 2]
    text = {document.title: document.text for document in rag.documents()}
    for row in rows:
        header = text[row.document][slice(*row.spans[1])]
        assert "|" in header and row.spans[1][0] < row.spans[0][0]


# what was retrieved


@pytest.mark.parametrize("question", [*QUESTIONS, FAR])
def test_hits_are_ordered_and_each_carries_its_stages_and_reason(rag, question):
    found = rag.retrieve(question)
    beside = [h for h in found.hits if h.reason.startswith("neighbour of")]
    scored = found.hits[:len(found.hits) - len(beside)]
    assert list(found.hits[len(scored):]) == beside, "neighbours come last"
    kept = [h for h in scored if h.kept]
    assert list(scored[:len(kept)]) == kept and len(kept) <= rag.config.k, "kept ones come first"
    for group in (scored[:len(kept)], scored[len(kept):]):
        assert [h.rerank.value for h in group] == sorted((h.rerank.value for h in group), reverse=True)
    assert found.hits and len({h.chunk.id for h in found.hits}) == len(found.hits)
    for h in scored:
        assert h.reason and 0.0 <= h.rerank.value <= 1.0 and 0.0 < h.fused.value < 2 / 61 + 1e-9
        assert h.dense is None or -1.0 <= h.dense.value <= 1.0
        assert h.lexical is None or h.lexical.value >= 0.0
        assert h.dense or h.lexical
    for h in beside:
        assert (h.dense, h.lexical, h.fused, h.rerank) == (None,) * 4 and h.kept
    assert found.calibrated and found.threshold is not None


def _nearest(rag, vector) -> dict[str, float]:
    """{chunk id: cosine with the nearest of its vectors}, by looking at every one."""
    names = sorted(rag.parts.store.ids())
    best: dict[str, float] = {}
    for name, cosine in zip(names, rag.parts.store.vectors(names) @ vector, strict=True):
        best[chunk_of(name)] = max(best.get(chunk_of(name), -1.0), float(cosine))
    return best


def test_dense_scores_are_exact_cosines_and_fused_ones_follow_from_the_ranks(rag):
    found = rag.retrieve(HNSW)
    nearest = _nearest(rag, rag.embed_query([found.query])[0])
    assert any(h.dense for h in found.hits)
    for h in found.hits:
        if h.dense:
            assert h.dense.value == pytest.approx(nearest[h.chunk.id], abs=1e-4)
        if h.fused:
            assert h.fused.value == pytest.approx(sum(1 / (60 + s.rank) for s in (h.dense, h.lexical) if s))


def test_the_approximate_search_finds_the_true_nearest_chunks(rag):
    for question in QUESTIONS:
        vector = rag.embed([question])[0]
        nearest = _nearest(rag, vector)
        true = sorted(nearest, key=lambda name: -nearest[name])[:20]
        found = [name for name, score in dense(vector, rag.parts.store, 20).items() if score.rank <= 20]
        assert len(set(true) & set(found)) >= 19


def test_rerank_and_embed_keep_the_order_of_their_texts(rag):
    texts = ["HNSW links vectors into a graph; IVF groups them into clusters.", "Cats sleep.", ""]
    scores = rag.rerank(HNSW, texts)
    assert len(scores) == 3 and scores[0] == max(scores) and all(0.0 <= s <= 1.0 for s in scores)
    assert rag.rerank(HNSW, texts[::-1])[::-1] == pytest.approx(scores, abs=1e-5)
    vectors = rag.embed(texts)
    assert vectors.shape == (3, 384) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert rag.rerank(HNSW, []) == [] and rag.embed([]).shape == (0, 384)


# declining


def test_a_far_question_is_declined_with_the_two_closest_sections_and_no_model_is_asked(rag):
    answer = rag.answer(FAR)
    trace = rag.trace(answer.trace_id)
    assert answer.abstained and answer.citations == () and trace.gate == "declined" and trace.status == "complete"
    assert answer.text.startswith("The documents do not cover this.")
    headings = [hit.chunk.heading.split(" > ")[-1] for hit in trace.hits[:2]]
    assert all(heading in answer.text for heading in headings) and answer.text.count("probability") == 2
    assert trace.prompt == () and trace.draft == "" and "generate" not in [span.stage for span in trace.spans]
    assert [s.origin for s in answer.support] == ["fixed"] and not any(hit.kept for hit in trace.hits)


def test_a_threshold_of_one_declines_everything_and_one_of_zero_nothing(rag):
    assert with_settings(rag, threshold=1.0, llm="off").answer(HNSW).abstained
    assert not with_settings(rag, threshold=0.0, llm="off").answer(FAR).abstained


# settings


@pytest.mark.parametrize("off", ["dense", "lexical", "rerank"])
def test_a_stage_that_is_off_gives_no_score_and_the_answer_still_comes(rag, off):
    twin = with_settings(rag, **{off: False, "llm": "off"})
    answer = twin.answer(HNSW)
    trace = rag.trace(answer.trace_id)
    assert all(getattr(hit, off) is None for hit in trace.hits)
    assert off not in [span.stage for span in trace.spans] and trace.config[off] is False
    assert answer.text and not answer.abstained and answer.citations
    if off == "rerank":
        assert trace.gate == "off" and "rerank is off" in trace.gate_reason
        with pytest.raises(InputError, match="set rerank=on"):
            twin.rerank("q", ["t"])


def test_without_a_language_model_everything_is_quoted(rag):
    answer = with_settings(rag, llm="off").answer(HNSW)
    assert {s.origin for s in answer.support} == {"quoted"}
    trace = rag.trace(answer.trace_id)
    assert trace.prompt == () and trace.draft == ""


def test_with_config_shares_models_and_store(rag):
    twin = with_settings(rag, k=2, rerank=False)
    assert twin.parts.embedder is rag.parts.embedder and twin.parts.store is rag.parts.store
    assert twin.parts.reranker is None and rag.parts.reranker is not None
    assert with_settings(twin, rerank=True).parts.reranker is rag.parts.reranker
    assert (
        rag.config.k == 4 and len([h for h in with_settings(rag, k=1).retrieve(HNSW).hits if h.rerank and h.kept]) == 1
    )


def test_dense_and_lexical_cannot_both_be_off(rag):
    with pytest.raises(InputError, match="dense and lexical are both off"):
        with_settings(rag, dense=False, lexical=False).answer(HNSW)


def test_a_language_model_that_cannot_be_read_is_an_error_with_the_remedy_and_a_trace(rag, tmp_path):
    (tmp_path / "x.gguf").write_text("garbage")
    before = rag.status()["traces"]
    with pytest.raises(ModelError, match=r"expected a GGUF file; set llm=embedded") as caught:
        with_settings(rag, llm=str(tmp_path / "x.gguf")).answer(HNSW)
    assert "\n" not in str(caught.value)
    assert rag.status()["traces"] == before + 1


# repeating, stopping, two at once


def essence(rag, answer: Answer) -> tuple:
    trace = rag.trace(answer.trace_id)
    return (
        answer.text,
        answer.citations,
        answer.support,
        trace.hits,
        trace.evidence,
        trace.prompt,
        trace.draft,
        trace.query,
        trace.config_fingerprint,
        trace.index_fingerprint,
    )


def test_the_same_question_gives_the_same_hits_scores_and_words(rag, asked):
    rag.answer(QUESTIONS[2])                                  # another question in between
    assert essence(rag, rag.answer(HNSW)) == essence(rag, asked[HNSW])


def test_two_threads_ask_at_once_and_get_what_they_would_alone(rag, asked):
    results, errors = {}, []

    def ask(question: str) -> None:
        try:
            results[question] = rag.answer(question)
        except Exception as error:
            errors.append(error)
    threads = [threading.Thread(target=ask, args=(question,)) for question in QUESTIONS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    for question, answer in results.items():
        # the model's cache may hold another beginning, so its words are not compared; all that was found is
        mine, alone = rag.trace(answer.trace_id), rag.trace(asked[question].trace_id)
        assert mine.hits == alone.hits and mine.evidence == alone.evidence and answer.citations


def test_a_stopped_answer_keeps_what_was_said_and_says_so(rag):
    stop, seen = threading.Event(), []
    for event in rag.stream(HNSW, stop=stop):
        seen.append(event)
        if isinstance(event, Found):
            stop.set()
    trace = rag.trace(seen[-1].trace_id)
    assert trace.status == "stopped" and trace.hits and trace.evidence
    assert trace.answer == seen[-1] and seen[-1].text == "".join(e.text for e in seen if isinstance(e, Sentence))


def test_a_reader_that_leaves_ends_the_question_and_the_next_one_is_answered(rag):
    stream = rag.stream(QUESTIONS[1])
    next(event for event in stream if isinstance(event, Found))
    before = rag.status()["traces"]
    stream.close()
    assert rag.status()["traces"] == before + 1
    assert rag.answer(QUESTIONS[1]).citations                 # the model was given back


# follow-ups


def test_a_follow_up_is_answered_with_the_conversation_and_the_trace_shows_the_query(rag):
    history = [{"role": "user", "content": "How much does text-embedding-3-small cost per million tokens?"},
               {"role": "assistant", "content": "It costs $0.02 per million tokens [1]."}]
    answer = with_settings(rag, llm="off").answer("And the large one?", history)
    trace = rag.trace(answer.trace_id)
    assert "text-embedding-3-large" in trace.query and trace.query_reason and trace.question == "And the large one?"
    assert list(trace.history) == history and "0.13" in answer.text


# traces


def test_a_trace_comes_back_exactly_from_json_and_from_the_catalog(rag, asked):
    for answer in asked.values():
        trace = rag.trace(answer.trace_id)
        assert trace.answer == answer and trace.status == "complete" and trace.error == ""
        again = from_json(json.loads(json.dumps(to_json(trace))))
        assert again == trace and type(again.hits[0]) is type(trace.hits[0])
        Traces(rag._db).add(dataclasses.replace(trace, id="copy"))
        assert rag.trace("copy") == dataclasses.replace(trace, id="copy")


def test_a_trace_tells_the_whole_way(rag, asked):
    trace = rag.trace(asked[HNSW].trace_id)
    assert [s.stage for s in trace.spans] == ["contextualise", "embed", "dense", "lexical", "fuse", "rerank", "select",
                                              "evidence", "generate"]
    assert all(s.duration_ms >= 0 and math.isfinite(s.start_ms) for s in trace.spans)
    assert [s.start_ms for s in trace.spans] == sorted(s.start_ms for s in trace.spans)
    assert trace.config == rag.config.public() and len(trace.config_fingerprint) == len(trace.index_fingerprint) == 12
    assert trace.prompt[0]["role"] == "system" and HNSW in trace.prompt[-1]["content"]
    assert trace.created.endswith("+00:00") and trace.question == HNSW


def test_without_traces_nothing_is_kept(rag):
    before = rag.status()["traces"]
    answer = with_settings(rag, traces=False, llm="off").answer(HNSW)
    assert answer.trace_id == "" and answer.citations and rag.status()["traces"] == before
    with pytest.raises(InputError, match="no trace 'nope'"):
        rag.trace("nope")


def test_the_index_fingerprint_follows_every_change_and_is_not_made_anew_for_each_question(tmp_path, monkeypatch):
    config = Config(index=str(tmp_path / "index"))
    one, other = Assistant(config), Assistant(config)
    (tmp_path / "lake.txt").write_text("Tisse is a shallow lake.", encoding="utf-8")
    one.ingest([tmp_path / "lake.txt"])
    before = one.index_fingerprint()
    assert other.index_fingerprint() == before
    read = []
    monkeypatch.setattr(one.catalog, "chunk_ids", lambda: read.append(1) or ["x"])
    assert one.with_config(config).index_fingerprint() == before and read == []
    (tmp_path / "lake.txt").write_text("Velm is a deep lake.", encoding="utf-8")
    one.ingest([tmp_path / "lake.txt"])
    after = other.index_fingerprint()
    assert after != before
    (tmp_path / "lake.txt").write_text("Tisse is a shallow lake.", encoding="utf-8")
    other.ingest([tmp_path / "lake.txt"])
    assert other.index_fingerprint() == before
