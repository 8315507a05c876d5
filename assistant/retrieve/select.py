"""Which candidates the answer is made from, and why the others are not: the gate, doubles, neighbours."""
from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from assistant.records import Chunk, Hit, Score
from assistant.text.announced import points_at_table
from assistant.text.forms import Form
from assistant.text.names import NAME, mentioned, names
from assistant.text.sentences import units
from assistant.text.words import STOP

# Factors on the threshold's odds; chosen on eval/gold/dev.jsonl, see eval/EXPERIMENTS.md.
NAMED, ABSENT, COVERED = 2.4, 6.0, 0.5
DOUBLE = 0.85  # share of common words above which two chunks say the same


@dataclass(frozen=True)
class Gate:
    """Whether the best candidate is good enough to answer from. state "off" where no calibrated reranker ran."""

    state: Literal["passed", "declined", "off"]
    reason: str
    threshold: float | None


def gate(hits: Sequence[Hit], threshold: float | None, why_off: str, query: str = "") -> Gate:
    """threshold None: no gate, for the reason in `why_off`.

    A name lifts a passage's probability for being there alone ("What does Pinecone cost?" against a passage that only
    mentions Pinecone), so where the question asks something of what it names, more is asked for; and more again where
    a name stands in none of the candidates. What the document is named for ("the Brio 340" in its manual) says nothing
    of a passage and does not count. Where the best candidate holds every word of the question ("What is IVF?",
    "CLS token"), less is.
    """
    if not hits:
        return Gate("declined", "nothing was found", threshold)
    if threshold is None:
        return Gate("off", why_off, None)
    best = max(hits, key=lambda hit: hit.rerank.value)
    chance = best.rerank.value
    needed, why = _needed(threshold, query, hits, best)
    if chance < needed:
        return Gate("declined", f"best probability {chance:.2f}, below the threshold {needed:.2f}{why}", needed)
    return Gate("passed", f"best probability {chance:.2f}, threshold {needed:.2f}{why}", needed)


def _needed(threshold: float, query: str, hits: Sequence[Hit], best: Hit) -> tuple[float, str]:
    """(the threshold of this question, why it differs from the given one, "" where it does not)."""
    if _covered(query, best):
        return _times(threshold, COVERED), ", lowered because the best passage holds every word of the question"
    title = set(re.findall(r"[\w-]+", best.document.lower()))
    named = [name for name in names(query) if not set(name.lower().split()) <= title]
    rest = _content(NAME.sub(" ", query))
    if not named or not rest:
        return threshold, ""
    texts = [_text(hit) for hit in hits]
    absent = [part for name in named for part in name.split() if not any(mentioned(part, text) for text in texts)]
    if absent:
        return _times(threshold, ABSENT), f", raised because no passage holds \"{absent[0]}\""
    return _times(threshold, NAMED), f", raised because \"{named[0]}\" alone is no answer"


def _covered(query: str, hit: Hit) -> bool:
    """Whether the candidate holds every content word of the query, or one that begins like it."""
    words = _content(query)
    return bool(words) and all(re.search(rf"\b{re.escape(word.removesuffix('s'))}", _text(hit)) for word in words)


def _content(text: str) -> list[str]:
    return [word for word in re.findall(r"\w+", text.lower()) if word not in STOP]


def _text(hit: Hit) -> str:
    return f"{hit.chunk.heading}\n{hit.chunk.header}\n{hit.chunk.text}".lower()


def _times(probability: float, factor: float) -> float:
    """The probability of `factor` times its odds."""
    odds = factor * probability / (1 - probability) if probability < 1 else float("inf")
    return odds / (1 + odds) if odds != float("inf") else 1.0


def select(hits: Sequence[Hit], k: int, passed: Gate, floor: float,
           rankings: Sequence[Mapping[str, Score]] = ()) -> list[Hit]:
    """The hits in their order, with `kept` and `reason`: at most k, none said twice, none under the floor.

    hits      best first
    floor     a probability; under it a chunk other than the best adds noise. Ignored where the gate is off.
    rankings  {chunk id: its score} for each of several questions: they choose by turns, each its best
    """
    chosen: list[tuple[int, Hit]] = []
    out: dict[int, Hit] = {}
    for rank in _turns(hits, rankings):
        hit = hits[rank - 1]
        twin = next((n for n, other in chosen if _same(hit.chunk, other.chunk)), None)
        if passed.state == "declined":
            reason = _under(hit, passed.threshold) or passed.reason
        elif twin:
            reason = f"same passage as {twin}"
        elif passed.state == "passed" and chosen and hit.rerank.value < floor:
            reason = f"probability {hit.rerank.value:.2f}, below {floor:.2f}"
        elif len(chosen) >= k:
            reason = f"{_ordinal(rank)}; at most {k} are kept"
        else:
            chosen.append((rank, hit))
            out[rank] = replace(hit, kept=True, reason=f"{_ordinal(rank)} of {len(hits)}")
            continue
        out[rank] = replace(hit, kept=False, reason=reason)
    return [out[rank] for rank in sorted(out)]


