"""What traces cost: their share of an answer's time, bytes on disk, and how fast a list and one trace open.

    python -m eval.trace_benchmark corpus/                       # 1,000 questions without the language model
    python -m eval.trace_benchmark corpus/ --questions 40 --with-llm

It indexes the paths in a temporary folder and asks distinct questions: those of the gold sets, then some made of the
corpus's own words. Without the language model each trace is stored with the prompt that would have been sent and the
answer as draft, so that its size is that of a whole one. The time is that of making and storing the trace
(`pipeline._Run.save`) against that of the whole answer. The list is timed over 10,000 traces: the real ones, again
under other ids. It prints a table, then one JSON line; exit status 1 where a limit is broken.
"""
from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from assistant import Assistant, Config, pipeline
from assistant.answer import prompt
from assistant.records import Trace
from eval.suite.gold_set import load

LIMITS = {"share": 0.03, "bytes_a_trace": 60_000, "list_seconds": 1.0, "open_ms_p95": 300.0}
LISTED = 10_000
GOLD = ("main.jsonl", "dev.jsonl")


def questions(rag: Assistant, wanted: int) -> list[str]:
    """Distinct questions: the gold sets', then "What about ...?" of the chunks' beginnings."""
    folder = Path(__file__).parent / "gold"
    asked = [gold.question for name in GOLD for gold in load(folder / name)]
    chunks = [" ".join(chunk.text.split()) for chunk in rag.chunks()]
    for words, start in ((12, 0), (9, 3), (7, 6), (10, 9)):
        asked += [f"What about {' '.join(text.split()[start:start + words])}?" for text in chunks if len(text) > 80]
    return list(dict.fromkeys(asked))[:wanted]


def measure(paths: list[str], wanted: int, with_llm: bool, folder: str) -> dict[str, float]:
    """The figures, in seconds, milliseconds and bytes as their names say."""
    rag = Assistant(Config(index=folder, llm="embedded" if with_llm else "off", trace_count=2 * LISTED))
    rag.ingest(paths)
    rag.warm()
    database = Path(folder) / pipeline.CATALOG_FILE
    before = _size(rag, database)
    saving = _timed_saves()
    whole, ids = [], []
    for number, question in enumerate(questions(rag, wanted), 1):
        began = time.perf_counter()
        ids.append(rag.answer(question).trace_id)
        whole.append(time.perf_counter() - began)
        if not with_llm:
            rag.traces.add(_with_prompt(rag.trace(ids[-1])))
        if number % 100 == 0:
            print(f"{number} of {wanted}", file=sys.stderr, flush=True)
    grown = _size(rag, database) - before
    result = {"questions": len(ids), "share": sum(saving) / sum(whole), "save_ms_p50": 1000 * statistics.median(saving),
              "save_ms_p95": 1000 * _p95(saving), "answer_ms_p50": 1000 * statistics.median(whole),
              "bytes_a_trace": grown / len(ids)}
    return {name: round(value, 4) for name, value in (result | _reading(rag, ids)).items()}


def _timed_saves() -> list[float]:
    """Seconds of each `_Run.save` from now on."""
    taken: list[float] = []
    save = pipeline._Run.save

    def timed(self, *given):
        began = time.perf_counter()
        save(self, *given)
        taken.append(time.perf_counter() - began)
    pipeline._Run.save = timed
    return taken


def _with_prompt(trace: Trace) -> Trace:
    if not trace.evidence:
        return trace
    return dataclasses.replace(trace, prompt=prompt.build(trace.query, trace.evidence), draft=trace.answer.text)


def _reading(rag: Assistant, ids: list[str]) -> dict[str, float]:
    """The list over 10,000 traces and single ones; storing beside 10,000, with pruning at work, is timed too."""
    traces = [rag.trace(name) for name in ids]
    for number in range(LISTED - len(traces)):
        trace = traces[number % len(traces)]
        rag.traces.add(dataclasses.replace(trace, id=f"{number:08x}-{trace.id}"))
    lists, opens, adds = [], [], []
    for _ in range(5):
        began = time.perf_counter()
        listed = rag.traces.list(limit=-1)
        lists.append(time.perf_counter() - began)
    for summary in listed[:: max(1, len(listed) // 200)]:
        began = time.perf_counter()
        rag.trace(summary.id)
        opens.append(1000 * (time.perf_counter() - began))
    for number in range(100):
        began = time.perf_counter()
        rag.traces.add(dataclasses.replace(traces[0], id=f"new{number}"), 90, LISTED)
        adds.append(1000 * (time.perf_counter() - began))
    return {"listed": len(listed), "list_seconds": max(lists), "open_ms_p50": statistics.median(opens),
            "open_ms_p95": _p95(opens), "add_beside_10000_ms_p50": statistics.median(adds),
            "add_beside_10000_ms_p95": _p95(adds)}


def _size(rag: Assistant, database: Path) -> int:
    with rag._db.read() as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return database.stat().st_size


def _p95(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--with-llm", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(options.paths, options.questions, options.with_llm, folder)
    broken = [name for name, limit in LIMITS.items() if result[name] > limit]
    for name, value in result.items():
        print(f"{name:24} {value:12g}" + (f"   limit {LIMITS[name]:g}" if name in LIMITS else "")
              + ("   BROKEN" if name in broken else ""))
    print(json.dumps(result))
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
