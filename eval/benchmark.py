"""The benchmark of the main job: passage found, answer right, citations hold, declines, times.

    python -m eval.benchmark --gold eval/gold/main.jsonl corpus/                 # the chapters
    python -m eval.benchmark --gold eval/gold/dev.jsonl lesson.txt --json out.json

It makes a fresh index in a temporary folder, asks every question, prints a table and one JSON line.
Found: one of the first five hits covers at least 80 % of the characters of a gold quote, and so for each quote.
Right: every key fact is in the answer, no forbidden claim is. Cited: every key fact is also in what is cited.
Doubted: the answer opens by saying that the documents may not answer.
"""
from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from assistant import Answer, Assistant, Config, Found, Sentence
from assistant.answer.decline import UNSURE
from eval.suite.gold_set import Gold, holds, load, right

COVER = 0.8
FIRST = 5


def ask(rag: Assistant, gold: Gold) -> dict:
    """One question's outcome: booleans (None where they do not apply), times in seconds."""
    began = time.perf_counter()
    times: dict[str, float] = {}
    hits, answer = (), Answer("")
    for event in rag.stream(gold.question, list(gold.history)):
        if isinstance(event, Found):
            times["evidence"] = time.perf_counter() - began
            hits = event.retrieval.hits
        elif isinstance(event, Sentence):
            times.setdefault("sentence", time.perf_counter() - began)
            if event.support.origin == "model":
                times.setdefault("model_sentence", time.perf_counter() - began)
        elif isinstance(event, Answer):
            answer = event
    times["whole"] = time.perf_counter() - began
    cited = " ".join(f"{c.heading} {c.quote}" for c in answer.citations) + " " + _rows(rag, answer)
    best = max((hit.rerank.value for hit in hits if hit.rerank), default=None)
    return {"id": gold.id, "kind": gold.kind, "question": gold.question, "answerable": gold.answerable,
            "found": _found(rag, gold, hits), "right": _right(gold, answer),
            "cited": all(holds(fact, cited) for fact in gold.facts) if gold.facts else None,
            "declined": answer.abstained, "doubted": answer.text.startswith(UNSURE), "best": best,
            "answer": answer.text, "reference": gold.reference, "origins": [s.origin for s in answer.support],
            "words": len(answer.text.split()), "times": times}


def _right(gold: Gold, answer: Answer) -> bool:
    """Small talk is right where it is neither declined nor cited; a question as its key facts say."""
    if gold.kind == "smalltalk":
        return not answer.abstained and not answer.citations
    return right(gold, answer.text) and not answer.abstained


def _rows(rag: Assistant, answer: Answer) -> str:
    """The evidence's text of the cited markers: a table row is cited together with its header."""
    cited = {citation.marker for citation in answer.citations}
    return " ".join(e.text for e in rag.trace(answer.trace_id).evidence if e.marker in cited)


def _found(rag: Assistant, gold: Gold, hits) -> bool | None:
    """Whether each gold quote is covered by one of the first five hits; None without gold quotes."""
    documents = {d.source: d for d in rag.documents()}
    outcomes = []
    for name, quote in gold.evidence:
        document = next((d for source, d in documents.items() if source.endswith(name)), None)
        if document is None:
            continue
        start = document.text.find(quote)
        if start < 0:
            raise SystemExit(f"{gold.id}: the quote {quote[:60]!r} does not stand in {name}")
        end = start + len(quote)
        outcomes.append(any(hit.chunk.document_id == document.id
                            and min(end, hit.chunk.end) - max(start, hit.chunk.start) >= COVER * len(quote)
                            for hit in [h for h in hits if h.fused or h.rerank][:FIRST]))
    return all(outcomes) if outcomes else None


def summary(rows: list[dict]) -> dict[str, float]:
    """Shares over the questions they apply to, medians and 95th percentiles of the times in seconds."""
    asked = [r for r in rows if r["answerable"]]
    chat = [r for r in rows if r["kind"] == "smalltalk"]
    unanswerable = [r for r in rows if not r["answerable"] and r not in chat]
    found = [r["found"] for r in asked if r["found"] is not None]
    out = {"answerable": len(asked), "unanswerable": len(unanswerable),
           "found@5": _share(found), "right": _share([r["right"] for r in asked]),
           "right_and_cited": _share([r["right"] and bool(r["cited"]) for r in asked]),
           "wrongly_declined": _share([r["declined"] for r in asked]),
           "declined": _share([r["declined"] for r in unanswerable]),
           "declined_or_doubted": _share([r["declined"] or r["doubted"] for r in unanswerable]),
           "doubted": _share([r["doubted"] for r in asked]),
           "median_words": statistics.median([r["words"] for r in asked] or [0])}
    for name in ("evidence", "sentence", "model_sentence", "whole"):
        values = sorted(r["times"][name] for r in rows if name in r["times"])
        if values:
            out[f"{name}_p50"] = statistics.median(values)
            out[f"{name}_p95"] = values[min(len(values) - 1, int(0.95 * len(values)))]
    return {name: round(value, 3) for name, value in out.items() if value == value}  # NaN: nothing to measure


def _share(values: list[bool]) -> float:
    return sum(map(bool, values)) / len(values) if values else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--gold", required=True)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--json", metavar="FILE", help="write every question's outcome")
    parser.add_argument("--failures", action="store_true", help="print what was not right")
    options = parser.parse_args()
    settings = dict(item.split("=", 1) for item in options.set)
    with tempfile.TemporaryDirectory() as folder:
        rag = Assistant(Config().replace({"index": folder, **settings}))
        report = rag.ingest(options.paths)
        rag.warm()
        print(f"{report.chunks} chunks", file=sys.stderr)
        rows = []
        collection = "lesson" if any(d.source.endswith("lesson.txt") for d in rag.documents()) else "corpus"
        for gold in [g for g in load(options.gold) if collection not in g.not_on]:
            rows.append(ask(rag, gold))
            print("." if rows[-1]["right"] or (not gold.answerable and rows[-1]["declined"]) else "x", end="",
                  file=sys.stderr, flush=True)
        print(file=sys.stderr)
    kinds = defaultdict(list)
    for row in rows:
        kinds[row["kind"]].append(row["right"] if row["answerable"] or row["kind"] == "smalltalk" else row["declined"])
    for kind, values in sorted(kinds.items()):
        print(f"{kind:20} {sum(values):3} of {len(values):3}")
    if options.failures:
        for row in rows:
            good = row["right"] and row["found"] is not False if row["answerable"] else row["declined"] or row["right"]
            if not good:
                print(f"\n{row['id']} {row['kind']} found={row['found']} right={row['right']} best={row['best']}\n"
                      f"  Q {row['question']}\n  R {row['reference']}\n  A {row['answer']}")
    result = summary(rows)
    for name, value in result.items():
        print(f"{name:20} {value:g}")
    print(json.dumps(result))
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1, default=dataclasses.asdict), encoding="utf-8")


if __name__ == "__main__":
    main()
