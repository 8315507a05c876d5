"""Logit and cosine to a probability, and the gate's threshold, fitted on gold questions over an index's documents.

    report = calibrate(rag, "gold.jsonl", eval.suite.cases.load)     # what `assistant calibrate --gold FILE` does

Each question is searched as it is when it is asked, and its candidates are those that the reranker meets. A candidate
that covers at least 80 % of a gold passage is positive; one that covers a smaller part is left out, for whether it
answers is not known; all others are negative, and so is every candidate of a question that the documents do not answer.
Weights     by maximum likelihood, none negative; the labels are smoothed (Platt 1999), so that few questions, which a
            good reranker parts perfectly, do not make the weights infinite.
Threshold   best balanced accuracy: the mean of answerable questions whose best candidate reaches it and of unanswerable
            ones whose best does not; of those that are equally good (within 0.2 points) the middle one.
Numbers     calibration error, AUC and shares are of questions that a fit did not see: five fits, each without a fifth.
Not covered: conversations and injected documents, whose lines are left out, and the held part, on which nothing is
tuned; candidates of two questions in one, which count for the threshold alone; single sentences, for whose choice the
same probabilities are used.
"""
from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.backends.calibration import Calibration, file_of, sigmoid
from assistant.errors import InputError
from assistant.text.readable import passage

NEEDED = 20        # questions of each kind: the share that is declined is then known to about 20 points either way
FOUND = 10         # answerable questions with a gold passage among their candidates: two weights need a few each
COVER = 0.8        # share of a gold passage that a chunk must cover, as in the eval suite
FOLDS = 5
LEAST = 1e-6       # weight of the logit under which it counts for nothing
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Asked:
    """A question's candidates: (n,) each; labels 1 for gold, 0, and nan for what is left out of the fit."""

    answerable: bool
    logits: np.ndarray
    cosines: np.ndarray
    labels: np.ndarray

    def best(self, calibration: Calibration) -> float:
        return float(calibration.probabilities(self.logits, self.cosines).max(initial=0.0))


def calibrate(rag, gold: str | Path, load: Callable[[Path, Mapping[str, str]], Sequence],
              progress: Progress = lambda *_: None) -> dict[str, object]:
    """Fit, keep in the index folder, and tell: plain values, ready for JSON.

    load: eval.suite.cases.load. InputError, and nothing written, where the reranker is off, the gold file is wrong or
    holds too few questions of either kind, or the reranker tells nothing.
    """
    if rag.parts.reranker is None or rag.config.reranker == "off":
        raise InputError("the reranker is off in the settings, so there is nothing to calibrate: set rerank=on and "
                         "`reranker` to the one that is to be calibrated")
    documents = {document.id: document for document in rag.documents()}
    if not documents:
        raise InputError(f"the index {rag.config.index} holds no documents: run `assistant ingest PATH` on those that "
                         "the gold questions are about")
    cases = [case for case in _loaded(Path(gold), load, {d.source: d.text for d in documents.values()})
             if case.suite == "questions" and case.split == "open"]
    kinds = [sum(case.gold.answerable is kind for case in cases) for kind in (True, False)]
    if min(kinds) < NEEDED:
        raise InputError(f"{gold} holds {kinds[0]} answerable and {kinds[1]} unanswerable questions (open ones, no "
                         f"conversations): at least {NEEDED} of each are needed to calibrate; add some")
    sources = {name: document.source for name, document in documents.items()}
    recorder = _Recorder(getattr(rag.parts.reranker, "scorer", rag.parts.reranker))
    twin = rag.with_config(rag.config)
    twin.parts = twin.parts.with_reranker(recorder)
    asked = []
    for at, case in enumerate(cases):
        progress(at, len(cases), case.gold.question)
        recorder.calls.clear()
        found = twin.retrieve(case.gold.question, list(case.gold.history))
        asked.append(_asked(case, recorder.calls, found.hits, sources))
    progress(len(cases), len(cases), "")
    embedder, scorer = rag.parts.embedder, recorder.scorer
    made = fitted(asked, embedder.fingerprint, embedder.query_fingerprint)
    report = {"reranker": scorer.name, "embedder": embedder.name, "reranker_fingerprint": scorer.fingerprint,
              "embedder_fingerprint": embedder.fingerprint, "query_encoder_fingerprint": embedder.query_fingerprint,
              **{name: getattr(made, name) for name in ("threshold", "logit_weight", "cosine_weight", "bias")},
              **measured(asked),
              "fitted_on": {"gold": Path(gold).name, "answerable": kinds[0], "unanswerable": kinds[1],
                            "candidates": int(sum(np.isfinite(a.labels).sum() for a in asked)),
                            "positive": int(sum(np.nansum(a.labels) for a in asked)),
                            "questions_with_their_passage": sum(bool(np.nansum(a.labels)) for a in asked),
                            "index_fingerprint": rag.index_fingerprint()}}
    file = file_of(Path(rag.config.index).expanduser(), scorer.fingerprint, embedder)
    file.parent.mkdir(parents=True, exist_ok=True)
    made.save(file, **{name: report[name] for name in ("reranker", "reranker_fingerprint", "calibration_error", "auc",
                                                       "fitted_on")})
    return {**report, "file": str(file)}


