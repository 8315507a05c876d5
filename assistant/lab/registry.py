"""Every demo, once, in the order of the chapters."""
from __future__ import annotations

import re

from assistant.errors import InputError
from assistant.lab import (
    analogies,
    ann,
    clusters,
    cosine,
    cost,
    dilution,
    dimensions,
    domain,
    drift,
    encoders,
    explorer,
    negation,
    pooling,
    quiz,
    semantic_search,
    shared_space,
    stack,
    stale,
    truncation,
    word2vec,
    words,
)
from assistant.lab.demo import Demo, quoted

_ALL = (
    semantic_search.DEMO, words.DEMO, analogies.DEMO, word2vec.DEMO, pooling.DEMO, encoders.DEMO, cosine.DEMO,
    dimensions.DEMO, clusters.DEMO, truncation.DEMO, cost.DEMO, shared_space.DEMO, domain.DEMO, negation.DEMO,
    dilution.DEMO, stale.DEMO, drift.DEMO, explorer.DEMO, ann.DEMO, stack.DEMO, quiz.DEMO)


# names that the lesson's chapters use where the title here says more
LESSON = {"one-hot": "One-hot encoder", "analogies": "Word analogy", "pooling": "Sentence similarity",
          "shared-space": "Shared space"}


def demos() -> tuple[Demo, ...]:
    return _ALL


def lesson_name(demo: Demo) -> str:
    """What the lesson calls a demo where its title differs, else ""."""
    return LESSON.get(demo.name, "")


def get(name: str) -> Demo:
    """The demo of that name; a title and the lesson's own name do too. InputError lists the names if there is none."""
    wanted = " ".join(name.split()).casefold()
    for demo in _ALL:
        if wanted in (demo.name, demo.title.casefold(), lesson_name(demo).casefold() or demo.name):
            return demo
    raise InputError(f"no demo {quoted(name)}: expected one of {', '.join(demo.name for demo in _ALL)}")


def for_chapter(number: int) -> tuple[Demo, ...]:
    """A chapter's demos, those of all chapters last."""
    return (*(d for d in _ALL if d.chapter == number), *(d for d in _ALL if d.chapter is None))


def related(text: str, most: int = 2) -> tuple[Demo, ...]:
    """Demos whose terms the text mentions, those with the most mentions first."""
    low = text.lower()
    counted = [(sum(len(re.findall(rf"(?<!\w){re.escape(term)}(?!\w)", low)) for term in d.terms), d) for d in _ALL]
    return tuple(d for n, d in sorted((c for c in counted if c[0]), key=lambda c: -c[0])[:most])
