"""A judged answer as a draft line of the gold set (the layout of eval/suite/gold_set.py), for a person to finish.

Evidence comes from what was cited, the reference from the answer's text. `facts` are left empty: which wordings
make an answer right is for a person to say. `answerable` is true but for a decline that was called right, so that the
suite refuses the draft of a bad answer until it is finished, instead of asking for a decline. `todo` says in words
what is missing; the reader of gold sets ignores it.
"""
from __future__ import annotations

import re

from assistant.records import Trace


def draft(trace: Trace, thumb: str, note: str) -> dict:
    """One JSON object. thumb: "up", "down" or "" (a note alone)."""
    good = thumb == "up"
    sources = {version.id: version.source for version in trace.documents}
    documents = {hit.chunk.id: sources.get(hit.chunk.document_id, hit.document) for hit in trace.hits}
    quotes = {(documents.get(c.chunk_id, c.document), c.quote): None for c in trace.answer.citations}
    reference = re.sub(r"\s*\[\d+\]", "", trace.answer.text).strip()
    return {"id": f"trace-{trace.id}", "kind": "feedback", "question": trace.question,
            "history": list(trace.history), "answerable": not (good and trace.answer.abstained),
            "evidence": [{"document": name, "quote": quote} for name, quote in quotes] if good else [],
            "facts": [], "forbidden": [],
            "reference": reference if good and not trace.answer.abstained else "",
            "note": note, "thumb": thumb, "trace_id": trace.id,
            "todo": _todo(trace, thumb)}


def _todo(trace: Trace, thumb: str) -> str:
    if thumb == "up":
        return "nothing: it is right to decline" if trace.answer.abstained \
            else "write facts: the wordings of which one each must be in a right answer"
    if trace.answer.abstained:
        return "it was declined, and someone minded: quote the evidence that answers it, write facts and reference"
    judged = "the answer was judged wrong" if thumb == "down" else "the note says what is wanted"
    return (f"{judged}: quote the right evidence, write facts and reference, and put what it said wrongly under "
            "forbidden; where the documents do not answer it, set answerable to false")
