"""The stage's calibration and its numbers, as one dictionary that the model card is written from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assistant.backends import embedder
from assistant.backends.cross_encoder import Calibration, EmbeddedCrossEncoder
from assistant.backends.files import content_hash
from assistant.backends.query_encoder import TunedQueries
from assistant.calibrate import auc
from assistant.config import Config
from eval.reranker import calibrate, evaluate
from eval.reranker.evaluate import Scored
from eval.reranker.vectors import Vectors, model_folder

# Weight of the cosine beside the logit. Chosen on TREC DL 2020, Cranfield, the home check and the gate together: fitted
# on the calibration split alone it would be 0, for questions and passages like those of training need no cosine, and
# text of another kind does; the gate is the better the less of it there is (eval/EXPERIMENTS.md).
COSINE_WEIGHT = 4.0
SIZES = {
    "small": {"held_out": 120, "sentence": 120, "cranfield": 30},
    "full": {"held_out": 900, "sentence": 400, "cranfield": 225},
}


def asking() -> TunedQueries:
    """The assistant's embedder, which reads questions in a way of its own: `embed_query`."""
    return TunedQueries(embedder.build(Config()))


def calibrated(
    data: Path,
    work: Path,
    out: Path,
    lesson: Path | None = None,
    home_gold: Path | None = None,
    ratio: float | None = COSINE_WEIGHT,
) -> Calibration:
    """Fit on the calibrate split and write out/calibration.json.

    The threshold has the best balanced accuracy over the split's questions asked with and without their gold and,
    with equal weight where they are given, over the home check's: probabilities are lower on text unlike training's.
    ratio: the cosine's weight over the logit's; None fits it too.
    """
    if not (out / "calibration.json").is_file():
        Calibration(1.0, 0.0, 0.0, 0.5).save(out / "calibration.json")  # neutral, for the graph to load
    scorer, vectors, reader = EmbeddedCrossEncoder(out).logits, Vectors(work / "vectors32.npz", bf16=False), asking()
    asked = reader.embed_query
    found = calibrate.candidates(data, vectors, "calibrate")
    whole = evaluate.score([w for w, _ in found], scorer, vectors, asked)
    parts = evaluate.score([p for _, p in found if p.texts], scorer, vectors, asked)
    fitted = calibrate.fit(*calibrate.flatten([*whole, *parts]), ratio)
    read_by = (reader.query_fingerprint, "off")  # it holds for both: assistant/backends/calibration.py
    made = Calibration(*fitted, 0.5, content_hash(model_folder()), read_by)
    sets = [gate(whole, made)[:2]]
    if lesson and home_gold:
        home = evaluate.home(lesson, home_gold, vectors, asked)
        scored = evaluate.score([h.case for h in home], scorer, vectors, asked)
        best = np.array([made.probabilities(s.logits, s.cosines).max() for s in scored])
        answerable = np.array([h.answerable for h in home])
        sets.append((best[answerable], best[~answerable]))
    vectors.save()
    made = Calibration(*fitted, calibrate.choose(*sets), made.embedder, made.query_encoders)
    made.save(
        out / "calibration.json", fitted_on=f"{len(whole)} held-out questions, their passages and sentences"
    )
    return made


