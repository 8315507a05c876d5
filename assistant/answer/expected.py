"""What an answer must hold for the kind of question that it answers: a date for "when", a number for "how many".

The check of an answer's type is old (Prager and others, Question-answering by predictive annotation, SIGIR 2000). Only
kinds that are told by their look are here, and only what the reranker is unsure of is checked (answer/decline.py).
"""
from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.text.announced import NUMBERS


@dataclass(frozen=True)
class Kind:
    """name: in words. asks: of the question. holds: of the text that answers it. anywhere: whether a passage beside the
    best, or a heading, may hold it."""

    name: str
    asks: re.Pattern[str]
    holds: re.Pattern[str]
    anywhere: bool = False


def _kind(name: str, asks: str, holds: str, anywhere: bool = False) -> Kind:
    return Kind(name, re.compile(asks, re.I), re.compile(holds, re.I), anywhere)


KINDS = (
    _kind("a date", r"^\W*when (was|were|did)\b|\b(what|which) (year|date|day|month)\b",
          r"\b(1[789]|20)\d\d\b|\b(january|february|march|april|may|june|july|august|september|october|november|"
          r"december|century|years? ago)\b", anywhere=True),
    _kind("a number", r"\bhow many\b|\b(what|which) (number|percentage|share|fraction|proportion)\b|"
          r"\bhow much\b.*\b(cost|pay|weigh|charge|owe|earn)s?\b",
          r"\d|\b(none|no|half|twice|both|dozens?|hundreds?|thousands?|millions?|billions?|"
          rf"one|{'|'.join(NUMBERS)}|eleven|twelve|twenty|all|every|each|several|few|many)\b"),
    _kind("a sum of money", r"\bhow much (rent|money)\b|\bhow much\b.*\b(pay|charge|owe|earn)s?\b|"
          r"^(?!\W*(?:which|who|where|when|why)\b).*\b(price|rent|budget|salary|fee|fare|fine) (of|for|per)\b|"
          r"\bwhat(?:'s| is| was) the [\w ]*\b(price|rent|budget|salary|fee|fare|fine)\b",
          r"[$€£¥₹]|\b(free|no charge|euros?|dollars?|pounds?|cents?|pence|eur|usd|gbp|chf|francs?|kron[ae]r?|"
          r"zloty|yen|yuan|rupees?|pesos?|lira|rubles?|credits?|percent)\b|%"),
    _kind("a telephone number", r"\b(phone|telephone|fax|mobile) number\b|\bnumber (do|can|should) (i|we) call\b",
          r"\d[\d ()/.-]{5,}\d"),
    _kind("an e-mail address", r"\be-?mail address\b", r"\S@\S"),
)


def missing(question: str, best: str, all_: str) -> str:
    """What the question asks for and its answer does not hold, in words; "" where nothing is missing.

    best: the best passage. all_: all passages of the answer with their headings.
    """
    return next((kind.name for kind in KINDS
                 if kind.asks.search(question) and not kind.holds.search(all_ if kind.anywhere else best)), "")
