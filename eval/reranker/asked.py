"""One text asked several questions, of which it answers one: what tells an answer from a passage on the topic.

A group of texts for one question teaches which text is best, and hardly that none is good enough: the near misses of
a question rank its texts as well as a real question does. Here the text is fixed and the questions compete: its own
against near misses about the very things that it speaks of, against its siblings' questions, and against those that
nothing in its document answers.
"""

from __future__ import annotations

import random
from collections import defaultdict

from eval.reranker.groups import Group
from eval.reranker.sources import Question
from eval.reranker.written import Passage, Written

OTHERS = 4  # questions that a text does not answer beside each that it does


def asked_groups(rng: random.Random, found: list[Written]) -> list[Group]:
    """Kinds "asked" (a passage and questions), "asked_line" (its line and questions) and "near" (a near miss and the
    passages of its document)."""
    made: list[Group] = []
    for document in found:
        for passage in document.passages:
            elsewhere = [ask for other in document.passages if other is not passage
                         for _, asks, _ in other.items for ask in asks]
            for at, asks, _ in passage.items:
                beside = [ask for other, others, _ in passage.items if not set(other) & set(at) for ask in others]
                for ask in asks:
                    near = _some(rng, passage.near, 2) + _some(rng, document.unanswered, 1) + _some(rng, elsewhere, 1)
                    made.append(_group(passage.text(), ask, near, "asked"))
                    near = _some(rng, passage.near, 2) + _some(rng, beside, 2)
                    made.append(_group(passage.quote(at), ask, near, "asked_line"))
            made += [_near(rng, document, passage, ask) for ask in passage.near]
    return [g for g in made if len(g.texts) > 1]


def squad_groups(rng: random.Random, found: list[Question]) -> list[Group]:
    """Kind "asked_squad": a paragraph, one of its questions, and questions about other paragraphs of its article whose
    answers do not stand in it."""
    by_title: dict[str, list[Question]] = defaultdict(list)
    for question in found:
        if question.title and question.answers:
            by_title[question.title].append(question)
    made = []
    for questions in by_title.values():
        for own in questions:
            text = own.context.lower()
            others = [q.text for q in questions
                      if q.context != own.context and not any(a.lower() in text for a in q.answers)]
            shown = rng.choice((own.context, f"{own.title}\n{own.context}"))
            made.append(_group(shown, own.text, _some(rng, others, OTHERS), "asked_squad"))
    return [g for g in made if len(g.texts) > 2]


def _group(text: str, ask: str, others: list[str], kind: str) -> Group:
    asks = (ask, *others)
    return Group("", (text,) * len(asks), (1, *[0] * len(others)), kind, 0.0, asks)


def _near(rng: random.Random, document: Written, passage: Passage, ask: str) -> Group:
    lines = [passage.quote((n,)) for n in range(2 if passage.kind == "table" else 0, len(passage.lines))]
    beside = [p.text() for p in document.passages if p is not passage]
    texts = (passage.text(), *_some(rng, lines, 2), *_some(rng, beside, 1))
    return Group(ask, texts, (0,) * len(texts), "near", 0.0)


def _some(rng: random.Random, found, most: int) -> list[str]:
    return rng.sample(list(found), min(most, len(found)))
