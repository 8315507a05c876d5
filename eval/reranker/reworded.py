"""Questions put into other words: the words that a question shares with its gold text are replaced by near ones.

Public questions share most of their content words with the passage that answers them, so a network trained on them
learns to look for the words. Here a shared word that is no name gives way to one that the bi-encoder holds for near
("felines" for "cats"), taken from the training texts' own vocabulary. The result is often clumsy and sometimes wrong,
which is why it stands beside the question as typed and never in its place.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace

import numpy as np

from eval.reranker.groups import ASKED, Group
from eval.reranker.rules import STOP
from eval.reranker.vectors import Vectors

VOCABULARY = 20000  # most frequent words of the training texts
NEAR = (0.58, 0.95)  # cosine of a word and the one that may stand for it
MOST = 6            # candidates for a word, of which one is drawn
LIFT = 5.0          # a reworded question is further from its gold than the teacher's cosine says
_WORD = re.compile(r"[A-Za-z]{4,}")


def reworded_groups(rng: random.Random, groups: list[Group], vectors: Vectors, n: int) -> list[Group]:
    """At most n groups with a reworded query, kind "reworded"; questions without a word to replace are left out."""
    usable = [g for g in groups if g.kind in ASKED and g.gold[0] == 1]
    counts = Counter(w for g in usable for t in g.texts[:2] for w in set(_WORD.findall(t.lower())))
    vocabulary = [w for w, _ in counts.most_common(VOCABULARY) if w not in STOP]
    matrix = vectors(vocabulary)
    at = {w: i for i, w in enumerate(vocabulary)}
    near: dict[str, list[str]] = {}

    def alternatives(word: str) -> list[str]:
        if word not in near:
            cosines = matrix @ matrix[at[word]]
            best = np.argsort(-cosines)[1:60]
            near[word] = [
                vocabulary[i]
                for i in best
                if NEAR[0] <= cosines[i] <= NEAR[1] and vocabulary[i][:4] != word[:4] and word[:5] not in vocabulary[i]
            ][:MOST]
        return near[word]

    made = []
    for group in rng.sample(usable, len(usable)):
        gold = group.texts[0].lower()
        named = {w.lower() for w in re.findall(r"\b[A-Z][a-z]{3,}", group.texts[0] + " " + group.query)}

        def other(match: re.Match, gold: str = gold, named: set[str] = named) -> str:
            word = match[0].lower()
            if word in STOP or word in named or word not in at or word[:5] not in gold:
                return match[0]
            found = [w for w in alternatives(word) if w[:5] not in gold]
            return rng.choice(found) if found else match[0]

        query = _WORD.sub(other, group.query)
        if query != group.query:
            made.append(replace(group, query=query, kind="reworded", lift=LIFT))
        if len(made) == n:
            break
    return made
