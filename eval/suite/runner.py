"""Runs the suites over one Config and gives the result as plain values, ready for JSON.

    result = run(Plan(("retrieval",)), Config(), report=lambda done, total, label: None)

The result, stable by its "layout": a key may join it, but none changes its meaning or goes without another number.
    layout, created, config {setting: value}, limit, fingerprints {"config", "index", "gold", "corpus"}
    suites {name: {"absent": why} or
        {"metrics": {"open" | "held" | "all": {metric: {"value", "low", "high", "n"}}},
         "kinds": {"open" | "held": {kind: {metric: [part, whole]}}},     counts: a kind is too small for a verdict
         "questions": [{"id", "kind", "split", "group", "question", "answerable", "counts": {metric: [part, whole]},
                        "error" where it crashed, and what its suite adds}],
         "crashed": [id, ...], ...}}
      A question that has a passage to find has, in retrieval, conversations and injection, "ranks" {stage: [rank from
      1, or null, of each passage]}, "lost_at" (a stage, "search" or ""), "wanted" [{"document", "quote"}], "retrieved"
      [{"document", "start", "end", "text": its beginning}]. One that was answered has, in answers, conversations and
      injection, "answer", "reference", "facts", "forbidden", "declined", "confidence" (0 to 1, or null), "origins" (a
      word for each sentence: model, quoted or fixed); a turn of a conversation also "turns" (what was asked before it)
      and "query" (what was searched). In abstention it has "declined".
      retrieval has "stages"; answers has "checker" (eval.suite.checker.measured: the sentence checker's own error);
      abstention has "risk_area" and "risk_coverage" [[confidence, coverage, risk], ...]; failures has "demos" {name:
      {"values": {number: mean}, "roles": {number: "problem" | "fix" | "beside"}} or {"error"}} and "not_measured", its
      questions are the demos' fixed pairs (id "negation.07", kind "negation", all in the open part), its metrics are
      named "negation.NUMBER"
    timings {"suites_s": {suite: seconds}, "whole_s", "latency_ms": {stage: {"p50", "p95", "n"}}, "peak_memory_mb",
      "questions_ms": {id: milliseconds}, "index_cached"}; latencies are of some questions, asked again one at a time
      (see session)
A sweep's JSON is a list of results, one a combination. eval.public.run says what that of a public set holds.
But for `created` and `timings` two runs give the same.
"""
from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import assistant as package
from assistant import Assistant, Config
from assistant.errors import InputError
from assistant.ingest.load import Unreadable, load, survey
from assistant.parts import Parts
from assistant.records import Document
from eval.suite.cases import Case
from eval.suite.cases import load as load_gold
from eval.suite.runs import LAYOUT, state_folder
from eval.suite.session import Report, Session

SUITES = ("retrieval", "answers", "conversations", "abstention", "injection", "failures")
ROOT = Path(__file__).resolve().parents[2]
CORPUS, GOLD = ROOT / "corpus", ROOT / "eval" / "gold" / "suite"
INJECTED = "injections"   # folder of the injections' documents
INDEXES = 12              # kept in the state folder, about 10 MB each for the chapters


@dataclass(frozen=True)
class Plan:
    """suites: of SUITES. paths: what is indexed. gold: the gold set's folder or file. limit: questions a list, spread
    evenly over it; None for all."""

    suites: tuple[str, ...] = SUITES
    paths: tuple[Path, ...] = (CORPUS,)
    gold: Path = GOLD
    limit: int | None = None

    def __post_init__(self) -> None:
        unknown = [suite for suite in self.suites if suite not in SUITES]
        if unknown or not self.suites:
            raise InputError(f"unknown suite {', '.join(map(repr, unknown)) or '(none)'}: expected some of "
                             f"{', '.join(SUITES)}")


