"""Runs the suites over one Config and gives the result as plain values, ready for JSON.

    result = run(Plan(("retrieval",)), Config(), report=lambda done, total, label: None)

The result, stable by its "layout":
    layout, created, config {setting: value}, fingerprints {"config", "index", "gold", "corpus"}
    suites {name: {"absent": why} or
        {"metrics": {"open" | "held" | "all": {metric: {"value", "low", "high", "n"}}},
         "kinds": {"open" | "held": {kind: {metric: [part, whole]}}},     counts: a kind is too small for a verdict
         "questions": [{"id", "kind", "split", "group", "question", "counts": {metric: [part, whole]}, ...}], ...}}
    timings {"suites_s", "latency_ms": {stage: {"p50", "p95", "n"}}, "peak_memory_mb", "questions_ms"}
But for `created` and `timings` two runs give the same.
"""
from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import assistant as package
from assistant import Assistant, Config
from assistant.errors import InputError
from assistant.ingest.load import Unreadable, find, load
from assistant.records import Document
from eval import asking
from eval.metrics import Count, percentile, risk_area, risk_coverage
from eval.runs import LAYOUT, state_folder
from eval.statistics import interval
from eval.suite_gold import SPLITS, Case
from eval.suite_gold import load as load_gold

SUITES = ("retrieval", "answers", "conversations", "abstention", "injection", "failures")
ROOT = Path(__file__).resolve().parent.parent
CORPUS, GOLD = ROOT / "corpus", ROOT / "eval" / "gold" / "suite"
RETRIEVED = 5             # chunks of a question that the result shows
INJECTED = "injections"   # folder of the injections' documents
Report = Callable[[int, int, str], None]
"""(questions done, to do, the suite at work)."""


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


def run(plan: Plan, config: Config, report: Report = lambda *_: None) -> dict:
    """The result of the plan's suites. GoldError, InputError or ConfigError before anything is run."""
    if importlib.util.find_spec("ir_measures") is None:
        raise InputError("the eval suite needs the package ir-measures: pip install ir-measures")
    documents = _documents(plan.paths)
    cases = load_gold(plan.gold, {d.source: d.text for d in documents})
    lists = {name: _spread([c for c in cases if c.suite == name], plan.limit)
             for name in ("questions", "conversations", "injections")}
    rag = indexed(plan.paths, documents, config)
    return _Session(plan, rag, documents, cases, lists, report).result()


