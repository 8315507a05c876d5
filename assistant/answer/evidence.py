"""The sentences that carry the answer, cut out of the kept chunks by code and chosen by the reranker."""
from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np

from assistant.records import Chunk, Evidence, Hit
from assistant.text.announced import NUMBERS, points_at_table, whole
from assistant.text.forms import form
from assistant.text.sentences import NAMING, Quotable, named, quotables, units

MAX_UNITS = 80      # of all kept chunks together; keeps the sentence stage under half a second on two cores
BACKING = 0.4       # of the chunk's log-odds beside a sentence's own; measured on eval/gold/dev.jsonl
FIRST = 3           # of the ranked passages: where a question for a list finds a row among them, the table is the list
CLOSE = 1.0         # log-odds by which such a row may stand behind the best passage
GAP = 4             # characters between two chunks, or two sentences, that follow one another
SHORT = 25          # words up to which the best sentence may come with the next one (eval/EXPERIMENTS.md)
AFTER = 3.0         # log-odds by which that one may stand behind
COUNTED = 3.0       # log-odds by which a row may stand behind, where the table has as many rows as are asked for
_WHOLE = re.compile(r"^\W*((please|can you|could you) )*(list|name|enumerate|show|compare|tabulate|summar\w+)\b|"
                    r"\b(list|overview|comparison|table) (of|all)\b|\b(what|which) are\b|\ball (the )?\w+s\b|"
                    r"\b(which|what) (the )?(two|three|four|five|six|seven|eight|nine|ten )?\s?([\w-]+ )?[\w-]+s "
                    r"(are|do|did|can|have|were|exist|there)\b", re.I)
_WHY = re.compile(r"\bwhy\b(?! not\W*$)|\bhow come\b|\bfor what reason\b", re.I)
_REASON = re.compile(r"\b(because|since|therefore|thus|hence|so that|due to|owing to|reasons?|explains?|so)\b", re.I)
_COUNT = re.compile(r"^\W*(?:(?:please|can you|in|into|on|for|by|at|from) )*"
                    r"(?:which|what(?: are)?|list|name|enumerate|give|show)(?: me)?(?: all)?"
                    rf"(?: the)? ({'|'.join(NUMBERS)})\b(?! of\b)", re.I)


@dataclass(frozen=True)
class Passage:
    """Something quotable in its chunk. `spans` are document offsets; `backing` is the chunk's own probability."""

    chunk: Chunk
    document: str
    spans: tuple[tuple[int, int], ...]
    reading: str
    kind: str
    backing: float | None = None


Scorer = Callable[[Sequence[Passage]], np.ndarray]  # the probability (or cosine) of each


def passages(hits: Sequence[Hit]) -> list[Passage]:
    """Everything quotable in the kept chunks, in their order."""
    found = [_passage(hit, quotable) for hit in hits
             for quotable in whole(quotables(hit.chunk.text, hit.chunk.header), hit.chunk.text)]
    found = [_with_before(p, hits) for p in found]
    tables = {(p.chunk.document_id, p.chunk.heading) for p in found if p.kind == "row"}
    return [p for p in found if p.kind == "row" or (p.chunk.document_id, p.chunk.heading) not in tables
            or not points_at_table(p.reading)][:MAX_UNITS]


