"""The Lab's demos of chapters 5, 8 and 9 on the real models: shorter vectors, costs, comparisons, indexes, stack."""
from __future__ import annotations

import numpy as np
import pytest

from assistant import Assistant, Config
from assistant.errors import InputError
from assistant.lab import ann, get, stack, truncation
from tests.fakes import CORPUS
from tests.lab_runs import run


def test_a_second_stage_gives_back_what_truncation_lost(rag):
    numbers = run(rag, "truncation").numbers
    assert numbers["recall 384 dimensions"] == numbers["two-stage 384 dimensions"] == 1
    assert 1 > numbers["recall 256 dimensions"] > numbers["recall 128 dimensions"] > numbers["recall 64 dimensions"]
    assert numbers["recall 64 dimensions"] < 0.9 and numbers["two-stage 64 dimensions"] >= 0.95
    assert numbers["recall int8, 384"] > 0.97 > numbers["recall binary, 384"]
    with pytest.raises(InputError, match="texts has 1 different lines: expected 20 or more"):
        run(rag, "truncation", texts="the same\n" * 30)
    rows = np.array([[1.0, 0, 0], [0.9, 0.1, 0], [0, 1, 0], [0, 0.9, 0.1]])
    assert truncation.nearest(rows, np.array([0, 3]), 1).tolist() == [[1], [2]]  # never itself


def test_cost_is_documents_by_tokens_by_price(rag):
    numbers = run(rag, "cost").numbers
    assert numbers["usd text-embedding-3-small"] == 0.4 and numbers["usd text-embedding-3-large"] == 2.6  # chapter 5
    assert numbers["usd BGE (self-hosted)"] == 0.02
    assert numbers["gain"] > 1 and numbers["cached_us"] < 100 < numbers["query_ms"] * 1000
    with pytest.raises(InputError, match="line 1 of prices is 'dear': expected a name"):
        run(rag, "cost", prices="dear")


def test_the_explorer_gives_the_table_of_chapter_8(rag):
    expected = {"jaccard": 0.20, "one-hot": 0.33, "bag of words": 0.33, "TF-IDF": 0.05, "dense": 0.72}
    numbers = run(rag, "explorer").numbers
    assert {name: round(numbers[name], 2) for name in expected} == expected
    cats = run(rag, "explorer", first="I love cats", second="I hate cats").numbers
    assert [round(cats[name], 2) for name in ("jaccard", "one-hot", "TF-IDF", "dense")] == [0.5, 0.67, 0.44, 0.81]
    dog = run(rag, "explorer", first="dog bites man", second="man bites dog")
    assert dog.holds is False and dog.numbers["TF-IDF"] == 1
    assert run(rag, "explorer", first="We drink tea", second="Seven tall towers").holds is None
    same = run(rag, "explorer", first="Paris", second="paris")
    assert same.holds is None and "the same text" in same.verdict


def test_approximate_search_is_fast_and_nearly_right(rag):
    numbers = run(rag, "ann").numbers
    assert numbers["vectors"] > 30_000
    assert numbers["HNSW ef 200 recall"] > 0.95 and numbers["IVF probes 32 recall"] > 0.93
    assert numbers["HNSW ef 10 recall"] < numbers["HNSW ef 50 recall"] < numbers["HNSW ef 200 recall"]
    assert numbers["hnsw_mb"] > numbers["ivf_mb"] > numbers["exact_mb"]
    assert numbers["last_cosine"] > numbers["first_cosine"] and numbers["hops"] >= 2
    few = run(rag, "ann", source="index", lists=16)
    assert few.holds is (few.verdict.find("As claimed") > 0)
    with pytest.raises(InputError, match=r"lists is 900, but there are \d+ vectors"):
        run(rag, "ann", source="index", lists=900)


def test_the_laboratory_says_what_stood_in_the_way():
    slow, poor, good = ("HNSW", "ef 10", 0.95, 0.9, 1.0), ("IVF", "probes 1", 0.6, 0.1, 1.0), ("IVF", "p", 0.95, 0.1, 1)
    assert "so few vectors" in ann.why_not([slow], 1.0, 10)
    assert ann.why_not([slow, poor], 1.0, 10) == \
        "Of the clearly faster settings the best, IVF with probes 1, finds 60% of the true 10"
    assert "More effort" in ann.why_not([good], 1.0, 10)


def test_k_means_round_by_round_finds_lists_that_hold_the_neighbours(rag):
    """Centres that go on improving: the same lists, filled evenly enough, and every vector found with all probed."""
    stored, _ = ann.split(rag, "index")
    index, _ = ann.build_ivf(stored, 12, lambda done, what: None)
    index.nprobe = 12
    _, found = index.search(stored[:50], 1)
    assert index.ntotal == len(stored) and (found[:, 0] == np.arange(50)).all()
    index.nprobe = 1
    _, near = index.search(stored[:50], 1)
    assert (near[:, 0] == np.arange(50)).all()  # a vector lies in the list of its own nearest centre


def test_every_hop_leads_closer(rag):
    stored, queries = ann.split(rag, "index")
    index, _ = ann.build_hnsw(stored, 8, 40, lambda done, what: None)
    for query in queries[:20]:
        way = ann.hops(index, stored, query)
        cosines = [cosine for _, _, cosine in way]
        assert cosines == sorted(cosines) and len(set(cosines)) == len(cosines)
        assert [layer for layer, _, _ in way] == sorted((layer for layer, _, _ in way), reverse=True)


def test_the_stack_counts_the_index_and_times_the_stages(rag):
    numbers = run(rag, "stack", question="What is the difference between HNSW and IVF?").numbers
    assert numbers["documents"] == 10 and numbers["chunks"] == len(rag.chunks())
    assert numbers["kept"] <= numbers["candidates"] < numbers["chunks"]
    assert numbers["total_ms"] >= numbers["rerank_ms"] > 0


def test_every_box_of_the_stack_leads_to_its_stage_of_the_trace(tmp_path):
    own = Assistant(Config(index=str(tmp_path / "index"), llm="off"))
    own.ingest([CORPUS])
    result = run(own, "stack", question="What is the difference between HNSW and IVF?")
    assert own.trace(result.numbers["trace_id"]).question == "What is the difference between HNSW and IVF?"
    links = {row[0].pick: row[0].trace for row in result.table.rows[2:]}
    boxes = result.figure.data[0].customdata
    assert {"stage=dense", "stage=lexical", "stage=fuse", "stage=rerank"} <= links.keys() & set(boxes)
    assert set(links.values()) == {result.numbers["trace_id"]}
    last = get("stack").run({}, own)  # the last question, not asked again
    assert last.numbers["trace_id"] == result.numbers["trace_id"] and own.status()["traces"] == 1
    assert stack.edges(["chunks", "dense", "select"]) == [("chunks", "dense"), ("dense", "select")]
