"""Replay on the embedded models: unchanged settings repeat a trace exactly; changed ones make a child of it."""
from __future__ import annotations

import dataclasses

import pytest

from assistant import Assistant, Config
from assistant.errors import ConfigError, InputError, StoreError
from assistant.replay import from_page, replay, settings
from assistant.trace import redacted
from tests.fakes import made_trace
from tests.test_pipeline import QUESTIONS

ASKED = (
    *QUESTIONS,
    "What is cosine similarity?",
    "How does word2vec learn its vectors?",
    "What is mean pooling?",
    "What does BM25 add to TF-IDF?",
    "Why is the curse of dimensionality a problem for search?",
    "How does CLIP bring images and text into one space?",
    "What is a bi-encoder?",
    "When should I use a cross-encoder?",
    "How are chunks chosen for retrieval?",
    "What is product quantization?",
    "Which distance is used for normalised vectors?",
    "Why do acronyms fail in embedding search?",
    "What is the weather on Mars today?",
    "How many dimensions does all-MiniLM-L6-v2 have?",
    "What is reciprocal rank fusion?",
    "List the chapters.",
    "Hello!",
)


def scores(trace):
    return [(hit.chunk, hit.dense, hit.lexical, hit.fused, hit.rerank, hit.kept, hit.reason) for hit in trace.hits]


@pytest.fixture(scope="module")
def before(rag):
    """{question: its trace}, asked of the language model with little to read and little to say, which saves time."""
    asked = rag.with_config(rag.config.replace({"k": 2, "evidence": 2, "max_tokens": 24}))
    return {question: rag.trace(asked.answer(question).trace_id) for question in ASKED}


# From the last to the first, so that the model's cache holds another prompt than when the question was asked.
@pytest.mark.parametrize("question", ASKED[::-1])
def test_unchanged_settings_give_the_same_hits_scores_and_text(rag, before, question):
    first = before[question]
    after = rag.trace(replay(rag, first).trace_id)  # rag itself keeps more and says more: the trace's settings count
    assert scores(after) == scores(first) and after.answer.text == first.answer.text
    assert (after.draft, after.checks, after.prompt) == (first.draft, first.checks, first.prompt)
    assert (after.evidence, after.config, after.config_fingerprint) == (
        first.evidence, first.config, first.config_fingerprint)
    assert after.parent == first.id != after.id and first.parent is None


def test_there_are_twenty_questions_and_the_model_was_asked_most_of_them(before):
    assert len(before) == 20 and sum(bool(trace.draft) for trace in before.values()) >= 12


def test_the_language_model_repeats_itself_at_temperature_0(rag):
    question = "Why do embedding models struggle with negation?"
    history = [{"role": "user", "content": "What is mean pooling?"}, {"role": "assistant", "content": "An average."}]
    before = rag.trace(rag.answer(question, history).trace_id)
    after = rag.trace(replay(rag, before).trace_id)
    assert before.prompt and (after.prompt, after.draft, after.answer.text, after.history, after.checks) == (
        before.prompt, before.draft, before.answer.text, before.history, before.checks)


def test_a_changed_setting_makes_a_child_that_says_so(rag):
    quiet = rag.with_config(rag.config.replace({"llm": "off", "k": 2}))
    before = rag.trace(quiet.answer(QUESTIONS[0]).trace_id)
    after = rag.trace(replay(rag, before, {"rerank": "off", "candidates": "5"}).trace_id)
    assert after.parent == before.id and (after.config["k"], after.config["rerank"]) == (2, False)
    assert len([hit for hit in after.hits if hit.fused]) <= 5 and all(hit.rerank is None for hit in after.hits)
    assert after.gate == "off" and after.threshold is None and before.threshold is not None
    assert rag.trace(before.id) == before


def test_what_cannot_be_replayed_says_why(rag):
    made = made_trace()
    with pytest.raises(ConfigError):
        replay(rag, made, {"colour": "red"})
    with pytest.raises(InputError, match=r"llm=big\.gguf"):
        replay(rag, dataclasses.replace(made, config={"llm": "big.gguf"}))
    with pytest.raises(InputError, match="traces=on"):
        replay(rag, made, {"traces": "off"})
    with pytest.raises(InputError, match="earlier turns"):
        replay(rag, redacted(dataclasses.replace(made, history=({"role": "user", "content": "x"},))))


