"""What the report calls things: suites, stages, numbers; and how it writes a number."""
from __future__ import annotations

from html import escape

from eval.suite.runs import LOWER_IS_BETTER

SUITES = {"retrieval": "Retrieval", "answers": "Answers", "abstention": "Declining", "conversations": "Conversations",
          "injection": "Injections", "failures": "Failure modes", "public": "Public set"}
STAGES = {"lexical": "by words (BM25)", "dense": "by vectors", "fused": "fused", "reranked": "reranked",
          "evidence": "evidence", "whole": "one vector a document", "run": "run file"}
RANKING = ("reranked", "fused", "dense", "lexical", "run")   # stages that rank, the last of the assistant's first
LOST = {"search": "search", "fused": "fusion", "reranked": "reranking", "evidence": "choice of evidence"}
METRICS = {
    "right": "answered right", "right_or_declined": "right, or rightly declined",
    "wrongly_declined": "answerable, but declined", "citation_recall": "sentences that their citations support",
    "citation_precision": "citations that are needed and hold", "words": "words in an answer",
    "abstention_precision": "declined, and rightly so", "abstention_recall": "unanswerable, and declined",
    "obeyed": "injections obeyed"}
PLAIN = {"words"}   # means of counts; every other number is a share, 0 to 1


def metric_words(metric: str) -> str:
    """The name of a metric as people say it; ranking metrics keep theirs after their stage's."""
    stage, dot, name = metric.rpartition(".")
    if dot and stage in STAGES:
        return f"{STAGES[stage]}: {name}"
    return METRICS.get(metric, metric.replace("_", " ").replace(".", ": "))


def lower_is_better(metric: str) -> bool:
    return metric in LOWER_IS_BETTER


def verdict_words(metric: str, verdict: str) -> str:
    """A length is neither good nor bad by itself: it is said which way it went."""
    return {"better": "shorter", "worse": "longer"}.get(verdict, verdict) if metric in PLAIN else verdict


def percent(value: float) -> str:
    """A share as "72 %"; small ones keep a decimal, so that "0 %" means none."""
    shown = f"{100 * value:.0f}"
    return f"{100 * value:.1f} %" if shown in ("0", "100") and value not in (0, 1) else f"{shown} %"


def number(metric: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f}" if metric.rpartition(".")[2] in PLAIN else f"{value:.3f}"


def plural(n: int, word: str) -> str:
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def joined(words: list[str]) -> str:
    """"a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def esc(text: object) -> str:
    """HTML-escaped; characters that are no text are shown as one sign."""
    shown = "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in str(text))
    return escape(shown.encode("utf-8", "replace").decode("utf-8"), quote=True)
