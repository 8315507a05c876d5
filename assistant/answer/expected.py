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


# A year, but not 1200 tokens, a 1536-dimensional vector or $1066: in 476, 753 BC, 1066, the 1980s.
_NO_COUNT = r"(?![.,]\d|-[a-z]|\s*%|\s+(?!(?:as|is|was|his|its|this|thus)\b)[a-z]+s\b)"
_YEAR = (rf"\b(?:1[789]|20)\d\ds?\b|(?<![\d.,$€£])\b1[0-6]\d\d\b{_NO_COUNT}|\b(?:in|since|until|year) \d{{3}}\b"
         rf"{_NO_COUNT}|\b(?-i:\d+ ?(?:BCE?|CE|AD|B\.C\.|A\.D\.)|AD \d+)")
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)"
_DAY = (rf"\b\d{{1,2}}[./-]\d{{1,2}}[./-]\d{{2,4}}\b|\b\d{{1,2}}/\d{{1,2}}\b|\b\d{{1,2}}(?:st|nd|rd|th)?\.? {_MONTH}\b|"
        rf"\b{_MONTH}\.? \d|\b(?:on|by|from|until) the \d{{1,2}}(?:st|nd|rd|th)\b|\bin may\b|\b(?-i:May)\b")
_CLOCK = r"\b\d{1,2}:\d\d\b|\b\d{1,2} ?[ap]\.?m\b|\b(?:noon|midnight|o['’]clock)\b"
_SPELT = (rf"{'|'.join(NUMBERS)}|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|"
          r"(?:twen|thir|for|fif|six|seven|eigh|nine)ty")
_FREE = (r"(?<!-)\bfree\b(?! (?:to|from)\b)|\b(?:costs?|pays?|paid|charged?|for) nothing\b|"
         r"\b(?:no charge|without charge|gratis)\b")
# "a pound", and not the "a month" of "twice a month"
_MEASURE = (r"(?<!once )(?<!twice )(?<!times )\ban? (?:third|quarter|tenth|fifth|majority|couple|pound|penny|cent|euro|"
            r"dollar|fortune|ounce|gram(?:me)?|kilo(?:gram(?:me)?)?|ton(?:ne)?|inch|foot|yard|mile|(?:kilo)?met(?:re|er)|lit(?:re|er)|"
            r"pint|gallon|minute|hour|day|week|fortnight|month|year)\b")

KINDS = (
    _kind("a date", r"^\W*when (was|were|did)\b|\b(what|which) (year|date|day|month)\b",
          rf"{_DAY}|{_YEAR}|{_CLOCK}|\b(?:january|february|march|april|june|july|august|september|october|november|"
          r"december|century|(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|decades?|centuries) ago|"
          r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|today|yesterday|tomorrow|tonight|daily|weekly|monthly|yearly|"
          r"annually|(?:every|each|last|this|next) (?:day|week|month|year)|christmas|easter)\b", anywhere=True),
    _kind("a number", r"\bhow many\b|\b(what|which) (number|percentage|share|fraction|proportion)\b|"
          r"\bhow much\b.*\b(cost|pay|weigh|charge|owe|earn)s?\b",
          rf"\d|{_FREE}|{_MEASURE}|\b(none|no|zero|half|twice|both|dozens?|hundreds?|thousands?|millions?|"
          rf"billions?|one|{_SPELT}|all|every|each|several|few|many)\b"),
    _kind("a sum of money", r"\bhow much (rent|money)\b|\bhow much\b.*\b(pay|charge|owe|earn)s?\b|"
          r"^(?!\W*(?:which|who|where|when|why)\b).*\b(price|rent|budget|salary|fee|fare|fine) (of|for|per)\b|"
          r"\bwhat(?:'s| is| was) the [\w ]*\b(price|rent|budget|salary|fee|fare|fine)\b",
          rf"[$€£¥₹]|{_FREE}|\b(euros?|dollars?|pounds?|cents?|pence|eur|usd|gbp|chf|francs?|kron[ae]r?|"
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
