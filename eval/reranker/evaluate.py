"""The reranker's measures, on data that training never saw, for any weight of the cosine.

A scorer is logits(question, texts) -> float32 (n,), so the shipped int8 graph, a torch network and another
CrossEncoder are measured alike. The stage's score is logit + weight x cosine; the bi-encoder alone is the cosine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval.reranker import sources
from eval.reranker import twins as twin_sets
from eval.reranker.build import _without
from eval.reranker.sources import sentences
from eval.reranker.vectors import Bm25, Vectors

Scorer = Callable[[str, Sequence[str]], np.ndarray]
Encoder = Callable[[Sequence[str]], np.ndarray]  # queries -> float32 (n, dim), unit length


@dataclass(frozen=True)
class Case:
    """One query, its candidates, and each candidate's gain (0 = irrelevant)."""

    query: str
    texts: tuple[str, ...]
    gains: tuple[float, ...]


@dataclass(frozen=True)
class Scored:
    """A case's logits, the stage's cosines, and those of the bi-encoder alone, each (texts,)."""

    case: Case
    logits: np.ndarray
    cosines: np.ndarray
    alone: np.ndarray


def score(cases: Sequence[Case], scorer: Scorer, vectors: Vectors, asked: Encoder | None = None) -> list[Scored]:
    """Logits and cosines of every case; the cosines are those of exactly the texts that are reranked.

    asked: how the stage reads a query, where it does so in another way than a text (the query encoder).
    """
    vectors([t for c in cases for t in (c.query, *c.texts)])
    queries = asked([c.query for c in cases]) if asked and cases else [vectors([c.query])[0] for c in cases]
    found = []
    for c, query in zip(cases, queries, strict=True):
        matrix = vectors([c.query, *c.texts])
        logits = np.asarray(scorer(c.query, c.texts), np.float32)
        found.append(Scored(c, logits, matrix[1:] @ query, matrix[1:] @ matrix[0]))
    return found


# Measures of one ranking: gains in ranked order -> float.
def mrr10(gains: np.ndarray, _: Sequence[float]) -> float:
    hit = np.flatnonzero(gains[:10] > 0)
    return 1.0 / (hit[0] + 1) if len(hit) else 0.0


def first(gains: np.ndarray, _: Sequence[float]) -> float:
    return float(gains[0] > 0)


def ndcg10(gains: np.ndarray, ideal: Sequence[float]) -> float:
    """Linear gain, as trec_eval; `ideal` holds the gains of all judged documents."""
    discount = 1 / np.log2(np.arange(2, 12))
    best = np.sort(np.asarray(ideal, float))[::-1][:10]
    top = gains[:10]
    return float((top * discount[: len(top)]).sum() / max((best * discount[: len(best)]).sum(), 1e-9))


def mean(scored: Sequence[Scored], measure, weight: float | None, ideals=None) -> float:
    """Mean of a measure over queries. weight: of the cosine beside the logit; None ranks by the cosine alone.

    Ties count against the system: equal scores are ordered by rising gain.
    """
    values = []
    for at, s in enumerate(scored):
        total = s.alone if weight is None else s.logits + weight * s.cosines
        gains = np.asarray(s.case.gains, float)
        order = np.lexsort((gains, -total))
        values.append(measure(gains[order], ideals[at] if ideals else s.case.gains))
    return float(np.mean(values))


