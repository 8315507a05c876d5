"""The stack (chapter 9): the way from documents to an answer, with the counts and times of a real question."""
from __future__ import annotations

from itertools import pairwise

from assistant.errors import InputError
from assistant.lab import figures
from assistant.lab.demo import Demo, Input, Link, Report, Result, Table, Values, short
from assistant.lab.inside import embedder_name, last_trace_id
from assistant.pipeline import Assistant
from assistant.records import Span

SAYS = {  # stage of a trace -> what happens there
    "contextualise": "the question is completed from the conversation", "dense": "nearest vectors are searched",
    "embed": "the question becomes a vector",
    "lexical": "the question's words are searched", "fuse": "both rankings are merged",
    "rerank": "the cross-encoder reads question and candidate together", "select": "passages are kept, or all declined",
    "evidence": "sentences that answer are chosen", "generate": "the language model words the answer",
}


PLACES = {  # of the boxes: (column, row)
    "documents": (0, 0), "chunks": (1, 0), "contextualise": (0, 1), "embed": (1, 1), "dense": (2, 1), "lexical": (1, 2),
    "fuse": (2, 2), "rerank": (2, 3), "select": (1, 3), "evidence": (0, 3), "generate": (0, 4)}
EXAMPLE = "Why is the search approximate?"
CHAIN = ("fuse", "rerank", "select", "evidence", "generate")  # each hands on to the next


def edges(boxes: list[str]) -> list[tuple[str, str]]:
    """Who hands on to whom, among the boxes that are there."""
    chain = [name for name in CHAIN if name in boxes]
    drawn = [("documents", "chunks"), ("chunks", "dense"), ("contextualise", "embed"), ("contextualise", "lexical"),
             ("embed", "dense"), *((source, chain[0]) for source in ("dense", "lexical") if chain), *pairwise(chain)]
    return [(start, end) for start, end in drawn if start in boxes and end in boxes]


def _ms(value: float) -> str:
    return f"{value:.0f} ms" if value < 10_000 else f"{value / 1000:.1f} s"


def work(values: Values, rag: Assistant, report: Report) -> Result:
    status = rag.status()
    if not status["chunks"]:
        raise InputError("the index holds no documents: run `assistant ingest PATH`, or upload some under Corpus")
    trace_id, spans, kept, evidence = "", (), 0, None
    question = values["question"]
    trace = None
    if not question and (last := last_trace_id(rag)):
        trace = rag.trace(last)
    elif rag.config.traces:
        report(0.2, "asking, without the language model")
        quick = rag.with_config(rag.config.replace({"llm": "off"}))
        trace = rag.trace(quick.answer(question or EXAMPLE).trace_id)
    if trace:
        question, trace_id, spans = trace.question, trace.id, trace.spans
        kept, candidates, evidence = sum(hit.kept for hit in trace.hits), len(trace.hits), len(trace.evidence)
    else:
        question = question or EXAMPLE
        found = rag.retrieve(question)
        spans, kept, candidates = found.spans, sum(hit.kept for hit in found.hits), len(found.hits)
    total = sum(span.duration_ms for span in spans)
    if not spans:
        raise InputError(f"the last question, {short(question)!r}, needed no search: ask another one")
    slowest = max(spans, key=lambda span: span.duration_ms)
    by_stage: dict[str, Span] = {span.stage: span for span in spans}
    narrowing = candidates < int(status["chunks"]) and kept <= candidates
    verdict = (f"{status['documents']} documents are {status['chunks']} chunks, each with a vector. "
               f"“{short(question)}” looked at {candidates} candidates and kept {kept}" +
               (f", from which {evidence} sentences became evidence" if evidence is not None else "") +
               f", in {total:.0f} ms; {slowest.stage} took the most, {slowest.duration_ms:.0f} ms. ")
    verdict += "Less and less is handed on, as claimed." if narrowing else \
        "The index is so small that nothing is left out, so the claim does not hold here."
    rows = [("documents", status["documents"], None, None, "files that were loaded"),
            ("chunks", status["chunks"], None, None, "passages with a vector and an entry in the word index"),
            *((Link(span.stage, f"stage={span.stage}", trace_id) if trace_id else span.stage, span.n_out, span.n_in,
               round(span.duration_ms, 1), SAYS.get(span.stage, "")) for span in spans)]

    def draw():
        boxes = {"documents": (PLACES["documents"], [f"{status['documents']:,}"]),
                 "chunks": (PLACES["chunks"], [f"{status['chunks']:,}"])}
        boxes |= {name: (PLACES[name], [f"{span.n_in:,} → {span.n_out:,}", _ms(span.duration_ms)])
                  for name, span in by_stage.items() if name in PLACES}
        made = figures.flow(f"“{short(question, 44)}”, stage by stage", boxes, edges(list(boxes)), slowest.stage)
        if trace_id:
            made.data[0].customdata = [f"stage={name}" for name in boxes]
        return made

    return Result(
        {"documents": status["documents"], "chunks": status["chunks"], "embedder": embedder_name(rag),
         "candidates": candidates, "kept": kept, "total_ms": round(total, 1), "slowest": slowest.stage,
         "trace_id": trace_id, **{f"{name}_ms": round(span.duration_ms, 2) for name, span in by_stage.items()}},
        narrowing, verdict,
        "Raw text becomes chunks, chunks become vectors in an index, a question retrieves the nearest and the "
        "best-worded chunks, a cross-encoder sorts the few that are left, and only what answers reaches the language "
        "model. Cheap steps see everything, dear ones see little.",
        f"A flow of boxes: {status['documents']} documents, {status['chunks']} chunks, then the stages with what went "
        "in and came out: " + ", ".join(f"{s.stage} {s.n_in} to {s.n_out}, {_ms(s.duration_ms)}" for s in spans) + ".",
        draw,
        Table(("layer or stage", "items out", "items in", "ms", "what happens"), tuple(rows)))


DEMO = Demo(
    "stack", "The stack", 9,
    "From all chunks to a few candidates and fewer passages, less and less is handed on, so the dear steps see little.",
    (Input("question", "Question", "", optional=True, longest=600, help="empty: the last one that was asked"),),
    work, (("Ask one now", {"question": "What is the difference between HNSW and IVF?"}),),
    ("the stack", "retrieval stack", "rag", "pipeline"))
