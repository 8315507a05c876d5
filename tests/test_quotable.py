"""What of a text can be quoted: short items and replies, scripts without blanks, sentences with abbreviations."""
from __future__ import annotations

import time

import pytest

from assistant.text.announced import whole
from assistant.text.blocks import blocks, is_code
from assistant.text.segment import split_sentences
from assistant.text.sentences import plain, quotables


def readings(text: str) -> list[str]:
    return [q.reading for q in quotables(text)]


def sentences(text: str) -> list[str]:
    return [text[a:b] for a, b in split_sentences(text)]


def first_whole(text: str) -> str:
    return whole(quotables(text), text)[0].reading


@pytest.mark.parametrize("blank", ["\xa0", "\u2009", "\u202f", "\u3000"])
def test_a_blank_that_is_not_ascii_before_a_full_stop_ends_nothing_but_the_sentence(blank):
    assert sentences(f"Take plan B{blank}. It is{blank}cheap.") == [f"Take plan B{blank}.", f"It is{blank}cheap."]


def test_short_items_are_quoted_together_and_with_what_introduces_them():
    assert readings("- PDF\n- Word\n- HTML") == ["PDF; Word; HTML"]
    for between in ("\n\n", "\n"):
        assert first_whole(f"Supported formats:{between}- PDF\n- Word\n- HTML") == "Supported formats: PDF; Word; HTML"
    assert first_whole("Formats:\n\n- PDF\n- Word") == "Formats: PDF; Word"
    steps = "Steps:\n\n1. Open\n2. Close\n3. Press the red button\n4. Done"
    assert first_whole(steps) == "Steps: Open; Close; Press the red button; Done"


def test_an_item_with_a_value_is_quoted_by_itself():
    assert readings("- Price: $20\n- Deadline: Friday\n- CEO: Anna") == ["Price: $20", "Deadline: Friday", "CEO: Anna"]
    text = "Opening hours:\n\n- Monday to Friday: 9 to 17\n- Saturday: closed\n- Sunday: closed"
    assert first_whole(text) == "Opening hours: Monday to Friday: 9 to 17; Saturday: closed; Sunday: closed"
    assert readings("- 10:30\n- It is far away") == ["It is far away"]  # a time is no value


@pytest.mark.parametrize(("text", "reading"), [
    ("Is breakfast included?\nYes.", "Is breakfast included? Yes."),
    ("Is breakfast included?\nYes", "Is breakfast included? Yes"),
    ("**Is breakfast included?**\n\nYes.", "Is breakfast included? Yes."),
    ("**Can I bring a dog?** Only after asking us first.", "Can I bring a dog? Only after asking us first.")])
def test_a_reply_comes_with_its_question_however_short_it_is(text, reading):
    assert readings(text) == [reading]


def test_a_word_after_a_question_that_is_no_reply_is_not_quoted():
    assert readings("It is an old island.\n\nIs it worth a detour?\n\nAdvertisement\n\nIt has a lake.") == [
        "It is an old island.", "It has a lake."]


def test_all_that_a_chunk_holds_can_be_quoted():
    assert readings("Two years.") == ["Two years."]
    assert readings("Milk\n\nEggs\n\nBread") == ["Milk; Eggs; Bread"]
    assert readings("Is it?") == [] and readings("Yes. It is a lake.") == ["It is a lake."]


def test_a_script_without_blanks_is_counted_by_its_characters():
    assert readings("保修期为两年。可以延长。") == ["保修期为两年。", "可以延长。"]
    assert plain("这是**重点**内容") == "这是重点内容"


@pytest.mark.parametrize("text", [
    "Dose: approx. 5 mg/kg.", "Max. dose: 400 mg.", "Max. Dosis: 400 mg.", "Temp. must not exceed 40 °C.",
    "It holds ca. 3 l.", "Es gilt bzw. Anna bleibt.", "Das gilt gem. § 5.", "Bis zum 12. Mai 2024 ist Zeit."])
def test_an_abbreviation_ends_no_sentence(text):
    assert sentences(text) == [text]


@pytest.mark.parametrize("text", [
    "The answer is no. Then he left.", "It took 5 min. Then he left.", "we met at noon. we left.",
    "It trains fast. word2vec is older.", "It ends.\n\nand begins"])
def test_a_sentence_ends_where_another_begins(text):
    assert len(sentences(text)) == 2


def test_the_marks_that_close_an_emphasis_stay_with_it():
    assert sentences("**It is deep.** It freezes. _So it does._ Yes.") == [
        "**It is deep.**", "It freezes.", "_So it does._", "Yes."]
    assert sentences("*It is deep. It freezes.* So it is.") == ["*It is deep.", "It freezes.", "So it is."]


def test_a_day_is_no_mark_of_a_list_and_neither_is_a_year():
    day = "12. Mai 2024 ist der Abgabetermin."
    assert [block.kind for block in blocks(day)] == ["prose"] and readings(day) == [day]
    assert blocks("1990. It was cold.")[0].kind == "prose" and blocks("12. Close the lid.")[0].kind == "list"
    for number in ("1990", "12"):
        text = f"- The town began in the year\n  {number}. It has lakes.\n- Two lakes are there."
        assert readings(text) == [f"The town began in the year {number}. It has lakes.", "Two lakes are there."]


def test_a_power_is_no_emphasis():
    assert plain("From 2**10 to 2**20 of **all** rows") == "From 2**10 to 2**20 of all rows"


@pytest.mark.parametrize("line", [
    '"We will not pay for damage."', "return within 30 days of purchase.", "return the item", "@anna handles refunds."])
def test_prose_that_begins_as_code_does_is_none(line):
    assert not is_code(line)


@pytest.mark.parametrize("line", [
    '"a text",', '"a text"', "return", "return x", "return not found", "return a if b else c", "return x in y",
    "return model.encode(texts)", "@property", "@app.get('/x')", "@lru_cache  # kept"])
def test_code_that_begins_as_prose_may_is_code(line):
    assert is_code(line)


@pytest.mark.parametrize("part", [
    "**A b?** c d e f. ", "It holds. § 5 is. ", "- PDF\n", "保修期为两年。", "Is it?\nYes.\n\n"])
def test_quotables_take_time_as_the_text_is_long(part):
    began = time.process_time()
    quotables(part * (80_000 // len(part)))
    assert time.process_time() - began < 5     # 1 at the most


def test_a_dotted_name_is_not_torn():
    assert sentences("A fresh nn.Embedding table holds random numbers. Use torch.Tensor for it.") == [
        "A fresh nn.Embedding table holds random numbers.", "Use torch.Tensor for it."]
    assert sentences("The lake freezes in winter.Then it thaws.") == ["The lake freezes in winter.", "Then it thaws."]


def test_the_department_leans_on_nothing():
    assert readings("The budget was cut. IT costs rose by a third. It was noticed late.") == [
        "The budget was cut.", "IT costs rose by a third.", "IT costs rose by a third. It was noticed late."]
