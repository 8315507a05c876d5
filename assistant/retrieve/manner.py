"""How an answer is wished for ("in one sentence", "briefly") is no part of what is asked: no passage holds it.

"What is an embedding, in one sentence?" would find passages about sentences.
"""
from __future__ import annotations

import re

_LENGTH = r"in (?:just |only |about |at most )?(?:one|a single|two|three|a few|few|\d+) " \
          r"(?:short |brief |simple )?(?:sentences?|words?|lines?)"
_STYLE = r"in (?:short|brief|simple (?:terms|words)|plain (?:english|words|language)|a nutshell|layman'?s terms)"
_MANNER = re.compile(rf"(?:,\s*|\s+|^\W*)(?:and )?(?:(?:please )?(?:{_LENGTH}|{_STYLE}|briefly|shortly|concisely)"
                     rf"(?: please)?)(?=\s*(?:[,:?.!]|$))[,:]?|^\W*(?:briefly|concisely),? ", re.I)
_ONE = re.compile(r"\b(?:one|a single|1) (?:short |brief |simple )?(?:sentence|line)\b", re.I)
LEFT = 2  # words that must be left; "in one sentence?" alone asks on about what was said


def without(question: str) -> tuple[str, str]:
    """(the question without such words, why it differs, "" where it does not)."""
    found = _MANNER.search(question)
    if not found:
        return question, ""
    rest = (question[:found.start()] + " " + question[found.end():]).strip(" ,")
    rest = re.sub(r"\s+(?=[?.!,])|(?<=\s)\s+", "", rest)
    if len(re.findall(r"\w+", rest)) < LEFT:
        return question, ""
    return rest[0].upper() + rest[1:], f"\"{found[0].strip(' ,:')}\" is about the answer"


def wants_one(question: str) -> bool:
    """Whether one sentence is wished for."""
    found = _MANNER.search(question)
    return bool(found and _ONE.search(found[0]))
