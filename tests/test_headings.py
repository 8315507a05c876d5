"""Headings with nothing under them, lines that only look like one, underlined ones in Markdown."""
from __future__ import annotations

import pytest

from assistant.text.sections import sections, title


def chains(text: str, markdown: bool = False) -> list[tuple[tuple[str, ...], str]]:
    return [(s.headings, text[s.start:s.end].strip()) for s in sections(text, markdown)]


def test_a_heading_with_nothing_under_it_is_a_text_of_its_own():
    assert chains("# Office closed on Friday", markdown=True) == [((), "Office closed on Friday")]
    assert chains("# A\n\n## B ##\n\n## C\n\ntext\n\n## D\n\n# E\n", markdown=True) == [
        (("A",), "B"), (("A", "C"), "text"), (("A",), "D"), ((), "E")]


def test_headings_in_a_row_in_plain_text_are_a_list_but_not_those_above_a_title():
    assert chains("Shopping List\n\nMilk\n\nEggs\n\nBread\n") == [((), "Shopping List\n\nMilk\n\nEggs\n\nBread")]
    assert chains("FIELD GUIDE\n\nThe Lakes\n\nThey are deep.") == [(("The Lakes",), "They are deep.")]
    assert chains("The Lakes\n\nThey are deep.\n\nThe End") == [(("The Lakes",), "They are deep."), ((), "The End")]


def test_a_name_and_its_value_are_no_heading_of_a_plain_text():
    assert chains("WiFi Password: Hunter2") == [((), "WiFi Password: Hunter2")]
    assert title("WiFi Password: Hunter2", markdown=False) == ""
    for body in ("Phone: 030 1234567\n\nFax: 030 1234568", "CEO: Anna Smith\n\nMail: a@b.example",
                 "Total: EUR 1,250.00\n\nDue Date: 12 May 2024\n\nPlease pay in time."):
        assert chains(f"Contact\n\n{body}") == [(("Contact",), body)]


@pytest.mark.parametrize("line", [
    "Chapter 2: Fish", "Step 2: Mixing", "SCHEDULE B: METER READINGS ON 14 SEPTEMBER 2024", "CLIP: One Space for All"])
def test_a_title_in_two_parts_is_a_heading_of_a_plain_text(line):
    assert chains(f"{line}\n\nIt is said here.") == [((line,), "It is said here.")]


def test_underlined_headings_count_in_markdown():
    text = "Lakes\n=====\n\none\n\nTheir depths\n---\ntwo\n"
    assert chains(text, markdown=True) == [(("Lakes",), "one"), (("Lakes", "Their depths"), "two")]


@pytest.mark.parametrize("text", [
    "- item\n---\nmore", "It ends here.\n---\nmore", "two\nlines\n---\nmore", "| a |\n---\nmore", "```\nx\n---\n```",
    "above\n\n---\n\nmore", "> said\n---\nmore"])
def test_a_rule_makes_no_heading_of_what_is_no_title(text):
    assert chains(text, markdown=True) == [((), text)]
