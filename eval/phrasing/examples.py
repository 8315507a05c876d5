"""One lesson for the language model: a question, its evidence as the assistant shows it, and what to reply.

A reply is made of the evidence's own words, because the assistant shows a sentence of the model only where
assistant.answer.verify lets it pass, and drops the quotation beside it only where the sentence holds its substance.
So every target must do both; of several the shortest is taken.
"""
from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.answer.prompt import DECLINE
from assistant.answer.verify import check, content, holds
from assistant.records import Evidence
from assistant.text.segment import split_sentences
from assistant.text.sentences import quotables
from eval.phrasing.shorten import shortenings

SIZES = (3, 4, 5, 6, 6, 6)  # passages in a prompt; the assistant's own limit is 6
GOLD_FIRST = 0.5  # share whose answering passage stands first; the assistant shows its evidence best first
MAX_WORDS = 45    # of a target sentence
DECLINED = "declined"


@dataclass(frozen=True)
class Source:
    """A passage of a document as the assistant would quote it. `place`: chain of headings; `lines` it was made of.

    owner: number of the passage that it was cut from. code: it is better quoted than said in one line.
    """

    place: str
    text: str
    owner: int = 0
    lines: frozenset[int] = frozenset()
    code: bool = False


@dataclass(frozen=True)
class Example:
    """readings: the evidence's texts in order; reply: with markers; document: what the split goes by.

    kind is "one", "two", "about" or "declined"; answer: the source's own words, "" where nothing answers.
    """

    question: str
    readings: tuple[str, ...]
    places: tuple[str, ...]
    reply: str
    kind: str
    source: str
    document: str
    answer: str = ""


def cut(place: str, lines: Sequence[str], joiner: str, owner: int = 0, code: bool = False) -> list[Source]:
    """A passage's quotable parts as assistant.text.sentences gives them, with the lines that each one covers."""
    spans, at = [], 0
    for line in lines:
        spans.append((at, at + len(line)))
        at += len(line) + len(joiner)
    found = []
    for part in quotables(joiner.join(lines)):
        covered = frozenset(n for n, (a, b) in enumerate(spans)
                            if min(b, part.end) - max(a, part.start) > 0.5 * min(b - a, part.end - part.start))
        found.append(Source(place, part.reading, owner, covered, code))
    return found


def sentence(question: str, source: Source, needed: set[str], said: str = "") -> str | None:
    """The shortest sentence that says what is needed, passes the check and holds the passage; None if none does.

    needed: stems that must stand in it, as far as they stand in the passage. said: an answer that somebody wrote.
    """
    evidence = Evidence(1, "", "", source.place, ((0, 1),), source.text, None)
    wanted = needed & content(source.text)
    tries = [] if source.code else [t for t in shortenings(joined(source.text)) if wanted <= content(t)]
    fits = [text for text in [*([said] if said else []), *tries]
            if len(text.split()) <= MAX_WORDS and len(split_sentences(text)) == 1
            and check(text, question, (evidence,)).supported and holds(text, evidence)]
    return min(fits, key=lambda text: (len(text.split()), text), default=None)


def joined(text: str) -> str:
    """Two sentences of which the second leans on the first, as one: the marker stands once, at its end."""
    found = re.fullmatch(r"([^.!?]+)\. ((?:This|That|These|Those|It|Its|They|Their|He|She|Such|So|But|The)\b[^.!?]+\.)",
                         text)
    return f"{found[1]}; {found[2][0].lower()}{found[2][1:]}" if found else text


def marked(text: str, marker: int) -> str:
    """The sentence with its marker before the full stop, as the prompt's examples have it."""
    bare = text[:-1] if text[-1] in ".!?" else text
    return f"{bare} [{marker}]."


def answered(rng: random.Random, question: str, parts: Sequence[tuple[Source, set[str], str]],
             others: Sequence[Source], *, kind: str, source: str, document: str) -> Example | None:
    """An example whose reply says every part: (answering passage, needed stems, written answer); None if one cannot be.

    others: passages that do not answer, in the order in which they are taken.
    """
    said = [sentence(question, passage, needed, text) for passage, needed, text in parts]
    if not all(said):
        return None
    gold = [passage for passage, _, _ in parts]
    room = max(1, rng.choice(SIZES) - len(gold))
    shown = gold + _apart(others, gold)[:room]
    if len(shown) < 2:
        return None
    order = shown if rng.random() < GOLD_FIRST else rng.sample(shown, len(shown))
    reply = " ".join(marked(text, order.index(passage) + 1) for passage, text in zip(gold, said, strict=True))
    return Example(question, tuple(p.text for p in order), tuple(p.place for p in order), reply, kind, source, document,
                   " ".join(text or passage.text for passage, _, text in parts))


def unanswered(rng: random.Random, question: str, others: Sequence[Source], *, source: str,
               document: str) -> Example | None:
    """An example whose evidence does not answer."""
    shown = _apart(others, [])[:rng.choice(SIZES)]
    if len(shown) < 2:
        return None
    order = rng.sample(shown, len(shown))
    return Example(question, tuple(p.text for p in order), tuple(p.place for p in order), DECLINE, DECLINED, source,
                   document)


def near(rng: random.Random, question: str, pool: Sequence[Source]) -> list[Source]:
    """The passages that share most with the question first, with some chance: hard ones, not always the same."""
    asked = content(question)
    return sorted(pool, key=lambda p: (-len(asked & content(p.text + " " + p.place)) - 2 * rng.random(), p.text))


def _apart(found: Sequence[Source], taken: Sequence[Source]) -> list[Source]:
    """Those that overlap neither the taken ones nor each other, as in the assistant's evidence."""
    kept: list[Source] = []
    for one in found:
        if not any(one.text == other.text or (one.owner == other.owner and one.lines & other.lines)
                   for other in [*taken, *kept]):
            kept.append(one)
    return kept
