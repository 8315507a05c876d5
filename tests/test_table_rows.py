"""Tables without a header, two tables in one chunk, and lists that look like tables without being any."""
from __future__ import annotations

import pytest

from assistant.answer.evidence import choose, passages
from assistant.records import Chunk, Hit, Score
from assistant.text.blocks import blocks
from assistant.text.sentences import quotables
from assistant.text.tables import glued_table, is_markdown_rule

PLANS = "| Plan | Price |\n|---|---|\n| Basic | 5 EUR |\n| Pro | 9 EUR |"
OFFICES = "| City | Office |\n|---|---|\n| Bonn | Anna |\n| Kiel | Otto |"
BARE = "| Price | 20 EUR |\n| Weight | 3 kg |\n| Color | red |"


def hit(text: str, header: str = "", header_start: int = -1, start: int = 0) -> Hit:
    made = Chunk(f"c{start}", "d", "Guide", text, start, start + len(text), 9, header, header_start)
    return Hit(made, "Guide", rerank=Score(0.5, 1), kept=True)


def readings(text: str) -> list[str]:
    return [q.reading for q in quotables(text)]


def test_every_line_of_a_table_without_a_header_is_a_row():
    assert readings(BARE) == ["Price: 20 EUR", "Weight: 3 kg", "Color: red"]
    assert readings("| a | b | c |\n| d | e | f |") == ["a | b | c", "d | e | f"]
    assert readings(f"| | |\n|---|---|\n{BARE}") == readings(BARE)
    assert [p.spans for p in passages([hit(BARE)])] == [((0, 18),), ((19, 36),), ((37, 52),)]


def test_a_column_without_a_name_and_a_rule_of_one_dash():
    assert readings("| | Price |\n|-|-|\n| Pro | 9 EUR |") == ["Pro — Price: 9 EUR"]
    assert readings("| Plan | | Seats |\n|-|:-:|-:|\n| Pro | 9 EUR | 4 |") == ["Pro — 9 EUR; Seats: 4"]
    assert is_markdown_rule("|-|-|") and not is_markdown_rule("-")


def test_a_row_is_cited_with_the_header_of_its_own_table():
    text = f"{PLANS}\n\n{OFFICES}"
    found = {p.reading: [text[a:b] for a, b in p.spans] for p in passages([hit(text)])}
    assert found["Bonn — Office: Anna"] == ["| Bonn | Anna |", "| City | Office |"]
    assert found["Pro — Price: 9 EUR"] == ["| Pro | 9 EUR |", "| Plan | Price |"]
    assert passages([hit(f"{BARE}\n\n{PLANS}")])[0].spans == ((0, 18),)


def test_who_asks_for_one_of_two_tables_gets_its_rows_alone_over_chunks_too():
    text = f"{PLANS}\n\n{OFFICES}"
    place = text.index("| City")
    rest = hit("| Ulm | Ida |", "| City | Office |", place, start=len(text) + 1)

    def score(pool):
        return [0.9 if "Office" in p.reading else 0.2 for p in pool]

    found = choose("What are the offices?", [hit(text), rest], score, 1)
    assert [e.text for e in found] == ["Bonn — Office: Anna", "Kiel — Office: Otto", "Ulm — Office: Ida"]


@pytest.mark.parametrize("text", [
    "Flight LH400 Frankfurt New York\nFlight LH401 New York Frankfurt\nFlight BA178 New York London",
    "UserService handles accounts\nOrderService handles orders\nPaymentService handles cards"])
def test_names_with_capitals_or_numbers_inside_make_no_table(text):
    assert glued_table(text.split("\n")) == 0 and [block.kind for block in blocks(text)] == ["prose"]


def test_a_header_may_hold_a_number_inside_a_cell():
    assert glued_table(["LakeCost per 100 lDepth", "Onra$1541 m", "Tisse$1612 m"]) == 3