class _Session:
    """One run: an answer that two suites need is made once."""

    def __init__(self, plan: Plan, rag: Assistant, documents: Sequence[Document], cases: Sequence[Case],
                 lists: Mapping[str, list[Case]], report: Report) -> None:
        self._plan, self._rag, self._documents, self._cases, self._lists = plan, rag, documents, cases, lists
        self._asker = asking.Asker(rag, {d.id: d.source for d in documents})
        self._outcomes: dict[str, asking.Outcome] = {}
        self._seconds: dict[str, float] = {}
        self._report, self._done = report, 0
        asked = {"answers", "abstention", "retrieval"} & set(plan.suites)
        self._total = len(lists["questions"]) * bool(asked) + len(lists["conversations"]) * (
            "conversations" in plan.suites) + len(lists["injections"]) * ("injection" in plan.suites)

    def result(self) -> dict:
        suites: dict[str, dict] = {}
        self._rag.warm()
        for name in [suite for suite in SUITES if suite in self._plan.suites]:
            began = time.perf_counter()
            suites[name] = getattr(self, f"_{name}")()
            self._seconds[name] = round(time.perf_counter() - began, 3)
        config = self._rag.config
        gold = json.dumps([[c.gold.id, c.gold.question, c.gold.facts, c.split] for c in self._cases])
        return {"layout": LAYOUT, "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "config": config.public(), "limit": self._plan.limit,
                "fingerprints": {"config": config.fingerprint(self._rag._parts.fingerprints()),
                                 "index": self._rag.index_fingerprint(), "gold": _hash(gold),
                                 "corpus": _hash(*sorted(d.sha256 for d in self._documents))},
                "suites": suites, "timings": self._timings()}

    # the suites -------------------------------------------------------------------------------------------------

    def _retrieval(self) -> dict:
        config, rows = self._rag.config, []
        stages = [s for s in asking.STAGES if getattr(config, {"reranked": "rerank"}.get(s, s), True)]
        for case in self._lists["questions"]:
            out = self._ask(case)
            ranks = asking.stage_ranks(case, out, stages)
            extra = {"ranks": ranks, "lost_at": asking.lost_at(ranks), **self._places(case, out)} \
                if case.targets else {}
            rows.append(_row(case, asking.retrieval_counts(ranks) if case.targets else {}, out, **extra))
        return {**_summary(rows), "stages": stages}

    def _answers(self) -> dict:
        return _summary([_row(case, asking.answer_counts(case, out), out, **_said(case, out))
                         for case in self._lists["questions"] for out in [self._ask(case)]])

    def _abstention(self) -> dict:
        rows, outcomes = [], []
        for case in self._lists["questions"]:
            out = self._ask(case)
            covered = out.answered and not out.answer.abstained
            good = covered and case.gold.answerable and bool(asking.answer_counts(case, out)["right"].part)
            outcomes.append((out.confidence if covered else None, good))
            rows.append(_row(case, asking.declined_counts(case, out), out, declined=out.answer.abstained))
        curve = risk_coverage(outcomes)
        return {**_summary(rows), "risk_area": _rounded(risk_area(curve)),
                "risk_coverage": [[_rounded(p.confidence), _rounded(p.coverage), _rounded(p.risk)] for p in curve]}

    def _conversations(self) -> dict:
        rows, history = [], {}
        for case in self._lists["conversations"]:
            before = history.setdefault(case.group, [])
            out = self._tick("conversations", case, self._asker.ask(case, before, stages=False, answer=True))
            before += [{"role": "user", "content": case.gold.question},
                       {"role": "assistant", "content": out.answer.text}]
            ranks = asking.stage_ranks(case, out, ("evidence",))
            found = asking.retrieval_counts(ranks) if case.targets else {}
            rows.append(_row(case, {**asking.answer_counts(case, out), **found}, out, query=out.query,
                             **_said(case, out)))
        return _summary(rows)

    def _injection(self) -> dict:
        cases = self._lists["injections"]
        if not cases:
            return {"absent": "the gold set holds no injections"}
        folder = state_folder() / INJECTED / _hash(*(case.title + case.text for case in cases)) / INJECTED
        folder.mkdir(parents=True, exist_ok=True)
        for case in cases:
            (folder / f"{case.title}.txt").write_text(case.text, encoding="utf-8")
        paths = (*self._plan.paths, folder)
        documents = _documents(paths)
        rag = indexed(paths, documents, self._rag.config)
        names = {d.id: Path(d.source).stem if d.source.startswith(f"{INJECTED}/") else d.source for d in documents}
        asker, rows = asking.Asker(rag, names), []
        for case in cases:
            out = self._tick("injection", case, asker.ask(case, stages=False, answer=True))
            rows.append(_row(case, asking.injection_counts(case, out), out, **_said(case, out)))
        return _summary(rows)

    def _failures(self) -> dict:
        try:
            from assistant.lab import demos
        except ImportError:
            return {"absent": "the Lab is not installed"}
        rag = self._rag.with_config(self._rag.config.replace({"traces": False}))
        out: dict[str, dict] = {}
        for demo in demos():
            if demo.measure is not None:
                try:
                    out[demo.name] = {"values": {name: _rounded(v) for name, v in demo.measure(rag).items()}}
                except Exception as error:
                    out[demo.name] = {"error": f"{type(error).__name__}: {error}"}
        missing = [d.name for d in demos() if d.chapter == 7 and d.measure is None]
        return {"demos": out, "not_measured": missing}

    # helpers ----------------------------------------------------------------------------------------------------

    def _ask(self, case: Case) -> asking.Outcome:
        """The outcome of a question, with all that the plan's suites need of it."""
        if case.gold.id not in self._outcomes:
            answer = bool({"answers", "abstention"} & set(self._plan.suites))
            out = self._asker.ask(case, stages="retrieval" in self._plan.suites, answer=answer)
            self._outcomes[case.gold.id] = self._tick("questions", case, out)
        return self._outcomes[case.gold.id]

    def _places(self, case: Case, out: asking.Outcome) -> dict:
        """What should have been found, and the first chunks that were, each with the beginning of its text."""
        texts = {d.source: d.text for d in self._documents}
        entries = out.rankings.get("reranked") or out.rankings.get("fused") or []
        return {"wanted": [{"document": t.passages[0].document, "quote": t.passages[0].quote} for t in case.targets],
                "retrieved": [{"document": name, "start": start, "end": end, "text": texts[name][start:end][:160]}
                              for entry in entries[:RETRIEVED] for name, start, end in entry]}

    def _tick(self, label: str, case: Case, out: asking.Outcome) -> asking.Outcome:
        self._outcomes[case.gold.id] = out
        self._done += 1
        self._report(self._done, self._total, label)
        return out

    def _timings(self) -> dict:
        times: dict[str, list[float]] = {}
        for out in self._outcomes.values():
            for stage, value in out.times_ms.items():
                times.setdefault(stage, []).append(value)
        return {"suites_s": self._seconds, "peak_memory_mb": _peak_memory_mb(),
                "latency_ms": {stage: {"p50": round(percentile(values, 0.5), 2),
                                       "p95": round(percentile(values, 0.95), 2), "n": len(values)}
                               for stage, values in times.items()},
                "questions_ms": {key: round(out.times_ms.get("whole", out.times_ms.get("evidence ready", 0.0)), 2)
                                 for key, out in self._outcomes.items()}}


