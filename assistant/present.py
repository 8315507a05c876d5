"""Answers and candidates as JSON objects (the layout that scripts depend on) and as text for a terminal."""
from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence

from assistant.records import Hit, Message, Retrieval, Sentence, Trace
from assistant.text.place import place
from assistant.trace import to_json

WIDTH = 80
STAGES = ("dense", "lexical", "fused", "rerank")
CITATION = ("marker", "chunk_id", "document", "heading", "start", "end", "quote")


def answered(rag, question: str, history: Sequence[Message] = ()) -> dict:
    """Ask, and the answer as `ask --json` prints it."""
    return of_trace(rag.traced(question, history))


def of_trace(trace: Trace) -> dict:
    """A trace as `ask --json` prints it."""
    answer = trace.answer
    citations = [{key: getattr(citation, key) for key in CITATION} for citation in answer.citations]
    return {"question": trace.question, "query": trace.query, "answer": answer.text, "abstained": answer.abstained,
            "citations": citations, "support": [to_json(s) for s in answer.support],
            "hits": [hit_object(hit) for hit in trace.hits], "evidence": [to_json(e) for e in trace.evidence],
            "timings_ms": {span.stage: round(span.duration_ms, 2) for span in trace.spans},
            "trace_id": answer.trace_id, "config_fingerprint": trace.config_fingerprint,
            "index_fingerprint": trace.index_fingerprint}


def retrieved(found: Retrieval) -> dict:
    """A Retrieval as `retrieve --json` prints it."""
    return {"question": found.question, "query": found.query, "query_reason": found.query_reason,
            "gate": found.gate, "gate_reason": found.gate_reason, "calibrated": found.calibrated,
            "threshold": found.threshold, "hits": [hit_object(hit) for hit in found.hits],
            "timings_ms": {span.stage: round(span.duration_ms, 2) for span in found.spans}}


def hit_object(hit: Hit) -> dict:
    stages = {name: getattr(hit, name) for name in STAGES}
    return {"chunk_id": hit.chunk.id, "document": hit.document, "heading": hit.chunk.heading, "text": hit.chunk.text,
            "start": hit.chunk.start, "end": hit.chunk.end,
            "scores": {name: score.value if score else None for name, score in stages.items()},
            "ranks": {name: score.rank if score else None for name, score in stages.items()},
            "kept": hit.kept, "reason": hit.reason}


def print_answer(rag, question: str, history: Sequence[Message] = ()) -> None:
    """The answer as it comes, then its citations."""
    answer, shown = None, ""
    for event in rag.stream(question, history):
        if isinstance(event, Sentence):
            print(event.text, end="", flush=True)
            shown += event.text
        answer = event
    print("" if shown else "\n".join(textwrap.wrap(answer.text, WIDTH)))
    if shown and answer.abstained:  # the model's own word, after a doubt
        print("\n".join(textwrap.wrap(answer.text, WIDTH)))
    for citation in {c.marker: c for c in answer.citations}.values():
        where, quote = place(citation.document, citation.heading), " ".join(citation.quote.split())
        print(textwrap.fill(f"[{citation.marker}] {where}: \"{quote}\"", WIDTH, subsequent_indent="    "))
    if answer.trace_id:
        print(f"trace {answer.trace_id}", file=sys.stderr)


def hits_table(found: Retrieval) -> str:
    """The candidates in at most 80 columns."""
    lines = [f"query: {found.query}" + (f"  ({found.query_reason})" if found.query_reason else ""),
             f"gate:  {found.gate}, {found.gate_reason}",
             f"{'':2}{'dense':>7}{'bm25':>7}{'fused':>8}{'rerank':>8}  heading"]
    for hit in found.hits:
        scores = [f"{s.value:.{d}f}" if s else "-" for s, d in
                  ((hit.dense, 2), (hit.lexical, 1), (hit.fused, 4), (hit.rerank, 2))]
        heading = hit.chunk.heading.split(" > ")[-1] or hit.document
        lines.append(f"{'*' if hit.kept else ' '} {scores[0]:>7}{scores[1]:>7}{scores[2]:>8}{scores[3]:>8}  "
                     f"{heading[:44]}\n    {' '.join(hit.chunk.text.split())[:74]}\n    {hit.reason[:74]}")
    return "\n".join(lines)
