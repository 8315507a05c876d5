"""An announcing sentence comes with what it announces; one that says all it has to say stays as it is."""
from __future__ import annotations

import pytest

from assistant.answer.evidence import choose
from assistant.records import Chunk, Hit, Score
from assistant.text.announced import points_at_table, whole
from assistant.text.sentences import quotables


def readings(text: str) -> list[str]:
    return [q.reading for q in whole(quotables(text), text)]


def test_what_is_counted_comes_with_the_count():
    text = "The lake helps in two ways. Its water cools the town. Its fish feed the herons. It froze once."
    assert readings(text)[0] == "The lake helps in two ways. Its water cools the town. Its fish feed the herons."


@pytest.mark.parametrize("text", [
    "The two ways differ. One is slow. One is quick.",  # they were named before
    "It helps in two ways: it cools the town and feeds the herons. It froze once. It thawed.",  # it says them itself
    "The lake helps in three ways. Its water cools the town."])  # the others are not here
def test_what_announces_nothing_stays_as_it_is(text):
    assert whole(quotables(text), text) == quotables(text)


def test_a_colon_brings_the_formula_or_all_items_of_the_list():
    text = "The volume is area times depth:\n\n$V = A \\cdot d$\n\nThe lake is old."
    assert readings(text)[0] == "The volume is area times depth: $V = A \\cdot d$"
    text = "Three fish live here:\n\n- the common tench\n- the arctic char\n- the northern pike\n\nThe lake is old."
    first = readings(text)[0]
    assert all(fish in first for fish in ("tench", "char", "pike")) and "old" not in first


def test_the_span_of_what_is_joined_covers_it_exactly():
    text = "Intro here now. The lake helps in two ways. Its water cools the town. Its fish feed the herons."
    joined = next(q for q in whole(quotables(text), text) if "two ways" in q.reading and "herons" in q.reading)
    assert text[joined.start:joined.end].endswith("Its fish feed the herons.") and "Intro" not in joined.reading


def test_code_is_not_taken_for_an_announcement():
    text = "def depth(lake):\nreturn lake.depth"
    assert whole(quotables(text), text) == quotables(text)


TABLE = "| lake | depth |\n|---|---|\n| Tisse | 4 m |\n| Velm | 90 m |"


def hit(name: str, text: str) -> Hit:
    return Hit(Chunk(name, "d", "Guide > Lakes", text, 0, len(text), 9), "Guide", rerank=Score(0.5, 1), kept=True)


def test_a_sentence_that_points_at_a_table_gives_way_to_its_rows():
    pointing = "The table lists the depth of every lake in the park."
    assert points_at_table(pointing) and not points_at_table("A table stands by the lake.")
    beside = choose("How deep is Velm?", [hit("a", pointing), hit("b", TABLE)], lambda pool: [0.2] * len(pool), 6)
    assert [e.text.split(" ")[0] for e in beside] == ["Tisse", "Velm"]
    alone = choose("How deep is Velm?", [hit("a", pointing)], lambda pool: [0.2] * len(pool), 6)
    assert [e.text for e in alone] == [pointing]


def test_who_asks_for_a_formula_gets_one_first():
    text = "The volume of a lake is easy to say. Its volume is $V = A \\cdot d$ with the area A. It is old."
    values = {"The volume": 0.6, "Its volume": 0.2, "It is": 0.1}

    def score(pool):
        return [next(v for k, v in values.items() if k in p.reading) for p in pool]

    assert "$V" in choose("What is the formula of the volume?", [hit("a", text)], score, 6)[0].text
    values["Its volume"] = 0.01  # else it comes as the sentence after the best one
    assert "$V" not in choose("How is the volume said?", [hit("a", text)], score, 6)[0].text


def test_who_asks_what_an_acronym_stands_for_gets_its_words_first():
    text = "DLR trains walk on land. DLR (Docklands Light Railway) is a line of 1987. DLR is fast."
    values = {"DLR trains": 0.6, "DLR (Dock": 0.2, "DLR is": 0.5}

    def score(pool):
        return [next(v for k, v in values.items() if k in p.reading) for p in pool]

    assert choose("What does DLR stand for?", [hit("a", text)], score, 6)[0].text.startswith("DLR (Docklands")
    assert choose("What does DLR do?", [hit("a", text)], score, 6)[0].text.startswith("DLR trains")


def test_a_scene_comes_with_what_comes_of_it():
    text = "Suppose you must sort stones. A sieve does it. Large stones stay. Small ones fall. The end is near."
    found = whole(quotables(text), text)
    assert found[0].reading == "Suppose you must sort stones. A sieve does it. Large stones stay."
    assert text[found[0].start:found[0].end] == found[0].reading


def test_entries_that_lost_their_marks_are_a_list():
    text = "Applications that use them:\n\nSearch — finds what is near\n\nSorting — puts in groups\n\nThe end is near."
    found = whole(quotables(text), text)
    assert found[0].reading == "Applications that use them: Search — finds what is near; Sorting — puts in groups"


def test_a_question_that_is_reported_comes_with_the_reply():
    text = "Fiona asked whether it could be sooner. Dev said no: the floor must dry. The group agreed."
    assert whole(quotables(text), text)[0].reading == \
        "Fiona asked whether it could be sooner. Dev said no: the floor must dry."
