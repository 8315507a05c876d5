"""The Lab's demos of chapters 0 to 5, 8 and 9 on the real models: the claims' numbers, the lesson's own."""
from __future__ import annotations

import math

import numpy as np
import pytest

from assistant.errors import InputError
from assistant.lab import ann, clusters, dimensions, inside, sgns, truncation
from assistant.lab.analogies import accuracy, parse, space
from tests.fakes import ROOT
from tests.lab_runs import run

# chapter 0 -----------------------------------------------------------------------------------------------------


def test_search_by_meaning_finds_what_the_words_do_not(rag):
    numbers = run(rag, "semantic-search").numbers
    assert numbers["best"] == "a suspenseful novel whose last page changes everything"
    assert numbers["best_cosine"] == pytest.approx(0.569, abs=0.002)  # chapter 0's table
    assert numbers["most_words_shared"] == 0  # a keyword search finds nothing at all


def test_semantic_search_says_when_the_words_find_it_too(rag):
    result = run(rag, "semantic-search", query="tomatoes", items="growing tomatoes\na book about space")
    assert result.holds is False and "does not hold" in result.verdict
    near = run(rag, "semantic-search", item=1)
    assert near.numbers["best"] == "a nail-biting mystery that subverts expectations"  # not the item itself
    with pytest.raises(InputError, match="item is 9, but there are 8 items"):
        run(rag, "semantic-search", item=9)


# chapter 1 -----------------------------------------------------------------------------------------------------


def test_one_hot_puts_every_pair_at_the_root_of_two(rag):
    numbers = run(rag, "one-hot").numbers
    assert numbers["one_hot_min"] == numbers["one_hot_max"] == round(math.sqrt(2), 4)
    assert numbers["dense_max"] - numbers["dense_min"] > 0.3
    assert numbers["id_max"] == 5  # apple is 1 and mango 6
    assert numbers["bow_cosine"] == pytest.approx(1 / math.sqrt(2), abs=1e-4)  # "good" against "not good"
    # king and queen, cosine 0.68, so the distance is sqrt(2 - 2 x 0.68); king and banana 0.40
    three = run(rag, "one-hot", texts="king\nqueen\nbanana").numbers
    assert three["dense_min"] == pytest.approx(math.sqrt(2 - 2 * 0.68), abs=0.01)
    assert three["dense_max"] == pytest.approx(math.sqrt(2 - 2 * 0.40), abs=0.01)


def test_one_hot_needs_two_different_texts(rag):
    with pytest.raises(InputError, match="the same line twice"):
        run(rag, "one-hot", texts="king\nKing")
    assert run(rag, "one-hot", texts="king\nqueen").holds is None


# chapter 2 -----------------------------------------------------------------------------------------------------


def test_the_royal_analogy_and_its_honest_numbers(rag):
    result = run(rag, "analogies")
    numbers = result.numbers
    assert (numbers["answer"], numbers["inputs_allowed_answer"]) == ("queen", "king")
    assert numbers["cosine"] == pytest.approx(0.502, abs=0.002) and numbers["words"] == 21719  # chapter 2
    assert numbers["asked"] == 200 and numbers["left_out"] == 0
    assert numbers["accuracy"] > numbers["accuracy_control"] + 0.1 > numbers["accuracy_inputs_allowed"] + 0.1
    assert len(result.table.rows) == 11 and result.table.rows[-1][0] == "total"


