"""What is quoted, in which order, and when an answer is declined after all."""
from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.answer.decline import decline, small_talk, unanswered
from assistant.answer.evidence import asks_for_table, beyond, by_turns, choose
from assistant.answer.generate import BESIDE, CLOSE, MAX_PASSAGES, MAX_WORDS, Assembly, essential
from assistant.records import Chunk, Evidence, Hit, Score
from assistant.retrieve.contextualise import asks_on
from assistant.retrieve.select import gate
from assistant.text.compared import compared


def chunk(name: str, text: str, heading: str = "Lakes") -> Chunk:
    return Chunk(name, f"document of {name}", heading, text, 0, len(text), 9)


def hit(name: str, text: str, probability: float, heading: str = "Lakes") -> Hit:
    return Hit(chunk(name, text, heading), "Guide", rerank=Score(probability, 1), kept=True)


def evidence(marker: int, text: str, score: float | None) -> Evidence:
    return Evidence(marker, f"c{marker}", "Guide", "Lakes", ((0, len(text)),), text, score)


# the order of evidence


def test_between_two_equal_sentences_the_one_of_the_better_chunk_stands_first():
    hits = [hit("a", "Tisse is a shallow lake.", 0.1), hit("b", "Velm is a shallow lake.", 0.6)]
    found = choose("Which lake is shallow?", hits, lambda pool: [0.3, 0.3], 6)
    assert [e.chunk_id for e in found] == ["b", "a"]
    # log-odds of 0.3, 0.6, 0.1: -0.847, 0.405, -2.197; (-0.847 + 0.4 * 0.405) / 1.4 = -0.489, and -1.233
    assert [e.score for e in found] == pytest.approx([0.380, 0.226], abs=0.001)


def test_a_much_better_sentence_outweighs_its_chunk():
    # log-odds: -0.85 + 0.4 * 0.41 = -0.69 against 0.85 + 0.4 * -2.20 = -0.03
    hits = [hit("a", "Tisse is a shallow lake.", 0.6), hit("b", "Velm is a shallow lake.", 0.1)]
    found = choose("Which lake is shallow?", hits, lambda pool: [0.3, 0.7], 6)
    assert [e.chunk_id for e in found] == ["b", "a"]


TABLE = "| lake | depth |\n|---|---|\n| Tisse | 4 m |\n| Velm | 90 m |\n| Oder | 12 m |"


def test_a_question_for_a_list_gets_the_whole_table_where_a_row_is_among_the_first():
    hits = [hit("a", "The table names every lake.", 0.5), hit("b", TABLE, 0.4)]
    found = choose("List all lakes with their depths", hits, lambda pool: [0.9, 0.1, 0.8, 0.1], 2)
    assert [e.text.split(" ")[0] for e in found[:3]] == ["Tisse", "Velm", "Oder"]
    one = choose("How deep is Velm?", hits, lambda pool: [0.1, 0.1, 0.8, 0.1], 2)
    assert one[0].text.startswith("Velm") and len(one) == 2


@pytest.mark.parametrize("question, rows", [
    ("List the three lakes", 3), ("In which three places can one swim?", 3), ("List the two lakes", 0),
    ("Which of the three lakes is deep?", 0), ("Can three people swim?", 0)])
def test_a_question_that_says_how_many_gets_the_table_of_as_many_rows(question, rows):
    hits = [hit("a", "There are lakes in the north.", 0.5), hit("b", TABLE, 0.4)]
    found = choose(question, hits, lambda pool: [0.6, 0.2, 0.3, 0.2], 2)
    assert [e.text.split(" ")[0] for e in found[:rows or 1]] == (["Tisse", "Velm", "Oder"] if rows else ["There"])
    far = choose(question, hits, lambda pool: [0.99, 0.2, 0.01, 0.2], 2)
    assert far[0].text.startswith("There")                                    # COUNTED is too little for that


@pytest.mark.parametrize("question", ["BoW meaning", "What does BoW mean?", "define BoW", "the meaning of BoW"])
def test_a_definition_comes_first_however_it_is_asked_for(question):
    hits = [hit("a", "BoW is used a lot.", 0.5), hit("b", "Bag of words (BoW) represents a text as counts.", 0.5)]
    assert choose(question, hits, lambda pool: [0.6, 0.45], 6)[0].chunk_id == "b"
    assert choose("Is BoW used?", hits, lambda pool: [0.6, 0.45], 6)[0].chunk_id == "a"


