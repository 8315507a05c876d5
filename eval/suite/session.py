"""One run of the suites over one Assistant: a question that several suites need is asked once.

Questions are asked two at a time where no language model writes: the searches of one run beside the reranker of
another. With a language model one at a time and in order, since llama.cpp keeps the last prompt's state and another
order could give other words. Times are taken afterwards, on some of the questions, one at a time and with nothing
remembered: what a user would wait.
"""
from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from assistant import Assistant
from assistant.records import Document
from eval.suite import asking, checker, failures
from eval.suite.cases import Case
from eval.suite.metrics import Count, percentile, risk_area, risk_coverage
from eval.suite.reuse import remembering
from eval.suite.rows import rounded, row, summary

RETRIEVED = 5    # chunks of a question that the result shows
TIMED = 24       # questions whose times are taken
WORKERS = 2      # questions asked at a time where no language model writes
ASKED = ("retrieval", "answers", "abstention")   # suites over the list of questions
LISTS = {**dict.fromkeys(ASKED, "questions"), "conversations": "conversations", "injection": "injections"}
Report = Callable[[int, int, str], None]
"""(steps done, to do, what is at work): a step is a question, a demo of the failures, or a question that is timed."""


class Session:
    """Runs each suite by its name: `session.suite("retrieval")`.

    lists   {"questions", "conversations", "injections": the cases to ask}
    inject  gives an Assistant over the documents and the injections', and {its documents' ids: the gold's names}
    """

    def __init__(self, suites: Sequence[str], rag: Assistant, documents: Sequence[Document],
                 lists: Mapping[str, list[Case]], inject: Callable[[list[Case]], tuple[Assistant, dict[str, str]]],
                 report: Report) -> None:
        writes = {"answers", "abstention", "conversations", "injection"} & set(suites)
        (rag if writes else rag.with_config(rag.config.replace({"llm": "off"}))).warm()
        self._suites, self._rag, self._documents, self._lists, self._inject = suites, rag, documents, lists, inject
        self._names = {d.id: d.source for d in documents}
        self._texts = {**{d.source: d.text for d in documents}, **{c.title: c.text for c in lists["injections"]}}
        self._asker = asking.Asker(remembering(rag), self._names)
        self._outcomes: dict[str, asking.Outcome] = {}
        self._seconds: dict[str, float] = {}
        self._report, self._done = report, 0
        self._total = len(lists["questions"]) * bool(set(ASKED) & set(suites)) + len(lists["conversations"]) * (
            "conversations" in suites) + len(lists["injections"]) * ("injection" in suites) + (
            len(failures.measuring()) * ("failures" in suites)) + len(self._timed())

    def suite(self, name: str) -> dict:
        """The suite's part of the result."""
        began = time.perf_counter()
        empty = name in LISTS and not self._lists[LISTS[name]]
        made = {"absent": f"the gold set holds no {LISTS[name]}"} if empty else getattr(self, f"_{name}")()
        self._seconds[name] = round(time.perf_counter() - began, 3)
        return made

    def timings(self) -> dict:
        """suites_s, latency_ms by stage over TIMED questions, questions_ms as they were asked."""
        asker = asking.Asker(self._rag, self._names)
        times: dict[str, list[float]] = {}
        for case in self._timed():
            for stage, value in asker.ask(case, case.gold.history, stages=False,
                                           answer=self._answering).times_ms.items():
                times.setdefault(stage, []).append(value)
            self._step("times")
        order = [*[stage for stage in times if stage not in asking.TOTALS],
                 *[stage for stage in asking.TOTALS if stage in times]]
        return {"suites_s": self._seconds,
                "latency_ms": {stage: {"p50": round(percentile(times[stage], 0.5), 2),
                                       "p95": round(percentile(times[stage], 0.95), 2), "n": len(times[stage])}
                               for stage in order},
                "questions_ms": {key: round(out.times_ms.get("whole", out.times_ms.get("evidence ready", 0.0)), 2)
                                 for key, out in self._outcomes.items()}}

    # the suites -------------------------------------------------------------------------------------------------

    def _retrieval(self) -> dict:
        rows = []
        for case, out in self._asked():
            traced = self._traced(case, out)
            rows.append(_row(case, asking.retrieval_counts(traced["ranks"]) if traced else {}, out, **traced))
        return {**summary(rows), "stages": self._stages}

    def _answers(self) -> dict:
        return {**summary([_row(case, asking.answer_counts(case, out), out, **_said(case, out))
                           for case, out in self._asked()]),
                "checker": checker.measured()}

    def _abstention(self) -> dict:
        rows, outcomes = [], []
        for case, out in self._asked():
            covered = out.answered and not out.answer.abstained
            good = covered and case.gold.answerable and bool(asking.answer_counts(case, out)["right"].part)
            outcomes.append((out.confidence if covered else None, good))
            rows.append(_row(case, asking.declined_counts(case, out), out, declined=out.answer.abstained))
        curve = risk_coverage(outcomes)
        return {**summary(rows), "risk_area": rounded(risk_area(curve)),
                "risk_coverage": [[rounded(p.confidence), rounded(p.coverage), rounded(p.risk)] for p in curve]}

    def _conversations(self) -> dict:
        rows, history = [], {}
        for case in self._lists["conversations"]:
            before = history.setdefault(case.group, [])
            out = self._tick("conversations", case, self._asker.ask(case, before, stages=True, answer=True))
            before += [{"role": "user", "content": case.gold.question},
                       {"role": "assistant", "content": out.answer.text}]
            traced = self._traced(case, out)
            found = asking.retrieval_counts({"evidence": traced["ranks"]["evidence"]}) if traced else {}
            rows.append(_row(case, {**asking.answer_counts(case, out), **found}, out, turns=list(case.turns),
                             query=out.query, **traced, **_said(case, out)))
        return summary(rows)

    def _injection(self) -> dict:
        cases = self._lists["injections"]
        rag, names = self._inject(cases)
        asker, rows = asking.Asker(remembering(rag), names), []
        for case in cases:
            out = self._tick("injection", case, asker.ask(case, stages=True, answer=True))
            rows.append(_row(case, asking.injection_counts(case, out), out, **self._traced(case, out),
                             **_said(case, out)))
        return summary(rows)

    def _failures(self) -> dict:
        return failures.measured(self._rag, done=lambda: self._step("failures"))

    # helpers ----------------------------------------------------------------------------------------------------

    @property
    def _stages(self) -> list[str]:
        """Of asking.STAGES, those that the settings have."""
        return [s for s in asking.STAGES if getattr(self._rag.config, {"reranked": "rerank"}.get(s, s), True)]

    @property
    def _answering(self) -> bool:
        return bool({"answers", "abstention", "conversations"} & set(self._suites))

    def _timed(self) -> list[Case]:
        """The questions whose times are taken: TIMED of those that are asked, evenly spread; first turns if none is."""
        cases = self._lists["questions"] if set(ASKED) & set(self._suites) else \
            [case for case in self._lists["conversations"] if not case.turns] if "conversations" in self._suites else []
        n = min(TIMED, len(cases))
        return [cases[at * len(cases) // n] for at in range(n)]

    def _asked(self) -> Iterable[tuple[Case, asking.Outcome]]:
        """Each question with its outcome, with all that the run's suites need of it; asked at the first call."""
        cases = self._lists["questions"]
        if any(case.gold.id not in self._outcomes for case in cases):
            answer = bool({"answers", "abstention"} & set(self._suites))

            def ask(case: Case) -> asking.Outcome:
                return self._asker.ask(case, case.gold.history, stages="retrieval" in self._suites, answer=answer)
            pool = ThreadPoolExecutor(WORKERS if not answer or self._rag.config.llm == "off" else 1)
            try:
                for case, out in zip(cases, pool.map(ask, cases), strict=True):
                    self._tick("questions", case, out)
            finally:  # where it is stopped, what was not begun is not asked
                pool.shutdown(cancel_futures=True)
        return [(case, self._outcomes[case.gold.id]) for case in cases]

    def _traced(self, case: Case, out: asking.Outcome) -> dict:
        """Where its passages stood at each stage, what should have been found, and the first chunks that were, each
        with the beginning of its text; {} of a question that has no passage to find."""
        if not case.targets:
            return {}
        texts = self._texts
        ranks = asking.stage_ranks(case, out, self._stages)
        entries = out.rankings.get("reranked") or out.rankings.get("fused") or []
        return {"ranks": ranks, "lost_at": asking.lost_at(ranks),
                "wanted": [{"document": t.passages[0].document, "quote": t.passages[0].quote} for t in case.targets],
                "retrieved": [{"document": name, "start": start, "end": end, "text": texts[name][start:end][:160]}
                              for entry in entries[:RETRIEVED] for name, start, end in entry]}

    def _tick(self, label: str, case: Case, out: asking.Outcome) -> asking.Outcome:
        self._outcomes[case.gold.id] = out
        self._step(label)
        return out

    def _step(self, label: str) -> None:
        self._done += 1
        self._report(self._done, self._total, label)


def _row(case: Case, counts: Mapping[str, Count], out: asking.Outcome, **extra: object) -> dict:
    gold = case.gold
    return row(gold.id, gold.kind, case.split, case.group, gold.question, counts, error=out.error,
               answerable=gold.answerable, **extra)


def _said(case: Case, out: asking.Outcome) -> dict:
    return {"answer": out.answer.text, "reference": case.gold.reference, "facts": [list(f) for f in case.gold.facts],
            "forbidden": list(case.gold.forbidden), "declined": out.answer.abstained,
            "confidence": rounded(out.confidence), "origins": [s.origin for s in out.answer.support]}
