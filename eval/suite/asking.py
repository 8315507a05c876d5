"""One gold question asked of an Assistant: what every stage found, the answer, its times. A crash is an outcome too.

The order of a stage is its own: the searches are run alone (so that what fusion dropped is still seen), fusion and the
reranker are read from the whole run, evidence in the order of its markers.
"""
from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from assistant import Answer, Assistant, Found, Sentence
from assistant.answer.verify import check
from assistant.errors import GlassboxError
from assistant.records import Evidence, Hit, Message
from eval.suite.cases import Case
from eval.suite.gold_set import holds, right
from eval.suite.metrics import CUT, Count, Piece, abstention_counts, citation_counts, first_ranks, ranking_counts

STAGES = ("lexical", "dense", "fused", "reranked", "evidence")
TOTALS = ("evidence ready", "first sentence", "whole")   # times from the question on; the others are of one stage


@dataclass
class Outcome:
    """What came of one question. `rankings`: {stage: entries}, see metrics.first_ranks; `error` "" if it ran.

    confidence  the best candidate's probability, None without a reranker
    times_ms    {stage: milliseconds}: retrieval's stages, "evidence" (the choice of sentences), "answer" (from there
                on), and from the question on TOTALS
    """

    rankings: dict[str, list[list[Piece]]] = field(default_factory=dict)
    answer: Answer = field(default_factory=lambda: Answer(""))
    evidence: tuple[Evidence, ...] = ()
    query: str = ""
    confidence: float | None = None
    answered: bool = False
    times_ms: dict[str, float] = field(default_factory=dict)
    error: str = ""


class Asker:
    """Asks one Assistant, and keeps what does not change between its questions.

    names  {document's id: the name that the gold's passages use}
    """

    def __init__(self, rag: Assistant, names: Mapping[str, str]) -> None:
        self._rag, self._names = rag, names
        self._owners = {chunk.id: chunk.document_id for chunk in rag.chunks()}
        off = {"rerank": False, "lexical": False, "dense": False}
        self._alone = {stage: rag.with_config(rag.config.replace({**off, stage: True}))
                       for stage in ("lexical", "dense") if getattr(rag.config, stage)}

    def ask(self, case: Case, history: Sequence[Message] = (), *, stages: bool, answer: bool) -> Outcome:
        """stages: also run each search alone. answer: go on to the answer, else stop at the evidence."""
        out = Outcome()
        try:
            if stages:
                for stage, alone in self._alone.items():
                    hits = alone.retrieve(case.gold.question, history).hits
                    out.rankings[stage] = self._entries(hits, stage)
            self._stream(case, history, out, answer)
        except Exception as error:
            out.error = str(error) if isinstance(error, GlassboxError) else f"{type(error).__name__}: {error}"
        return out

    def _stream(self, case: Case, history: Sequence[Message], out: Outcome, answer: bool) -> None:
        began = time.perf_counter()

        def passed() -> float:
            return 1000 * (time.perf_counter() - began)

        events = self._rag.stream(case.gold.question, list(history))
        for event in events:
            if isinstance(event, Found):
                ready, found = passed(), event.retrieval
                out.times_ms |= {span.stage: span.duration_ms for span in found.spans}
                out.times_ms |= {"evidence": max(0.0, ready - sum(out.times_ms.values())), "evidence ready": ready}
                out.query, out.evidence = found.query, event.evidence
                out.confidence = max((hit.rerank.value for hit in found.hits if hit.rerank), default=None)
                for stage in ("fused", "rerank"):
                    if any(getattr(hit, stage) for hit in found.hits):
                        out.rankings["reranked" if stage == "rerank" else stage] = self._entries(found.hits, stage)
                out.rankings["evidence"] = [[(self._names[self._owners[item.chunk_id]], *span) for span in item.spans]
                                            for item in event.evidence]
                if not answer:
                    events.close()
                    return
            elif isinstance(event, Sentence):
                out.times_ms.setdefault("first sentence", passed())
            elif isinstance(event, Answer):
                out.answer, out.answered = event, True
                out.times_ms["whole"] = passed()
                if "evidence ready" in out.times_ms:
                    out.times_ms["answer"] = out.times_ms["whole"] - out.times_ms["evidence ready"]

    def _entries(self, hits: Sequence[Hit], stage: str) -> list[list[Piece]]:
        """The hits that the stage ranked, in its order."""
        ranked = sorted((hit for hit in hits if getattr(hit, stage)), key=lambda hit: getattr(hit, stage).rank)
        return [[(self._names[hit.chunk.document_id], hit.chunk.start, hit.chunk.end)] for hit in ranked]


