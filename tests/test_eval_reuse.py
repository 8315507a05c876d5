"""The embedder that remembers: each text once, whatever the order, and the Assistant that uses it."""
from __future__ import annotations

import numpy as np

from eval.suite.reuse import Remembering, remembering
from tests.fakes import FakeEmbedder


def test_a_text_is_embedded_once_and_by_itself():
    inner = FakeEmbedder()
    made = Remembering(inner)
    first = made.embed(["a b", "c", "a b"])
    again = made.embed(["c", "d"])
    assert inner.embedded == ["a b", "c", "d"]
    np.testing.assert_array_equal(first[1], again[0])
    np.testing.assert_array_equal(first, FakeEmbedder().embed(["a b", "c", "a b"]))
    assert made.embed([]).shape == (0, 64)
    assert (made.dim, made.fingerprint, made.count_tokens(["a b"])) == (64, inner.fingerprint, [4])


def test_the_real_vectors_do_not_depend_on_what_came_before(embedder):
    texts = ["What is IVF?", "Cosine similarity ignores the length of the vectors, which often says nothing.", "cats"]
    one, other = Remembering(embedder).embed(texts), Remembering(embedder)
    for text in reversed(texts):
        other.embed([text])
    np.testing.assert_array_equal(one, other.embed(texts))
    np.testing.assert_allclose(one, embedder.embed(texts), atol=1e-6)


def test_the_assistant_that_was_given_stays_as_it_was(rag):
    twin = remembering(rag)
    question = "difference between HNSW and IVF"
    found, wanted = twin.retrieve(question), rag.retrieve(question)
    assert [hit.chunk.id for hit in found.hits] == [hit.chunk.id for hit in wanted.hits]
    assert question in twin.parts.embedder._asked
    assert twin.parts.reranker is rag.parts.reranker and not isinstance(rag.parts.embedder, Remembering)
    off = twin.with_config(rag.config.replace({"rerank": False}))
    assert off.parts.embedder is twin.parts.embedder
