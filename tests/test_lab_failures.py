"""The Lab's failure modes (chapter 7) and the quiz on the real models: the claims, the fixes, and `measure`."""
from __future__ import annotations

import json

import numpy as np
import pytest

from assistant.errors import InputError
from assistant.lab import dilution, domain, drift, files, get, quiz, stale
from assistant.lab.demo import means, short
from assistant.lab.negation import negate
from tests.fakes import ROOT
from tests.lab_runs import run


def test_a_denial_is_closer_than_a_rewording(rag):
    numbers = run(rag, "negation").numbers
    assert numbers["cosine_negated"] == pytest.approx(0.73, abs=0.005)  # chapter 7's table
    assert numbers["cosine_rewording"] == pytest.approx(0.61, abs=0.005)
    assert numbers["cross_negated"] > numbers["cross_sentence"] + 0.3  # the fix, on the same sentences
    near = run(rag, "negation", sentence="The product is good", negated="It is not so that the soup is cold, my friend",
               rewording="The product is excellent")
    assert near.holds is False and "does not hold" in near.verdict


def test_the_cross_encoder_mends_negation_over_fifty_pairs(rag):
    measured = means(get("negation").measure(rag))
    assert measured["cross_encoder_right"] >= 0.85 > measured["bi_encoder_right"]
    assert measured["twin_cosine_mean"] > 0.75
    own = {row["satisfying"] for row in files.rows("negation.jsonl")}
    gold = ROOT / "eval" / "gold" / "negation50.jsonl"
    assert len(own) == 50
    assert not own & {json.loads(line)["satisfying"] for line in gold.read_text(encoding="utf-8").splitlines()}


def test_the_demo_denies_a_sentence_by_itself(rag):
    assert negate("The soup is hot") == "The soup is not hot"
    assert negate("She can swim and will dive") == "She can not swim and will dive"
    for sentence, message in (("The cat sleeps", "has no verb such as"), ("It is not hot", "is denied already")):
        with pytest.raises(InputError, match=message):
            run(rag, "negation", sentence=sentence, negated="")
    with pytest.raises(InputError, match="the same text"):
        run(rag, "negation", negated="the product is good.")


def test_the_fix_is_shown_on_the_pair_that_was_typed(rag):
    assert "The cross-encoder takes the denial for an answer at 0." in run(rag, "negation").verdict
    assert "it sees the difference" in run(rag, "negation").verdict
    off = rag.with_config(rag.config.replace({"rerank": "off"}))
    assert "cross-encoder" not in run(off, "negation").verdict


def test_a_key_that_answers_nothing_cannot_be_diluted(rag):
    result = run(rag, "dilution", key="The weather was fine.")
    assert result.holds is None and result.numbers["alone"] < 0.3 and "not put to the test" in result.verdict


def test_a_long_text_dilutes_its_key_sentence(rag):
    numbers = run(rag, "dilution").numbers
    assert numbers["alone"] == pytest.approx(0.91, abs=0.005)  # chapter 7
    assert numbers["alone"] > numbers["first_100"] > numbers["middle_100"] > numbers["middle_2000"]
    assert numbers["pieces"] > 2000 and numbers["limit"] == 256
    assert numbers["middle_2000"] == numbers["without_key"]  # it stands beyond the limit and counts for nothing
    assert numbers["best_chunk_holds_key"] == 1 and numbers["best_chunk"] > numbers["middle_100"] + 0.2


def test_dilution_over_the_fixed_pairs(rag):
    measured = means(get("dilution").measure(rag))
    assert measured["alone"] > measured["best_chunk"] > measured["in_100_words"] > measured["in_2000_words"]
    sentences = dilution.around("the key", ["one two three", "four five"], 12, first=False)
    assert " ".join(sentences).split().__len__() == 12 and "the key" in sentences[1:-1]


