"""The map of the vectors: how far it is to be trusted is measured, on points whose answer is known."""
from __future__ import annotations

import numpy as np
import pytest

from assistant import Assistant, Config
from assistant.errors import EmptyIndexError, InputError
from assistant.trace import redacted
from assistant.vector_map import kept_neighbours, layout, vector_map
from tests.fakes import made_trace
from tests.test_pipeline import HNSW


def on_a_circle(n: int) -> np.ndarray:
    angles = np.linspace(0, np.pi, n)
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def test_a_map_that_is_the_truth_keeps_all_and_a_shuffled_one_keeps_chance():
    points = on_a_circle(200)
    assert kept_neighbours(points, points.astype(np.float64)).tolist() == [1.0] * 200
    shuffled = np.random.default_rng(5).permutation(points.astype(np.float64))
    assert kept_neighbours(points, shuffled).mean() == pytest.approx(10 / 199, abs=0.04)


def test_by_hand_one_of_two_neighbours_is_kept():
    vectors = np.array([[1, 0], [0.99, 0.14], [0.9, 0.43], [0, 1]], np.float32)
    flat = np.array([[0, 0], [1, 0], [9, 0], [2, 0]], np.float64)  # two of them change places
    assert kept_neighbours(vectors, flat, 2)[0] == 0.5


def test_the_layout_is_inside_its_frame_repeats_and_keeps_clusters():
    rng = np.random.default_rng(0)
    centres = np.eye(6, 48, dtype=np.float32)
    vectors = (np.repeat(centres, 12, axis=0) + 0.05 * rng.normal(size=(72, 48))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    flat = layout(vectors)
    assert flat.min() == 0.0 and flat.max() == 1.0 and (layout(vectors) == flat).all()
    assert kept_neighbours(vectors, flat).mean() > 0.8
    assert layout(vectors[:3]).shape == (3, 2) and kept_neighbours(vectors[:1], layout(vectors[:1])).tolist() == [1.0]


def test_the_question_lies_among_the_real_chunks(rag):
    found = vector_map(rag, made_trace(query=HNSW, config={}))
    assert len(found.points) == found.total == len(rag.chunks()) and found.index_changed
    cosines = [point.cosine for point in found.points]
    assert cosines == sorted(cosines, reverse=True) and [p.rank for p in found.points[:3]] == [1, 2, 3]
    assert "HNSW" in found.points[0].chunk.text and 0.4 < found.kept <= 1 and 0 <= found.kept_of_query <= 1


def test_an_index_without_chunks_has_no_map(tmp_path):
    with pytest.raises(EmptyIndexError):
        vector_map(Assistant(Config(index=str(tmp_path))), made_trace())


def test_a_query_that_was_not_kept_is_on_no_map(tmp_path):
    made = made_trace(history=({"role": "user", "content": "x"},), query="y of x")
    with pytest.raises(InputError, match="earlier turns"):
        vector_map(Assistant(Config(index=str(tmp_path))), redacted(made))
