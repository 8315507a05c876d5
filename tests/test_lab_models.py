"""The Lab's demos of chapters 0 to 4 on the real models: the claims' numbers, the lesson's own."""
from __future__ import annotations

import math

import numpy as np
import pytest

from assistant.errors import InputError
from assistant.lab import clusters, dimensions, inside, sgns
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
    far = run(rag, "semantic-search", items="a\na beginner's guide to growing tomatoes")
    assert far.holds is None and far.numbers["best_cosine"] < 0.3  # the nearest of nothing that fits is no find
    shared = run(rag, "semantic-search", query="a mystery that surprises", items="a mystery\na cookbook")
    assert shared.holds is False and "by “mystery”" in shared.verdict
    rows = run(rag, "semantic-search", item=2).table.rows
    assert rows[0][1].pick == "item=1" and rows[-1][1].pick == "item=0"  # a press goes on from there, and back
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
    assert [row[:4] for row in result.table.rows] == [("total", 1, 1, 1.0)]  # no heading, so one total
    file.write_text(": capitals\nParis France Rome\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"line 2 of .* has 3 words"):
        run(rag, "analogies", questions=str(file), a="boy")
    with pytest.raises(InputError, match="cannot read"):
        run(rag, "analogies", questions=str(tmp_path / "none.txt"))
    with pytest.raises(InputError, match="'xyzzyx' is not among the 21,719 whole words"):
        run(rag, "analogies", a="xyzzyx")
    with pytest.raises(InputError, match="expected three different words"):
        run(rag, "analogies", a="cat", b="cat", c="cat")
    with pytest.raises(InputError, match="expected is 'xyzzyx', which is not among"):
        run(rag, "analogies", expected="xyzzyx")


def test_the_expected_word_follows_the_question(rag):
    """Nobody types it: it comes from the questions, straight or across; other words have none."""
    assert run(rag, "analogies").holds is True
    knives = run(rag, "analogies", a="river", b="rivers", c="knife")
    assert knives.holds is True and knives.numbers["answer"] == "knives"
    assert run(rag, "analogies", a="king", b="man", c="woman").holds is None
    rome = run(rag, "analogies", a="france", b="paris", c="italy", expected="rome")
    assert rome.holds is False and "Expected was “rome”" in rome.verdict


def test_the_google_questions_get_one_total(rag):
    """Mikolov's own file, without its headings, where this checkout lies beside it."""
    file = ROOT.parent / "shared" / "data" / "analogies" / "questions-words.txt"
    if not file.is_file():
        pytest.skip("the file is not beside this checkout")
    result = run(rag, "analogies", questions=str(file))
    (total,) = result.table.rows
    assert total[1] + total[2] == 19_544 and total[1] > 12_000
    assert result.numbers["accuracy"] > result.numbers["accuracy_control"] + 0.15
    assert "7,390 more have a word that is not among the 21,719" in result.verdict


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
    short = sgns.train(["a b c d e f g h"] * 2000, dim=32, window=8, epochs=30, negatives=5, seed=0, least=1,
                       report=lambda done, what: None, seconds=0.2)
    assert 0 < short.epochs < 30 and len(short.losses) > 0  # the time was over
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
    lines = {trace.name: (trace.x, trace.y) for trace in run(rag, "encoders").figure.data}
    assert lines["cross-encoder, measured"][0] == (1, 2, 4, 8, 16, 24)  # each size measured, none of them extrapolated
    times = lines["cross-encoder, measured"][1]
    assert list(times) == sorted(times) and times[-1] > 3 * times[0]
    stored = lines["bi-encoder, vectors stored, measured"]
    assert stored[0][-1] == 10_000 and stored[1][-1] < 3 * stored[1][0]  # hardly more for ten thousand than for one
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
    assert numbers["error_max"] <= numbers["error_bound"] < 1
    # the bound of chapter 4: 10,000 points within 10 % in 7,894 dimensions, within 30 % in 1,023
    assert dimensions.guaranteed_error(10_000, 7894) == pytest.approx(0.10, abs=1e-4)
    assert dimensions.guaranteed_error(10_000, 1024) == pytest.approx(0.30, abs=1e-3)
    assert dimensions.guaranteed_error(10_000, 100) == math.inf
    low = run(rag, "dimensions", target=2, points=10)
    assert low.numbers["error_bound"] == "none" and "not put to the test" in low.verdict
    drawn = {trace.name: dict(zip(trace.x, trace.y, strict=True))
             for trace in run(rag, "dimensions", view="projection").figure.data}
    assert drawn["measured"].keys() == {50, 100, 200, 500, 1000}
    assert all(drawn["measured"][n] <= bound for n, bound in drawn["bound"].items()) and drawn["bound"]
    with pytest.raises(InputError, match="expected at most 4,000 pairs"):
        run(rag, "dimensions", dimensions="3000", pairs=20_000)
    for bad in ("two", "1, 2", "2,,x"):
        with pytest.raises(InputError, match="dimensions is"):
            run(rag, "dimensions", dimensions=bad)


def test_clusters_follow_the_topics(rag):
    numbers = run(rag, "clusters").numbers
    assert numbers["silhouette"] > numbers["silhouette_by_chance"] + 0.05
    assert numbers["agreement_with_documents"] > 0.4  # nobody told it the chapters
    course = run(rag, "clusters", texts=clusters.COURSE, clusters=3)
    assert course.numbers["clusters"] == 3 and course.holds
    dense = run(rag, "clusters", method="DBSCAN")
    assert dense.numbers["noise"] > 0 and dense.numbers["clusters"] >= 2
    rows = rag.embed(clusters.COURSE.splitlines())
    mixed = clusters.without_structure(rows)
    np.testing.assert_allclose(np.linalg.norm(mixed, axis=1), 1, rtol=1e-5)
    rest = ~np.eye(len(rows), dtype=bool)
    assert (mixed @ mixed.T)[rest].std() < (rows @ rows.T)[rest].std()  # no pair stands out any more
    one = run(rag, "clusters", method="DBSCAN", eps=1.0)
    assert one.holds is None and "makes 1 cluster of" in one.verdict
    with pytest.raises(InputError, match="only 2 of the 6 texts differ"):
        run(rag, "clusters", clusters=3, texts="a\nb\na\nb\na\nb")
    with pytest.raises(InputError, match="clusters is 12, but there are 12 texts"):
        run(rag, "clusters", texts=clusters.COURSE, clusters=12)
