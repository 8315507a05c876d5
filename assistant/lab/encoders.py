"""Bi-encoder against cross-encoder (chapter 3): what each costs here as the documents grow, and how they score."""
from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np

from assistant.errors import InputError
from assistant.lab import figures
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values, short
from assistant.lab.inside import chunk_vectors, nearest_chunks, probabilities
from assistant.pipeline import Assistant
from assistant.text.readable import passage

SIZES = (1, 10, 100, 1000, 10_000, 100_000, 1_000_000)  # documents
STORED_ROWS = 10_000  # vectors scanned at the most; the index's own, repeated
DOCUMENTS = 8         # embedded to see what a document costs where nothing is stored
REPEATS = 3
T = TypeVar("T")
STORED = "bi-encoder, vectors stored"


def best_of(run: Callable[[], object], repeats: int = REPEATS) -> float:
    """Milliseconds of the fastest run: the one that other programs disturbed least."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return min(times) * 1000


def growing(n: int, run: Callable[[int, int], Sequence[T]],
            report: Callable[[float], None]) -> tuple[dict[int, float], list[T]]:
    """({1, 2, 4, ... n: milliseconds up to there}, what `run` gave): items a..b at a time, so that each is run once."""
    ends = sorted({*(2 ** power for power in range(20) if 2 ** power < n), n})
    times, found, spent = {}, [], 0.0
    for start, end in pairwise((0, *ends)):
        report(start / n)
        began = time.perf_counter()
        found += run(start, end)
        spent += (time.perf_counter() - began) * 1000
        times[end] = spent
    return times, found


def work(values: Values, rag: Assistant, report: Report) -> Result:
    if not rag.config.rerank:
        raise InputError("rerank is off, so there is no cross-encoder to compare: set rerank=on")
    question, n = values["question"], values["documents"]
    chunks, vectors = chunk_vectors(rag, 20)
    asked = rag.embed_query([question])[0]
    chosen, cosines, weighed = nearest_chunks(rag, asked, n)
    texts = [passage(chunk) for chunk in chosen]
    query_ms = best_of(lambda: rag.embed_query([question]))
    many = np.tile(vectors, (-(-STORED_ROWS // len(vectors)), 1))[:STORED_ROWS]
    scans = {size: best_of(lambda size=size: many[:size] @ asked) for size in SIZES if size <= STORED_ROWS}
    scan_ms = scans[STORED_ROWS] / STORED_ROWS
    probabilities(rag, question, texts[:1], weighed[:1])  # warm: its first run may load it
    pairs, chances = growing(len(texts), lambda a, b: probabilities(rag, question, texts[a:b], weighed[a:b]),
                             lambda done: report(0.1 + 0.6 * done, "cross-encoder"))
    pair_ms = pairs[len(texts)] / len(texts)
    few = texts[:DOCUMENTS]
    made, _ = growing(len(few), lambda a, b: rag.embed(few[a:b]).tolist(),
                      lambda done: report(0.7 + 0.3 * done, "embedding documents"))
    document_ms = made[len(few)] / len(few)
    measured = {STORED: {size: query_ms + ms for size, ms in scans.items()},
                "bi-encoder, nothing stored": {size: query_ms + ms for size, ms in made.items()},
                "cross-encoder": pairs}
    crossing = query_ms / max(pair_ms - scan_ms, 1e-9)
    # embed all once, then one pass a question, against a pass for every pair: when does storing pay?
    questions = document_ms / max(pair_ms - scan_ms - query_ms / len(chunks), 1e-9)
    cost = {STORED: [query_ms + scan_ms * size for size in SIZES],
            "bi-encoder, nothing stored": [query_ms + (document_ms + scan_ms) * size for size in SIZES],
            "cross-encoder": [pair_ms * size for size in SIZES]}
    cheaper = "From the first document on" if crossing < 1 else f"Above {crossing:.1f} documents"
    holds = pair_ms > scan_ms * 100
    verdict = (f"One question costs the bi-encoder {query_ms:.1f} ms and {scan_ms * 1000:.2f} µs for each stored "
               f"vector; the cross-encoder {pair_ms:.1f} ms for each of {len(texts)} documents. "
               f"{cheaper} the bi-encoder is the cheaper one; a million, "
               f"extrapolated, would take it {cost[STORED][-1] / 1000:.2f} s and the cross-encoder "
               f"{pair_ms * 1e6 / 3.6e6:.1f} hours. ") + ("As claimed." if holds else "The claim does not hold here.")
    agreement = float(np.corrcoef(np.argsort(np.argsort(cosines)), np.argsort(np.argsort(chances)))[0, 1]) \
        if len(texts) > 2 else 1.0

    def draw():
        made = figures.figure("One question over ever more documents", "documents (log)", "milliseconds (log)")
        for at, (name, times) in enumerate(cost.items()):
            colour, symbol = figures.PALETTE[at], figures.SYMBOLS[at]
            made.add_scatter(name=f"{name}, measured", x=list(measured[name]), y=list(measured[name].values()),
                             mode="lines+markers", line={"color": colour}, marker={"symbol": symbol, "size": 9})
            made.add_scatter(name="extrapolated", x=list(SIZES), y=times, mode="lines", showlegend=at == 0,
                             line={"color": colour, "dash": "dot", "width": 1})
        made.update_layout(legend={"y": -0.25})
        return made.update_xaxes(type="log", dtick=1).update_yaxes(type="log", dtick=1)

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
        f"cross-encoder rises from {pairs[1]:.0f} for one to {pairs[len(texts)]:.0f} for {len(texts)}, the bi-encoder "
        f"stays at {query_ms:.0f} until the scan of stored vectors counts. They cross at {crossing:.1f} documents.",
        draw,
        Table(("document", "rank by cross-encoder", "probability", "rank by cosine", "cosine"),
              tuple((short(chosen[at].text, 80), rank, chances[at], by_cosine[int(at)],
                     round(float(cosines[at]), 3))
                    for rank, at in enumerate(order, 1))))


DEMO = Demo(
    "encoders", "Bi-encoder against cross-encoder", 3,
    "With stored vectors a bi-encoder's cost hardly grows with the documents, a cross-encoder's grows with each.",
    (Input("question", "Question", "What does a cross-encoder read?", longest=600),
     Input("documents", "Chunks to score", 24, "number", low=4, high=100)),
    work, (("More chunks", {"documents": 60}),),
    ("cross-encoder", "bi-encoder", "cross-encoders", "bi-encoders", "sentence-bert"))
