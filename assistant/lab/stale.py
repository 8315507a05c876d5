"""Stale embeddings (chapter 7): edit a document, and its old vector goes on answering until it is embedded anew."""
from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from assistant.errors import InputError
from assistant.lab import figures
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values, lines, short
from assistant.lab.inside import kept, models_key
from assistant.pipeline import Assistant

Index = dict[int, tuple[str, np.ndarray]]
EDITS = (  # for `measure`: before, after, a query that the text after the edit answers
    ("The blue kettle holds one litre", "The desk fan has three speeds and a timer", "fan for the office"),
    ("A wool jumper with a high collar", "A swimsuit with a low back", "something to swim in"),
    ("Oak table for six people", "Tent for six people, with two rooms", "camping gear"),
    ("Course in watercolour painting", "Course in bookkeeping for small firms", "learn accounting"),
    ("Return tickets are valid for a month", "Dogs travel free of charge", "may I bring my pet on the train"),
    ("Bunk bed for two children", "Electric piano with weighted keys", "practise music at home"),
    ("Garden hose, twenty metres", "Snow shovel with a bent handle", "clear the drive in winter"),
    ("Set of six wine glasses", "Baby monitor with a camera", "watch the child while it sleeps"),
    ("The pool is closed in August", "The museum shows Roman coins", "ancient money on display"),
    ("Frozen peas, one kilogram", "Dark chocolate with orange peel", "something sweet for dessert"),
    ("Printer paper, 500 sheets", "Running shoes for wet roads", "shoes for jogging in the rain"),
    ("Weekly yoga class for beginners", "Repair café for broken bicycles", "my bike needs fixing"),
)
OTHERS = ("A set of kitchen knives in a beech block", "A raincoat with taped seams", "A folding bicycle with six gears",
          "A pocket guide to alpine flowers", "Opening hours of the ticket office", "A lamp for reading in bed")


