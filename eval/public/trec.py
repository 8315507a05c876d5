"""TREC run files, read and written, and rankings scored against judgements by `ir-measures`.

A run file has a line a document: query, Q0, document, rank, score, name of the run, with blanks between. Tools order by
the score, in single precision, and read no rank; so what is written here has scores that fall from line to line, even
when they are cut to 32 bits, and a file gives the order that it was written from in every tool.
"""
from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from assistant.errors import InputError
from eval.suite.metrics import CUT, Count

DEEP = 100   # rank at which recall is cut
Run = Mapping[str, Sequence[tuple[str, float]]]
"""{query: ((document, score), ...) best first}; each document once, scores falling in single precision."""


def falling(ranking: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """The same order with scores, float32, of which each is lower than the one before: equal ones are moved apart by
    the least step that there is. A score above the one before it is brought under it too: the order is what counts."""
    out: list[tuple[str, float]] = []
    last = np.float32(np.inf)
    for name, score in ranking:
        last = min(np.float32(score), np.nextafter(last, np.float32(-np.inf)))
        out.append((name, float(last)))
    return out


def write(file: Path, run: Run, name: str) -> None:
    """Write the run, whose scores fall, with ranks from 1. `name` is the last column; blanks in it become "_"."""
    tag = "_".join(name.split()) or "run"
    lines = [f"{query} Q0 {document} {rank} {score!r} {tag}\n" for query, ranking in run.items()
             for rank, (document, score) in enumerate(ranking, 1)]
    file.write_text("".join(lines), encoding="utf-8", newline="\n")


def read(file: Path, queries: Collection[str] | None = None, documents: Collection[str] | None = None) -> Run:
    """The run in the file, by falling score; equal scores by falling document id, as trec_eval orders them.

    queries, documents  those that there are, None for any. InputError lists every line that cannot be used.
    """
    wrong: list[str] = []
    found: dict[str, dict[str, float]] = {}
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the run file {file} ({getattr(error, 'strerror', None) or error})") from error
    for at, line in enumerate(lines, 1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) != 6:
            wrong.append(f"{file}:{at}: {len(parts)} columns; expected 6: query, Q0, document, rank, score, run")
            continue
        query, _, document, _, score, _ = parts
        value = _number(score)
        problems = [f"the query {query!r} is not in the set"] if queries is not None and query not in queries else []
        if documents is not None and document not in documents:
            problems.append(f"the document {document!r} is not in the set")
        if value is None:
            problems.append(f"the score is {score!r}; expected a number")
        if document in found.get(query, {}):
            problems.append(f"the document {document!r} was given for {query!r} before")
        wrong += [f"{file}:{at}: {problem}" for problem in problems]
        if not problems:
            found.setdefault(query, {})[document] = value
    if wrong or not found:
        raise InputError("\n".join(wrong) or f"{file}: it is empty; expected query, Q0, document, rank, score, run")
    return {query: sorted(scores.items(), key=lambda pair: (np.float32(pair[1]), pair[0]), reverse=True)
            for query, scores in found.items()}


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def counts(qrels: Mapping[str, Mapping[str, int]], run: Run) -> dict[str, dict[str, Count]]:
    """{query: {"ndcg@10", "recall@100", "mrr@10", "ap": Count}} of every query of the qrels; one that the run does not
    have scores 0. Scores above 0 are relevant; nDCG's gain is the score itself, as trec_eval has it."""
    import ir_measures
    measures = {ir_measures.nDCG @ CUT: f"ndcg@{CUT}", ir_measures.R @ DEEP: f"recall@{DEEP}",
                ir_measures.RR @ CUT: f"mrr@{CUT}", ir_measures.AP: "ap"}
    out = {query: dict.fromkeys(measures.values(), Count(0.0)) for query in qrels}
    judged = [ir_measures.Qrel(query, document, max(score, 0)) for query, found in qrels.items()
              for document, score in found.items()]
    given = [ir_measures.ScoredDoc(query, document, score) for query, ranking in run.items() if query in qrels
             for document, score in ranking]
    for metric in ir_measures.iter_calc(list(measures), judged, given) if given else ():
        out[metric.query_id][measures[metric.measure]] = Count(float(metric.value))
    return out
