"""Where the sentences of running text end: not at "e.g.", a decimal, an abbreviation, nor in a formula or `code`."""
from __future__ import annotations

import re

from assistant.text.blocks import MONTH

_WHOLE = re.compile(r"\$(?![\d\s])[^$\n]+(?<!\s)\$(?!\d)|`[^`\n]+`")  # $0.02 begins no formula
_BLANK = re.compile(r"[^\S\n\x00-\x7f]")  # sentencex panics where one stands between a capital and a full stop
_CLOSING = re.compile(r"(?<=[.!?])[*_]+(?=\s|$)")
_NEXT = re.compile(r"[^\S\n]*\n?[^\S\n]*(§|\w[\w@-]*)")
_ABBREVIATED = re.compile(r"\b(?:[Aa]pprox|[Cc]a|[Bb]zw|[Vv]gl)\.\s*$")
_UNLESS_CAPITAL = re.compile(r"\b(?:max|min|temp|vol)\.\s*$", re.I)  # "It took 5 min. Then he left." are two
_DAY = re.compile(rf"(?<=\d\.)\s*(?={MONTH})")
OPENING = 4  # words; fewer before a full stop without a blank behind it are no sentence
LONGEST = 1000  # characters; a sentence goes on past full stops no further


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences of running text, blanks at their ends left out. A formula, `code` or an abbreviation is
    not torn; the marks that close an emphasis stay with it."""
    import sentencex
    whole = [match.span() for match in _WHOLE.finditer(text)]
    even = _BLANK.sub(" ", text)  # one character for one, so that offsets hold
    spans, at, begin = [], 0, 0
    for piece in sentencex.segment("en", even):
        at = even.index(piece, at) + len(piece)
        end = closing.end() if (closing := _CLOSING.match(text, at)) else at
        if any(a < end < b for a, b in whole) or _goes_on(text, begin, end):
            continue
        piece = text[begin:end if closing and closing[0] in text[begin:at] else at]  # else it closes what is before
        if piece.strip():
            spans.append((begin + len(piece) - len(piece.lstrip()), begin + len(piece.rstrip())))
        begin = end
    return spans


def _goes_on(text: str, begin: int, end: int) -> bool:
    """Whether the sentence that starts at `begin` goes on at `end`: there stands a small letter or "§", or the full
    stop before it is an abbreviation's. Who begins a sentence small may do so with the next."""
    following, last = _NEXT.match(text, end), text[max(begin, end - 12):end]
    if last.endswith(".") and text[end:end + 1].isalnum() and (
            re.search(r"\b\w{1,3}\.$", last) or len(text[begin:end].split()) < OPENING):
        return True  # nn.Embedding
    if not following or end - begin > LONGEST or not re.search(r"(?<!\*\*)(?<=[.!?])[*_]?[\"'”’)\]]*\s*$", last):
        return False
    if _ABBREVIATED.search(last) or _DAY.match(text, begin + len(text[begin:end].rstrip())):
        return True
    if _UNLESS_CAPITAL.search(last):
        return not following[1][0].isupper() or end - begin < 7
    small = following[1] == "§" or (following[1].isalpha() and following[1].islower())  # no name such as word2vec
    return small and not re.match(r"\W*[a-z]", text[begin:begin + 12])
