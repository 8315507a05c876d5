"""Checks one sentence of the model's draft against the evidence: numbers, names, negations, words, their order.

A sentence passes when every number, with its unit, and every name in it stands in its evidence and in its order, it
denies exactly what its evidence denies, compares and counts in no other word, and nearly all its content words stand
there too. The check is strict on purpose: what fails is shown as a quotation instead, which costs style and never
truth.
"""
from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from assistant.records import Evidence
from assistant.text.announced import NUMBERS
from assistant.text.words import STOP

COVERED = 0.9     # share of a sentence's content words that must stand in its evidence, question or headings
FROM_EVIDENCE = 0.75  # share that must stand in the evidence itself or its headings
IN_ORDER = 0.75   # share that must stand there in the same order: "dog bites man" is not "man bites dog"
HOLDS = 0.6       # share of a passage's content words that a sentence must hold to stand in its place
_MARKER = re.compile(r"\s*\[(\d+)\]")
_NEGATION = re.compile(r"\b(not|no|never|none|nothing|neither|nor|without|cannot|n[o']t|\w+n['’]t|fails?|lacks?|"
                       r"unlike|instead of|rather than)\b", re.I)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_WORD = r"[^\W_]+(?:['’][a-z]+)?"
# A word that may be a name; the first of a clause, whose capital says nothing, stands in no group.
_INSIDE = re.compile(rf"(?:^|[:?!])[\W_]*{_WORD}|({_WORD})")
_ANCHOR = re.compile(rf"{_NUMBER.pattern}|{_WORD}")
_SPELT = "|".join((*NUMBERS, "eleven|twelve", "(?:thir|four|fif|six|seven|eigh|nine)teen",
                   "(?:twen|thir|for|fif|six|seven|eigh|nine)ty"))
_MONEY = re.compile(rf"([$€£¥])\s?({_NUMBER.pattern})")
_UNITS = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen", "%": "percent"}
# A number and the two words behind it ("5 working days"): not a name's, as in BM25, nor the first of "5 to 10 days".
_COUNTED = re.compile(rf"(?<!\w)({_NUMBER.pattern}(?![.,]?\d)|(?:{_SPELT})\b)"
                      rf"(?!\s*(?:to|or|[-–—/])\s*(?:\d|(?:{_SPELT})\b))"
                      r"(?:[\s-]*([ap]\.?m\b|[$€£¥%]|°?[^\W\d_]+))?(?:[\s-]+([^\W\d_]+))?", re.I)
# One such word turns a sentence's meaning while all its others stay, so none may be there that the evidence lacks.
_TURNS = re.compile(
    rf"\b({_SPELT}|"
    r"hundreds?|thousands?|millions?|billions?|trillions?|percent|dozens?|half|twice|thrice|double[sd]?|triple[sd]?|"
    r"better|worse|best|worst|more|most|less|least|few(?:er|est)?|many|much|all|every|each|both|either|any|some|"
    r"only|always|often|seldom|rarely|sometimes|usually|mostly|before|after|above|below|over|under|first|last|"
    r"(?:high|low|larg|small|fast|slow|strong|weak|clos|cheap|long|short|old|new|earl|lat|near|far|deep|shallow|wid|"
    r"narrow|eas|hard|great|simpl)(?:i?er|i?est|ther|thest)|"
    r"(?:increas|decreas|rais|reduc|improv|worsen|grow|shrink|ris|fall|gain|los|add|remov|includ|exclud|allow|prevent)"
    r"(?:e?s|ed|ing|e)?)\b", re.I)


@dataclass(frozen=True)
class Checked:
    """supported, by which markers, and in words why not; `text` is the sentence without its markers."""

    text: str
    markers: tuple[int, ...]
    supported: bool
    why: str = ""


def check(sentence: str, question: str, evidence: Sequence[Evidence]) -> Checked:
    """Whether the evidence that the sentence cites (else whichever fits best) says it."""
    text = _MARKER.sub("", sentence).strip()
    text = re.sub(r"\s+([.,;])", r"\1", text)
    words = content(text)
    if len(words) < 2:
        return Checked(text, (), False, "it says nothing")
    cited = [int(n) for n in _MARKER.findall(sentence)]
    known = {e.marker: e for e in evidence}
    by_fit = sorted(known, key=lambda n: (-_share(words, content(known[n].text)), n))
    tries = [m for m in dict.fromkeys(cited) if m in known]
    why = "no evidence fits it"
    for marker in [*tries, *[m for m in by_fit[:2] if m not in tries]]:
        why = _why_not(text, words, question, known[marker])
        if not why:
            return Checked(text, (marker,), True)
    return Checked(text, tuple(tries), False, why)


