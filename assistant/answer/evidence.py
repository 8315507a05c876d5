"""The sentences that carry the answer, cut out of the kept chunks by code and chosen by the reranker."""
from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from assistant.records import Chunk, Evidence, Hit
from assistant.text.sentences import Quotable, quotables

Scorer = Callable[[Sequence[str]], np.ndarray]  # texts -> probability (or cosine) of each

MAX_UNITS = 80      # of all kept chunks together; keeps the sentence stage under half a second on two cores
WHOLE_TABLE = re.compile(r"\b(list|all|each|every|compare|comparison|overview|what are|which are|name the|table|"
                         r"summar\w+|two|three|four|five|six|seven|models|methods|modes|applications|types)\b", re.I)


@dataclass(frozen=True)
class Passage:
    """A unit, with the one before where it leans on it, in its chunk. `spans` are document offsets."""

    chunk: Chunk
    document: str
    spans: tuple[tuple[int, int], ...]
    reading: str
    kind: str


def passages(hits: Sequence[Hit]) -> list[Passage]:
    """Everything quotable in the kept chunks, in their order."""
    found = [_passage(hit, quotable) for hit in hits for quotable in quotables(hit.chunk.text, hit.chunk.header)]
    return found[:MAX_UNITS]


def choose(question: str, hits: Sequence[Hit], score: Scorer, limit: int) -> tuple[Evidence, ...]:
    """At most `limit` passages, best first, numbered from 1; one that another one holds is left out.

    Where the question asks for a table as a whole and the best passage is one of its rows, all its rows come.
    """
    pool = passages(hits)
    if not pool:
        return ()
    values = score([scored_text(p) for p in pool])
    order = sorted(range(len(pool)), key=lambda at: (-float(values[at]), at))
    best = pool[order[0]]
    if best.kind == "row" and WHOLE_TABLE.search(question):
        order = [n for n, p in enumerate(pool) if p.kind == "row" and p.chunk.heading == best.chunk.heading
                 and p.chunk.document_id == best.chunk.document_id] + order
        limit = max(limit, sum(p.kind == "row" and p.chunk.heading == best.chunk.heading for p in pool))
    taken: list[int] = []
    for at in order:
        if at not in taken and not any(_within(pool[at], pool[other]) for other in taken):
            taken.append(at)
        if len(taken) == limit:
            break
    return tuple(Evidence(marker, p.chunk.id, p.document, p.chunk.heading, p.spans, p.reading, float(values[at]))
                 for marker, at in enumerate(taken, 1) for p in [pool[at]])


def scored_text(passage: Passage) -> str:
    """What the reranker reads: the passage under its own heading, which often holds the subject."""
    last = passage.chunk.heading.split(" > ")[-1]
    return f"{last}: {passage.reading}" if last else passage.reading


def _passage(hit: Hit, quotable: Quotable) -> Passage:
    offset = hit.chunk.start
    spans = ((offset + quotable.start, offset + quotable.end),)
    if quotable.kind == "row":
        spans += _header_span(hit.chunk)
    return Passage(hit.chunk, hit.document, spans, quotable.reading, quotable.kind)


def _header_span(chunk: Chunk) -> tuple[tuple[int, int], ...]:
    """Where the header row of the chunk's table stands in the document."""
    if chunk.header:
        return ((chunk.header_start, chunk.header_start + len(chunk.header)),)
    from assistant.text.blocks import blocks
    table = next((b for b in blocks(chunk.text) if b.kind in ("table", "glued")), None)
    if table is None:
        return ()
    line = chunk.text[table.start:table.end].split("\n")[0]
    return ((chunk.start + table.start, chunk.start + table.start + len(line)),)


def _within(one: Passage, other: Passage) -> bool:
    (a, b), (c, d) = one.spans[0], other.spans[0]
    same = one.chunk.document_id == other.chunk.document_id
    return (same and a < d and c < b) or one.reading == other.reading