def test_analogies_of_your_own_file(rag, tmp_path):
    file = tmp_path / "questions.txt"
    file.write_text("man king woman queen\nman king woman xyzzyx\n", encoding="utf-8")
    result = run(rag, "analogies", questions=str(file))
    assert [row[:4] for row in result.table.rows] == [("all", 1, 1, 1.0), ("total", 1, 1, 1.0)]
    file.write_text(": capitals\nParis France Rome\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"line 2 of .* has 3 words"):
        run(rag, "analogies", questions=str(file), a="boy")
    with pytest.raises(InputError, match="cannot read"):
        run(rag, "analogies", questions=str(tmp_path / "none.txt"))
    with pytest.raises(InputError, match="'xyzzyx' is not among the 21,719 whole words"):
        run(rag, "analogies", a="xyzzyx")


def test_analogies_by_the_sentence_encoder_are_embedded_once(rag):
    """On the commonest 1,500 words, to be quick; the second time they come from the file, one byte a number."""
    told = []
    words, rows = space(rag, "sentence encoder", 1500, lambda done, what: told.append(what))
    assert told and len(words) == 1500 and rows.shape[1] == 384
    for key in [key for key in inside._KEPT if key[0] == "words"]:
        del inside._KEPT[key]
    told.clear()
    _, again = space(rag, "sentence encoder", 1500, lambda done, what: told.append(what))
    assert not told
    assert (rows * again).sum(axis=1).min() > 0.999
    asked = parse((ROOT / "assistant/lab/data/analogies.txt").read_text(encoding="utf-8"), "it")
    total = accuracy(words, rows, asked)[-1]
    assert total[1] >= 1 and total[1] + total[2] == 200


def test_word2vec_learns_the_classes_of_the_grammar(rag):
    numbers = run(rag, "word2vec").numbers
    assert numbers["same_class_before"] < 0.2 and numbers["same_class_after"] > 0.9
    assert numbers["loss_last"] < numbers["loss_first"] < 6 * math.log(2)  # six guesses, each ln 2
    assert numbers["told_apart_before"] == pytest.approx(0.5, abs=0.06) and numbers["told_apart_after"] > 0.75


def test_word2vec_on_little_text_says_what_that_costs(rag):
    result = run(rag, "word2vec", source="index", word="cosine", epochs=3)
    assert "very few" in result.verdict and result.numbers["words"] > 300
    with pytest.raises(InputError, match="text is empty"):
        run(rag, "word2vec", source="your text")
    with pytest.raises(InputError, match="fewer than 20 different words"):
        run(rag, "word2vec", source="your text", text="one two three\none two three")
    with pytest.raises(InputError, match="'zebra' does not occur often enough"):
        run(rag, "word2vec", word="zebra", epochs=1)


def test_skip_gram_pairs_and_the_grammar():
    assert sgns.pairs([[0, 1, 2]], 1).tolist() == [[0, 1], [1, 0], [1, 2], [2, 1]]
    made = sgns.grammar("# a remark\ncolour = red blue\n[then]\na {colour} door\n")
    assert set(made.sentences(["then"], 20, 0)) == {"a red door", "a blue door"}


# chapter 3 -----------------------------------------------------------------------------------------------------


def test_static_means_are_blind_to_order_and_sense(rag):
    dog = run(rag, "pooling").numbers
    assert dog["static mean"] == pytest.approx(1, abs=1e-3) and dog["bi-encoder"] == pytest.approx(0.907, abs=0.002)
    bank = run(rag, "pooling", first="The bank is by the river", second="I deposited money at the bank", word="bank")
    assert bank.numbers["static mean"] == pytest.approx(0.672, abs=0.002)  # chapter 3's table
    assert bank.numbers["bi-encoder"] == pytest.approx(0.464, abs=0.002)
    assert bank.numbers["word_static"] == 1 and bank.numbers["word_contextual"] == pytest.approx(0.83, abs=0.01)
    assert run(rag, "pooling", second="dog bites man").holds is None
    with pytest.raises(InputError, match="'cat' is not in the first sentence"):
        run(rag, "pooling", word="cat")


def test_a_cross_encoder_costs_by_the_document(rag):
    numbers = run(rag, "encoders").numbers
    assert numbers["pair_ms"] > 100 * numbers["scan_us_per_document"] / 1000
    assert 0.1 < numbers["crossing_documents"] < 60
    with pytest.raises(InputError, match="rerank is off"):
        run(rag.with_config(rag.config.replace({"rerank": "off"})), "encoders")


# chapter 4 -----------------------------------------------------------------------------------------------------


def test_length_changes_and_cosine_does_not(rag):
    numbers = run(rag, "cosine").numbers
    assert numbers["cosine"] == numbers["cosine_stretched"] == pytest.approx(math.cos(math.radians(40)), abs=1e-4)
    assert numbers["dot_stretched"] == pytest.approx(2 * numbers["dot"], abs=1e-3)
    assert numbers["euclid"] == pytest.approx(math.sqrt(2 - 2 * numbers["cosine"]), abs=1e-3)
    assert run(rag, "cosine", stretch=1.0).holds is None
    real = run(rag, "cosine", first="The bank is by the river", second="I deposited money at the bank").numbers
    assert real["cosine"] == pytest.approx(0.464, abs=0.002) and real["length_a"] > 1.5
    with pytest.raises(InputError, match="one of the two sentences is empty"):
        run(rag, "cosine", first="The cat purrs")


def test_random_directions_are_nearly_perpendicular(rag):
    numbers = run(rag, "dimensions").numbers
    for n in (2, 10, 100, 384, 768):
        assert numbers[f"std_{n}"] == pytest.approx(1 / math.sqrt(n), rel=0.06)
    assert numbers["within_0.1_384"] == pytest.approx(0.948, abs=0.02)  # chapter 4's table
    assert numbers["error_max"] <= numbers["error_promised"] < 1
    # the bound of chapter 4: 10,000 points within 10 % in 7,894 dimensions, within 30 % in 1,023
    assert dimensions.guaranteed_error(10_000, 7894) == pytest.approx(0.10, abs=1e-4)
    assert dimensions.guaranteed_error(10_000, 1024) == pytest.approx(0.30, abs=1e-3)
    assert dimensions.guaranteed_error(10_000, 100) == math.inf
    for bad in ("two", "1, 2", "2,,x"):
        with pytest.raises(InputError, match="dimensions is"):
            run(rag, "dimensions", dimensions=bad)


def test_clusters_follow_the_topics(rag):
    numbers = run(rag, "clusters").numbers
    assert numbers["silhouette"] > numbers["silhouette_shuffled"] + 0.05
    assert numbers["agreement_with_documents"] > 0.4  # nobody told it the chapters
    course = run(rag, "clusters", texts=clusters.COURSE, clusters=3)
    assert course.numbers["clusters"] == 3 and course.holds
    dense = run(rag, "clusters", method="DBSCAN")
    assert dense.numbers["noise"] > 0 and dense.numbers["clusters"] >= 2
    with pytest.raises(InputError, match="clusters is 12, but there are 12 texts"):
        run(rag, "clusters", texts=clusters.COURSE, clusters=12)


# chapters 5, 8 and 9 -------------------------------------------------------------------------------------------


def test_a_second_stage_gives_back_what_truncation_lost(rag):
    numbers = run(rag, "truncation").numbers
    assert numbers["recall 384 dimensions"] == numbers["two-stage 384 dimensions"] == 1
    assert 1 > numbers["recall 256 dimensions"] > numbers["recall 128 dimensions"] > numbers["recall 64 dimensions"]
    assert numbers["recall 64 dimensions"] < 0.9 and numbers["two-stage 64 dimensions"] >= 0.95
    assert numbers["recall int8, 384"] > 0.97 > numbers["recall binary, 384"]
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


def test_approximate_search_is_fast_and_nearly_right(rag):
    numbers = run(rag, "ann").numbers
    assert numbers["vectors"] > 30_000
    assert numbers["HNSW ef 200 recall"] > 0.95 and numbers["IVF probes 32 recall"] > 0.93
    assert numbers["HNSW ef 10 recall"] < numbers["HNSW ef 50 recall"] < numbers["HNSW ef 200 recall"]
    assert numbers["hnsw_mb"] > numbers["ivf_mb"] > numbers["exact_mb"]
    assert numbers["last_cosine"] > numbers["first_cosine"] and numbers["hops"] >= 2
    with pytest.raises(InputError, match=r"lists is 900, but there are \d+ vectors"):
        run(rag, "ann", source="index", lists=900)


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