def with_form(hits: Sequence[Hit], asked: Form, floor: float) -> list[Hit]:
    """The hits, one more of them kept where the question asks for a form that it has more of than all that are kept.

    hits   best first; unchanged where none is kept. floor: the probability that it must have.
    """
    most = max((asked.lift(hit.chunk.text) for hit in hits if hit.kept), default=math.inf)
    better = [hit for hit in hits if not hit.kept and asked.name and asked.lift(hit.chunk.text) > most
              and hit.rerank is not None and hit.rerank.value >= floor]
    if not better:
        return list(hits)
    found = max(better, key=lambda hit: asked.lift(hit.chunk.text))
    return [replace(hit, kept=True, reason=f"holds {asked.name}") if hit is found else hit for hit in hits]


def _turns(hits: Sequence[Hit], rankings: Sequence[Mapping[str, Score]]) -> list[int]:
    """The ranks 1..n in which the hits are looked at: as they stand, or the best of each ranking in turn."""
    if len(rankings) < 2:
        return list(range(1, len(hits) + 1))
    place = {hit.chunk.id: rank for rank, hit in enumerate(hits, 1)}
    turns = zip(*([place[name] for name in ranking] for ranking in rankings), strict=True)
    return list(dict.fromkeys(rank for turn in turns for rank in turn))


def neighbours(kept: Sequence[Hit], siblings: Mapping[str, Sequence[Chunk]]) -> list[Hit]:
    """Chunks that complete a kept one: the one before where it begins in mid-thought, the one after where it breaks
    off, the table beside it that it points at.

    siblings: {document id: its chunks in order}. Only within one heading, and none that is kept already.
    """
    taken = {hit.chunk.id for hit in kept}
    found = []
    for n, hit in enumerate(kept, 1):
        line = siblings[hit.chunk.document_id]
        at = next((i for i, chunk in enumerate(line) if chunk.id == hit.chunk.id), None)
        if at is None:
            continue
        wanted = []
        if at and _begins_inside(hit.chunk):
            wanted.append(line[at - 1])
        if at + 1 < len(line) and _breaks_off(hit.chunk, line[at + 1]):
            wanted.append(line[at + 1])
        if points_at_table(hit.chunk.text):
            wanted += [chunk for chunk in line[max(at - 1, 0):at + 2] if _has_rows(chunk)]
        for chunk in wanted:
            if chunk.heading == hit.chunk.heading and chunk.id not in taken:
                taken.add(chunk.id)
                found.append(Hit(chunk, hit.document, kept=True, reason=f"neighbour of {n}"))
    return found


def _under(hit: Hit, threshold: float | None) -> str:
    if hit.rerank is None or threshold is None:
        return ""
    return f"probability {hit.rerank.value:.2f}, below the threshold {threshold:.2f}"


def _same(a: Chunk, b: Chunk) -> bool:
    one, two = (set(re.findall(r"\w+", chunk.text.lower())) for chunk in (a, b))
    return bool(one and two) and len(one & two) >= DOUBLE * len(one | two)


def _begins_inside(chunk: Chunk) -> bool:
    first = units(chunk.text, chunk.header)[:1]
    return bool(chunk.header) or bool(first and first[0].leaning) or _is_formula(chunk)


def _is_formula(chunk: Chunk) -> bool:
    """Whether it begins with a formula, which belongs to the sentence before it."""
    return chunk.text.lstrip().startswith("$")


def _has_rows(chunk: Chunk) -> bool:
    return any(unit.kind == "row" for unit in units(chunk.text, chunk.header))


def _breaks_off(chunk: Chunk, following: Chunk) -> bool:
    return chunk.text.rstrip().endswith(":") or _is_formula(following) or \
        (following.header_start >= chunk.start and bool(following.header))


def _ordinal(n: int) -> str:
    words = ["", "best", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
    return words[n] if n < len(words) else f"number {n}"
