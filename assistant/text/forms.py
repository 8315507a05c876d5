"""The form of passage that a question asks for: a formula, an acronym spelled out, a definition.

A reranker reads for meaning and hardly sees the form, so what has it is lifted (answer/evidence.py) and, where nothing
that was kept has it, kept as well (retrieve/select.py).
"""
from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from assistant.text.names import names
from assistant.text.words import STOP

WANTED = 3.0   # log-odds for a formula, or an acronym spelled out; of the very thing that is named DEFINES more
DEFINES = 1.0  # log-odds for "X is a ..." where the question is "What is X?"
_ASKS_FORMULA = re.compile(r"\b(formulas?|formulae|equations?)\b", re.I)
_FORMULA = re.compile(r"\$[^$\n]*[=≈\\][^$\n]*\$|[\w)\]] = [\w(\\]")
_CODE = re.compile(r"\b(def|len|for|range|float|int|str|print|return|import|np)\b|\w\.\w+\(|[=+]=")
_ASKS_WORDS = re.compile(r"\b(stands? for|short for|abbreviat\w+|acronym|spell(ed|t)? out|full (name|form))\b", re.I)
_WHAT_IS = re.compile(r"\W*(?:what(?: exactly)? (?:is|are|was|were)|what's|define|(?:tell me|explain) what|what does|"
                      r"(?:the )?(?:meaning|definition) of)\s+(?:meant by )?(?:an?\s+|the\s+)?([\w][\w\s'’-]{0,40}?)"
                      r"(?:\s+(?:is|are|mean|means))?\W*$|"
                      r"\W*([\w][\w'’-]*(?: [\w'’-]+){0,2}) (?:meaning|definition)\W*$", re.I)


@dataclass(frozen=True)
class Form:
    """name: in words, "" where a passage without it answers as well. lift(text): log-odds for a passage."""

    name: str
    lift: Callable[[str], float]


def form(question: str) -> Form:
    """What the question asks for; a form that lifts nothing where it asks for none."""
    named = names(question)
    if _ASKS_FORMULA.search(question):
        return Form("the formula", partial(_formula, _of(question, named)))
    if named and _ASKS_WORDS.search(question):
        spelled = _spelled(named[0])
        return Form(f"\"{named[0]}\" spelled out", lambda text: WANTED * bool(spelled.search(text)))
    if what := _WHAT_IS.match(question):
        defines = _defines(what[1] or what[2])
        return Form("", lambda text: DEFINES * bool(defines.match(text)))
    return Form("", lambda text: 0.0)


def has_formula(text: str) -> bool:
    return bool(_FORMULA.search(text))


def _of(question: str, named: list[str]) -> re.Pattern[str]:
    """What the formula is of, as its left side: "BM25(q, d) =". Without a name, each word that says something."""
    words = [word for word in re.findall(r"[\w-]+", _ASKS_FORMULA.sub(" ", question).lower()) if word not in STOP]
    either = "|".join(map(re.escape, named or words))
    return re.compile(rf"\b(?:{either})\W{{0,2}}(?:\([^()]*\))?\s*=" if either else r"(?!)", re.I)


def _formula(of: re.Pattern[str], text: str) -> float:
    if not has_formula(text):
        return 0.0
    return WANTED * (0.5 if _CODE.search(text) else 1.0) + DEFINES * bool(of.search(text))


def _spelled(name: str) -> re.Pattern[str]:
    """"CLIP (Contrastive ...", "... pre-training (CLIP)", "CLIP stands for"."""
    name = re.escape(name)
    return re.compile(rf"\b{name}\W{{1,2}}\([A-Z]?[a-z]|\w \({name}\b|\b{name},? (is |are )?short for|"
                      rf"\b{name} stands for")


def _defines(what: str) -> re.Pattern[str]:
    stem = re.escape(what.lower().removesuffix("s"))
    return re.compile(rf"(an? |the )?([\w-]+( [\w-]+){{0,4}} \()?{stem}s?\)?( \([^)]*\))?,?( [^,.;:]{{0,40}},)? "
                      r"(is|are|means?|represents?|denotes?|refers? to) (an?|the|any|one)\b", re.I)
