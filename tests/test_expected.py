"""What an answer must hold for its kind of question: which passages do, in which forms, and which do not."""
from __future__ import annotations

import pytest

from assistant.answer.expected import missing


def lacks(question: str, text: str) -> str:
    return missing(question, text, text)


@pytest.mark.parametrize("question, text", [
    ("When was the Battle of Hastings?", "The Battle of Hastings was fought in 1066."),
    ("Which year did Columbus sail?", "Columbus sailed in August of 1492."),
    ("Which year did Columbus sail?", "1492 is the year of his first voyage."),
    ("When was Rome founded?", "Rome was founded in 753 BC."),
    ("When did Vesuvius bury Pompeii?", "Vesuvius buried Pompeii in AD 79."),
    ("When did the western empire end?", "It ended in 476 with Romulus Augustulus."),
    ("When was the mill built?", "It is a mill of the 1890s."),
    ("What date is on the letter?", "The letter bears 3/4/99 in pencil."),
    ("What date is on the letter?", "The letter bears 03.04.99 in pencil."),
    ("When was the parcel sent?", "Sent: 12 Jan"),
    ("When was the parcel sent?", "It was sent on the 12th."),
    ("When was the parcel sent?", "It was sent two weeks ago."),
    ("Which month is the fair?", "The fair is in May."),
    ("Which day is the waste collected?", "The waste is collected on Tuesday."),
    ("Which day is the waste collected?", "Waste: Fridays, in front of the house."),
    ("Which day is the waste collected?", "The waste is collected daily."),
    ("When did the alarm go off?", "The alarm went off at 3:15."),
    ("When did the alarm go off?", "It went off at 3 pm."),
    ("When did the alarm go off?", "It went off yesterday at noon.")])
def test_a_date_may_be_a_year_a_day_or_an_hour(question, text):
    assert lacks(question, text) == ""


@pytest.mark.parametrize("text", [
    "It was published long ago.", "It turns a text into 384 numbers.", "Each has 1536 dimensions.", "It costs $1066.",
    "The 1536-dimensional model is larger.", "It scored 0.73 there.", "It reads 1200 tokens in 300 ms.",
    "It may be used.", "It has 1,024 cells and takes 12.5 percent."])
def test_other_numbers_and_words_are_no_date(text):
    assert lacks("When was it published?", text) == "a date"


@pytest.mark.parametrize("question, text", [
    ("How much does parking cost?", "Parking is free of charge."),
    ("How much does entry cost?", "Entry costs nothing."),
    ("How much do I pay for entry?", "Children get in for nothing."), ("How much does it weigh?", "It weighs a pound."),
    ("How much does it weigh?", "Each is about half a kilo."), ("How much does it cost?", "It costs a euro."),
    ("How many pupils are there?", "Fifteen pupils are enrolled."),
    ("How many pupils are there?", "Forty-two of them."),
    ("How many eggs are in it?", "There is a dozen in each box."),
    ("How many hours does it take?", "It takes an hour."),
    ("What share of them is lost?", "About a third is lost.")])
def test_a_number_may_be_a_word(question, text):
    assert lacks(question, text) == ""


@pytest.mark.parametrize("text", [
    "Feel free to park there.", "The soup is gluten-free.", "It says nothing of the gate.",
    "Parking is dear.", "A car is a burden.", "The weekend is quiet."])
def test_other_words_are_no_number(text):
    assert lacks("How much does parking cost?", text) == "a number"


def test_a_sum_of_money_may_be_nothing_and_is_no_other_number():
    assert lacks("What is the fee?", "Residents pay nothing.") == lacks("What is the fee?", "No charge is made.") == ""
    assert lacks("What is the fee?", "Fifteen residents came in 1066.") == "a sum of money"


def test_a_question_of_no_kind_lacks_nothing():
    assert lacks("Why is it deep?", "It is deep.") == lacks("When should it be drained?", "In dry weather.") == ""