def indexed(paths: Sequence[Path], documents: Sequence[Document], config: Config) -> Assistant:
    """An Assistant without traces over the paths, its index kept in the state folder by what it is made of."""
    code = [file.read_text(encoding="utf-8") for name in ("ingest", "text", "catalog", "backends")
            for file in sorted((Path(package.__file__).parent / name).glob("*.py"))]
    key = _hash(str(config.chunk_tokens), config.embedder, *sorted(d.id + d.sha256 for d in documents), *code)
    rag = Assistant(config.replace({"index": str(state_folder() / "indexes" / key), "traces": False}))
    if rag.status()["documents"] != len(documents):
        rag.ingest(paths)
    return rag


def _documents(paths: Sequence[Path]) -> list[Document]:
    loaded = list(load(find(paths)[0]))
    wrong = [f"{item.source.path}: {item.why}" for item in loaded if isinstance(item, Unreadable)]
    if wrong:
        raise InputError("\n".join(wrong))
    if not loaded:
        raise InputError(f"no document under {', '.join(map(str, paths))}: name a folder that holds some")
    return loaded


def _spread(cases: list[Case], limit: int | None) -> list[Case]:
    """At most `limit` groups, evenly spread; conversations stay whole."""
    groups = list(dict.fromkeys(case.group for case in cases))
    if limit is None or limit >= len(groups):
        return cases
    chosen = {groups[at * len(groups) // limit] for at in range(limit)}
    return [case for case in cases if case.group in chosen]


def _row(case: Case, counts: Mapping[str, Count], out: asking.Outcome, **extra: object) -> dict:
    row = {"id": case.gold.id, "kind": case.gold.kind, "split": case.split, "group": case.group,
           "question": case.gold.question, "answerable": case.gold.answerable,
           "counts": {name: [_rounded(c.part), _rounded(c.whole)] for name, c in counts.items()}, **extra}
    return {**row, "error": out.error} if out.error else row


def _said(case: Case, out: asking.Outcome) -> dict:
    return {"answer": out.answer.text, "reference": case.gold.reference, "declined": out.answer.abstained,
            "confidence": _rounded(out.confidence), "origins": [s.origin for s in out.answer.support]}


def _summary(rows: list[dict]) -> dict:
    """The suite's metrics by split, counts by split and kind, and the questions."""
    names = list(dict.fromkeys(name for row in rows for name in row["counts"]))
    groups = {row["id"]: row["group"] for row in rows}
    metrics: dict[str, dict] = {}
    for split in (*SPLITS, "all"):
        chosen = [row for row in rows if split in (row["split"], "all")]
        metrics[split] = {}
        for name in names:
            found = interval({r["id"]: Count(*r["counts"][name]) for r in chosen if name in r["counts"]}, groups, name)
            metrics[split][name] = {"value": _rounded(found.value), "low": _rounded(found.low),
                                    "high": _rounded(found.high), "n": found.n}
    kinds: dict[str, dict] = {}
    for row in rows:
        for name, (part, whole) in row["counts"].items():
            cell = kinds.setdefault(row["split"], {}).setdefault(row["kind"], {}).setdefault(name, [0.0, 0.0])
            cell[:] = [_rounded(cell[0] + part), _rounded(cell[1] + whole)]
    return {"metrics": metrics, "kinds": kinds, "questions": rows,
            "crashed": [row["id"] for row in rows if "error" in row]}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 6)


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "replace")).hexdigest()[:12]


def _peak_memory_mb() -> float | None:
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(used / (1 << 20 if sys.platform == "darwin" else 1 << 10), 1)
