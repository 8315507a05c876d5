"""A public set asked of the assistant's own stages, and run files of other systems: results like any run's.

A document's score at a stage is that of its best chunk (Dai and Callan, SIGIR 2019, "MaxP"): the assistant ranks
chunks, the set judges documents. Stages, each a ranking of documents:
  lexical, dense   the search alone
  fused            what the question gives under the settings, then what a deeper fusion adds
  reranked         the `candidates` chunks that the reranker reads, by its probability, then the rest as fused
  whole            with `whole`: one vector a document, of title and text, cut at the embedder's limit, all compared
                   exactly: how published numbers of an embedder are made. No stage of the assistant
Searches go down to DEPTH chunks.

The layout is that of eval.suite.runner: one suite, "public", with "set", "split", "stages", "documents", "judged",
"left_out", "documents_ranked" {stage: mean}; metrics are named "STAGE.ndcg@10", all questions are in the open part.
`config` is {} for a run file, whose only stage is "run".
"""
from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from assistant import Assistant, Config
from assistant.errors import GlassboxError
from assistant.records import Hit
from eval.public import index as beir_index
from eval.public import trec
from eval.public.beir import PublicSet
from eval.suite.metrics import Count, percentile
from eval.suite.reuse import remembering
from eval.suite.rows import row, summary
from eval.suite.runs import LAYOUT, state_folder

SUITE = "public"
DEPTH = 200          # chunks that each search gives: the most that `candidates` may be
WHOLE_DEPTH = 1000   # documents of the stage "whole", as the public boards take
TOTAL = "retrieved"  # the time from the question to its chunks
BATCH = 250          # documents of the stage "whole" that are embedded between two reports
Ranking = list[tuple[str, float]]
Report = Callable[[int, int, str], None]