def gate(scored: Sequence[Scored], calibration: Calibration) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(best probability with the gold, best without it, whether the best is the gold), each (questions,)."""
    with_gold, without, right = [], [], []
    for s in scored:
        p, gains = calibration.probabilities(s.logits, s.cosines), np.asarray(s.case.gains)
        if gains.any() and not gains.all():
            with_gold.append(p.max())
            without.append(p[gains == 0].max())
            right.append(gains[p.argmax()] > 0)
    return np.array(with_gold), np.array(without), np.array(right)


def calibration_report(data: Path, vectors: Vectors, scorer, calibration: Calibration, asked) -> dict:
    """Reliability, expected calibration error and the risk-coverage curve on the test split."""
    found = calibrate.candidates(data, vectors, "test")
    whole = evaluate.score([w for w, _ in found], scorer, vectors, asked)
    parts = evaluate.score([p for _, p in found if p.texts], scorer, vectors, asked)
    report: dict = {}
    for name, scored in (("all", [*whole, *parts]), ("passages", whole), ("sentences", parts)):
        logits, cosines, labels = calibrate.flatten(scored)
        p = calibration.probabilities(logits, cosines)
        report[name] = {
            "n": len(labels),
            "expected_calibration_error": round(calibrate.expected_error(p, labels), 4),
        }
        if name == "all":
            report["reliability"] = [[round(x, 3) for x in row] for row in calibrate.reliability(p, labels)]
    a, u, right = gate(whole, calibration)
    report["gate"] = {
        "questions": len(a),
        "threshold": calibration.threshold,
        "auc": round(auc(a, u), 4),
        "answerable_kept": round(float((a >= calibration.threshold).mean()), 3),
        "unanswerable_declined": round(float((u < calibration.threshold).mean()), 3),
        "risk_coverage": [
            [p.threshold, round(p.coverage, 3), round(p.risk, 3)]
            for p in calibrate.risk_coverage(a, u, right)
        ][::4],
    }
    return report


def measured(
    data: Path,
    work: Path,
    out: Path,
    gold: Path,
    size: str,
    lesson: Path | None,
    home_gold: Path | None,
    scorer=None,
) -> dict:
    """Every public measure: {set: {n, bi_encoder, cross_encoder, stage}}, and the calibration's report.

    scorer: another logits(question, texts) in the shipped one's place, say of a torch network.
    """
    calibration = Calibration.load(out / "calibration.json")
    ratio = calibration.cosine_weight / calibration.logit_weight
    scorer = scorer or EmbeddedCrossEncoder(out).logits
    vectors, n, result, asked = Vectors(work / "vectors32.npz", bf16=False), SIZES[size], {}, asking().embed_query

    def ranked(name: str, scored, measure, ideals=None) -> None:
        row = {
            w: round(evaluate.mean(scored, measure, v, ideals), 4)
            for w, v in (("bi_encoder", None), ("cross_encoder", 0.0), ("stage", ratio))
        }
        result[name] = {"n": len(scored), **row}
        print(name, result[name], flush=True)

    def pooled(name: str, scored) -> None:
        row = {}
        for label, weight in (("bi_encoder", None), ("cross_encoder", 0.0), ("stage", ratio)):
            values = np.concatenate(
                [s.alone if weight is None else s.logits + weight * s.cosines for s in scored]
            )
            gains = np.concatenate([np.asarray(s.case.gains) for s in scored])
            row[label] = round(auc(values[gains > 0], values[gains <= 0]), 4)
        result[name] = {"n": len(scored), **row}
        print(name, result[name], flush=True)

    ranked("negation50", evaluate.score(evaluate.negation50(gold), scorer, vectors, asked), evaluate.first)
    for name, cases in evaluate.twins(data).items():
        ranked(f"twins_{name}", evaluate.score(cases, scorer, vectors, asked), evaluate.first)
    topic = evaluate.score(evaluate.on_topic(data, n["sentence"]), scorer, vectors, asked)
    ranked("on_topic_pairs", topic, evaluate.first)
    pooled("on_topic_auc", topic)
    ranked(
        "best_sentence",
        evaluate.score(evaluate.best_sentence(data, n["sentence"]), scorer, vectors, asked),
        evaluate.first,
    )
    ranked(
        "held_out_mrr10",
        evaluate.score(evaluate.held_out(data, vectors, n["held_out"]), scorer, vectors, asked),
        evaluate.mrr10,
    )
    result["calibration"] = calibration_report(data, vectors, scorer, calibration, asked)
    cases, ideals = evaluate.trec(data)
    ranked("trec_dl20_ndcg10", evaluate.score(cases, scorer, vectors, asked), evaluate.ndcg10, ideals)
    cases, ideals = evaluate.cranfield(data, n["cranfield"])
    ranked("cranfield_ndcg10", evaluate.score(cases, scorer, vectors, asked), evaluate.ndcg10, ideals)
    if lesson and home_gold:
        home = evaluate.home(lesson, home_gold, vectors, asked)
        scored = evaluate.score([h.case for h in home], scorer, vectors, asked)
        found = [s for h, s in zip(home, scored, strict=True) if h.answerable and any(h.case.gains)]
        ranked("home_first", found, evaluate.first)
        best = [float(np.max(s.logits + ratio * s.cosines)) for s in scored]
        result["home_auc"] = {
            "n": len(home),
            "stage": round(
                auc(
                    [b for b, h in zip(best, home, strict=True) if h.answerable],
                    [b for b, h in zip(best, home, strict=True) if not h.answerable],
                ),
                4,
            ),
        }
    vectors.save()
    return result