def test_where_a_formula_is_asked_for_that_of_the_very_thing_comes_first():
    texts = ["The BM25 formula is a sum.", "def bm25(words, k1=1.2):", "$\\text{TF-IDF}(t) = n \\times \\log N$",
             "$\\text{BM25}(t) = n (k_1 + 1)$"]
    hits = [hit(str(n), text, 0.5) for n, text in enumerate(texts)]
    found = choose("What is the formula of BM25?", hits, lambda pool: [0.9, 0.5, 0.4, 0.3], 6)
    assert [e.chunk_id for e in found] == ["3", "2", "0", "1"]
    plain = choose("What is said about BM25?", hits, lambda pool: [0.9, 0.5, 0.4, 0.3], 6)
    assert [e.chunk_id for e in plain] == ["0", "1", "2", "3"]


# asking on


REPLIES = ["Tisse is a shallow lake [1]. Velm — depth: 90 m [2]"]


def test_who_asks_on_gets_what_was_not_said_yet():
    pool = [evidence(1, "Tisse is a shallow lake.", 0.9), evidence(2, "Velm — depth: 90 m", 0.8),
            evidence(3, "It filled an old clay pit.", 0.5)]
    assert [(e.marker, e.text) for e in beyond(pool, REPLIES, 0.1)] == [(1, "It filled an old clay pit.")]
    assert [e.marker for e in beyond(pool, [], 0.1)] == [1, 2, 3]


def test_who_asks_on_gets_the_answer_again_where_nothing_else_is_good_enough():
    pool = [evidence(1, "Tisse is a shallow lake.", 0.9), evidence(2, "The park opens at nine.", 0.05)]
    assert [e.marker for e in beyond(pool, REPLIES, 0.1)] == [1, 2]


@pytest.mark.parametrize("question, on", [
    ("why?", True), ("Tell me more", True), ("and what else?", True), ("Why is Tisse shallow?", False),
    ("Velm?", False)])
def test_asking_on_is_told_from_asking_anew(question, on):
    history = [{"role": "user", "content": "Which lake is shallow?"}, {"role": "assistant", "content": REPLIES[0]}]
    assert asks_on(question, history) is on
    assert not asks_on(question, [])


# what must not be left out


def test_what_is_close_to_the_best_by_odds_or_by_share_is_essential():
    # odds of 0.5 are 1, so those of 0.22 (0.282) are close and those of 0.2 (0.25) are not; odds of 0.9 are 9
    assert 0.25 < CLOSE < 0.282
    pool = [evidence(1, "Tisse is shallow.", 0.5), evidence(2, "Velm is deep.", 0.22),
            evidence(3, "Oder is wide.", 0.2)]
    assert [e.marker for e in essential("lakes?", pool)] == [1, 2]
    # of 0.9 the share is 0.585: 0.6 is essential though its odds are 1.5 against 9, and 0.56 is not
    sure = [evidence(1, "Tisse is shallow.", 0.9), evidence(2, "Velm is deep.", 0.6),
            evidence(3, "Oder is wide.", 0.56)]
    assert [e.marker for e in essential("lakes?", sure)] == [1, 2]


def test_what_only_says_the_question_again_does_not_stand_alone():
    pool = [evidence(1, "The depth of Velm is a surprising result of measuring.", 0.98),
            evidence(2, "Velm is 90 m deep.", 0.5), evidence(3, "Oder is wide.", 0.1)]
    assert [e.marker for e in essential("What result of measurements is the surprising depth of Velm?", pool)] == [1, 2]
    assert [e.marker for e in essential("Is the depth of Velm a surprising result of measuring?", pool)] == [1]


@pytest.mark.parametrize("question, markers", [
    ("Compare the depth of VELM and ODER.", [1, 3]), ("How deep is VELM?", [1]), ("VELM or ODER?", [1, 3]),
    ("Which is deeper, the pond or VELM?", [1])])
