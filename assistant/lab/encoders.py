"""Bi-encoder against cross-encoder (chapter 3): what each costs here as the documents grow, and how they score."""
from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from assistant.errors import InputError
from assistant.lab import figures
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values, short
from assistant.lab.inside import chunk_vectors, probabilities
from assistant.pipeline import Assistant
from assistant.text.readable import passage

SIZES = (1, 10, 100, 1000, 10_000, 100_000, 1_000_000)  # documents; the costs are extrapolated from a few
REPEATS = 3
STORED = "bi-encoder, vectors stored"


def best_of(run: Callable[[], object], repeats: int = REPEATS) -> float:
    """Milliseconds of the fastest run: the one that other programs disturbed least."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return min(times) * 1000


def work(values: Values, rag: Assistant, report: Report) -> Result:
    if not rag.config.rerank:
        raise InputError("rerank is off, so there is no cross-encoder to compare: set rerank=on")
    question, n = values["question"], values["documents"]
    chunks, vectors = chunk_vectors(rag, 20)
    asked = rag.embed([question])[0]
    chosen = np.argsort(-(vectors @ asked), kind="stable")[:n]  # as in search: the candidates are the nearest chunks
    texts = [passage(chunks[at]) for at in chosen]
    cosines = vectors[chosen] @ asked
    query_ms = best_of(lambda: rag.embed([question]))
    many = np.tile(vectors, (max(1, 20_000 // len(vectors)), 1))
    scan_ms = best_of(lambda: many @ asked) / len(many)
    report(0.3, "cross-encoder")
    began = time.perf_counter()
    chances = probabilities(rag, question, texts, cosines)
    pair_ms = (time.perf_counter() - began) * 1000 / len(texts)
    report(0.7, "embedding documents")
    few = texts[:8]
    document_ms = best_of(lambda: rag.embed(few), 1) / len(few)
    crossing = query_ms / max(pair_ms - scan_ms, 1e-9)
    # embed all once, then one pass a question, against a pass for every pair: when does storing pay?
    questions = document_ms / max(pair_ms - scan_ms - query_ms / len(chunks), 1e-9)
    cost = {STORED: [query_ms + scan_ms * size for size in SIZES],
            "bi-encoder, nothing stored": [query_ms + (document_ms + scan_ms) * size for size in SIZES],
            "cross-encoder": [pair_ms * size for size in SIZES]}
    holds = pair_ms > scan_ms * 100
    verdict = (f"One question costs the bi-encoder {query_ms:.1f} ms and {scan_ms * 1000:.2f} µs for each stored "
               f"vector; the cross-encoder {pair_ms:.1f} ms for each document. Above {crossing:.1f} documents the "
               f"bi-encoder is the cheaper one; at a million it takes {cost[STORED][-1] / 1000:.2f} s against "
               f"{pair_ms * 1e6 / 3.6e6:.1f} hours. ") + ("As claimed." if holds else "The claim does not hold here.")
    agreement = float(np.corrcoef(np.argsort(np.argsort(cosines)), np.argsort(np.argsort(chances)))[0, 1]) \
        if len(texts) > 2 else 1.0
    order = np.argsort(-np.asarray(chances), kind="stable")[:10]
    by_cosine = {int(at): rank for rank, at in enumerate(np.argsort(-cosines, kind="stable"), 1)}
    return Result(
        {"query_ms": round(query_ms, 2), "scan_us_per_document": round(scan_ms * 1000, 4), "pair_ms": round(pair_ms, 2),
         "document_ms": round(document_ms, 2), "crossing_documents": round(crossing, 2),
         "questions_to_pay_for_storing": round(questions, 2), "documents": len(texts),
         "rank_agreement": round(agreement, 3)},
        holds, verdict,
        "Document vectors do not depend on the question, so they are made once; a question then costs one pass and a "
        "scan. A cross-encoder reads question and document together and has nothing to store: each pair is a pass. So "
        "search retrieves with vectors and reranks only the first few.",
        "Lines of milliseconds for one question over 1 to a million documents, both axes logarithmic: the "
        "cross-encoder rises steadily, the bi-encoder stays level until the scan of stored vectors counts.",
        lambda: figures.curves("One question over ever more documents", "documents", "milliseconds, measured here",
                               {name: (SIZES, times) for name, times in cost.items()})
        .update_xaxes(type="log").update_yaxes(type="log"),
        Table(("document", "rank by cross-encoder", "probability", "rank by cosine", "cosine"),
              tuple((short(chunks[chosen[at]].text, 80), rank, chances[at], by_cosine[int(at)],
                     round(float(cosines[at]), 3))
                    for rank, at in enumerate(order, 1))))


DEMO = Demo(
    "encoders", "Bi-encoder against cross-encoder", 3,
    "With stored vectors a bi-encoder's cost hardly grows with the documents, a cross-encoder's grows with each.",
    (Input("question", "Question", "What does a cross-encoder read?"),
     Input("documents", "Chunks to score", 24, "number", low=4, high=200)),
    work, (("More chunks", {"documents": 60}),),
    ("cross-encoder", "bi-encoder", "cross-encoders", "bi-encoders", "sentence-bert"))
