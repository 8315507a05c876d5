"""An answer and its trace, made by hand, for the tests of the HTML that shows them."""
from __future__ import annotations

import html
import re

from assistant.records import (
    Answer,
    Chunk,
    Citation,
    Evidence,
    Hit,
    Score,
    Span,
    Support,
    Trace,
)

EVIL = '<script>alert("x")</script> & <img src=x onerror=alert(1)>'
TEXT = "HNSW walks a graph. IVF scans lists."
BEST = Score(0.9, 1)
BASE = 100  # where the chunk starts in its document


def hit(kept: bool = True, text: str = TEXT, rerank: Score | None = BEST) -> Hit:
    chunk = Chunk("c1", "d1", "Chapter 9 > ANN", text, BASE, BASE + len(text), 12)
    return Hit(chunk, "Connections", Score(-0.5, 3), Score(6.0, 2), Score(1 / 61, 7), rerank, kept, "best of 20")


def evidence(start: int, end: int, marker: int = 1, text: str = TEXT) -> Evidence:
    return Evidence(marker, "c1", "Connections", "Chapter 9 > ANN", ((BASE + start, BASE + end),), text[start:end], 0.8)


def trace(answer: Answer | None = None, **changes) -> Trace:
    given = dict(id="t1", parent=None, created="2026-01-02T03:04:05Z", status="complete", question="HNSW?", history=(),
                 query="HNSW?", query_reason="", config={"k": 4, "rerank": True, "threshold": None},
                 config_fingerprint="aa", index_fingerprint="bb", hits=(hit(),), gate="passed", gate_reason="0.90",
                 calibrated=True, evidence=(evidence(0, 19),), prompt=({"role": "system", "content": EVIL},),
                 draft=EVIL, answer=answer or cited(),
                 spans=(Span("dense", 0.0, 5.0, 1, 20), Span("rerank", 5.0, 15.0, 20, 20)))
    known = {key: value for key, value in (given | changes).items()}
    return Trace(**known)


def cited() -> Answer:
    text = "A graph is walked [1]. HNSW walks a graph. [1]"
    quote = TEXT[:19]
    return Answer(text, tuple(Citation(1, "c1", "Connections", "Chapter 9 > ANN", BASE, BASE + 19, quote, at, at + 3)
                              for at in (18, 43)),
                  support=(Support(0, 22, True, (1,), 0.8, "model"), Support(23, 46, True, (1,), 0.8, "quoted")),
                  trace_id="t1")


def visible(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<sup[^>]*>.*?</sup>", "", markup)))


def marks_in(markup: str) -> list[tuple[int, int, str]]:
    found = re.findall(r'<mark[^>]*data-start="(\d+)" data-end="(\d+)"[^>]*>(.*?)</mark>', markup, re.S)
    return [(int(start), int(end), visible(inner)) for start, end, inner in found]