# ---- the sets --------------------------------------------------------------------------------------------------
def held_out(data: Path, vectors: Vectors, n: int, split: str = "test") -> list[Case]:
    """QED-NQ and SQuAD questions of held-out articles, the gold and 20 hard negatives (10 by cosine, 10 by BM25)."""
    every = sources.questions(data)
    pool = list(dict.fromkeys(q.context for q in every if q.split in ("test", "calibrate")))
    mine = [q for q in every if q.split == split and q.source in ("qed", "squad")]
    mine = mine[:: max(1, len(mine) // n)][:n]
    matrix, bm25 = vectors(pool), Bm25(pool)
    cases = []
    for q, vector in zip(mine, vectors([q.text for q in mine]), strict=True):
        usable = [
            p != q.context and not any(len(a) > 2 and a.lower() in p.lower() for a in q.answers) for p in pool
        ]
        near = [int(i) for i in np.argsort(-(matrix @ vector)) if usable[i]][:10]
        lexical = [int(i) for i in np.argsort(-bm25.scores(q.text)) if usable[i] and int(i) not in near][:10]
        cases.append(Case(q.text, (q.context, *(pool[i] for i in near + lexical)), (1.0, *[0.0] * 20)))
    return cases


def trec(data: Path) -> tuple[list[Case], list[list[float]]]:
    """TREC DL 2020, BM25's top 100 of the 54 judged queries, and all judged gains of each query."""
    judged: dict[str, dict[str, int]] = {}
    for line in (data / "trec_dl20/qrels.txt").read_text().splitlines():
        query, _, document, grade = line.split()
        judged.setdefault(query, {})[document] = int(grade)
    cases, ideals = [], []
    for row in json.loads((data / "trec_dl20/bm25_top100.json").read_text()):
        query = str(row["hits"][0]["qid"])
        if query in judged:
            cases.append(
                Case(
                    row["query"],
                    tuple(h["content"] for h in row["hits"]),
                    tuple(float(judged[query].get(str(h["docid"]), 0)) for h in row["hits"]),
                )
            )
            ideals.append([float(g) for g in judged[query].values()])
    return cases, ideals


def cranfield(data: Path, n: int) -> tuple[list[Case], list[list[float]]]:
    """Cranfield, BM25's top 100 of the first n queries."""
    folder = data / "cranfield"
    corpus = {
        r["_id"]: r["text"] for r in map(json.loads, (folder / "corpus.jsonl").read_text().splitlines())
    }
    judged: dict[str, dict[str, float]] = {}
    for line in (folder / "qrels.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        judged.setdefault(query, {})[document] = float(grade)
    names, bm25 = list(corpus), Bm25(list(corpus.values()))
    cases, ideals = [], []
    for row in list(map(json.loads, (folder / "queries.jsonl").read_text().splitlines()))[:n]:
        top = [names[i] for i in np.argsort(-bm25.scores(row["text"]), kind="stable")[:100]]
        gains = judged.get(row["_id"], {})
        cases.append(Case(row["text"], tuple(corpus[d] for d in top), tuple(gains.get(d, 0.0) for d in top)))
        ideals.append(list(gains.values()))
    return cases, ideals


def twins(data: Path) -> dict[str, list[Case]]:
    """{set: cases of (satisfying, violating)} of the held-out twins."""
    by: dict[str, list[Case]] = {}
    for t in twin_sets.twins(data):
        if t.split == "test" and t.satisfying != t.violating:
            by.setdefault(t.source, []).append(Case(t.query, (t.satisfying, t.violating), (1.0, 0.0)))
    return by


def negation50(file: Path) -> list[Case]:
    return [
        Case(r["question"], (r["satisfying"], r["violating"]), (1.0, 0.0))
        for r in map(json.loads, file.read_text(encoding="utf-8").splitlines())
    ]


def on_topic(data: Path, n: int, split: str = "test") -> list[Case]:
    """The gold passage and the same with the answering sentences taken out, for held-out questions."""
    mine = [q for q in sources.questions(data) if q.split == split and q.source in ("qed", "squad")]
    cases = [
        Case(q.text, (q.context, left), (1.0, 0.0)) for q in mine if (left := _without(q.answers, q.context))
    ]
    return cases[:: max(1, len(cases) // n)][:n]


def best_sentence(data: Path, n: int, split: str = "test") -> list[Case]:
    """All sentences of the gold passage; those that hold the answer are relevant."""
    cases = []
    for q in sources.questions(data):
        parts = sentences(q.context)
        gains = [float(any(a.lower() in s.lower() for a in q.answers)) for s in parts]
        if (
            q.split == split
            and q.source in ("qed", "squad")
            and len(parts) > 2
            and 0 < sum(gains) < len(parts)
        ):
            cases.append(Case(q.text, tuple(parts), tuple(gains)))
    return cases[:: max(1, len(cases) // n)][:n]


@dataclass(frozen=True)
class Home:
    """A question on a document of the assistant's kind, with RRF's top 20 chunks, and whether it is answerable."""

    case: Case
    answerable: bool
    kind: str


def _chunks(text: str, size: int = 500) -> list[tuple[str, str]]:
    """(heading, chunk) of plain text: paragraphs packed to `size` characters; a chapter line is the heading."""
    found, heading, held = [], "", ""
    for part in re.split(r"\n\s*\n", text):
        part = part.strip()
        if re.match(r"Chapter \d+:", part.splitlines()[0] if part else ""):
            if held:
                found.append((heading, held))
            heading, held = part.splitlines()[0], ""
            part = "\n".join(part.splitlines()[1:])
        if held and len(held) + len(part) > size:
            found.append((heading, held))
            held = ""
        held = f"{held}\n{part}".strip()
    return found + ([(heading, held)] if held else [])


def home(text: Path, gold: Path, vectors: Vectors, asked: Encoder | None = None) -> list[Home]:
    """The lesson in 500-character chunks, heading in front: RRF's (k = 60) top 20 for each question of a gold file.

    Small talk and follow-ups are left out. A chunk is relevant where it holds one of the evidence quotes,
    or half of one cut by a chunk's border.
    """
    pieces = _chunks(text.read_text(encoding="utf-8"))
    texts = [f"{h}\n{c}" for h, c in pieces]
    flat = [" ".join(c.split()) for _, c in pieces]
    matrix, bm25 = vectors(texts), Bm25(texts)
    found = []
    for row in map(json.loads, gold.read_text(encoding="utf-8").splitlines()):
        if row.get("kind") in (
            "smalltalk",
            "followup",
        ):  # the first is no question, the second needs its history
            continue
        vector = (asked or vectors)([row["question"]])[0]
        lexical = bm25.scores(row["question"])
        rank = np.zeros(len(texts))
        for scores in (matrix @ vector, lexical):
            for place, i in enumerate(np.argsort(-scores, kind="stable")[:20]):
                if scores[i] > 0:
                    rank[i] += 1 / (61 + place)
        top = [int(i) for i in np.argsort(-rank, kind="stable")[:20] if rank[i] > 0]
        quotes = [" ".join(e["quote"].split()) for e in row.get("evidence", [])]
        gains = [
            float(
                any(
                    q in flat[i]
                    or (len(q) > 60 and (q[: len(q) // 2] in flat[i] or q[-(len(q) // 2) :] in flat[i]))
                    for q in quotes
                )
            )
            for i in top
        ]
        found.append(
            Home(
                Case(row["question"], tuple(texts[i] for i in top), tuple(gains)),
                bool(row["answerable"]),
                row.get("kind", ""),
            )
        )
    return found
