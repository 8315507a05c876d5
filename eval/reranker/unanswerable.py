"""Groups without an answer, derived from groups with one: on the topic, and yet nothing answers.

Their targets keep the teacher's order; the pointwise part of the loss pulls every logit below zero, which is what
the gate needs: a question near the topic must not find a confident passage.
"""

from __future__ import annotations

import random
import re

from eval.reranker.groups import ASKED, Group

FROM = (*ASKED, "multihop", "title", "table", "acronym")
_NAME = re.compile(r"(?<=[a-z,] )(?:[A-Z][\w'-]+(?: (?:of |the )?[A-Z][\w'-]+)*|\d{3,4})")


def without_gold(rng: random.Random, made: list[Group], share: float) -> list[Group]:
    """A share of the groups with their gold taken out."""
    found = []
    for g in made:
        if g.kind in FROM and rng.random() < share and sum(x == 0 for x in g.gold) > 1:
            texts = tuple(t for t, x in zip(g.texts, g.gold, strict=True) if x == 0)
            found.append(Group(g.query, texts, (0,) * len(texts), "none", 0.0))
    return found


def swapped(rng: random.Random, made: list[Group], share: float) -> list[Group]:
    """The question with one of its names or years replaced by another question's: its gold no longer answers."""
    named = [(g, _NAME.findall(g.query)) for g in made if g.kind in FROM and _NAME.search(g.query)]
    found = []
    for g, names in named:
        if rng.random() >= share:
            continue
        old = rng.choice(names)
        new = rng.choice([n for n in rng.choice(named)[1]])
        if new.isdigit() != old.isdigit() or new in g.query or any(new in t for t in g.texts):
            continue
        texts = g.texts[:3]
        found.append(Group(g.query.replace(old, new, 1), texts, (0,) * len(texts), "swapped", 0.0))
        found.append(Group(g.query, texts, g.gold[:3], "swapped", g.lift))
    return found
