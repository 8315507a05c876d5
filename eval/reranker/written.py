"""Groups from the documents written for training (eval/written): questions in other words, and near misses.

Public questions share most of their words with the passage that answers them, and seldom come with passages of the
same document that do not answer. Here each fact is asked for three times (plainly, without any of its words, in
another shape), its siblings are the hard negatives, and every document has questions that none of its passages
answers.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval.reranker.groups import Group
from eval.reranker.vectors import Vectors

FOLDER = Path(__file__).resolve().parent.parent / "written"
LIFTS = (3.0, 6.0, 4.5)  # of the three ways to ask: the second is far from its passage by the teacher's cosine
NEAR = 0.4  # cosine of a question and a passage of another document from which on it is asked whether it answers
HELD_OUT = 12  # one document in so many is kept for development


@dataclass(frozen=True)
class Passage:
    """One passage of a document as the assistant would show it: chain of headings, then the lines."""

    title: str
    heading: str
    kind: str
    lines: tuple[str, ...]
    items: tuple[tuple[tuple[int, ...], tuple[str, ...], str], ...]  # (lines that answer, three asks, answer)
    near: tuple[str, ...] = ()  # questions about what it speaks of that nothing in the document answers

    def text(self, without: tuple[int, ...] = ()) -> str:
        joiner = " " if self.kind == "prose" else "\n"
        body = joiner.join(line for n, line in enumerate(self.lines) if n not in without)
        return f"{self.title} > {self.heading}\n{body}"

    def quote(self, at: tuple[int, ...]) -> str:
        """The lines under their own heading, as the sentence stage reads them; a row with its header's names."""
        if self.kind == "table" and len(at) == 1 and at[0] > 1:
            names, cells = ([c.strip() for c in self.lines[n].strip("|").split("|")] for n in (0, at[0]))
            rest = "; ".join(f"{a}: {b}" for a, b in zip(names[1:], cells[1:], strict=False))
            return f"{self.heading}: {cells[0]} — {rest}"
        return f"{self.heading}: " + " ".join(self.lines[n] for n in at)


@dataclass(frozen=True)
class Written:
    """A document with its passages and the questions that none of them answers."""

    title: str
    passages: tuple[Passage, ...]
    unanswered: tuple[str, ...]


def documents(folder: Path = FOLDER, held_out: bool = False, files: str = "*.jsonl") -> list[Written]:
    """The documents for training, or the held-out ones, in the order of the files, whose names fit the pattern."""
    found = []
    for file in sorted(folder.glob(files)):
        for at, row in enumerate(map(json.loads, file.read_text(encoding="utf-8").splitlines())):
            if (at % HELD_OUT == HELD_OUT - 1) != held_out:
                continue
            passages = tuple(
                Passage(row["title"], p["heading"], p["kind"], tuple(p["lines"]),
                        tuple((tuple(i["at"]), tuple(i["asks"]), i["answer"]) for i in p["items"]),
                        tuple(p.get("near", ())))
                for p in row["passages"]
            )
            found.append(Written(row["title"], passages, tuple(row["unanswered"])))
    return found


def written_groups(rng: random.Random, found: list[Written], vectors: Vectors,
                   may_answer: Callable[[str, str], bool] = lambda question, text: False) -> list[Group]:
    """Kinds "written" (passages), "written_line" (single sentences and rows) and "written_none" (nothing answers).

    may_answer: whether a passage of another document might answer a question; it is then no negative of it. Documents
        on one field speak of the same things.
    """
    every = [(d, p) for d in found for p in d.passages]
    texts = [p.text() for _, p in every]
    owner = [d.title for d, _ in every]
    matrix = vectors(texts)

    def foreign(ask: str, vector: np.ndarray, title: str) -> list[str]:
        """One of the eight nearest passages of other documents and any one."""
        cosines = matrix @ vector
        order = [int(i) for i in np.argsort(-cosines)[:60] if owner[int(i)] != title]
        return [texts[i] for i in (rng.choice(order[:8]), rng.randrange(len(texts)))
                if owner[i] != title and not (cosines[i] > NEAR and may_answer(ask, texts[i]))]

    made = []
    for document in found:
        for passage in document.passages:
            for at, asks, _ in passage.items:
                for ask, lift, vector in zip(asks, LIFTS, vectors(list(asks)), strict=False):
                    others = foreign(ask, vector, document.title)
                    made.append(_passages(rng, document, passage, at, ask, lift, others))
                    made += _lines(rng, document, passage, at, ask, lift)
        for ask, vector in zip(document.unanswered, vectors(list(document.unanswered)), strict=True):
            beside = [p.text() for p in document.passages]
            picked = rng.sample(beside, min(3, len(beside))) + foreign(ask, vector, document.title)
            made.append(Group(ask, tuple(picked), (0,) * len(picked), "written_none", 0.0))
            lines = [p.quote((n,)) for p in document.passages for n in lines_that_answer(p)]
            near = rng.sample(lines, min(3, len(lines)))
            made.append(Group(ask, tuple(near), (0,) * len(near), "written_none", 0.0))
    return [g for g in made if len(g.texts) > 1]


def _passages(rng, document: Written, passage: Passage, at, ask: str, lift: float, others: list[str]) -> Group:
    siblings = [p.text() for p in document.passages if p is not passage]
    texts = [passage.text(), *rng.sample(siblings, min(2, len(siblings))), *others]
    if passage.kind == "prose" and len(passage.lines) - len(at) >= 2 and rng.random() < 0.6:
        texts.insert(1, passage.text(without=at))
    return Group(ask, tuple(texts), (1, *[0] * (len(texts) - 1)), "written", lift)


def _lines(rng, document: Written, passage: Passage, at, ask: str, lift: float) -> Iterator[Group]:
    rest = [n for n in lines_that_answer(passage) if n not in at]
    siblings = [(p, n) for p in document.passages if p is not passage for n in lines_that_answer(p)]
    texts = [passage.quote(at)] + [passage.quote((n,)) for n in rng.sample(rest, min(3, len(rest)))]
    texts += [p.quote((n,)) for p, n in rng.sample(siblings, min(2, len(siblings)))]
    if len(texts) > 1:
        yield Group(ask, tuple(texts), (1, *[0] * (len(texts) - 1)), "written_line", lift)


def lines_that_answer(passage: Passage) -> range:
    """The lines that could answer by themselves: a table's rows, not its header."""
    return range(2 if passage.kind == "table" else 0, len(passage.lines))
