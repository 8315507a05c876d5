"""Words of a question that the documents do not use, and the documents' words that come nearest in meaning.

A question in words of its own ("felines", "lingo") shares none with the passage that answers it, and the search by
words finds nothing. The embedder knows that "felines" is near "cats"; so such a word is searched as the nearest words
of the documents, too. A word that the documents do use is left as it is: there the exact match is the point.
(Embedding-based query expansion: Kuzi, Shtok and Kurland, CIKM 2016.)
"""
from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from assistant.catalog.lexical import Lexical
from assistant.protocols import Embedder
from assistant.text.announced import NUMBERS
from assistant.text.words import STOP

NEAR = 0.45  # cosine of two words by the embedder; measured with MOST on eval/gold/dev.jsonl (eval/EXPERIMENTS.md)
MOST = 3     # of the documents' words for one of the question's
_PLAIN = STOP | {"many", "much", "get", "got", "use", "know", "make", "want", "need", "like", "let", "say", "give",
                 "besides", *NUMBERS}
_WORD = re.compile(r"(?<![\w'’])[^\W\d_]{3,}(?![\w'’])")


def expand(query: str, lexical: Lexical, embedder: Embedder) -> tuple[list[str], str]:
    """(the documents' words to search beside the query's own, what was done in words, "" for nothing)."""
    absent = [word for word in dict.fromkeys(match.lower() for match in _WORD.findall(query))
              if word not in _PLAIN and not lexical.holds(word)]
    words, vectors = lexical.word_vectors() if absent else ((), None)
    if not len(words):
        return [], ""
    found: list[str] = []
    said = []
    for word, cosines in zip(absent, embedder.embed(absent) @ vectors.T, strict=True):
        near = _nearest(words, cosines)
        if near:
            found += near
            said.append(f"\"{word}\" is also searched as {', '.join(near)}")
    return list(dict.fromkeys(found)), "; ".join(said)


def _nearest(words: Sequence[str], cosines: np.ndarray) -> list[str]:
    best = np.argsort(-cosines, kind="stable")[:MOST]
    return [words[at] for at in best if cosines[at] >= NEAR]
