"""What traces cost: their share of an answer's time, bytes on disk, and how fast the list and one trace open.

    python -m eval.trace_benchmark corpus/                # 1,000 questions with llm=off, 50 with the language model
    python -m eval.trace_benchmark corpus/ --questions 0 --llm 50           # the share with the language model alone

It indexes the paths in a temporary folder and asks distinct questions: those of the gold sets, then some made of the
corpus's own words. With llm=off each trace is stored with the prompt that would have been sent and the answer as draft,
so that its size is that of a whole one. A share is the time of making and storing the traces (`Run.save`, timed by
itself) in that of the whole answers of the same run, so it may be taken beside other programs. Lists are timed over
10,000 traces, the real ones again under other ids: in the catalog, and in the Traces tab of the real page, from the
click until Chromium has drawn it (left out, and said so, where Playwright or Chromium is missing). It prints a table,
then one JSON line; exit status 1 where a limit is broken.
"""
from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

from assistant import Assistant, Config, pipeline, run
from assistant.answer import prompt
from assistant.records import Trace
from eval.suite.gold_set import load

LIMITS = {"share": 0.03, "share_with_llm": 0.03, "bytes_a_trace": 60_000, "list_seconds": 1.0, "open_ms_p95": 300.0,
          "tab_list_ms_max": 1000.0, "tab_search_ms_max": 1000.0, "tab_open_ms_p95": 300.0}
LISTED = 10_000
OPENED = 20      # traces that are opened in the tab, one after the other
GOLD = ("main.jsonl", "dev.jsonl")
# Milliseconds from a click until what it asks for stands on the page, seen at the next frame that is drawn.
CLICK = """([button, done]) => new Promise(resolve => {
    const began = performance.now(), look = () => document.querySelector(done) ?
        resolve(performance.now() - began) : requestAnimationFrame(look);
    document.querySelector(button).click(); look(); })"""
TYPE = """text => new Promise(resolve => {
    const field = document.querySelector("#gb-tracesearch input, #gb-tracesearch textarea");
    const rows = document.querySelector("#gb-tracerows"), before = rows.textContent, began = performance.now();
    const look = () => rows.textContent !== before ?
        resolve(performance.now() - began) : requestAnimationFrame(look);
    field.value = text; field.dispatchEvent(new Event("input", {bubbles: true})); look(); })"""


def questions(rag: Assistant, wanted: int) -> list[str]:
    """Distinct questions: the gold sets', then "What about ...?" of the chunks' beginnings."""
    folder = Path(__file__).parent / "gold"
    asked = [gold.question for name in GOLD for gold in load(folder / name)]
    chunks = [" ".join(chunk.text.split()) for chunk in rag.chunks()]
    for words, start in ((12, 0), (9, 3), (7, 6), (10, 9)):
        asked += [f"What about {' '.join(text.split()[start:start + words])}?" for text in chunks if len(text) > 80]
    return list(dict.fromkeys(asked))[:wanted]


def measure(paths: list[str], wanted: int, with_llm: int, folder: str) -> dict[str, float]:
    """The figures, in seconds, milliseconds and bytes as their names say."""
    rag = Assistant(Config(index=folder, llm="off", trace_count=2 * LISTED))
    rag.ingest(paths)
    rag.warm()
    result: dict[str, float] = {}
    if wanted:
        before = _size(rag)
        result, ids = _asked(rag, questions(rag, wanted), whole=True)
        result["bytes_a_trace"] = (_size(rag) - before) / len(ids)
        result |= _reading(rag, ids) | _tab(rag)
    if with_llm:
        speaking = rag.with_config(rag.config.replace({"llm": "embedded"}))
        speaking.warm()
        told, _ = _asked(speaking, questions(rag, with_llm), whole=False)
        result |= {f"{name}_with_llm": value for name, value in told.items()}
    return {name: round(value, 4) for name, value in result.items()}


def _asked(rag: Assistant, asked: list[str], whole: bool) -> tuple[dict[str, float], list[str]]:
    """The times of asking them all, and the traces' ids. whole: store each again with prompt and draft."""
    saving, answers, ids, spoken = [], [], [], 0
    save = run.Run.save

    def timed(self, *given):
        began = time.perf_counter()
        save(self, *given)
        saving.append(time.perf_counter() - began)
    run.Run.save = timed
    try:
        for number, question in enumerate(asked, 1):
            began = time.perf_counter()
            ids.append(rag.answer(question).trace_id)
            answers.append(time.perf_counter() - began)
            trace = rag.trace(ids[-1])
            spoken += bool(trace.draft)
            if whole:
                rag.traces.add(_with_prompt(trace))
            if number % (100 if whole else 10) == 0:
                print(f"{number} of {len(asked)}", file=sys.stderr, flush=True)
    finally:
        run.Run.save = save
    return {"questions": len(ids), "answers_of_the_model": spoken, "share": sum(saving) / sum(answers),
            "save_ms_p50": 1000 * statistics.median(saving), "save_ms_p95": 1000 * _p95(saving),
            "answer_ms_p50": 1000 * statistics.median(answers)}, ids


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


def _tab(rag: Assistant) -> dict[str, float]:
    """The Traces tab in Chromium, milliseconds from click to picture: the list five times, a search, single traces."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        print("the tab is not timed: it needs Chromium, and Playwright for Python", file=sys.stderr)
        return {}
    from assistant.ui.page import build, launch
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = build(rag)
    address = launch(app, "127.0.0.1", port, block=False)
    lists, searches, opens = [], [], []
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            for _ in range(5):
                page = browser.new_page()
                page.goto(address)
                page.wait_for_selector(".gb-example")
                lists.append(page.evaluate(CLICK, ["#gb-panel-traces-button", "#gb-tracerows .gb-open"]))
                searches.append(page.evaluate(TYPE, "cosine"))
                if len(lists) < 5:
                    page.close()
            page.reload()
            page.wait_for_selector(".gb-example")
            page.evaluate(CLICK, ["#gb-panel-traces-button", "#gb-tracerows .gb-open"])
            names = [page.locator("#gb-tracerows .gb-open").nth(n).get_attribute("data-id") for n in range(OPENED)]
            for name in names:
                opens.append(page.evaluate(CLICK, [f'#gb-tracerows [data-id="{name}"]',
                                                   f'#gb-tracehead [data-opened="{name}"]']))
                page.wait_for_selector(f'#gb-tracerows .gb-here [data-id="{name}"]')
            browser.close()
    finally:
        app.close(verbose=False)
    return {"tab_list_ms_p50": statistics.median(lists), "tab_list_ms_max": max(lists),
            "tab_search_ms_max": max(searches), "tab_open_ms_p50": statistics.median(opens),
            "tab_open_ms_p95": _p95(opens)}


def _size(rag: Assistant) -> int:
    with rag._db.read() as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return (Path(rag.config.index) / pipeline.CATALOG_FILE).stat().st_size


def _p95(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--questions", type=int, default=1000, metavar="N", help="with llm=off; 0 for none")
    parser.add_argument("--llm", type=int, default=50, metavar="N", help="with the language model; 0 for none")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(options.paths, options.questions, options.llm, folder)
    broken = [name for name, limit in LIMITS.items() if result.get(name, 0.0) > limit]
    for name, value in result.items():
        print(f"{name:30} {value:12g}" + (f"   limit {LIMITS[name]:g}" if name in LIMITS else "")
              + ("   BROKEN" if name in broken else ""))
    print(json.dumps(result))
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