def choose(question: str, hits: Sequence[Hit], score: Scorer, limit: int) -> tuple[Evidence, ...]:
    """At most `limit` passages, best first, numbered from 1; one that another one holds is left out.

    The best one comes with the sentence after it where it is short and that one is not far off; asked "why", where it
    gives no reason. Where the question asks for a table as a whole and the best passage is one of its rows, all its
    rows come; so they do where it says how many things it asks for ("List the five ...") and a table near the top has
    as many.
    """
    pool = passages(hits)
    if not pool:
        return ()
    standing = [_standing(float(value), p.backing) for value, p in zip(score(pool), pool, strict=True)]
    asked = form(question)
    place = [value + asked.lift(p.reading) for value, p in zip(standing, pool, strict=True)]
    order = sorted(range(len(pool)), key=lambda at: (-place[at], at))
    rows = next((_table_of(pool[at], pool) for at in order[:FIRST]
                 if pool[at].kind == "row" and standing[at] >= standing[order[0]] - CLOSE), [])
    count = _count(question)
    counted = next((table for at in order if count and pool[at].kind == "row"
                    and standing[at] >= standing[order[0]] - COUNTED
                    and len(table := _table_of(pool[at], pool)) == count), [])
    rows = counted or rows
    best = order[0]
    after = _after(pool[best], pool)
    if after is not None and _goes_on(question, pool[best], standing[best] - standing[after]):
        pool[best] = _together(pool[best], pool[after])
    if counted or asks_for_table(question, [pool[at].reading for at in rows]):
        order, limit = rows + order, max(limit, len(rows))
    taken: list[int] = []
    for at in order:
        if at not in taken and not any(_within(pool[at], pool[other]) for other in taken):
            taken.append(at)
        if len(taken) == limit:
            break
    return tuple(Evidence(marker, p.chunk.id, p.document, p.chunk.heading, p.spans, p.reading, _chance(standing[at]))
                 for marker, at in enumerate(taken, 1) for p in [pool[at]])


def _count(question: str) -> int:
    """How many things it asks for ("List the five ..."); 0 where it does not say."""
    said = _COUNT.match(question)
    return NUMBERS[said[1].lower()] if said else 0


def by_turns(found: Sequence[Sequence[Evidence]]) -> tuple[Evidence, ...]:
    """The evidence of several questions, one passage of each in turn, numbered anew; a passage counts once."""
    turns = [e for turn in zip_longest(*found) for e in turn if e]
    once = {(e.chunk_id, e.spans): e for e in reversed(turns)}
    order = dict.fromkeys((e.chunk_id, e.spans) for e in turns)
    return tuple(replace(once[key], marker=marker) for marker, key in enumerate(order, 1))


def _table_of(row: Passage, pool: Sequence[Passage]) -> list[int]:
    """Where the rows of its table stand in the pool, in their order. Tables under one heading differ by the place of
    their header, which a row's spans end with."""
    table = (row.chunk.document_id, row.chunk.heading, row.spans[1:])
    return [at for at, p in enumerate(pool)
            if p.kind == "row" and (p.chunk.document_id, p.chunk.heading, p.spans[1:]) == table]


def asks_for_table(question: str, rows: Sequence[str]) -> bool:
    """Whether the question asks for these rows of a table as a whole: for several things, and not for the one row that
    it names by its first cell ("What are the strengths of BGE-large?")."""
    asked = set(re.findall(r"\w+", question.lower()))
    keys = [set(re.findall(r"\w+", row.split(" — ")[0].lower())) for row in rows]
    return bool(_WHOLE.search(question)) and sum(bool(key) and key <= asked for key in keys) != 1


def beyond(evidence: Sequence[Evidence], replies: Sequence[str], floor: float) -> tuple[Evidence, ...]:
    """The evidence that earlier replies do not hold, numbered anew; all of it where too little is left to say more.

    replies: the texts of earlier answers, none for a question that does not ask on. floor: the probability that the
    best of the rest must have.
    """
    said = " ".join(_bare(reply) for reply in replies)
    fresh = [e for e in evidence if not said or _bare(e.text) not in said]
    if not fresh or fresh[0].score is None or fresh[0].score < floor:
        fresh = list(evidence)
    return tuple(replace(e, marker=marker) for marker, e in enumerate(fresh, 1))


def _bare(text: str) -> str:
    """Words alone, for a reply sets markers between a sentence and its full stop."""
    return " ".join(re.findall(r"\w+", re.sub(r"\[\d+\]", " ", text)))


def _standing(value: float, backing: float | None) -> float:
    """What a passage is ranked by: the mean of its log-odds and its chunk's, which weigh 1 and BACKING, for a sentence
    read alone lacks a context.

    Without a chunk's probability (rerank is off, or the chunk only completes another): its own stands for it.
    """
    own = _log_odds(value)
    return (own + BACKING * (own if backing is None else _log_odds(backing))) / (1 + BACKING)