def test_an_imported_trace_sends_no_question_where_today_does_not():
    today = Config(llm="http://user:secret@mine/v1?key=1#m", embedder="/models/e5", k=7)
    here = made_trace(config={**today.public(), "k": 3, "unknown": 1, "traces": False})
    kept = settings(today, here, {})
    assert (kept.llm, kept.embedder, kept.k, kept.traces) == (today.llm, today.embedder, 3, True)
    with pytest.raises(InputError, match="which today's settings do not name"):
        settings(today, made_trace(config={"llm": "http://elsewhere/v1"}), {})
    assert settings(today, made_trace(config={"llm": "http://elsewhere/v1"}), {"llm": "off"}).llm == "off"


def test_a_visitor_of_the_page_names_no_model_and_no_address_of_their_own():
    today = Config(llm="http://user:secret@mine/v1?key=1#m", reranker="/models/ours", vectors="http://u:p@store:8000")
    public = today.public()
    assert from_page(today, {"llm": public["llm"], "reranker": " ours ", "vectors": public["vectors"], "k": "3"}) == {
        "llm": today.llm, "reranker": today.reranker, "vectors": today.vectors, "k": "3"}
    assert from_page(today, {"llm": " off", "reranker": "embedded"}) == {"llm": " off", "reranker": "embedded"}
    for name, value in (("llm", "http://elsewhere/v1#m"), ("llm", today.llm), ("reranker", "/models/ours"),
                        ("embedder", "/etc"), ("query_encoder", "x"), ("vectors", "http://elsewhere:8000")):
        with pytest.raises(InputError, match="cannot be chosen in the page") as caught:
            from_page(today, {name: value})
        assert name != "llm" or "http://mine/v1#m" in str(caught.value)


def test_a_trace_older_than_a_setting_is_asked_again_without_what_it_brought():
    today = Config()
    older = {name: value for name, value in today.public().items() if name != "query_encoder"}
    kept = settings(today, made_trace(config=older), {})
    assert kept.query_encoder == "off" and today.query_encoder == "embedded"
    assert settings(today, made_trace(config={**older, "query_encoder": "embedded"}), {}).query_encoder == "embedded"


def test_a_redacted_index_keeps_no_prompt(rag):
    hidden = rag.with_config(rag.config.replace({"redact": "on"}))
    made = rag.trace(hidden.answer(QUESTIONS[1]).trace_id)
    assert made.redacted and made.prompt and all(m["content"].startswith("[redacted") for m in made.prompt)
    assert made.draft.startswith("[redacted") and made.answer.text and made.hits[0].chunk.text


def test_a_trace_that_cannot_be_kept_costs_no_answer(rag, tmp_path, monkeypatch, capsys):
    quiet = rag.with_config(rag.config.replace({"llm": "off"}))

    class Full:
        def add(self, *_):
            raise StoreError("the disk is full")
    monkeypatch.setitem(quiet.__dict__, "traces", Full())
    answer = quiet.answer(QUESTIONS[2])
    assert "0.13" in answer.text and answer.trace_id == "" and "full" in capsys.readouterr().err


def test_a_replay_whose_trace_cannot_be_kept_says_so():
    class Full(Assistant):
        def with_config(self, config):
            return self

        def stream(self, *_, **__):
            yield made_trace().answer
            yield dataclasses.replace(made_trace().answer, trace_id="")
    with pytest.raises(StoreError, match=r"answered, but its trace could not be kept.*make room"):
        full = object.__new__(Full)
        full.config = Config()
        replay(full, made_trace())


def test_traces_are_pruned_as_the_settings_say(rag, tmp_path):
    few = Assistant(rag.config.replace({"index": str(tmp_path), "llm": "off", "trace_count": 2}))
    few.parts = rag.parts.with_config(few.config)
    (tmp_path / "a.txt").write_text("A zebra has stripes. Its stripes confuse flies.", encoding="utf-8")
    few.parts._made.pop(("vectors", f"{few.config.index} embedded"), None)
    few.ingest([tmp_path / "a.txt"])
    ids = [few.answer(question).trace_id for question in ("What confuses flies?", "Hello!", "What has a zebra?")]
    assert [summary.id for summary in few.traces.list()] == ids[:0:-1]
    with pytest.raises(InputError):
        few.trace(ids[0])