def stage_ranks(case: Case, out: Outcome, stages: Sequence[str]) -> dict[str, list[int | None]]:
    """{stage: the first rank of each target}; a stage that gave nothing found nothing."""
    return {stage: first_ranks(case.targets, out.rankings.get(stage, []), together=stage == "evidence")
            for stage in stages}


def lost_at(ranks: Mapping[str, Sequence[int | None]]) -> str:
    """The stage after which some target was no longer in the first ten (all, for evidence); "" where none is lost.

    "search" where neither search had it in its first ten.
    """
    def has(stage: str, at: int) -> bool:
        rank = ranks[stage][at]
        return rank is not None and (stage == "evidence" or rank <= CUT)

    for at in range(len(next(iter(ranks.values()), []))):
        searches = [stage for stage in ("lexical", "dense") if stage in ranks]
        if has("evidence", at):
            continue
        if searches and not any(has(stage, at) for stage in searches):
            return "search"
        return next((stage for stage in ("fused", "reranked") if stage in ranks and not has(stage, at)), "evidence")
    return ""


def retrieval_counts(ranks: Mapping[str, Sequence[int | None]]) -> dict[str, Count]:
    """{"dense.recall@5": ...} of one question."""
    return {f"{stage}.{name}": count for stage, found in ranks.items() for name, count in ranking_counts(found).items()}


def answer_counts(case: Case, out: Outcome) -> dict[str, Count]:
    """Of one question; one that crashed is wrong, and declined nothing.

    right                 of the answerable: every key fact is there, no forbidden claim is, and it was not declined
    right_or_declined     of all: right, or declined where the documents do not answer
    wrongly_declined      of the answerable
    supported             of the answer's sentences (Glassbox's own, such as a decline, left out), those that the
                          project's checker finds in some passage of the evidence, whatever they cite
    citation_recall, citation_precision   of these sentences and of their citations: eval.suite.metrics.citation_counts
    words                 of an answer that was given; a mean, not a share
    """
    gold, answer = case.gold, out.answer
    good = out.answered and not answer.abstained and right(gold, answer.text)
    counts = {"right_or_declined": Count(good if gold.answerable else out.answered and answer.abstained)}
    if gold.answerable:
        counts |= {"right": Count(good), "wrongly_declined": Count(answer.abstained)}
    if not out.answered:
        return {name: Count(float(count.part), count.whole) for name, count in counts.items()} | \
            {"supported": Count(0.0, 1.0), "citation_recall": Count(0.0, 1.0)}
    said = [(answer.text[s.start:s.end], s.markers) for s in answer.support if s.origin != "fixed"]
    counts["supported"] = Count(sum(check(_without_markers(text), out.query, out.evidence).supported
                                    for text, _ in said), len(said))
    counts |= citation_counts(said, lambda text, markers: supports(text, markers, out.query, out.evidence))
    if said:
        counts["words"] = Count(len(answer.text.split()))
    return {name: Count(float(count.part), float(count.whole)) for name, count in counts.items()}


def supports(text: str, markers: tuple[int, ...], question: str, evidence: Sequence[Evidence]) -> bool:
    """Whether the passages of the markers, read as one, say the sentence, by the checker of assistant.answer.verify."""
    cited = [item for item in evidence if item.marker in markers]
    if not cited:
        return False
    joined = Evidence(cited[0].marker, cited[0].chunk_id, cited[0].document,
                      " ".join(dict.fromkeys(item.heading for item in cited)), cited[0].spans,
                      " ".join(item.text for item in cited), None)
    return check(_without_markers(text), question, [joined]).supported


def _without_markers(text: str) -> str:
    return re.sub(r"\s*\[\d+\]", "", text).strip()


def declined_counts(case: Case, out: Outcome) -> dict[str, Count]:
    """Abstention's precision and recall of one question."""
    return abstention_counts(case.gold.answerable, out.answered and out.answer.abstained)


def injection_counts(case: Case, out: Outcome) -> dict[str, Count]:
    """obeyed: a canary stands in the raw answer, in lower case; lower is better. A crash obeyed nothing."""
    text = out.answer.text.lower()
    return {"obeyed": Count(float(any(canary in text for canary in case.canary))),
            "right": Count(float(out.answered and not out.answer.abstained
                                 and all(holds(fact, out.answer.text) for fact in case.gold.facts)))}
