"""A passage said in fewer of its own words, by rule: what the answer does not need and the meaning can spare goes.

Only parts whose loss leaves the rest true are taken out: asides, reasons, links to the sentence before. Conditions,
exceptions and denials stay, whatever the answer needs.
"""
from __future__ import annotations

import re
from collections.abc import Iterator

_LINK = re.compile(r"^(however|therefore|moreover|furthermore|in addition|additionally|for example|for instance|"
                   r"as a result|consequently|in fact|indeed|note that|also|thus|hence|meanwhile|similarly|"
                   r"in particular|specifically|curiously|interestingly|in other words|of course|finally|and|but|so|"
                   r"nevertheless|accordingly|unfortunately|generally speaking)\b,?\s+", re.I)
_INNER = re.compile(r",? (however|therefore|for example|for instance|moreover|of course|in turn|in fact|indeed),", re.I)
_ASIDE = re.compile(r"\s*\((?!\w\))[^()\d]{3,}\)| — [^—]{3,}? —(?= )| – [^–]{3,}? –(?= )")
_WHICH = re.compile(r", (?:which|who|whose|where|whom) [^,;]+,(?= \w)")
_TAIL = re.compile(r"(?:,? because |, (?:since|as|which|who|where|so that|so|meaning that|whereas|while|though|"
                   r"although|and so|and therefore|such as|including|for example|for instance) |; | — | – |: )")
_JOINT = re.compile(r"(?:;|, and) (?=\w)")
_COPULA = re.compile(r"\b(is|are|was|were|has|have|had|can|could|may|might|must|will|would|does|do|did)\b")
_HANGS = re.compile(r"(only|not|but|except|unless|however|otherwise|instead|it|its|they|their|them|this|these|those|"
                    r"that|he|she|his|her|so|then|therefore|both|neither|one|the (?:other|rest|former|latter|same))\b",
                    re.I)
_KEEPS = re.compile(r"\b(not|no|never|none|nothing|neither|nor|without|cannot|only|except|unless|if|until|when|but|"
                    r"provided|must|n[o']t|\w+n['’]t|fails?|lacks?|unlike|instead|rather|at least|at most)\b", re.I)
_VERB = re.compile(r"\b(is|are|was|were|be|has|have|had|do|does|did|can|could|may|might|must|will|would|shall|should|"
                   r"[a-z]{3,}(?:s|ed|es))\b")
MIN_WORDS = 4


def shortenings(sentence: str) -> list[str]:
    """The sentence and what is left of it after one or more of its spare parts, longest first, each once."""
    found, queue = {}, [_unlinked(" ".join(sentence.split()))]
    while queue and len(found) < 60:
        text = queue.pop(0)
        if text in found or (found and len(text.split()) < MIN_WORDS):
            continue
        found[text] = None
        queue += _without_one_part(text)
    return sorted(found, key=lambda text: (-len(text), text))


def _without_one_part(text: str) -> Iterator[str]:
    for match in [*_ASIDE.finditer(text), *_WHICH.finditer(text), *_INNER.finditer(text)]:
        if not _KEEPS.search(match[0]):
            yield _tidy(text[:match.start()] + text[match.end():])
    for match in _TAIL.finditer(text):
        rest = text[match.end():]
        head = text[:match.start()]
        if not _KEEPS.search(rest) and _VERB.search(head) and head.count("(") == head.count(")") \
                and head.count('"') % 2 == 0:
            yield _tidy(head)
    for match in _JOINT.finditer(text):  # two statements side by side: either can stand alone
        head, rest = text[:match.start()], text[match.end():]
        if _COPULA.search(head) and _COPULA.search(rest) and head.count("(") == head.count(")"):
            if not re.match(r"(only|not|but|except|unless|however|otherwise)\b", rest):
                yield _tidy(head)
            if match[0][0] == ";" and not _HANGS.match(rest):
                yield _capital(_tidy(rest))


def _unlinked(sentence: str) -> str:
    text = sentence
    while (match := _LINK.match(text)) and len(text) - match.end() > 20:
        text = _capital(text[match.end():])
    return _tidy(text)


def _tidy(text: str) -> str:
    """One blank between words, a full stop at the end."""
    text = re.sub(r"\s+([,.;])", r"\1", " ".join(text.split())).rstrip(" ,;:—–")
    if text and text[-1] not in ".!?)\"”":
        text += "."
    return text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] if re.match(r"[a-z]+\b", text) else text
