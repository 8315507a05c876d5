"""Typing errors in a question, repaired from the documents' own words before anything is searched.

"wat is wrod2vec traned on" would lose both searches and the reranker. A word is left alone where it is a word: where
the embedder's vocabulary has it in one piece, or the documents use it. Else the documents' word that looks most like
it, one letter wrong, missing, too many or two of them swapped, takes its place, and the reason says so. Not covered:
errors that make another word ("form" for "from"), a wrong first letter, two errors in one word.
"""
from __future__ import annotations

import re
from collections.abc import Callable
from itertools import takewhile

ENDINGS = {"", "s", "es", "d", "ed", "r", "er", "ers", "ing"}
# A shorter word has too many neighbours to guess from. One of four, an acronym and three letters beside a hyphen
# ("one-hto") are mended by a swap or a doubled letter alone.
MIN_LETTERS = 4
_WORD = re.compile(r"[^\W\d_][\w'’]*")


def repair(question: str, is_word: Callable[[str], bool], words_from: Callable[[str], list[str]]) -> tuple[str, str]:
    """(the question to search, why it differs, "" where it does not).

    is_word     whether a lower-case word is one, whatever the documents hold
    words_from  the documents' words that begin with a letter
    """
    fixes: list[tuple[str, str]] = []

    def mended(match: re.Match) -> str:
        word = match[0]
        low = word.lower()
        joined = "-" in (question[match.start() - 1:match.start()], question[match.end():match.end() + 1])
        if len(low) < MIN_LETTERS - joined or re.search(r"[a-z][A-Z]", word) or "'" in low or "’" in low:
            return word
        if is_word(low):
            return word
        words = [other for other in words_from(low[0]) if _digits(other) == _digits(low)]  # python3 is no python2
        if any(_inflection(low, other) for other in words):
            return word
        near = next((other for other in words if _swapped(low, other) or _undoubled(low, other)), None)
        if near is None and len(low) > MIN_LETTERS and not word.isupper():
            near = next((other for other in words if _one_edit(low, other)), None)
        if near is None:
            return word
        fixes.append((word, near))
        return near.upper() if word.isupper() else near.capitalize() if word[0].isupper() else near

    query = _WORD.sub(mended, question)
    return query, "; ".join(f"\"{wrong}\" is read as \"{right}\"" for wrong, right in fixes)


def _inflection(one: str, other: str) -> bool:
    """Whether they are the same word, differ in an English ending alone ("compress", "compressed") or are spelled as on
    the two sides of the Atlantic ("summarise", "summarize")."""
    one, other = (re.sub(r"(?<=.{3}[a-z])z(?=e|i|a)", "s", word) for word in (one, other))
    at = _common(one, other)
    endings = {one[at:], other[at:]}
    return at >= MIN_LETTERS - 1 and endings <= ENDINGS


def _one_edit(one: str, other: str) -> bool:
    """Whether one letter replaced, added or left out, or two neighbours swapped, makes one of the other.

    That covers four of five misspellings (Damerau, Communications of the ACM 7(3), 1964).
    """
    if abs(len(one) - len(other)) > 1:
        return False
    at = _common(one, other)
    a, b = one[at:], other[at:]
    if len(one) == len(other):
        return a[1:] == b[1:] or (a[:2] == b[:2][::-1] and a[2:] == b[2:])
    return a[1:] == b if len(one) > len(other) else a == b[1:]


def _swapped(one: str, other: str) -> bool:
    """Whether two neighbours changed places ("trun", "turn"): it keeps every letter, so it goes before another edit."""
    return one != other and sorted(one) == sorted(other) and _one_edit(one, other)


def _undoubled(one: str, other: str) -> bool:
    """Whether one letter of two alike is missing ("lema", "lemma")."""
    return len(one) + 1 == len(other) and one in (other[:at] + other[at + 1:] for at in range(1, len(other))
                                                  if other[at] == other[at - 1])


def _digits(word: str) -> str:
    return re.sub(r"\D", "", word)


def _common(one: str, other: str) -> int:
    """Length of the common beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