def test_a_comparison_has_a_passage_on_each_side(question, markers):
    pool = [evidence(1, "VELM is 90 m deep.", 0.9), evidence(2, "Fish live there.", 0.2),
            evidence(3, "ODER is 12 m deep.", 0.1)]
    assert [e.marker for e in essential(question, pool)] == markers


@pytest.mark.parametrize("question, sides", [
    ("bi-encoder vs cross-encoder", ("bi-encoder", "cross-encoder")),
    ("What is the difference between a lake and a pond?", ("a lake", "a pond")),
    ("Does CLIP use larger batches than BERT?", ("CLIP", "BERT")), ("What do CLIP and BERT read?", ()),
    ("How deep is it?", ())])
def test_what_is_compared(question, sides):
    assert compared(question) == sides


def test_a_definition_stands_first_where_it_is_asked_for():
    hits = [hit("a", "A lake chart is a map of depths.", 0.5),
            hit("b", "A lake is a body of water with land around it.", 0.5)]
    order = [e.text.split(" is ")[0] for e in choose("What is a lake?", hits, lambda pool: [0.55, 0.5], 6)]
    assert order == ["A lake", "A lake chart"]
    order = [e.text.split(" is ")[0] for e in choose("What is deep?", hits, lambda pool: [0.55, 0.5], 6)]
    assert order == ["A lake chart", "A lake"]


def test_a_short_best_sentence_comes_with_the_next_where_that_is_not_far_off():
    text = "All lakes change slowly. Rivers carry sand to the shore. Boats cross lakes."

    def best(question, *values, text=text):
        return choose(question, [hit("a", text, 0.5)], lambda pool: list(values), 6)[0]

    near = best("What happens to lakes?", 0.6, 0.3, 0.1)
    assert near.text == "All lakes change slowly. Rivers carry sand to the shore." == text[slice(*near.spans[0])]
    assert best("What happens to lakes?", 0.9, 0.01, 0.1).text == "All lakes change slowly."
    assert best("What crosses lakes?", 0.1, 0.1, 0.9).text == "Boats cross lakes."  # nothing follows
    apart = best("What happens to lakes?", 0.6, 0.5, text="All lakes change slowly.\n\nRivers carry sand to the shore.")
    assert apart.text == "All lakes change slowly."  # the next one opens another paragraph
    long = "Lakes change " + "and change " * 12 + "in time."
    assert best("What happens to lakes?", 0.6, 0.5, text=f"{long} Rivers carry sand to the shore.").text == long


def test_of_two_questions_both_have_their_best_passage_in_the_answer():
    pool = [evidence(1, "Tisse is shallow.", 0.9), evidence(2, "Velm is deep.", 0.1),
            evidence(3, "Oder is wide.", 0.09)]
    assert [e.marker for e in essential("lakes?", pool)] == [1]
    assert [e.marker for e in essential("lakes?", pool, asks=2)] == [1, 2]


def test_evidence_of_two_questions_comes_by_turns_and_a_passage_once():
    one = [evidence(1, "Tisse is shallow.", 0.9), evidence(2, "Velm is deep.", 0.5), evidence(3, "Oder is wide.", 0.4)]
    other = [evidence(1, "Velm is deep.", 0.8)]
    shared = [replace(other[0], chunk_id=one[1].chunk_id, spans=one[1].spans)]
    assert [(e.marker, e.text) for e in by_turns([one, shared])] == [
        (1, "Tisse is shallow."), (2, "Velm is deep."), (3, "Oder is wide.")]


def test_a_question_about_one_row_of_a_table_gets_no_whole_table():
    rows = ["Tisse — depth: 4 m", "Velm — depth: 90 m", "Oder — depth: 12 m"]
    assert asks_for_table("What are the depths of the lakes?", rows)
    assert asks_for_table("Which three lakes are there?", rows)
    assert not asks_for_table("What are the depths of Velm?", rows)
    assert not asks_for_table("Is every lake as deep as the two of them?", rows)


def test_what_says_nothing_new_is_left_out_and_costs_no_room():
    pool = [evidence(1, "Tisse is a shallow lake.", 0.5), evidence(2, "Tisse is shallow.", 0.5),
            evidence(3, "Velm is deep.", 0.5)]
    assert [e.marker for e in essential("lakes?", pool)] == [1, 3]


