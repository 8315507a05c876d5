"""The structure of a text: headings, blocks, tables that lost their marks, sentences."""
from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.text.blocks import blocks, is_code
from assistant.text.readable import body
from assistant.text.sections import front_matter, looks_like_title, sections, title
from assistant.text.segment import split_sentences
from assistant.text.sentences import plain, quotables, units
from assistant.text.tables import glued_cells, glued_table, is_markdown_rule, markdown_cells, row_text, seams
from tests.fakes import ROOT

LESSON = ROOT.parent / "shared" / "lesson" / "lesson.txt"

# Made for this test: what is left of a page that was copied as plain text.
COPIED = """\
FIELD GUIDE

Lakes of the North

Chapter 1: Water and Ice

The lakes freeze in November. Their ice is 0.4 m thick, e.g. on Onra.

How the Ice Forms

It begins at the shore.

python
# depth of a lake
depth = measure("Onra")

for point in depth:
    print(point)

After the code a sentence follows.

LakeDepthStrength
Onra-north (cold)1041Open all year
Tisse-south (mild)1536Warm in summer
Velm-east (deep)3072Best for divers
The lakes differ most in depth.

Chapter 2: Fish

Trout live in all of them.
"""


def chains(text: str, markdown: bool = False) -> list[tuple[tuple[str, ...], str]]:
    return [(section.headings, text[section.start:section.end].strip()) for section in sections(text, markdown)]


def kinds(text: str) -> list[tuple[str, str]]:
    return [(block.kind, text[block.start:block.end]) for block in blocks(text)]


def readings(text: str, header: str = "") -> list[str]:
    return [unit.reading for unit in units(text, header)]


# headings


def test_markdown_headings_make_a_chain_and_those_in_fences_do_not():
    text = "# A\n\none\n\n## B\n\n```\n# not a heading\n```\n\n### C ###\n\nthree\n\n## D\n\nfour\n"
    assert chains(text, markdown=True) == [
        (("A",), "one"), (("A", "B"), "```\n# not a heading\n```"), (("A", "B", "C"), "three"), (("A", "D"), "four")]


def test_a_fence_is_closed_only_by_its_own_kind_of_mark():
    assert chains("~~~\n```\n# inside\n~~~\n\n# Out\n\nx\n", markdown=True) == [
        ((), "~~~\n```\n# inside\n~~~"), (("Out",), "x")]


@pytest.mark.parametrize(("line", "words"), [
    ("# C #", "C"), ("# C#", "C"), ("#  A  B  ##  ", "A  B"), ("# ##", "#"), ("# A #1", "A #1")])
def test_the_marks_after_a_heading_are_not_its_words(line, words):
    assert chains(f"{line}\n\nx\n", markdown=True) == [((words,), "x")]


def test_front_matter_is_values_and_no_section():
    text = '---\nnumber: 4\ntitle: "The Lakes"\n---\n# Lakes of the North\n\nbody\n'
    values, start = front_matter(text)
    assert values == {"number": "4", "title": "The Lakes"} and text[start:].startswith("# Lakes")
    assert title(text, True) == "The Lakes"
    assert chains(text, markdown=True) == [(("Lakes of the North",), "body")]
    assert front_matter("---\njust a rule\n---\nx") == ({}, 0)


def test_plain_text_headings_are_known_by_their_look():
    assert [chain for chain, _ in chains(COPIED)] == [
        ("Chapter 1: Water and Ice",), ("Chapter 1: Water and Ice", "How the Ice Forms"), ("Chapter 2: Fish",)]
    assert title(COPIED, False) == "Lakes of the North"


@pytest.mark.parametrize("line", ["Why Does the Ice Form?", "The Ice of the Northern Lakes", "3.2 Depths", "Onra"])
def test_a_title(line):
    assert looks_like_title(line)


@pytest.mark.parametrize(
    "line",
    [
        "the ice forms",
        "The ice forms at the shore",
        "Ice.",
        "depth = 3",
        "- Ice",
        "A, B, and C:",
        '"Ice" Is Cold',
        "→ Ice",
        "",
        "Word " * 15,
    ],
)
def test_no_title(line):
    assert not looks_like_title(line)