def told(report: Mapping) -> str:
    """The report in five lines."""
    on = report["fitted_on"]
    return (f"calibrated  {report['reranker']} with the embedder {report['embedder']}\n"
            f"fitted on   {on['gold']}: {on['answerable']} answerable and {on['unanswerable']} unanswerable questions; "
            f"{on['candidates']} candidates, {on['positive']} of them gold, those of "
            f"{on['questions_with_their_passage']} questions\n"
            f"error       {report['calibration_error']:.3f} (expected calibration error; like the rest, on questions "
            "that a fit did not see)\n"
            f"AUC         {report['auc']:.3f} the best candidate of an answerable question over that of another; "
            f"{report['auc_candidates']:.3f} a gold candidate over another\n"
            f"threshold   {report['threshold']:.2f}: {report['answerable_kept']:.0%} of the answerable questions pass, "
            f"{report['unanswerable_declined']:.0%} of the others are declined\n"
            f"kept in     {report['file']} (delete it to undo)")


def fitted(asked: Sequence[Asked], embedder: str, query_encoder: str = "off") -> Calibration:
    """InputError where too few questions have their passage among the candidates, or the logit tells nothing."""
    logits, cosines, labels = _candidates(asked)
    found = sum(bool(np.nansum(a.labels)) for a in asked)
    if found < FOUND:
        raise InputError(f"only {found} answerable questions have their passage among the candidates: at least {FOUND} "
                         "are needed; raise `candidates`, or look at what the search finds with `assistant retrieve`")
    weights = fit(logits, cosines, smoothed(labels))
    if weights[0] < LEAST:  # the cosine alone says as much of these questions; the order must stay the reranker's
        weights = fit(logits, cosines, smoothed(labels), ratio=0.0)
    if weights[0] < LEAST:
        raise InputError("the reranker's score does not rise with relevance on these questions (AUC "
                         f"{auc(logits[labels > 0], logits[labels <= 0]):.2f}), so there is nothing to calibrate: "
                         "choose another reranker")
    threshold = choose(_best(asked, Calibration(*weights, 0.5)))
    return Calibration(*weights, threshold, embedder, (query_encoder,))


def measured(asked: Sequence[Asked]) -> dict[str, float]:
    """Of questions that the fit did not see, in FOLDS parts that hold both kinds alike; three digits."""
    order = sorted(range(len(asked)), key=lambda at: asked[at].answerable)  # by turns, so that each fold has both
    p, labels, best, passed = [], [], {True: [], False: []}, {True: [], False: []}
    for fold in range(FOLDS):
        out = order[fold::FOLDS]
        rest = [asked[at] for at in order if at not in out]
        candidates = _candidates(rest)
        weights = fit(*candidates[:2], smoothed(candidates[2]))
        part = Calibration(*weights, 0.5)
        threshold = choose(_best(rest, part))
        for one in (asked[at] for at in out):
            known = np.isfinite(one.labels)
            p.append(part.probabilities(one.logits, one.cosines)[known])
            labels.append(one.labels[known])
            best[one.answerable].append(one.best(part))
            passed[one.answerable].append(best[one.answerable][-1] >= threshold)
    every, gold = np.concatenate(p), np.concatenate(labels)
    return {name: round(float(value), 3) for name, value in {
        "calibration_error": expected_error(every, gold), "auc": auc(best[True], best[False]),
        "auc_candidates": auc(every[gold > 0], every[gold <= 0]),
        "answerable_kept": np.mean(passed[True]), "unanswerable_declined": 1 - np.mean(passed[False])}.items()}


class _Recorder:
    """assistant.protocols.Reranker, uncalibrated: it keeps what it was asked and what it said."""

    calibrated, threshold = False, 0.0

    def __init__(self, scorer) -> None:
        self.scorer, self.name, self.fingerprint = scorer, scorer.name, scorer.fingerprint
        self.calls: list[tuple[list[str], np.ndarray, np.ndarray]] = []
        self._texts: list[str] = []

    def logits(self, question: str, texts: Sequence[str]) -> np.ndarray:
        self._texts = list(texts)
        return self.scorer.logits(question, texts)

    def probabilities(self, logits: np.ndarray, cosines: np.ndarray) -> np.ndarray:
        self.calls.append((self._texts, np.asarray(logits, np.float64), np.asarray(cosines, np.float64)))
        return sigmoid(np.asarray(logits, np.float64))


def _asked(case, calls, hits, sources: Mapping[str, str]) -> Asked:
    chunks = {passage(hit.chunk): hit.chunk for hit in hits}
    spans = [place for target in case.targets for place in target.passages]
    labels = [label(sources[chunk.document_id], chunk.start, chunk.end, spans) if (chunk := chunks.get(text))
              and len(calls) == 1 else np.nan for texts, _, _ in calls for text in texts]
    joined = [np.concatenate([call[n] for call in calls]) if calls else np.zeros(0) for n in (1, 2)]
    return Asked(case.gold.answerable, *joined, np.array(labels, float))


