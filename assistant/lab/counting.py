"""Counted words as vectors, by scikit-learn, and BM25: the methods of chapter 1, shared by several demos."""
from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from assistant.errors import InputError

WORD = r"\w[\w']*"  # a word: letters and digits, an apostrophe inside
K1, B = 1.2, 0.75   # BM25's, as SQLite's FTS5 fixes them
STOP = frozenset("a about an and are as at be but by for from has have in into is it its of on or s that "  # noqa: SIM905
                 "than the their there these they this to was were which who will with you your i we he she what "
                 "how do does did not".split())


def words(text: str) -> list[str]:
    return re.findall(WORD, text.lower())


def content_words(text: str) -> list[str]:
    """The different words of a text that are no stop words, in their order."""
    return list(dict.fromkeys(word for word in words(text) if word not in STOP))


def counts(texts: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """(counts (n, vocabulary), vocabulary sorted): bags of words. InputError where no text holds a word."""
    from sklearn.feature_extraction.text import CountVectorizer
    counter = CountVectorizer(token_pattern=WORD, lowercase=True)
    try:
        matrix = counter.fit_transform(list(texts))
    except ValueError:
        raise InputError("the texts hold no word: type letters or digits") from None
    return matrix.toarray().astype(np.float64), list(counter.get_feature_names_out())


def one_hot(bags: np.ndarray) -> np.ndarray:
    """1 where a word occurs, 0 where not."""
    return (bags > 0).astype(np.float64)


def tf_idf(bags: np.ndarray, frequency: np.ndarray, n: int) -> np.ndarray:
    """Counts times ln(n / frequency), the lesson's formula; scikit-learn's own adds 1 to it.

    frequency: of the n texts of a collection, how many hold each word; at least 1.
    """
    return bags * np.log(n / frequency)


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    """-1..1; 0 where one of the vectors has no length."""
    norm = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / norm if norm else 0.0


def methods(first: str, second: str, collection: Sequence[str]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """{"one-hot", "bag of words", "TF-IDF": the two texts' vectors}. Both texts join the collection if not there."""
    texts = [*collection, *(t for t in dict.fromkeys((first, second)) if t not in collection)]
    bags, _ = counts([*texts, first, second])
    frequency = one_hot(bags[:-2]).sum(axis=0)
    weighted = tf_idf(bags[-2:], frequency, len(texts))
    present = one_hot(bags[-2:])
    return {"one-hot": (present[0], present[1]), "bag of words": (bags[-2], bags[-1]),
            "TF-IDF": (weighted[0], weighted[1])}


def bm25(query: str, texts: Sequence[str]) -> list[float]:
    """One score a text, >= 0, higher is better (Robertson and Zaragoza 2009; negative IDF as in FTS5)."""
    bags = [words(text) for text in texts]
    average = sum(map(len, bags)) / max(len(bags), 1) or 1.0
    scores = [0.0] * len(bags)
    for term in words(query):
        holding = sum(term in bag for bag in bags)
        idf = max(math.log((len(bags) - holding + 0.5) / (holding + 0.5)), 1e-6)
        for at, bag in enumerate(bags):
            count = bag.count(term)
            scores[at] += idf * count * (K1 + 1) / (count + K1 * (1 - B + B * len(bag) / average))
    return scores
