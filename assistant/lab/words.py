"""One-hot, bag of words, TF-IDF (chapter 1): the real vectors of what you type, and the lie of integer ids."""
from __future__ import annotations

import numpy as np

from assistant.errors import InputError
from assistant.lab import counting, figures
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values, lines, short
from assistant.pipeline import Assistant

METHODS = ("integer id", "one-hot", "bag of words", "TF-IDF", "dense")


def distances(vectors: np.ndarray) -> np.ndarray:
    """Euclidean, (n, n), zeros on the diagonal."""
    squares = (vectors ** 2).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * vectors @ vectors.T, 0))
    np.fill_diagonal(apart, 0)
    return apart


def work(values: Values, rag: Assistant, report: Report) -> Result:
    texts = tuple(dict.fromkeys(text.lower() for text in values["texts"]))
    if len(texts) < 2:
        raise InputError("texts holds the same line twice: expected at least 2 different words or sentences")
    bags, vocabulary = counting.counts(texts)
    present = counting.one_hot(bags)
    # a text is one item for the first two methods: its number in the list, and a slot of its own
    vectors = {"integer id": np.arange(1.0, len(texts) + 1)[:, None], "one-hot": np.eye(len(texts)),
               "bag of words": bags, "TF-IDF": counting.tf_idf(bags, np.maximum(present.sum(axis=0), 1), len(texts)),
               "dense": rag.embed(texts).astype(np.float64)}
    apart = {name: distances(rows) for name, rows in vectors.items()}
    pairs = np.triu_indices(len(texts), 1)
    spread = {name: (float(matrix[pairs].min()), float(matrix[pairs].max())) for name, matrix in apart.items()}
    first, second = values["first"], values["second"]
    two, _ = counting.counts([first, second])
    bow = counting.cosine(two[0], two[1])
    dense = float(np.dot(*rag.embed([first, second])))
    equal = abs(spread["one-hot"][1] - spread["one-hot"][0]) < 1e-9
    tells = spread["dense"][1] - spread["dense"][0] > 0.05
    holds = equal and tells if len(texts) > 2 else None
    verdict = f"One-hot puts every pair {spread['one-hot'][0]:.3f} apart; " + (
        "with one pair only there is nothing to compare. " if holds is None else
        f"the embedder tells them apart, from {spread['dense'][0]:.2f} to {spread['dense'][1]:.2f}, as claimed. "
        if holds else "but the embedder's distances hardly differ either, so the claim does not hold here. ")
    verdict += (f"Integer ids claim distances from {spread['integer id'][0]:.0f} to {spread['integer id'][1]:.0f} "
                f"that mean nothing. “{short(first, 24)}” and “{short(second, 24)}” have a bag-of-words cosine of "
                f"{bow:.2f}.")
    method = values["method"]
    slots = vocabulary if method in ("bag of words", "TF-IDF") else []
    shown = [slots[at] for at in np.argsort(-np.abs(vectors[method]).sum(axis=0))[:12]] if slots else []
    numbers = {"one_hot_min": round(spread["one-hot"][0], 4), "one_hot_max": round(spread["one-hot"][1], 4),
               "dense_min": round(spread["dense"][0], 4), "dense_max": round(spread["dense"][1], 4),
               "id_max": spread["integer id"][1], "bow_cosine": round(bow, 4), "dense_cosine": round(dense, 4),
               "vocabulary": len(vocabulary)}
    labels = [short(text, 24) for text in texts]
    return Result(
        numbers, holds, verdict,
        "A one-hot vector has a slot for each item and a single 1, so any two differ in exactly two slots: distance √2 "
        "always. Integer ids invent an order. Counting words sees shared words only, and \"not\" is just one word "
        "more. A trained embedding places related words closer.",
        f"Matrix of {method} distances between {len(texts)} texts, from {spread[method][0]:.2f} to "
        f"{spread[method][1]:.2f}.",
        lambda: figures.heatmap(f"Distances by {method}", labels, labels, apart[method], "distance"),
        Table(("text", *(shown or [f"{method} vector"])),
              tuple((text, *([round(float(vectors[method][at][slots.index(w)]), 3) for w in shown]
                             or ["[" + ", ".join(f"{v:g}" for v in np.round(vectors[method][at][:12], 3)) +
                                 (", …]" if vectors[method].shape[1] > 12 else "]")]))
                    for at, text in enumerate(texts))))


DEMO = Demo(
    "one-hot", "One-hot, bag of words, TF-IDF", 1,
    "One-hot vectors put every two words equally far apart; an embedding does not.",
    (Input("texts", "Words or sentences, one a line", lines("apple", "banana", "cherry", "king", "queen", "mango"),
           "lines", low=2, high=24, longest=600, total=6000),
     Input("method", "Method shown", "one-hot", "choice", options=METHODS),
     Input("first", "Two texts to compare: first", "good", longest=600),
     Input("second", "second", "not good", longest=600)),
    work,
    (("King, queen, banana", {"texts": lines("king", "queen", "banana"), "method": "dense"}),
     ("Sentences", {"texts": lines("The cat sat on the mat", "The dog sat by the door", "A feline rested on a rug"),
                    "method": "TF-IDF", "first": "The product is good", "second": "The product is not good"})),
    ("one-hot", "one-hot encoder", "bag of words", "bag-of-words", "tf-idf", "integer identifiers",
     "integer id", "integer ids"))
