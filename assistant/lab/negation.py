"""Negation (chapter 7): "not" hardly moves the vector; the cross-encoder, which reads both texts at once, sees it."""
from __future__ import annotations

import re

import numpy as np

from assistant.errors import InputError
from assistant.lab import figures, files
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values, means, quoted, rounded
from assistant.lab.inside import embed_mixed, kept, models_key, probabilities
from assistant.pipeline import Assistant

PAIRS = "negation.jsonl"  # 50 pairs written for this demo; the eval suite's own fifty are others
_VERBS = re.compile(r"\b(is|are|was|were|am|will|would|can|could|should|must|may|might|shall|has been|have been|had)\b",
                    re.I)


def negate(sentence: str) -> str:
    """The sentence with "not" after its first auxiliary verb. InputError where there is none."""
    if re.search(r"\b(not|never|no|cannot)\b|n['’]t\b", sentence, re.I):
        raise InputError(f"sentence {quoted(sentence)} is denied already: type one without \"not\", or type its denial")
    found = _VERBS.search(sentence)
    if not found:
        raise InputError(f"sentence {quoted(sentence)} has no verb such as is, are, can or will after which \"not\" "
                         "could stand: type the denial yourself in `negated`")
    return f"{sentence[:found.end()]} not{sentence[found.end():]}"


def measure(rag: Assistant) -> dict[str, list[float]]:
    """For each of the fifty pairs: whether the satisfying text scores above the violating one, by model (1 or 0); and
    the cosine of the two."""
    def count() -> dict[str, list[float]]:
        pairs = files.rows(PAIRS)
        texts = [pair[key] for pair in pairs for key in ("question", "satisfying", "violating")]
        vectors = embed_mixed(rag, texts, 32).reshape(len(pairs), 3, -1)
        by_vector = np.einsum("pd,ptd->pt", vectors[:, 0], vectors[:, 1:])
        found = {"bi_encoder_right": (by_vector[:, 0] > by_vector[:, 1]).astype(float).tolist(),
                 "twin_cosine_mean": np.einsum("pd,pd->p", vectors[:, 1], vectors[:, 2]).astype(float).tolist()}
        if rag.config.rerank:
            asked = rag.embed_query([pair["question"] for pair in pairs])
            scored = [probabilities(rag, pair["question"], [pair["satisfying"], pair["violating"]], cosines)
                      for pair, cosines in zip(pairs, np.einsum("pd,ptd->pt", asked, vectors[:, 1:]), strict=True)]
            found["cross_encoder_right"] = [float(good > bad) for good, bad in scored]
        return found
    return kept(("negation", *models_key(rag)), count)


def work(values: Values, rag: Assistant, report: Report) -> Result:
    sentence, rewording, question = values["sentence"], values["rewording"], values["question"]
    negated = values["negated"] or negate(sentence)
    if negated.casefold().rstrip(" .!") == sentence.casefold().rstrip(" .!"):
        raise InputError("sentence and negated are the same text: deny it")
    texts = [sentence, negated, rewording]
    *vectors, asked = rag.embed([*texts, question])
    to_negated, to_rewording = float(vectors[0] @ vectors[1]), float(vectors[0] @ vectors[2])
    by_vector = rounded([vector @ asked for vector in vectors])
    by_pair = probabilities(rag, question, texts, np.stack(vectors) @ rag.embed_query([question])[0])
    report(0.4, "the fifty pairs")
    fifty = means(measure(rag))
    holds = to_negated > to_rewording
    verdict = (f"The denial has cosine {to_negated:.2f} with the sentence, the rewording {to_rewording:.2f}: " + (
        "by their vectors the opposite is the closer one, as claimed." if holds else
        "here the rewording is the closer one, so the claim does not hold for this input."))
    if by_pair[0] is not None:
        verdict += (f" The cross-encoder takes the denial for an answer at {by_pair[1]:.2f}, the sentence at "
                    f"{by_pair[0]:.2f}: it {'sees the difference' if by_pair[1] > by_pair[0] else 'fails as well'}.")
    verdict += f" Over 50 fixed pairs the bi-encoder ranks {fifty['bi_encoder_right']:.0%} right"
    verdict += (f", the cross-encoder {fifty['cross_encoder_right']:.0%}." if "cross_encoder_right" in fifty else ".")
    numbers = {"cosine_negated": round(to_negated, 3), "cosine_rewording": round(to_rewording, 3),
               "question_sentence": by_vector[0], "question_negated": by_vector[1],
               **{name: round(value, 3) for name, value in fifty.items()}}
    if by_pair[0] is not None:
        numbers |= {"cross_sentence": by_pair[0], "cross_negated": by_pair[1]}
    labels = ["sentence", "denial", "rewording"]
    groups = {"bi-encoder: cosine with the question": by_vector}
    if by_pair[0] is not None:
        groups["cross-encoder: probability that it answers"] = by_pair
    return Result(
        numbers, holds, verdict,
        "Training rewards vectors for sharing topic and context, which a sentence and its denial do; \"not\" is one "
        "token among many in the average. A cross-encoder reads question and text together, so it can weigh \"not\" "
        "against the words that it denies, as far as its training taught it.",
        f"Bars for three texts. Cosine with the question: sentence {by_vector[0]:.2f}, denial {by_vector[1]:.2f}, "
        f"rewording {by_vector[2]:.2f}." + (f" Cross-encoder: sentence {by_pair[0]:.2f}, denial {by_pair[1]:.2f}, "
                                            f"rewording {by_pair[2]:.2f}." if by_pair[0] is not None else ""),
        lambda: figures.bars(f"Which text answers “{question}”?", labels, groups, "score"),
        Table(("text", "cosine with the sentence", "cosine with the question", "cross-encoder"),
              tuple((text, round(float(vectors[0] @ vector), 3), a, b)
                    for text, vector, a, b in zip(texts, vectors, by_vector, by_pair, strict=True))))


DEMO = Demo(
    "negation", "Negation", 7,
    "By its vector the denial of a sentence is closer to it than the same thing in other words; a cross-encoder sees "
    "the denial.",
    (Input("sentence", "A sentence", "The product is good", longest=600),
     Input("negated", "Its denial", "The product is not good", optional=True, longest=600,
           help="empty: \"not\" is put after the sentence's verb"),
     Input("rewording", "The same in other words", "The item works well", longest=600),
     Input("question", "A question that the denial answers and the sentence does not", "Which product is not good?",
           longest=600)),
    work,
    (("Fever", {"sentence": "The patient has a fever", "negated": "The patient does not have a fever",
                "rewording": "The patient's temperature is raised", "question": "Which patient has no fever?"}),
     ("Let the demo deny it", {"sentence": "The museum is open on Mondays", "negated": "",
                               "rewording": "Visitors may come in on Mondays",
                               "question": "Which museum is not open on Mondays?"})),
    ("negation", "negated", "negation blindness", "not good"), measure,
    roles={"bi_encoder_right": "problem", "cross_encoder_right": "fix", "twin_cosine_mean": "beside"})