def label(document: str, start: int, end: int, spans: Sequence) -> float:
    """1.0 where the chunk covers enough of a gold span (`document`, `start`, `end`), nan where a part, else 0.0."""
    shares = [(min(end, span.end) - max(start, span.start)) / (span.end - span.start) for span in spans
              if span.document == document]
    most = max(shares, default=0.0)
    return 1.0 if most >= COVER else np.nan if most > 0 else 0.0


def _loaded(gold: Path, load: Callable, documents: Mapping[str, str]) -> Sequence:
    """The cases; all that is wrong with the file in one line."""
    try:
        return load(gold, documents)
    except InputError as error:
        first, *more = str(error).split("\n")
        rest = f" (and {len(more)} more like it)" if more else ""
        raise InputError(f"{first}{rest}: mend the file, or name the index of its documents with --index") from error


def _candidates(asked: Sequence[Asked]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(logits, cosines, labels) of all whose label is known."""
    joined = [np.concatenate([getattr(a, name) for a in asked]) for name in ("logits", "cosines", "labels")]
    known = np.isfinite(joined[2])
    return joined[0][known], joined[1][known], joined[2][known]


def _best(asked: Sequence[Asked], calibration: Calibration) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.array([a.best(calibration) for a in asked if a.answerable is kind])  # type: ignore[return-value]
                 for kind in (True, False))


# the fit, which eval/reranker/calibrate.py shares ------------------------------------------------------------------


def smoothed(labels: np.ndarray) -> np.ndarray:
    """Platt's targets: (n1 + 1) / (n1 + 2) for a positive, 1 / (n0 + 2) for a negative."""
    positive = float((labels > 0).sum())
    return np.where(labels > 0, (positive + 1) / (positive + 2), 1 / (len(labels) - positive + 2))


def fit(logits: np.ndarray, cosines: np.ndarray, labels: np.ndarray,
        ratio: float | None = None) -> tuple[float, float, float]:
    """(logit weight, cosine weight, bias) by Newton's method on the log-likelihood, both weights >= 0.

    labels: 0..1. ratio: cosine weight over logit weight where the ranking has already settled it; None fits both.
    """
    if ratio is not None:
        columns = np.array([logits + ratio * cosines], np.float64)
        loss, (weight, bias) = _newton(columns, labels)
        weight, bias = (weight, bias) if weight >= 0 else (0.0, _newton(columns[:0], labels)[1][0])
        return float(weight), float(weight * ratio), float(bias)
    columns, best = np.array([logits, cosines], np.float64), (np.inf, (0.0, 0.0, 0.0))
    for used in itertools.chain.from_iterable(itertools.combinations((0, 1), n) for n in (2, 1, 0)):
        loss, w = _newton(columns[list(used)], labels)
        if (w[:-1] >= 0).all() and loss < best[0]:  # the likelihood has one summit: the best of the allowed faces
            weights = dict(zip(used, w, strict=False))
            best = loss, (float(weights.get(0, 0.0)), float(weights.get(1, 0.0)), float(w[-1]))
    return best[1]


def _newton(columns: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """(loss, weights with the bias last) of logistic regression; a step that does not help is halved."""
    x = np.column_stack([*columns, np.ones(len(labels))]).astype(np.float64)

    def loss(w: np.ndarray) -> float:
        return float((np.logaddexp(0.0, x @ w) - labels * (x @ w)).sum())
    w = np.zeros(x.shape[1])
    for _ in range(60):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -60, 60)))
        hessian = x.T @ (x * (p * (1 - p))[:, None]) + 1e-6 * np.eye(len(w))
        step = np.linalg.solve(hessian, x.T @ (labels - p))
        while loss(w + step) > loss(w) and np.abs(step).max() >= 1e-8:
            step /= 2
        w = w + step
        if np.abs(step).max() < 1e-8:
            break
    return loss(w), w


def choose(*sets: tuple[np.ndarray, np.ndarray]) -> float:
    """The threshold with the best balanced accuracy, averaged over sets of (answerable, unanswerable).

    Balanced accuracy: the mean of answerable questions kept and unanswerable ones declined, by best probability.
    """
    grid = np.arange(0.02, 0.99, 0.01)
    balanced = [np.mean([((a >= t).mean() + (u < t).mean()) / 2 for a, u in sets]) for t in grid]
    best = np.flatnonzero(np.array(balanced) >= max(balanced) - 0.002)
    return round(float(grid[best[len(best) // 2]]), 2)


def expected_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error over equal-width bins, weighted by their size."""
    at = np.minimum((probabilities * bins).astype(int), bins - 1)
    return float(sum(abs(probabilities[at == b].mean() - labels[at == b].mean()) * (at == b).mean()
                     for b in range(bins) if (at == b).any()))


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """P(a positive scores above a negative), ties half."""
    both = np.concatenate([positive, negative])
    _, inverse, counts = np.unique(both, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[inverse]
    n, m = len(positive), len(negative)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))