def _why_not(text: str, words: set[str], question: str, evidence: Evidence) -> str:
    """The first reason against the sentence in words; "" if there is none."""
    extra = set(_NUMBER.findall(text)) - set(_NUMBER.findall(evidence.text))
    if extra:
        return f"the number {min(extra)} is not in [{evidence.marker}]"
    near = content(evidence.text) | content(evidence.heading)
    names = [w for w in _names(text) if stem(w) not in near]
    if names:
        return f"the name {names[0]} is not in [{evidence.marker}]"
    if other := _other_unit(text, evidence.text, near):
        return f"\"{other}\" is not in [{evidence.marker}]"
    if bool(_NEGATION.search(text)) != bool(_NEGATION.search(evidence.text)):
        return f"it denies what [{evidence.marker}] does not, or the reverse"
    if _share(words, near) < FROM_EVIDENCE or _share(words, near | content(question)) < COVERED:
        return f"its words are not those of [{evidence.marker}]"
    turned = {w.lower() for w in _TURNS.findall(text)} - {w.lower() for w in _TURNS.findall(evidence.text)}
    if turned:
        return f"\"{min(turned)}\" is not in [{evidence.marker}]"
    if not _follows(_anchors(text), _anchors(evidence.text)):
        return f"its names and numbers stand in another order than in [{evidence.marker}]"
    if _in_order(_stems(text), _stems(evidence.text)) < IN_ORDER:
        return f"its words stand in another order than in [{evidence.marker}]"
    return ""


def _names(text: str) -> list[str]:
    """Its acronyms, its words with a capital, and the word that it begins with, which may be a name."""
    inside = [w for w in _INSIDE.findall(text) if w[:1].isupper()]
    return [w for w in [*re.findall(r"\b(?:[A-Z]{2,}|[A-Z]\w*[A-Z]\w*)\b", text), *re.findall(_WORD, text)[:1], *inside]
            if w.lower() not in STOP]


def _other_unit(text: str, evidence: str, near: set[str]) -> str:
    """The first number of the sentence with a word behind it that the evidence puts behind it nowhere; "" if none.

    A number that stands alone there, as in a table's cell, may have any of the evidence's words for its unit.
    """
    known: dict[str, set[str]] = {}
    for number, units in _counted(evidence):
        known.setdefault(number, set()).update(units or near | {_unit(sign) for sign in _UNITS if sign in evidence})
    return next((f"{number} {' '.join(units)}" for number, units in _counted(text)
                 if units and (known.get(number, set()).isdisjoint(units) or set(units) - known[number] - near)), "")


def _counted(text: str) -> list[tuple[str, list[str]]]:
    """Each number with the stems of up to two words behind it, as far as they belong together."""
    made = []
    for number, *words in _COUNTED.findall(_MONEY.sub(r"\2 \1", text)):
        units = takewhile(lambda w: w and (w.lower() == "am" or w.lower() not in STOP), words)
        made.append((number.lower(), [_unit(w) for w in units]))
    return made


def _unit(word: str) -> str:
    return _UNITS.get(word) or stem(word.replace(".", ""))


def _follows(said: list[str], evidence: list[str]) -> bool:
    """Whether the names and numbers come in the evidence's order: who is slower than whom, which price is whose.

    Those that the evidence lacks are the question's or a heading's and say nothing about the order.
    """
    rest = iter(evidence)
    return all(anchor in rest for anchor in said if anchor in evidence)


def _anchors(text: str) -> list[str]:
    return [stem(w) for w in _ANCHOR.findall(text) if (w[0].isupper() or w[0].isdigit()) and w.lower() not in STOP]


def holds(sentence: str, evidence: Evidence) -> bool:
    """Whether a supported sentence says enough of the passage to stand in its place."""
    wanted = content(evidence.text)
    numbers = set(_NUMBER.findall(evidence.text)) <= set(_NUMBER.findall(sentence))
    return numbers and _share(wanted, content(sentence)) >= HOLDS


def declines(draft: str) -> bool:
    """Whether the model says that the evidence does not answer."""
    return bool(re.match(r"\W*(the |this |these |your )?(documents?|evidence|texts?|passages?|context)\b.{0,40}\b"
                         r"(do(es)? not|don['’]t|doesn['’]t|cannot) (say|answer|mention|contain|cover|provide)",
                         draft, re.I))


def content(text: str) -> set[str]:
    """The stems of its words that carry meaning."""
    return set(_stems(text))


def _stems(text: str) -> list[str]:
    return [stem(w) for w in re.findall(_WORD, text) if w.lower() not in STOP]


def _in_order(said: list[str], evidence: list[str]) -> float:
    """Length of the longest common subsequence of the two, as a share of what is said."""
    row = [0] * (len(evidence) + 1)
    for word in said:
        previous = 0
        for at, other in enumerate(evidence, 1):
            previous, row[at] = row[at], previous + 1 if word == other else max(row[at], row[at - 1])
    return row[-1] / len(said) if said else 0.0


def stem(word: str) -> str:
    """A crude stem: enough to match "trains" with "training", and never "good" with "bad"."""
    word = re.sub(r"['’]s?$", "", word.lower())
    for ending in ("ingly", "edly", "ings", "ing", "ies", "ied", "ers", "ed", "es", "er", "ly", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[:-len(ending)]
    return word


def _share(words: set[str], among: set[str]) -> float:
    return len(words & among) / len(words) if words else 0.0
