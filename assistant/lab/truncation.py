"""Truncation and quantisation (chapter 5): what shorter vectors lose, and what a second stage gives back."""
from __future__ import annotations

import numpy as np

from assistant.errors import InputError
from assistant.lab import figures
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values
from assistant.lab.inside import chunk_vectors, embedder_name, own_vectors
from assistant.pipeline import Assistant

SIZES = (256, 128, 64, 32)
MOST = 20_000  # vectors looked at
LEAST = 20     # different texts of one's own
ASKED = 300    # of them asked as queries


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def int8(rows: np.ndarray) -> np.ndarray:
    """Each dimension in 255 steps of its own range: what comes back from one byte a dimension."""
    step = np.maximum(np.abs(rows).max(axis=0), 1e-12) / 127
    return np.round(rows / step) * step


def nearest(vectors: np.ndarray, queries: np.ndarray, k: int, among: np.ndarray | None = None) -> np.ndarray:
    """(q, k): the nearest rows by dot product, the query's own row left out. among: (q, m) candidates, else all."""
    if among is None:
        scores = vectors[queries] @ vectors.T
        scores[np.arange(len(queries)), queries] = -np.inf
        return np.argsort(-scores, axis=1, kind="stable")[:, :k]
    scores = np.einsum("qmd,qd->qm", vectors[among], vectors[queries])
    return np.take_along_axis(among, np.argsort(-scores, axis=1, kind="stable")[:, :k], axis=1)


def recall(found: np.ndarray, true: np.ndarray) -> float:
    """Mean share of the true neighbours that were found."""
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found.tolist(), true.tolist(), strict=True)]))


def work(values: Values, rag: Assistant, report: Report) -> Result:
    texts = values["texts"]
    if texts and len(set(texts)) < LEAST:
        raise InputError(f"texts has {len(set(texts))} different lines: expected {LEAST} or more, because copies of a "
                         "text are all equally near")
    texts = tuple(dict.fromkeys(texts))
    vectors = own_vectors(rag, texts, report) if texts else chunk_vectors(rag, 30)[1][:MOST]
    k, dim = values["k"], vectors.shape[1]
    shortlist = min(max(values["shortlist"], k), len(vectors) - 1)
    k = min(k, len(vectors) - 2)
    queries = np.linspace(0, len(vectors) - 1, min(ASKED, len(vectors))).astype(int)
    true = nearest(vectors, queries, k)
    forms = {f"{dim} dimensions": (vectors, 4 * dim)}
    forms |= {f"{n} dimensions": (unit(vectors[:, :n]), 4 * n) for n in SIZES if n < dim}
    forms |= {f"int8, {dim}": (int8(vectors), dim), f"binary, {dim}": (np.where(vectors > 0, 1.0, -1.0), dim // 8)}
    rows = []
    for at, (name, (rows_, size)) in enumerate(forms.items()):
        report(at / len(forms), name)
        one = recall(nearest(rows_, queries, k), true)
        two = recall(nearest(vectors, queries, k, nearest(rows_, queries, shortlist)), true)
        rows.append((name, size, round(one, 3), round(two, 3)))
    by_name = {name: (one, two) for name, _, one, two in rows}
    small = next(name for name in (*(f"{n} dimensions" for n in (64, 32)), f"binary, {dim}") if name in by_name)
    one, two = by_name[small]
    holds = one < 0.95 and two >= max(0.95, one)
    verdict = (f"Cut to {small}, {one:.0%} of the true {k} nearest are found; with a shortlist of {shortlist} "
               f"compared in full, {two:.0%}. int8 keeps {by_name[f'int8, {dim}'][0]:.0%}, binary "
               f"{by_name[f'binary, {dim}'][0]:.0%}. " + ("As claimed." if holds else
               "Little is lost, so there is nothing to give back, and the claim does not hold here." if one >= 0.95 else
               "The shortlist does not give all of it back, so the claim does not hold here."))
    if embedder_name(rag) == "all-MiniLM-L6-v2":
        verdict += " MiniLM was not trained for truncation; a Matryoshka model would lose less."
    names = [row[0] for row in rows]
    return Result(
        {**{f"recall {name}": one for name, (one, _) in by_name.items()},
         **{f"two-stage {name}": two for name, (_, two) in by_name.items()}, "vectors": len(vectors), "k": k},
        holds, verdict,
        "Fewer dimensions, or fewer bits for each, make vectors small and comparisons fast, but neighbours change "
        "places. The right ones seldom fall far, so a shortlist by the short vectors still holds them, and comparing "
        "only that list in full restores the order.",
        f"Bars of recall at {k}, one stage and two: "
        + "; ".join(f"{name} {a:.2f} and {b:.2f}" for name, _, a, b in rows) + ".",
        lambda: figures.bars(f"Share of the true {k} nearest found, {len(vectors):,} vectors", names,
                             {"short vectors alone": [row[2] for row in rows],
                              f"shortlist of {shortlist}, then full": [row[3] for row in rows]}, f"recall at {k}"),
        Table(("form", "bytes a vector", f"recall at {k}", "recall, two stages"), tuple(rows)))


DEMO = Demo(
    "truncation", "Truncation and quantisation", 5,
    "Short vectors lose neighbours; a shortlist by them that is compared in full gives nearly all of them back.",
    (Input("k", "Nearest to find", 10, "number", low=1, high=50),
     Input("shortlist", "Shortlist of the first stage", 50, "number", low=1, high=500),
     Input("texts", "Texts of your own, one a line", "", "lines", low=LEAST, high=300, optional=True,
           help="empty: the chunks of the index")),
    work, (("A short shortlist", {"shortlist": 15}), ("Only the nearest", {"k": 1})),
    ("matryoshka", "mrl", "truncation", "truncated", "quantisation", "quantization", "int8", "fewer dimensions",
     "is cut to"))