def run(public: PublicSet, config: Config, *, models: Assistant | None = None, whole: bool = False,
        not_itself: bool = False, limit: int | None = None,
        report: Report = lambda *_: None) -> tuple[dict, dict[str, trec.Run], Assistant]:
    """(the result, {stage: its run}, an Assistant whose models the next call can use).

    whole       also the stage "whole"
    not_itself  leave out the document that has the query's id: in ArguAna and Quora queries are documents
    limit       ask that many queries, evenly spread
    """
    began = time.perf_counter()
    rag, names, cached = beir_index.index(public, config, models, report)
    index_s = time.perf_counter() - began
    rag.warm()
    vectors = _vectors(public, rag, report) if whole else None
    asked = list(public.queries) if limit is None or limit >= len(public.queries) else \
        [list(public.queries)[at * len(public.queries) // limit] for at in range(limit)]
    searcher = Searcher(rag, names)
    stages = [*searcher.stages, *(["whole"] if whole else [])]
    runs: dict[str, dict[str, Ranking]] = {stage: {} for stage in stages}
    errors: dict[str, str] = {}
    for done, query in enumerate(asked, 1):
        try:
            rankings = searcher.rankings(public.queries[query])
            if vectors is not None:
                rankings["whole"] = _nearest(rag, public, vectors, public.queries[query])
        except Exception as error:  # it scores 0 and is listed, as in the suites
            errors[query] = str(error) if isinstance(error, GlassboxError) else f"{type(error).__name__}: {error}"
            rankings = {}
        for stage in stages:
            runs[stage][query] = trec.falling([pair for pair in rankings.get(stage, ())
                                               if not (not_itself and pair[0] == query)])
        report(done, len(asked), "queries")
    result = _result(public, {query: public.queries[query] for query in asked}, runs, errors, rag.config.public(),
                     {"config": rag.config.fingerprint(rag.parts.fingerprints()), "index": rag.index_fingerprint()},
                     limit, not_itself)
    result["timings"] = {"suites_s": {SUITE: round(time.perf_counter() - began, 3)}, "index_s": round(index_s, 3),
                         "index_cached": cached, "latency_ms": searcher.latency()}
    return result, runs, rag


def scored(public: PublicSet, file: Path, given: trec.Run) -> dict:
    """The result of a run file that another system, or this one, wrote."""
    began = time.perf_counter()
    fingerprint = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    result = _result(public, public.queries, {"run": given}, {}, {}, {"config": fingerprint, "index": ""}, None, False)
    result["suites"][SUITE]["run_file"] = file.name
    result["timings"] = {"suites_s": {SUITE: round(time.perf_counter() - began, 3)}, "latency_ms": {}}
    return result


class Searcher:
    """The rankings of one Assistant over a public set; the settings' own run comes first, and is timed.

    names  {document's id in the index: its id in the set}
    """

    def __init__(self, rag: Assistant, names: Mapping[str, str]) -> None:
        rag = remembering(rag)  # four runs of a question embed it once
        deep = rag.config.replace({"rerank": False, "candidates": DEPTH})
        searches = [stage for stage in ("lexical", "dense") if getattr(rag.config, stage)]
        self._rag, self._names = rag, names
        self._deep = rag.with_config(deep)
        self._alone = {stage: rag.with_config(deep.replace({"lexical": False, "dense": False, stage: True}))
                       for stage in searches}
        self.stages = [*searches, "fused", *(["reranked"] if rag.config.rerank else [])]
        self._times: dict[str, list[float]] = {}

    def rankings(self, question: str) -> dict[str, Ranking]:
        """{stage: documents with scores, best first}; scores of unlike kinds do not overlap."""
        began = time.perf_counter()
        found = self._rag.retrieve(question)
        spent = {span.stage: span.duration_ms for span in found.spans} | {TOTAL: 1000 * (time.perf_counter() - began)}
        for stage, value in spent.items():
            self._times.setdefault(stage, []).append(value)
        out = {stage: self._documents(alone.retrieve(question).hits, stage) for stage, alone in self._alone.items()}
        out["fused"] = _joined(self._documents(found.hits, "fused"),
                               self._documents(self._deep.retrieve(question).hits, "fused"))
        if self._rag.config.rerank:
            head = [(name, 1 + value) for name, value in self._documents(found.hits, "rerank")]
            out["reranked"] = _joined(head, out["fused"])
        return out

    def latency(self) -> dict[str, dict]:
        """{stage: {"p50", "p95", "n"}} in milliseconds, of the settings' own run."""
        return {stage: {"p50": round(percentile(times, 0.5), 2), "p95": round(percentile(times, 0.95), 2),
                        "n": len(times)} for stage, times in self._times.items()}

    def _documents(self, hits: Sequence[Hit], stage: str) -> Ranking:
        ranked = sorted((hit for hit in hits if getattr(hit, stage)), key=lambda hit: getattr(hit, stage).rank)
        best: dict[str, float] = {}
        for hit in ranked:
            best.setdefault(self._names[hit.chunk.document_id], getattr(hit, stage).value)
        return list(best.items())


def _joined(head: Ranking, rest: Ranking) -> Ranking:
    """`head`, then what only `rest` has."""
    known = {name for name, _ in head}
    return [*head, *[pair for pair in rest if pair[0] not in known]]


def _vectors(public: PublicSet, rag: Assistant, report: Report) -> np.ndarray:
    """float32 (documents, dim) of "title text", kept in the state folder beside the set's documents."""
    file = state_folder() / "public" / public.corpus_fingerprint() / f"whole-{rag.parts.embedder.fingerprint}.npy"
    if file.is_file():
        return np.load(file)
    texts, parts = [f"{entry.title} {entry.text}".strip() for entry in public.corpus], []
    for at in range(0, len(texts), BATCH):
        parts.append(rag.embed(texts[at:at + BATCH]))
        report(min(at + BATCH, len(texts)), len(texts), "whole documents")
    trial = file.with_suffix(".trial.npy")
    np.save(trial, np.concatenate(parts))
    trial.rename(file)
    return np.load(file)


def _nearest(rag: Assistant, public: PublicSet, vectors: np.ndarray, question: str) -> Ranking:
    plain = rag.with_config(rag.config.replace({"query_encoder": "off"}))  # as published numbers are made
    cosines = vectors @ plain.embed_query([question])[0]
    return [(public.corpus[at].id, float(cosines[at]))
            for at in np.argsort(-cosines, kind="stable")[:WHOLE_DEPTH]]


def _result(public: PublicSet, asked: Mapping[str, str], runs: Mapping[str, trec.Run], errors: Mapping[str, str],
            config: dict, fingerprints: dict[str, str], limit: int | None, not_itself: bool) -> dict:
    qrels = {query: public.qrels[query] for query in asked}
    counts: dict[str, dict[str, Count]] = {query: {} for query in asked}
    for stage, given in runs.items():
        for query, found in trec.counts(qrels, given).items():
            counts[query] |= {f"{stage}.{name}": count for name, count in found.items()}
    made = summary([row(query, public.name, "open", query, text, counts[query], error=errors.get(query, ""))
                    for query, text in asked.items()])
    depth = {stage: round(sum(map(len, given.values())) / max(len(asked), 1), 1) for stage, given in runs.items()}
    return {"layout": LAYOUT, "created": datetime.now(UTC).isoformat(timespec="seconds"), "config": config,
            "limit": limit, "fingerprints": {**fingerprints, "gold": public.gold_fingerprint(),
                                             "corpus": public.corpus_fingerprint()},
            "suites": {SUITE: {**made, "set": public.name, "split": public.split, "stages": list(runs),
                               "documents": len(public.corpus), "judged": sum(map(len, qrels.values())),
                               "left_out": list(public.left_out), "not_itself": not_itself,
                               "documents_ranked": depth}}}