def test_essential_passages_are_few_and_short_but_for_the_best():
    words = [evidence(n, " ".join(f"w{n}x{k}" for k in range(30)), 0.5) for n in range(1, 9)]
    assert len(essential("lakes?", words)) == MAX_WORDS // 30
    short = [evidence(n, f"lake{n} here", 0.5) for n in range(1, 9)]
    assert len(essential("lakes?", short)) == MAX_PASSAGES
    long = [evidence(1, " ".join(f"w{k}" for k in range(200)), 0.5)]
    assert essential("lakes?", long) == long


# declining


def test_names_ask_for_more_than_their_presence():
    passed = lambda question, probability: gate(  # noqa: E731
        [hit("a", "HNSW is a graph.", probability)], 0.1, "", question).state == "passed"
    assert passed("Which graph is fast?", 0.15)
    assert not passed("Who invented HNSW?", 0.15) and passed("Who invented HNSW?", 0.25)  # 2.4 / 9 odds: 0.21
    assert passed("HNSW?", 0.15)                                                          # nothing asked of it
    assert not passed("Who invented NSG?", 0.35) and passed("Who invented NSG?", 0.45)    # 6 / 9 odds: 0.40


def test_what_a_document_is_named_for_raises_no_threshold():
    question, said = "How do I clean the Brio 340?", hit("a", "Hold OK.", 0.15)
    made = gate([replace(said, document="Brio 340 manual")], 0.1, "", question)
    assert made.state == "passed" and made.threshold == 0.1
    assert gate([said], 0.1, "", question).state == "declined"


def test_the_gate_says_which_name_raised_the_threshold():
    made = gate([hit("a", "HNSW is a graph.", 0.05)], 0.1, "", "Who invented NSG?")
    assert made.reason == "best probability 0.05, below the threshold 0.40, raised because no passage holds \"NSG\""
    assert made.threshold == pytest.approx(0.4)


@pytest.mark.parametrize("question, text, declined", [
    ("How many lakes are there?", "The lakes are deep.", True), ("How many lakes are there?", "Seven lakes.", False),
    ("How much rent is paid for the hut?", "The lease was signed on 2 May.", True),
    ("What is the yearly budget of the reserve?", "It costs 40,000 euros.", False),
    ("What is the phone number of the desk?", "Ask the desk in room 12.", True),
    ("What is the phone number of the desk?", "Call 0123 456-789.", False),
    ("Which e-mail address do I use?", "Write to the desk.", True), ("How deep is it?", "It is deep.", False),
    ("What is the price for a night job?", "The Owl plan runs it.", True),
    ("Which plan halves the price for night jobs?", "The Owl plan does.", False)])
def test_an_unsure_answer_must_hold_the_kind_of_thing_that_is_asked_for(question, text, declined):
    assert bool(unanswered(question, [evidence(1, text, 0.2)])) == declined
    assert not unanswered(question, [evidence(1, text, 0.9)])  # the reranker is sure


def test_a_passage_that_leans_on_the_chunk_before_comes_with_its_end():
    before = Chunk("a", "d", "H", "Vellets sink. They hold on to a stem.", 0, 37, 9, "", -1)
    after = Chunk("b", "d", "H", "This habit explains the name. Their call is a whistle.", 38, 92, 9, "", -1)
    hits = [Hit(chunk, "D", rerank=Score(0.5, 1), kept=True) for chunk in (before, after)]
    found = choose("Why the name?", hits, lambda pool: [0.9 if "explains" in p.reading else 0.1 for p in pool], 1)[0]
    assert found.text.startswith("They hold on to a stem. This habit explains the name.")
    assert found.spans[0][0] == 14 and found.chunk_id == "b"
    far = replace(after, start=58, end=112)
    found = choose("Why the name?", [hits[0], replace(hits[1], chunk=far)],
                   lambda pool: [0.9 if "explains" in p.reading else 0.1 for p in pool], 1)[0]
    assert found.text.startswith("This habit")                              # something else stands between them