def test_a_short_line_set_apart_is_a_heading_and_the_first_line_the_title():
    text = "MARSH VELLET\n\nIt is a mammal.\n\n\nRange and habitat\n\nIt lives high.\n\nNot a heading\n\nMore."
    assert [s.headings for s in sections(text, markdown=False)] == [("MARSH VELLET",), ("Range and habitat",)]
    assert title(text, markdown=False) == "MARSH VELLET"
    assert title("MANUAL\n\nThe Big Machine\n\nPress OK.", markdown=False) == "The Big Machine"   # a label above it
    assert title("BRIO 340\nA machine for coffee\n\n4.1 Espresso\n\nPress OK.", markdown=False) == "BRIO 340"


def test_underlined_headings_count():
    assert chains("Lakes\n=====\n\none\n\ndepths of them\n--------------\n\ntwo\n") == [
        (("Lakes",), "one"), (("Lakes", "depths of them"), "two")]


# blocks


def test_blocks_of_markdown():
    text = ("A text\nof two lines.\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
            "```py\nx = 1\n\ny = 2\n```\nafter\n")
    assert kinds(text) == [
        ("prose", "A text\nof two lines."), ("list", "- one\n- two"), ("table", "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("code", "```py\nx = 1\n\ny = 2\n```"), ("prose", "after")]


def test_a_rule_under_a_line_without_a_bar_makes_no_table():
    assert kinds("A text.\n|---|---|\n| 1 | 2 |") == [("prose", "A text."), ("table", "|---|---|\n| 1 | 2 |")]
    assert kinds("A text.\n---|---\nmore") == [("prose", "A text.\n---|---\nmore")]


@pytest.mark.parametrize("text", [
    "A line of words.\n\n" * 60_000, "line of a log\n" * 70_000, "a\n| b\n" * 160_000,     # paragraphs, lines, kinds
    "smallWord (x)1536Big \"quotedThing\" " * 30_000, '{"aKey":1024,"bKey":[' * 50_000,  # one line
    "# x" + " " * 1_000_000 + "y", "# x" + " #" * 500_000 + " y",                        # a heading's blanks and marks
    "--" + " " * 1_000_000 + "|x", "python\nx" + " " * 1_000_000 + "y"], ids=range(9))   # a rule's, a statement's
def test_a_megabyte_takes_seconds_whatever_is_in_it(text):
    began = time.process_time()
    blocks(text)
    seams(text.split("\n")[0])
    is_markdown_rule(text.split("\n")[0])
    is_code(text.split("\n")[-1])
    for markdown in (True, False):
        sections(text, markdown)
    assert time.process_time() - began < 20     # about 2; it was minutes to days


@pytest.mark.parametrize("code", [" " * 60_000 + "x = 1", "a = 1\n" + " " * 60_000 + "\nb = 2"])
def test_blanks_in_code_take_no_time(code):
    began = time.process_time()
    assert "".join(units(f"```\n{code}\n```")[0].reading.split()) == "".join(code.split())
    assert time.process_time() - began < 5      # milliseconds; it was two minutes


def test_code_that_lost_its_fence_goes_on_over_blank_lines_and_ends_before_prose():
    found = kinds(COPIED)
    code = next(text for kind, text in found if kind == "code")
    assert code == 'python\n# depth of a lake\ndepth = measure("Onra")\n\nfor point in depth:\n    print(point)'
    assert ("prose", "After the code a sentence follows.") in found


def test_a_glued_table_is_a_block_and_ends_where_its_rows_end():
    found = kinds(COPIED)
    table = next(text for kind, text in found if kind == "glued")
    assert table.split("\n") == ["LakeDepthStrength", "Onra-north (cold)1041Open all year",
                                 "Tisse-south (mild)1536Warm in summer", "Velm-east (deep)3072Best for divers"]
    assert ("prose", "The lakes differ most in depth.") in found


@given(st.one_of(st.text(max_size=600), st.text("ab|-`#\n .1AZ", max_size=400)))
def test_blocks_hold_every_line_that_is_not_blank_once(text):
    found = blocks(text)
    covered = [0] * len(text)
    for block in found:
        assert text[block.start:block.end].strip()
        for at in range(block.start, block.end):
            covered[at] += 1
    assert max(covered, default=0) <= 1
    assert all(n == 1 or char.isspace() for n, char in zip(covered, text, strict=True))


# tables


def test_markdown_cells():
    assert markdown_cells(r"| a | b \| c |  |") == ["a", "b | c", ""]
    assert markdown_cells("a | b") == ["a", "b"]
    assert is_markdown_rule("|:---|---:|") and is_markdown_rule("---|---")
    assert not is_markdown_rule("---") and not is_markdown_rule("| a |")


def test_glued_rows_are_cut_into_as_many_cells_as_the_header_has():
    assert glued_cells("LakeDepthStrength", 3) == ["Lake", "Depth", "Strength"]
    assert glued_cells("Tisse-south (mild)1536Warm in summer", 3) == ["Tisse-south (mild)", "1536", "Warm in summer"]
    assert glued_table(["LakeDepth", "Onra1041", "Tisse1536", "The end."]) == 3
    assert glued_table(["LakeDepth", "Onra1041"]) == 0          # one row may be chance
    assert glued_table(["We met at GitHub", "and at YouTube", "and at PayPal"]) == 0


def test_a_row_reads_with_its_header():
    assert row_text(["Lake", "Depth", "Land"], ["Onra", "41 m", ""]) == "Onra — Depth: 41 m"
    assert row_text(["Lake", "Depth"], ["Onra", "41 m", "more"]) == "Onra | 41 m | more"


def test_rows_of_both_kinds_of_table_read_with_their_header_and_are_slices():
    text = "| Lake | Depth |\n|---|---|\n| Onra | **41** m |\n| Tisse | 12 m |"
    assert readings(text) == ["Onra — Depth: 41 m", "Tisse — Depth: 12 m"]
    assert [text[u.start:u.end] for u in units(text)] == ["| Onra | **41** m |", "| Tisse | 12 m |"]
    assert readings("| Tisse | 12 m |", "| Lake | Depth |") == ["Tisse — Depth: 12 m"]
    glued = "LakeDepthStrength\nOnra-north (cold)1041Open all year\nTisse-south (mild)1536Warm in summer"
    assert readings(glued) == ["Onra-north (cold) — Depth: 1041; Strength: Open all year",
                               "Tisse-south (mild) — Depth: 1536; Strength: Warm in summer"]
    assert body(glued).split("\n")[1] == "Onra-north (cold) | 1041 | Open all year"


def test_a_row_without_a_word_is_no_unit():
    assert readings("|") == [] and readings("| a |\n|---|\n| | |") == []


# sentences


@pytest.mark.parametrize("text", [
    "The ice is 0.4 m thick.", "Some lakes, e.g. Onra, freeze.", "It holds for N = 2.5, i.e. always.",
    "See Fig. 3 of Dr. Lund.", "Prof. Berg measured it in 1.5 hours at 3 p.m. on Monday."])
def test_a_full_stop_inside_a_sentence_does_not_end_it(text):
    assert split_sentences(text) == [(0, len(text))]


def test_sentences_are_slices_without_blanks_at_their_ends():
    text = "  One is here.  Is two? Yes!\nThree is 1.5 m. "
    assert [text[a:b] for a, b in split_sentences(text)] == ["One is here.", "Is two?", "Yes!", "Three is 1.5 m."]


@pytest.mark.parametrize("text", [r"$\cos(A, B) = (A \cdot B) / (|A| \times |B|)$", "Call `a. B. c` to end."])
def test_a_formula_and_code_are_not_torn(text):
    assert split_sentences(text) == [(0, len(text))]


def test_amounts_of_money_are_no_formula():
    text = "The small one costs $0.02. The large one costs $0.13. Both are cheap."
    assert [text[a:b] for a, b in split_sentences(text)] == [
        "The small one costs $0.02.", "The large one costs $0.13.", "Both are cheap."]


def test_list_items_are_units_of_their_own():
    text = "- Onra is deep\n- Tisse is shallow, e.g. 3 m\n1. Velm"
    assert [(u.kind, u.reading) for u in units(text)] == [
        ("item", "Onra is deep"), ("item", "Tisse is shallow, e.g. 3 m"), ("item", "Velm")]


def test_a_sentence_that_needs_the_one_before_is_marked():
    found = units("Onra is deep. It freezes late. Tisse does not.")
    assert [u.leaning for u in found] == [False, True, False]


def test_a_line_that_only_wraps_is_no_label():
    text = ("The coat of the vellet is warm in the winter of the north. It has some\n60,000 hairs on each square "
            "centimetre of the whole\nskin.")
    assert [unit.reading for unit in units(text)][1].startswith("It has some 60,000 hairs")
    assert units("Dense vectors\nMeaning as numbers.")[0].reading == "Dense vectors — Meaning as numbers."


def test_a_short_item_is_quoted_whole_and_a_statement_that_ends_in_a_question_counts():
    assert units("- **A2** Send the letter. *Lucy, by 17 May*\n- Go.")[0].reading == \
        "A2 Send the letter. Lucy, by 17 May"
    long = f"- {'word ' * 31}ends. Another begins here."
    assert len(units(long)) == 2
    said = "A bag of words is a vector of counts: how often does each word appear?"
    assert [q.reading for q in quotables(f"{said} How often is that?")] == [said]


def test_a_question_on_its_own_line_stands_before_its_answer():
    text = "**How can I pay?**\n\nBy card or by transfer. Never by cheque.\n\nDo you deliver?\nYes, within 3 days."
    found = quotables(text)
    assert [q.reading for q in found] == ["How can I pay? By card or by transfer.", "Never by cheque.",
                                          "Do you deliver? Yes, within 3 days."]
    assert [q.reading for q in quotables("But why? It is cold. And when? In winter it is.")] == [
        "It is cold.", "In winter it is."]


def test_what_is_called_something_comes_with_the_name():
    text = "Count the words. Divide by their number.\n\nmean = total / n\n\nThis is called the mean. It is easy."
    found = [q.reading for q in quotables(text)]
    assert "Count the words. Divide by their number. mean = total / n This is called the mean." in found
    assert not any(reading.startswith("This is called") for reading in found)
    long = "Lakes " * 61 + "freeze. This is called winter."
    assert "This is called winter." not in [q.reading for q in quotables("Lakes freeze. This is called winter.")]
    assert quotables(long)[-1].reading.endswith("This is called winter.")


def test_code_is_quoted_in_runs_without_its_fence():
    shown = f"print({', '.join('abcdefghijklmnopqrstuvwxyz' * 2)})"
    text = f"```python\n# depth\nx = 1\n\n{shown}\n```"
    found = units(text)
    assert [(u.kind, u.reading) for u in found] == [("code", "# depth\nx = 1"), ("code", shown)]
    assert [text[u.start:u.end] for u in found] == ["# depth\nx = 1", shown]


def test_imports_and_short_statements_are_quoted_with_what_they_are_for():
    long = "depths = {" + ", ".join(f"'lake {n}': {n}" for n in range(12)) + "}"
    text = f"```python\n# depths\nimport lakes\n\nvelm = 90\n\noder = 12\n\n{long}\n\n{long}\n```\n"
    found = units(text)
    assert [unit.reading for unit in found] == ["# depths\nimport lakes\n\nvelm = 90\n\noder = 12", long, long]
    assert all(text[unit.start:unit.end].strip() == unit.reading for unit in found)


def test_marks_go_and_words_stay():
    assert plain("**Bold *and* slanted**, `code`, [a link](http://x)\nnext") == "Bold and slanted, code, a link next"
    assert plain("2 * 3 * 4") == "2 * 3 * 4"


@given(st.one_of(st.text(max_size=500), st.text("aB. |-\n`1?", max_size=300)))
def test_units_are_slices_in_order_and_say_something(text):
    found = units(text)
    for unit in found:
        assert 0 <= unit.start < unit.end <= len(text) and unit.reading.strip()
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))


@pytest.mark.skipif(not LESSON.is_file(), reason="the lesson's plain text is not beside the project")
def test_the_copied_lesson_has_its_ten_chapters_and_its_tables():
    text = Path(LESSON).read_text(encoding="utf-8")
    outer = dict.fromkeys(section.headings[0] for section in sections(text, False) if section.headings)
    assert [name.split(":")[0] for name in outer if name.startswith("Chapter")] == [f"Chapter {n}" for n in range(10)]
    rows = [unit.reading for unit in units(text) if unit.kind == "row"]
    assert len(rows) >= 17                  # the lesson's four tables have 4 + 5 + 3 + 5 rows
    assert "BGE-large-en — Dimensions: 1024; Strengths: Open-source, strong benchmark scores" in rows
    assert any(row.startswith("text-embedding-3-large — Cost per million tokens: $0.13;") for row in rows)
