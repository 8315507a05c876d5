"""The query encoder on the real models: what it reads, what it leaves alone, what it gives, and its training."""
from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from assistant.backends import embedder as plain
from assistant.backends import query_encoder
from assistant.backends.query_encoder import EMBEDDED, FILE, NOTES, TunedQueries
from assistant.config import Config
from assistant.errors import ModelError
from assistant.parts import Parts
from eval.reranker import written

QUESTIONS = ["How do I keep a graph index small?", "difference between HNSW and IVF"]


@pytest.fixture(scope="module")
def tuned() -> TunedQueries:
    return TunedQueries(plain.build(Config()))


def test_texts_are_embedded_as_before_and_questions_are_not(tuned):
    stock = plain.build(Config())
    before = tuned.embed(QUESTIONS)
    asked = tuned.embed_query(QUESTIONS)
    assert asked.shape == (2, 384) and np.linalg.norm(asked, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert 0.6 < float((before * asked).sum(1).min()) < 0.999  # moved, and not torn away
    np.testing.assert_array_equal(before, stock.embed(QUESTIONS))  # an index made without it is still right
    np.testing.assert_array_equal(tuned.embed(QUESTIONS), before)  # and the adapter was added to a copy
    assert tuned.fingerprint == stock.fingerprint and tuned.query_fingerprint not in ("off", stock.fingerprint)


def test_the_table_of_words_is_shared_with_the_embedder(tuned):
    tuned.embed_query(["warm"])
    tables = [next(w for name, w in model.named_parameters() if "word_embeddings" in name)
              for model in (tuned._inner.model, tuned._tuned.model)]
    assert tables[0] is tables[1]


def test_questions_in_other_words_come_nearer_to_their_passages(tuned):
    """Held-out documents of eval/written: each question is searched among all of their passages."""
    texts, asked = [], []
    for document in written.documents(held_out=True)[:20]:
        for passage in document.passages:
            asked += [(asks[1], len(texts)) for _, asks, _ in passage.items]
            texts.append(passage.text())
    vectors, gold = tuned.embed(texts), np.array([at for _, at in asked])

    def mrr(queries: np.ndarray) -> float:
        scores = queries @ vectors.T
        return float((1 / (1 + (scores > scores[np.arange(len(gold)), gold][:, None]).sum(1))).mean())
    questions = [question for question, _ in asked]
    assert len(asked) > 100 and mrr(tuned.embed_query(questions)) > mrr(tuned.embed(questions)) + 0.02


def test_a_setting_turns_it_off_and_another_embedder_has_none(tmp_path):
    on, off = Parts(Config()), Parts(Config(query_encoder="off"))
    assert isinstance(on.embedder, TunedQueries) and on.embedder is on.embedder
    assert off.embedder.query_fingerprint == "off" == off.fingerprints()["query_encoder"]
    np.testing.assert_array_equal(off.embedder.embed_query(QUESTIONS), off.embedder.embed(QUESTIONS))
    same = on.with_config(Config(query_encoder="off"))
    assert same.embedder is on.embedder._inner  # the weights are loaded once
    folder = plain.build(Config())._folder
    assert not isinstance(Parts(Config(embedder=str(folder))).embedder, TunedQueries)


def test_what_is_wrong_with_a_folder_is_said(tmp_path):
    with pytest.raises(ModelError, match=r"lacks adapter.safetensors, adapter.json: .*query_encoder=off"):
        query_encoder.build(Config(query_encoder=str(tmp_path)), plain.build(Config()))
    for name in (FILE, NOTES):
        shutil.copy(EMBEDDED / name, tmp_path / name)
    notes = json.loads((tmp_path / NOTES).read_text())
    (tmp_path / NOTES).write_text(json.dumps(notes | {"embedder": "0123"}))
    with pytest.raises(ModelError, match="made for another embedder, 0123"):
        TunedQueries(plain.build(Config()), tmp_path).embed_query(QUESTIONS)
    (tmp_path / NOTES).write_text(json.dumps(notes))
    (tmp_path / FILE).write_bytes(b"no weights")
    with pytest.raises(ModelError, match="cannot load the query encoder"):
        TunedQueries(plain.build(Config()), tmp_path).embed_query(QUESTIONS)


def test_the_mean_of_two_adapters_moves_a_matrix_by_the_mean_of_both(tmp_path):
    from safetensors.numpy import load_file, save_file

    from eval.query_encoder.training import averaged
    rng = np.random.default_rng(0)
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        save_file({"a.down": rng.normal(size=(2, 5)).astype(np.float16),
                   "a.up": rng.normal(size=(4, 2)).astype(np.float16)}, tmp_path / name / FILE)
        (tmp_path / name / NOTES).write_text(json.dumps({"scale": 2.0, "embedder": "e", "recipe": {"name": name}}))
    made = load_file(averaged(tmp_path / "one", tmp_path / "other", tmp_path / "mean") / FILE)
    one, other = (load_file(tmp_path / name / FILE) for name in ("one", "other"))
    np.testing.assert_allclose(made["a.up"].astype(float) @ made["a.down"], 0.5 * sum(
        w["a.up"].astype(float) @ w["a.down"] for w in (one, other)), atol=0.01)
    assert [recipe["name"] for recipe in json.loads((tmp_path / "mean" / NOTES).read_text())["recipe"]] == [
        "one", "other"]


def test_some_of_the_first_questions_are_drawn_and_all_of_the_others_asked():
    from eval.query_encoder.pairs import Pairs, drawn
    texts = np.eye(3, dtype=np.float32)
    every = Pairs(tuple("abcdef"), np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 0, 1, 0, 1]), texts)
    some = drawn(every, 4, 2, seed=1)
    assert len(some.queries) == 4 and some.queries[2:] == ("e", "f") and set(some.queries[:2]) < set("abcd")
    assert [int(some.gold[n]) for n in (2, 3)] == [2, 2] and some.vectors is texts
    assert all(some.gold[n] == "abcd".index(q) // 2 for n, q in enumerate(some.queries[:2]))


def test_training_goes_on_where_it_stopped_and_ends_where_one_run_ends(tmp_path, monkeypatch):
    """Six real documents, four steps: an interrupted run gives the weights of one that was not."""
    pytest.importorskip("peft")
    from safetensors.numpy import load_file

    from eval.query_encoder import pairs, training
    from eval.reranker.vectors import Vectors
    vectors = Vectors(tmp_path / "vectors.npz", bf16=False, workers=1)
    taught = written.documents()[:6]
    passages, lines = pairs.of_passages(taught, vectors), pairs.of_lines(taught, vectors)
    assert len(passages.queries) == len(lines.queries) and set(passages.way) == {0, 1, 2}
    assert all(document.passages[0].items[0][1][0] in passages.queries for document in taught)
    recipe = training.Recipe(steps=4, warmup=1, batch=(2, 4, 2), dropout=0.0)
    whole = training.train(passages, passages, lines, recipe, tmp_path / "whole")
    monkeypatch.setattr(training, "KEEP", 2)
    calls, encode = [], training.encode

    def interrupted(*given):
        calls.append(given)
        if len(calls) == 6:  # two a step: in the third
            raise KeyboardInterrupt
        return encode(*given)
    monkeypatch.setattr(training, "encode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        training.train(passages, passages, lines, recipe, tmp_path / "part")
    part = training.train(passages, passages, lines, recipe, tmp_path / "part")
    one, other = load_file(whole / FILE), load_file(part / FILE)
    assert one.keys() == other.keys() and len(one) == 72
    assert any(one[name].any() for name in one if name.endswith(".up"))
    for name in one:
        np.testing.assert_allclose(one[name], other[name], atol=1e-3)
    moved = TunedQueries(plain.build(Config()), whole)
    assert moved.embed_query(QUESTIONS).shape == (2, 384)