def test_stale_vectors_answer_for_a_text_that_is_gone(rag):
    numbers = run(rag, "stale").numbers
    assert numbers["rank_stale"] > 1 == numbers["rank_fresh"]
    assert numbers["embedded_again"] == 1  # only what changed
    added = run(rag, "stale", added="A ventilator for the ceiling of an office")
    assert added.numbers["embedded_again"] == 2 and "could not be found at all" in added.verdict
    assert run(rag, "stale", query="a good book about mountains").holds in (False, None)
    measured = means(get("stale").measure(rag))
    assert measured["fresh_first"] == 1 > 0.4 >= measured["stale_first"]
    with pytest.raises(InputError, match="edited is 9, but there are 7 documents"):
        run(rag, "stale", edited=9)
    with pytest.raises(InputError, match="the same as document 1"):
        run(rag, "stale", text="The blue kettle holds one litre")


def test_refresh_embeds_only_what_changed(rag):
    index, first = stale.refresh(["a", "b", "c"], {}, rag)
    index, again = stale.refresh(["a", "x"], index, rag)
    assert (first, again, sorted(index)) == ([0, 1, 2], [1], [0, 1])


def test_jargon_is_found_by_its_letters(rag):
    numbers = run(rag, "domain").numbers
    assert numbers["rank_dense"] > 1 == numbers["rank_lexical"] == numbers["rank_hybrid"] == numbers["rank_tuned"]
    measured = means(get("domain").measure(rag))
    assert measured["dense_first"] <= 0.2 and measured["lexical_first"] >= 0.6 and measured["hybrid_first"] >= 0.6


def test_a_fine_tune_on_pairs_finds_what_no_letters_give_away(rag):
    presets = dict(get("domain").presets)
    values = presets["HNSW and IVF, in plain words"]
    numbers = run(rag, "domain", **values).numbers
    assert numbers["rank_lexical"] == 0 and numbers["rank_dense"] == 3 and numbers["rank_tuned"] == 1
    assert numbers["cosine_before"] == pytest.approx(0.01, abs=0.005)  # chapter 7's table
    assert run(rag, "domain", **presets["No fix helps"]).holds is False  # and says so where nothing helps
    with pytest.raises(InputError, match="line 1 of pairs is 'OKR means goals': expected two texts"):
        run(rag, "domain", pairs="OKR means goals")
    with pytest.raises(InputError, match="right is 8, but there are 6 passages"):
        run(rag, "domain", right=8)


def test_the_fine_tune_leaves_other_queries_where_they_are(rag):
    pairs = [line.split("|") for line in domain.PAIRS.splitlines()]
    both = rag.embed([text for pair in pairs for text in pair])
    moved = domain.tune(both[0::2], both[1::2], rag.embed(files.text("filler.txt").splitlines()))
    query = rag.embed(["How do I bake bread?"])[0]
    after = query + query @ moved
    assert float(after @ query) / np.linalg.norm(after) > 0.98


def test_fusion_adds_a_fraction_for_each_list():
    assert domain.fuse([1, 2], [None, 1]) == pytest.approx([1 / 61, 1 / 62 + 1 / 61])
    assert domain.ranks([0.0, 2.0, 1.0], lexical=True) == [None, 1, 2]


def test_words_drift_and_their_neighbours_change(rag):
    cloud, bread = run(rag, "drift").numbers, run(rag, "drift", word="bread")
    assert cloud["cosine_then_now"] < cloud["median_cosine"] - 0.2 and cloud["rank_of_change"] <= 8
    assert cloud["common_neighbours"] <= 1
    assert bread.holds is False and bread.numbers["cosine_then_now"] > 0.85
    measured = means(get("drift").measure(rag))
    assert measured["stayed_cosine"] > measured["moved_cosine"] + 0.3
    assert measured["old_space_right"] == 0 and measured["new_space_right"] == 1
    with pytest.raises(InputError, match="'zebra' does not occur in both texts"):
        run(rag, "drift", word="zebra")
    with pytest.raises(InputError, match="one of then and now is empty"):
        run(rag, "drift", then="\n".join(["a line of words"] * 20))


