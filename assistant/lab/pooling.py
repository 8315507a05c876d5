"""Pooling (chapter 3): four ways from token vectors to one sentence vector, on two sentences of yours."""
from __future__ import annotations

import numpy as np

from assistant.errors import InputError
from assistant.lab import counting, figures
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values, quoted, short
from assistant.lab.inside import Tokens, cut_pieces, tokens
from assistant.pipeline import Assistant

METHODS = {  # a text's inside -> one vector; [1:-1] leaves the special tokens out
    "static mean": lambda inner: inner.static[1:-1].mean(axis=0),
    "contextual mean": lambda inner: inner.contextual[1:-1].mean(axis=0),
    "CLS": lambda inner: inner.contextual[0],
    "bi-encoder": lambda inner: inner.contextual.mean(axis=0),
}


def _word_vectors(inner: Tokens, pieces: list[str], word: str, which: str) -> tuple[np.ndarray, np.ndarray]:
    """(static, contextual) means of the word's pieces where they first occur."""
    for at in range(len(inner.pieces) - len(pieces) + 1):
        if list(inner.pieces[at:at + len(pieces)]) == pieces:
            span = slice(at, at + len(pieces))
            return inner.static[span].mean(axis=0), inner.contextual[span].mean(axis=0)
    raise InputError(f"word {quoted(word)} is not in the {which} sentence: choose one that stands in both, or "
                     "leave it empty")


def work(values: Values, rag: Assistant, report: Report) -> Result:
    first, second, word = values["first"], values["second"], values["word"]
    inner = tokens(rag, [first, second])
    if min(len(inside.pieces) for inside in inner) < 3:
        raise InputError("one of the sentences has no word that the embedder knows: type some words")
    cosines = {name: round(counting.cosine(*map(pool, inner)), 3) for name, pool in METHODS.items()}
    same_bag = sorted(inner[0].pieces) == sorted(inner[1].pieces)
    numbers: dict[str, float | int | str] = {**cosines, "same_words": int(same_bag)}
    said = f"Static mean {cosines['static mean']:.3f}, bi-encoder {cosines['bi-encoder']:.3f}. "
    holds: bool | None = None
    if same_bag and inner[0].pieces != inner[1].pieces:
        holds = cosines["static mean"] > 0.9995 > cosines["bi-encoder"] + 0.005
        verdict = said + ("The same words in another order: to the static mean they are one and the same, the "
                          "transformer sees a difference, as claimed." if holds else
                          "The transformer sees no difference either, so the claim does not hold for this input.")
    elif same_bag:
        verdict = said + "The sentences are the same, so the claim is not put to the test."
    else:
        verdict = said + "The sentences use different words, so order alone is not put to the test."
    rows: list[tuple[object, ...]] = [(name, value) for name, value in cosines.items()]
    if word:
        pieces = cut_pieces(rag, word)
        both = [_word_vectors(inside, pieces, word, which)
                for inside, which in zip(inner, ("first", "second"), strict=True)]
        static, context = (counting.cosine(both[0][n], both[1][n]) for n in (0, 1))
        numbers |= {"word_static": round(static, 3), "word_contextual": round(context, 3)}
        rows += [(f"“{word}” alone, static", round(static, 3)), (f"“{word}” alone, contextual", round(context, 3))]
        verdict += (f" “{word}” by itself: {static:.2f} in the static table, {context:.2f} as the transformer reads it "
                    "in its sentence.")
        if holds is None:
            holds = context < static - 0.005
            verdict += " Context moves the word's vector, as claimed." if holds else " Context hardly moves it."
    labels = [str(name) for name, _ in rows]
    return Result(
        numbers, holds, verdict,
        "A sum does not know the order of its terms, so the mean of static vectors is blind to it, and a static "
        "\"bank\" is the same bank everywhere. A transformer mixes each token with its neighbours and positions first. "
        "MiniLM's bi-encoder vector is the mean of those, special tokens included.",
        "Bars of cosines between the two sentences: " + ", ".join(f"{name} {value:.2f}" for name, value in rows) + ".",
        lambda: figures.bars(f"{short(first, 30)} / {short(second, 30)}", labels,
                             {"cosine": [float(value) for _, value in rows]}, "cosine", showlegend=False),
        Table(("vector", "cosine of the two sentences"), tuple(rows)))


DEMO = Demo(
    "pooling", "Pooling", 3,
    "The mean of static word vectors cannot see word order or a word's sense; vectors that a transformer made can.",
    (Input("first", "Sentence A", "dog bites man", longest=600),
     Input("second", "Sentence B", "man bites dog", longest=600),
     Input("word", "A word that stands in both", "", optional=True)),
    work,
    (("Two senses of bank", {"first": "The bank is by the river", "second": "I deposited money at the bank",
                             "word": "bank"}),
     ("Same sense of bank", {"first": "The bank raised its interest rates", "second": "I deposited money at the bank",
                             "word": "bank"})),
    ("sentence similarity", "mean pooling", "pooling", "[cls]", "cls token", "word order", "two senses"))
