"""The stack (chapter 9): the way from documents to an answer, with the counts and times of a real question."""
from __future__ import annotations

from assistant.errors import InputError
from assistant.lab import figures
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values, short
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


def work(values: Values, rag: Assistant, report: Report) -> Result:
    status = rag.status()
    if not status["chunks"]:
        raise InputError("the index holds no documents: run `assistant ingest PATH`, or upload some under Corpus")
    trace_id, spans, kept, evidence = "", (), 0, None
    question = values["question"]
    if not question and (last := last_trace_id(rag)):
        trace = rag.trace(last)
        question, trace_id, spans = trace.question, trace.id, trace.spans
        kept, candidates, evidence = sum(hit.kept for hit in trace.hits), len(trace.hits), len(trace.evidence)
    else:
        question = question or "Why is the search approximate?"
        report(0.2, "asking")
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
    verdict += "Each layer hands on less than it got, as claimed." if narrowing else \
        "The index is so small that nothing is left out, so the claim does not hold here."
    rows = [("documents", status["documents"], None, None, "files that were loaded"),
            ("chunks", status["chunks"], None, None, "passages with a vector and an entry in the word index"),
            *((span.stage, span.n_out, span.n_in, round(span.duration_ms, 1), SAYS.get(span.stage, ""))
              for span in spans)]
    stages = list(by_stage)
    return Result(
        {"documents": status["documents"], "chunks": status["chunks"], "embedder": embedder_name(rag),
         "candidates": candidates, "kept": kept, "total_ms": round(total, 1), "slowest": slowest.stage,
         "trace_id": trace_id, **{f"{name}_ms": round(span.duration_ms, 2) for name, span in by_stage.items()}},
        narrowing, verdict,
        "Raw text becomes chunks, chunks become vectors in an index, a question retrieves the nearest and the "
        "best-worded chunks, a cross-encoder sorts the few that are left, and only what answers reaches the language "
        "model. Cheap steps see everything, dear ones see little.",
        "Bars of milliseconds by stage: " + ", ".join(f"{s.stage} {s.duration_ms:.0f}" for s in spans) + ".",
        lambda: figures.bars(f"“{short(question, 44)}”, stage by stage", stages,
                             {"milliseconds": [by_stage[name].duration_ms for name in stages]}, "milliseconds",
                             showlegend=False),
        Table(("layer or stage", "items out", "items in", "ms", "what happens"), tuple(rows)))


DEMO = Demo(
    "stack", "The stack", 9,
    "From documents to an answer, each layer hands on less than it got, so the dear steps see only a little.",
    (Input("question", "Question", "", optional=True, help="empty: the last one that was asked"),),
    work, (("Ask one now", {"question": "What is the difference between HNSW and IVF?"}),),
    ("the stack", "retrieval stack", "rag", "pipeline"))