def _log_odds(probability: float) -> float:
    bounded = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(bounded / (1 - bounded))


def _chance(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def scored_text(passage: Passage) -> str:
    """What the reranker reads: the passage under its own heading, which often holds the subject."""
    last = passage.chunk.heading.split(" > ")[-1]
    return f"{last}: {passage.reading}" if last else passage.reading


def _passage(hit: Hit, quotable: Quotable) -> Passage:
    offset = hit.chunk.start
    spans = ((offset + quotable.start, offset + quotable.end),)
    if quotable.kind == "row":
        spans += _header_span(hit.chunk, quotable.start)
    return Passage(hit.chunk, hit.document, spans, quotable.reading, quotable.kind,
                   hit.rerank.value if hit.rerank else None)


def _with_before(passage: Passage, hits: Sequence[Hit]) -> Passage:
    """A passage that opens its chunk leaning on the end of the chunk before, with that: the sentence before "This habit
    explains ...", all that "This is called ..." stands for."""
    (start, end), chunk = passage.spans[0], passage.chunk
    first = next(iter(units(chunk.text, chunk.header)), None)
    if not first or not first.leaning or first.kind != "sentence" or start != chunk.start + first.start:
        return passage
    before = max((hit.chunk for hit in hits if hit.chunk.heading == chunk.heading and hit.chunk.end <= start
                  and hit.chunk.document_id == chunk.document_id), key=lambda c: c.end, default=None)
    if not before or start - before.end > GAP:
        return passage
    meant = named(units(before.text, before.header)) if NAMING.match(passage.reading) else \
        [unit for unit in units(before.text, before.header)[-1:] if unit.kind == "sentence"]
    if not meant:
        return passage
    reading = " ".join([*(unit.reading for unit in meant), passage.reading])
    return replace(passage, spans=((before.start + meant[0].start, end),), reading=reading)


def _after(passage: Passage, pool: Sequence[Passage]) -> int | None:
    """Where the sentence that follows a sentence in its paragraph stands in the pool: what is asked for is often said
    in the next breath."""
    end, chunk = passage.spans[0][1], passage.chunk

    def follows(other: Passage) -> bool:
        start = other.spans[0][0]
        return passage.kind == other.kind == "sentence" and other.chunk.id == chunk.id and \
            end <= start <= end + GAP and "\n\n" not in chunk.text[end - chunk.start:start - chunk.start]

    return next((at for at, other in enumerate(pool) if follows(other)), None)


def _goes_on(question: str, passage: Passage, behind: float) -> bool:
    """Whether the sentence after it, which stands `behind` it in log-odds, belongs to the answer."""
    if _WHY.search(question):
        return not _REASON.search(passage.reading)
    return len(passage.reading.split()) <= SHORT and behind <= AFTER


def _together(passage: Passage, after: Passage) -> Passage:
    return replace(passage, spans=((passage.spans[0][0], after.spans[0][1]),),
                   reading=f"{passage.reading} {after.reading}")


def _header_span(chunk: Chunk, at: int) -> tuple[tuple[int, int], ...]:
    """Where the header of the table stands in the document whose row begins at chunk.text[at]; () where it has none."""
    from assistant.text.blocks import blocks
    from assistant.text.tables import has_header
    found = blocks(chunk.text)
    table = next(block for block in found if block.start <= at < block.end)
    if chunk.header and table == found[0]:
        return ((chunk.header_start, chunk.header_start + len(chunk.header)),)
    lines = chunk.text[table.start:table.end].split("\n")
    if table.start == at or not re.search(r"\w", lines[0]) or not (table.kind == "glued" or has_header(lines)):
        return ()
    return ((chunk.start + table.start, chunk.start + table.start + len(lines[0])),)


def _within(one: Passage, other: Passage) -> bool:
    (a, b), (c, d) = one.spans[0], other.spans[0]
    same = one.chunk.document_id == other.chunk.document_id
    return (same and a < d and c < b) or one.reading == other.reading