def digest(text: str) -> str:
    """SHA-256 of the text, hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def refresh(documents: Sequence[str], index: Index, rag: Assistant) -> tuple[Index, list[int]]:
    """(the index brought up to date, which documents were embedded): those whose hash differs, and no other."""
    stale = [at for at, text in enumerate(documents) if at not in index or index[at][0] != digest(text)]
    made = {at: entry for at, entry in index.items() if at < len(documents)}
    for at, vector in zip(stale, rag.embed([documents[at] for at in stale]), strict=True):
        made[at] = (digest(documents[at]), vector)
    return made, stale


def search(index: Index, query: np.ndarray) -> list[tuple[int, float]]:
    """(document, cosine), best first."""
    scored = [(at, float(vector @ query)) for at, (_, vector) in index.items()]
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))


def rank_of(found: list[tuple[int, float]], wanted: int) -> int:
    """From 1; one more than there are where it is missing."""
    return next((rank for rank, (at, _) in enumerate(found, 1) if at == wanted), len(found) + 1)


def measure(rag: Assistant) -> dict[str, list[float]]:
    """For each fixed edit: whether the edited text comes first with the stale vectors, and after re-embedding."""
    def count() -> dict[str, list[float]]:
        first: dict[str, list[float]] = {"stale_first": [], "fresh_first": []}
        for before, after, query in EDITS:
            index, _ = refresh([before, *OTHERS], {}, rag)
            asked = rag.embed([query])[0]
            first["stale_first"].append(float(rank_of(search(index, asked), 0) == 1))
            fresh, _ = refresh([after, *OTHERS], index, rag)
            first["fresh_first"].append(float(rank_of(search(fresh, asked), 0) == 1))
        return first
    return kept(("stale", *models_key(rag)), count)


def work(values: Values, rag: Assistant, report: Report) -> Result:
    documents, at = list(values["documents"]), values["edited"] - 1
    if at >= len(documents):
        raise InputError(f"edited is {at + 1}, but there are {len(documents)} documents: expected 1 to "
                         f"{len(documents)}")
    before, after = documents[at], values["text"]
    if before == after:
        raise InputError(f"text is the same as document {at + 1}: change it, or nothing grows stale")
    old, _ = refresh(documents, {}, rag)
    query = rag.embed([values["query"]])[0]
    edited = [*documents]
    edited[at] = after
    if values["added"]:
        edited.append(values["added"])
    stale_found = search(old, query)  # the documents have changed, the index has not
    fresh, stale = refresh(edited, old, rag)
    fresh_found = search(fresh, query)
    ranks = rank_of(stale_found, at), rank_of(fresh_found, at)
    scores = dict(stale_found)[at], dict(fresh_found)[at]
    holds = ranks[1] != ranks[0] if abs(scores[1] - scores[0]) > 0.02 else None
    verdict = (f"After the edit, document {at + 1} still answers with its old vector: rank {ranks[0]}, cosine "
               f"{scores[0]:.2f}. The hash names {len(stale)} of {len(edited)} documents as stale; embedded anew, it "
               f"has rank {ranks[1]}, cosine {scores[1]:.2f}. ") + (
        "The index ranked a text that is no longer there, as claimed." if holds else
        "The edit changes nothing for this query, so the claim is not put to the test." if holds is None else
        "Its rank is the same, old vector or new, so the claim does not hold for this input.")
    if values["added"]:
        verdict += (" The new document could not be found at all before; now it has rank "
                    f"{rank_of(fresh_found, len(edited) - 1)}.")
    states = [(n + 1, short(edited[n], 60), "stale" if n in stale and n in old else "new" if n in stale else "fresh",
               round(dict(stale_found)[n], 3) if n in old else None, round(dict(fresh_found)[n], 3))
              for n in range(len(edited))]
    return Result(
        {"rank_stale": ranks[0], "rank_fresh": ranks[1], "cosine_stale": round(scores[0], 3),
         "cosine_fresh": round(scores[1], 3), "embedded_again": len(stale), "documents": len(edited)},
        holds, verdict,
        "A vector is made from a text at one moment and knows nothing of later edits. A hash kept beside each vector "
        "tells which texts have changed, so only those are embedded again. Glassbox compares the SHA-256 of every "
        "document at each ingest.",
        "Bars of cosine with the query for each document, before and after re-embedding: "
        + "; ".join(f"document {n}: {'none' if a is None else f'{a:.2f}'}, {b:.2f}" for n, _, _, a, b in states) + ".",
        lambda: figures.bars(f"“{short(values['query'], 40)}” before and after re-embedding",
                             [f"{n}. {short(text, 20)}" for n, text, *_ in states],
                             {"old vectors": [row[3] for row in states], "re-embedded": [row[4] for row in states]},
                             "cosine with the query"),
        Table(("document", "text now", "its vector was", "cosine, old vectors", "cosine, re-embedded"), tuple(states)))


DEMO = Demo(
    "stale", "Stale embeddings", 7,
    "After an edit the old vector goes on ranking the document by a text that is gone, until it is embedded again.",
    (Input("documents", "Documents, one a line", lines(EDITS[0][0], *OTHERS), "lines", low=2, high=60),
     Input("edited", "Document to edit", 1, "number", low=1, high=60),
     Input("text", "Its new text", EDITS[0][1]),
     Input("query", "Query", EDITS[0][2]),
     Input("added", "A new document", "", optional=True)),
    work,
    (("A new document too", {"added": "A ventilator for the ceiling of an office"}),
     ("The train's new rules", {"documents": lines(EDITS[4][0], *OTHERS), "text": EDITS[4][1], "query": EDITS[4][2]})),
    ("stale embedding", "stale embeddings", "stale", "re-embed", "re-embedded", "re-embedding", "embed again",
     "embedded again"), measure,
    roles={"stale_first": "problem", "fresh_first": "fix"})