def test_rows_of_other_things_do_not_answer():
    def row(marker, text, score):
        return replace(evidence(marker, text, score), spans=((marker, marker + 1), (0, 1)))
    found = [row(1, "Bar-2 — Price: 3", 0.4), row(2, "Baz-3 — Price: 4", 0.3), row(3, "Acme mill-v3 — Size: 9", 0.05)]
    why = unanswered("What does Acme mill-v3 cost?", found[:2], found)
    assert why == "the best rows of tables are of other things than \"Acme mill-v3\""
    assert not unanswered("What does Bar-2 cost?", found[:2], found)
    assert not unanswered("What does Acme mill-v3 cost?", found[:2], found[:2])             # it has no row at all
    assert not unanswered("What is the size of Acme mill-v3?", found[2:], found)
    text = replace(found[0], spans=((1, 2),))
    assert not unanswered("What does Acme mill-v3 cost?", [text], found)                    # a sentence may mean it


def test_a_passage_that_holds_every_word_of_the_question_needs_less():
    best, other = hit("a", "An IVF index cuts the space into cells.", 0.06), hit("b", "HNSW is a graph.", 0.05)
    made = gate([other, best], 0.1, "", "What is IVF?")                                   # 0.5 / 9 odds: 0.05
    assert made.state == "passed" and made.threshold == pytest.approx(0.0526, abs=1e-4)
    assert made.reason.endswith("lowered because the best passage holds every word of the question")
    assert gate([other, best], 0.1, "", "What is a cell of IVF?").state == "passed"       # "cells" begins like "cell"
    assert gate([other, best], 0.1, "", "What is HNSW?").state == "declined"              # it is not in the best
    assert gate([best], 0.1, "", "Who is it?").threshold == 0.1                           # nothing is asked for


@pytest.mark.parametrize("question, text, declined", [
    ("When was Tisse drained?", "Tisse is shallow.", True),
    ("When was Tisse drained?", "Tisse was drained in 1856.", False),
    ("In which year was it drained?", "It was drained long ago.", True),
    ("When should a lake be drained?", "Drain it when it is shallow.", False),
    ("Who drained Tisse?", "Tisse is shallow.", False),
])
def test_a_question_for_a_date_is_not_answered_without_one(question, text, declined):
    assert bool(unanswered(question, [evidence(1, text, 0.2)])) == declined
    assert not unanswered(question, [evidence(1, text, 0.9)])  # the reranker is sure


def test_a_decline_names_the_closest_sections_and_their_scores():
    text = decline([hit("a", "x", 0.04, "Tisse"), hit("b", "x", 0.02, "Tisse"), hit("c", "x", 0.01, "Velm")])
    assert text.endswith("closest sections are \"Guide > Tisse\" (probability 0.04) and \"Guide > Velm\" "
                         "(probability 0.01).")


@pytest.mark.parametrize("text", ["hi", "Hello there!", "thanks", "What can you do?"])
def test_small_talk_gets_a_reply(text):
    assert small_talk(text, 1)


@pytest.mark.parametrize("text", ["hi-fi or HNSW?", "What can you do about stale embeddings?",
                                  "thanks to what is it fast?"])
def test_a_question_is_no_small_talk(text):
    assert small_talk(text, 1) is None


def test_an_answer_opens_with_its_best_passage_whatever_the_model_begins_with():
    pool = [evidence(1, "Tisse is a shallow lake in the north.", 0.5), evidence(2, "Velm is a deep lake.", 0.4)]
    quotes = {e.marker: (0, len(e.text), e.text) for e in pool}
    made = Assembly("Which lakes are there?", pool, quotes)
    said = list(made.from_draft(["Velm is a deep lake [2]."])) + list(made.rest())
    assert [(s.support.markers, s.support.origin) for s in said] == [((1,), "quoted"), ((2,), "model")]


def test_a_true_sentence_about_something_else_is_left_out_and_its_check_says_so():
    pool = [evidence(1, "Tisse is a shallow lake in the north.", 0.9), evidence(2, "Velm is a deep lake.", 0.1)]
    quotes = {e.marker: (0, len(e.text), e.text) for e in pool}
    made = Assembly("Which lake is shallow?", pool, quotes)
    said = list(made.from_draft(["Velm is a deep lake [2]."])) + list(made.rest())
    assert [(s.support.markers, s.support.origin) for s in said] == [((1,), "quoted")]
    assert [(c.supported, c.why) for c in made.checks] == [(True, BESIDE)]
