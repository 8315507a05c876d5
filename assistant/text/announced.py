"""Sentences that only announce what follows ("It fails in three ways."), made whole with what they announce.

Quoted alone such a sentence is the best match of a question and no answer to it. So it is joined with the sentences
or items that it counts, or with what stands after its colon; one that sets a scene ("Suppose ...") with what comes of
it; one that reports a question ("Ann asked whether ...") with the reply; one that points at a table gives way to the
table's rows.
"""
from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from assistant.text.sentences import Quotable, plain

MOST_WORDS = 110  # of a sentence with what it announces: more is a page, not a quotation
NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_THINGS = ("ways|tasks|reasons|kinds|forms|types|steps|things|cases|modes|parts|stages|layers|conditions|rules|"
           "questions|problems|causes|remedies|operations|advantages|drawbacks|properties|ideas|points|examples|"
           "effects|uses|lessons|exceptions|options|methods|differences|limits|failures|groups|signs|factors")
# "the three ways" were named before
_NEW = r"(?<!\bthe )(?<!\ball )(?<!these )(?<!those )(?<!same )(?<!of )(?<!other )(?<!their )(?<!its )"
_COUNTED = re.compile(rf"{_NEW}\b({'|'.join(NUMBERS)})\s+(?:[\w-]+\s+){{0,2}}(?:{_THINGS})\b", re.I)
_TABLE = re.compile(r"\btables?\b(?: below| above| here)?\s+(?:\w+ )?(?:lists?|gives?|shows?|compares?|names?|"
                    r"collects?|sets?|sums?|puts?|holds?|has|counts?)\b", re.I)
_ENTRY = re.compile(r"[^.!?—–]{2,60} [—–] \S")  # of a list that lost its marks: "Name — what it is"
_SUPPOSE = re.compile(r"(suppose|imagine|assume|consider|picture|say you)\b", re.I)
_ASKED = re.compile(r"\b(asked|wondered|enquired|inquired) (whether|if|why|how|when|where|what|who|which)\b", re.I)
SCENE = 2  # sentences after "Suppose ...": what comes of it
_CODE = re.compile(r"\W*(def|class|for|if|elif|else|while|with|try|except|del|return|import|from)\b.*[(\[:]")
_MARK = re.compile(r"(?m)^\s*(?:[-*+•]|\d+[.)])\s+")


def whole(found: Sequence[Quotable], text: str) -> list[Quotable]:
    """The quotables of a chunk's `text`, its announcements made whole; the others as they are."""
    made = []
    for at, one in enumerate(found):
        following = [q for q in found[at + 1:] if q.end > one.end]
        if one.kind not in ("sentence", "item") or _CODE.match(one.reading):
            made.append(one)
        elif announced := _announced(one, following):
            made.append(_joined(one, announced, text))
        else:
            made.append(one)
    return made


def _announced(one: Quotable, following: Sequence[Quotable]) -> list[Quotable]:
    """What belongs to it; nothing for a sentence that says all it has to say."""
    if not following:
        return []
    kind, counts = following[0].kind, False
    if one.reading.rstrip().endswith(":"):
        entries = len(list(takewhile(lambda q: _ENTRY.match(q.reading), following)))
        wanted = len(following) if kind == "item" else max(1, entries)
    elif (counted := _COUNTED.search(one.reading)) and ":" not in one.reading[counted.end():]:
        wanted, counts = NUMBERS[counted[1].lower()], True
    elif _SUPPOSE.match(one.reading):
        wanted = SCENE
    elif _ASKED.search(one.reading):
        wanted = 1
    else:
        return []
    taken: list[Quotable] = []
    words = len(one.reading.split())
    for other in following:
        words += len(other.reading.split())
        if other.kind != kind or kind == "row" or len(taken) == wanted or words > MOST_WORDS:
            break
        taken.append(other)
    return [] if counts and len(taken) < wanted else taken


def points_at_table(reading: str) -> bool:
    """Whether the sentence says what a table holds, which the table's rows say better."""
    return bool(_TABLE.search(reading))


def _joined(one: Quotable, announced: Sequence[Quotable], text: str) -> Quotable:
    last = announced[-1]
    if last.kind == "code":
        return Quotable("code", one.start, last.end, f"{one.reading}\n{last.reading}")
    reading = "; ".join(part for part in map(plain, _MARK.split(text[one.start:last.end])) if part) \
        if last.kind == "item" else plain(text[one.start:last.end])
    if last.kind != "item" and all(_ENTRY.match(q.reading) for q in announced):
        reading = f"{one.reading} {'; '.join(q.reading for q in announced)}"
    return Quotable("sentence", one.start, last.end, reading.replace(":;", ":"))