class Bench:
    """A Plan whose inputs were read and found good, to run under any number of Configs; models are loaded once."""

    def __init__(self, plan: Plan) -> None:
        """InputError (GoldError) with all that is wrong with the documents and the gold set, a line each."""
        if importlib.util.find_spec("ir_measures") is None:
            raise InputError("the eval suite needs the package ir-measures: pip install ir-measures")
        self.plan = plan
        self._documents = documents_of(plan.paths)
        self._cases = load_gold(plan.gold, {d.source: d.text for d in self._documents})
        self._models: Assistant | None = None

    def run(self, config: Config, report: Report = lambda *_: None) -> dict:
        """The result of the plan's suites."""
        began = time.perf_counter()
        plan, cases = self.plan, self._cases
        lists = {name: _spread([c for c in cases if c.suite == name], plan.limit)
                 for name in ("questions", "conversations", "injections")}
        rag = self._models = indexed(plan.paths, self._documents, config, self._models)
        session = Session(plan.suites, rag, self._documents, lists, self._with_injections, report)
        suites = {name: session.suite(name) for name in SUITES if name in plan.suites}
        timings = session.timings()
        return {"layout": LAYOUT, "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "config": rag.config.public(), "limit": plan.limit,
                "fingerprints": {"config": rag.config.fingerprint(rag.parts.fingerprints()),
                                 "index": rag.index_fingerprint(), "gold": gold_fingerprint(cases),
                                 "corpus": _hash(*sorted(d.sha256 for d in self._documents))},
                "suites": suites, "timings": {**timings, "whole_s": round(time.perf_counter() - began, 3),
                                              "peak_memory_mb": _peak_memory_mb()}}

    def _with_injections(self, cases: list[Case]) -> tuple[Assistant, dict[str, str]]:
        """(an Assistant over the documents and the injections', {its documents' ids: the gold's names})."""
        folder = state_folder() / INJECTED / _hash(*(case.title + case.text for case in cases)) / INJECTED
        folder.mkdir(parents=True, exist_ok=True)
        for case in cases:
            (folder / f"{case.title}.txt").write_text(case.text, encoding="utf-8")
        paths = (*self.plan.paths, folder)
        documents = documents_of(paths)
        names = {d.id: Path(d.source).stem if d.source.startswith(f"{INJECTED}/") else d.source for d in documents}
        return indexed(paths, documents, self._models.config, self._models), names


def run(plan: Plan, config: Config, report: Report = lambda *_: None) -> dict:
    """`Bench(plan).run(config, report)`. GoldError, InputError or ConfigError before anything is run."""
    return Bench(plan).run(config, report)


def indexed(paths: Sequence[Path], documents: Sequence[Document], config: Config,
            models: Assistant | None = None) -> Assistant:
    """An Assistant without traces over the paths, its index kept in the state folder by what it is made of.

    models: one whose models are used where the config names the same ones. INDEXES indexes are kept, the last used.
    """
    code = [file.read_text(encoding="utf-8") for name in ("ingest", "text", "catalog", "backends")
            for file in sorted((Path(package.__file__).parent / name).glob("*.py"))]
    key = _hash(str(config.chunk_tokens), config.embedder, *sorted(d.id + d.sha256 for d in documents), *code)
    folder = state_folder() / "indexes" / key
    # on a Chroma server each of these short-lived indexes would leave a collection behind
    rag = Assistant(config.replace({"index": str(folder), "traces": False, "vectors": "embedded"}))
    if models is not None:
        rag.parts = Parts(rag.config, models.parts._made, models.parts._lock)
    if rag.status()["documents"] != len(documents):
        rag.ingest(paths)
    os.utime(folder)
    for old in sorted(folder.parent.iterdir(), key=lambda other: other.stat().st_mtime)[:-INDEXES]:
        shutil.rmtree(old, ignore_errors=True)
    return rag


def documents_of(paths: Sequence[Path]) -> list[Document]:
    """Every document of the paths. InputError names each file that cannot be read."""
    if CORPUS in paths and not CORPUS.is_dir():
        raise InputError("the ten chapters, which the suite asks about, are not installed with this copy of Glassbox: "
                         "run it from its source folder, or measure your own documents with --corpus PATH --gold FILE")
    loaded = list(load(survey(paths).sources))
    wrong = [f"{item.source.path}: {item.why}" for item in loaded if isinstance(item, Unreadable)]
    if wrong:
        raise InputError("\n".join(wrong))
    if not loaded:
        raise InputError(f"no document under {', '.join(map(str, paths))}: name a folder that holds some")
    return loaded


def gold_fingerprint(cases: Sequence[Case]) -> str:
    """12 hex digits over all that a score depends on, the passages' places included, and not where the file lies."""
    return _hash(json.dumps([dataclasses.asdict(dataclasses.replace(case, where="")) for case in cases]))


def _spread(cases: list[Case], limit: int | None) -> list[Case]:
    """At most `limit` groups, evenly spread; conversations stay whole."""
    groups = list(dict.fromkeys(case.group for case in cases))
    if limit is None or limit >= len(groups):
        return cases
    chosen = {groups[at * len(groups) // limit] for at in range(limit)}
    return [case for case in cases if case.group in chosen]


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "replace")).hexdigest()[:12]


def _peak_memory_mb() -> float | None:
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(used / (1 << 20 if sys.platform == "darwin" else 1 << 10), 1)