def test_procrustes_finds_a_rotation():
    rng = np.random.default_rng(0)
    rows, turn = rng.standard_normal((40, 6)), np.linalg.qr(rng.standard_normal((6, 6)))[0]
    np.testing.assert_allclose(drift.rotation(rows, rows @ turn), turn, atol=1e-8)


ANSWERS = {  # chapter: (right, in other words than the chapter's; wrong)
    1: ("Each word has its own slot, so all one-hot vectors are at the same distance and say nothing about similarity.",
        "Because they are too short to hold the letters of the words."),
    4: ("Because the angle is about direction, which carries meaning, while length mostly tells how long the text is.",
        "Because computing an angle is faster than a distance on a GPU."),
    7: ("A sentence and its negation share topic and context, and training rewards that, so not moves the average "
        "only a little.", "Because the tokenizer removes stop words such as not before embedding."),
    9: ("HNSW hops through a graph of neighbours, quick but needs much memory; IVF groups vectors in clusters and "
        "looks only in the nearest lists.", "They encrypt the vectors so that nobody else can search them."),
}


@pytest.mark.parametrize("chapter", ANSWERS)
def test_the_quiz_tells_right_from_wrong(rag, chapter):
    right, wrong = (run(rag, "quiz", chapter=chapter, answer=answer) for answer in ANSWERS[chapter])
    assert right.numbers["agreement"] > 2 * wrong.numbers["agreement"]
    assert right.holds and not wrong.holds


def test_the_probabilities_shown_are_those_of_the_assistant(rag):
    """The demos know the cosines already and hand them on; the number must be what `rerank`, or a trace, would say."""
    denied = run(rag, "negation")
    question = get("negation").defaults()["question"]
    assert [row[3] for row in denied.table.rows] == pytest.approx(
        rag.rerank(question, [row[0] for row in denied.table.rows]), abs=0.002)
    assert run(rag, "explorer").numbers["cross-encoder"] == pytest.approx(
        rag.rerank("Paris is beautiful", ["France is lovely"])[0], abs=0.002)
    review, answer = quiz.reviews(rag)[7], get("quiz").defaults()["answer"]
    graded = run(rag, "quiz").numbers
    assert graded["agreement"] == pytest.approx(
        (rag.rerank(review.answer, [answer])[0] + rag.rerank(answer, [review.answer])[0]) / 2, abs=0.002)
    for number, fact in enumerate(review.facts, 1):
        assert graded[f"fact {number}"] == pytest.approx(rag.rerank(fact, [answer])[0], abs=0.002)
    hits = {short(hit.chunk.text, 80): hit for hit in rag.retrieve(get("encoders").defaults()["question"]).hits}
    compared = 0
    for text, _, chance, _, cosine in run(rag, "encoders").table.rows:
        if (hit := hits.get(text)) and hit.dense and hit.rerank:
            compared += 1
            assert (chance, cosine) == pytest.approx((hit.rerank.value, hit.dense.value), abs=0.002)
    assert compared >= 5


def test_a_key_fact_is_a_clause_with_all_that_hangs_on_it(rag):
    reviews = quiz.reviews(rag)
    assert reviews[7].facts == ["Training rewards vectors for sharing topic and context, which a sentence and its "
                                "negation do", "the single word \"not\" hardly shifts the pooled average",
                                "the opposites stay close"]
    first = {fact.split()[0].lower() for review in reviews.values() for fact in review.facts}
    assert not first & {"which", "such", "because", "with", "in", "and", "so", "storage"}


def test_the_quiz_has_every_chapter_and_takes_no_echo(rag):
    reviews = quiz.reviews(rag)
    assert sorted(reviews) == list(range(10)) and all(len(review.facts) >= 2 for review in reviews.values())
    echo = run(rag, "quiz", chapter=9, answer=reviews[9].question)
    assert echo.holds is False and echo.numbers["grade"] == "repeats the question"
    assert run(rag, "quiz", chapter=9).table.rows[-1][1]  # the passage that says it
    with pytest.raises(InputError, match="no review question for chapter 42 in this index"):
        run(rag, "quiz", chapter=42)
