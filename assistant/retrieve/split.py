"""A question that asks two things, taken apart: "How many dimensions has A, and what does it cost?".

Read as one, a passage that answers one half well outranks the one that answers the other half, and a reranker gives
both a middling mark. Only a second question that can stand alone is set apart: one that names something, that has
words enough of its own, or whose pronoun stands for something in the first. Not covered: three questions, two things
asked in one clause ("the cost of A and B"), a question before its background.
"""
from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from assistant.retrieve.contextualise import contextualise
from assistant.text.names import NAME
from assistant.text.words import NOT_IT, STOP

_ASKS = r"(what|which|who|whom|whose|where|when|why|how)"
_BEFORE = r"(?:(?:by|from|in|at|to|for|with|on|of|under|until|since|after|before|about|through) )?"
_DOES = r"(?:do|does|did|is|are|was|were|can|could|will|would|should|may|must)"
_WHO = r"(?:an?|the|my|our|your|its|their|i|we|you|it|they|he|she|there)"
_SEAM = re.compile(rf"(?:,|;)? (?:and|but) (?={_BEFORE}{_ASKS}\b(?! if\b))|"
                   rf"(?:,|;) (?:and|but) (?={_DOES} {_WHO}\b)|"
                   rf"\?\s+(?=(?:and |but )?(?:{_ASKS}|do|does|did|is|are|can)\b)", re.I)
_OPENS = re.compile(rf"\b{_ASKS}\b|^\W*(do|does|did|is|are|can)\b", re.I)
_POINTS = re.compile(rf"\b{NOT_IT}(it|its|they|them|their|there|one|ones|other)\b", re.I)
_NOUN = re.compile(r"^\W*(?:\w+ )?(?:which|what) (\w+)(?<!\bis)(?<!\bare)(?<!\bdoes)(?<!\bdo)(?<!\bdid) ", re.I)
_STAND_INS = {"one", "ones", "other", "others"}
OWN = 3  # content words from which on a second question stands alone


@dataclass(frozen=True)
class Ask:
    """One of the questions that are asked at once. vector: float32 (dim,); best: the best passage's probability for
    it, None where no reranker ran."""

    text: str
    vector: np.ndarray
    best: float | None = None


def questions(query: str) -> tuple[str, ...]:
    """The query itself, or the two questions that it asks, the second made to stand alone."""
    for seam in _SEAM.finditer(query):
        first, second = query[:seam.start()].strip(" ?,;"), query[seam.end():].strip()
        if not _OPENS.search(first) or not _content(first):
            continue
        words = len(_content(second))
        if noun := _NOUN.search(first):  # "from which one does CLIP start" asks for a temperature too
            second = re.sub(r"\bwhich one\b", f"which {noun[1]}", second, flags=re.I)
        whole, _ = contextualise(second, [{"role": "user", "content": first}])
        if whole == second and _POINTS.search(second):
            whole = f"{second.rstrip('? ')} {' '.join(_content(first))}"
        if words >= OWN or (words >= 2 and (whole != second or NAME.search(second))):
            return first, whole.rstrip("? ")
    return (query,)


def _content(text: str) -> list[str]:
    return [word for word in re.findall(r"\w[\w-]*", text.lower()) if word not in STOP and word not in _STAND_INS]
