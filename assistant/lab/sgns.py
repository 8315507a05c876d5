"""Skip-gram with negative sampling (Mikolov and others 2013) in numpy, and sentences made by a small grammar.

Small and for teaching: whole sentences in memory, no subsampling, no phrases. Rows learn by Adagrad.
"""
from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assistant.lab import counting
from assistant.lab.demo import Report

BATCH = 512
POWER = 0.75  # of the words' frequencies, for drawing negatives; Mikolov and others' choice
RATE = 0.25   # of Adagrad
SECONDS = 20  # of training at the most: a demo that trains answers within thirty


@dataclass(frozen=True)
class Space:
    """words and their vectors: `before` and `after` training, float32 (n, dim); `context` the other table after it.

    losses  mean loss of each tenth of an epoch; a guesser has (1 + negatives) x ln 2
    epochs  trained; fewer than asked for where the time was over
    """

    words: tuple[str, ...]
    before: np.ndarray
    after: np.ndarray
    context: np.ndarray
    losses: tuple[float, ...]
    epochs: float = 0.0

    def at(self, word: str) -> int | None:
        return self.words.index(word) if word in self.words else None

    def neighbours(self, word: str, n: int, trained: bool = True) -> list[tuple[str, float]]:
        """The n nearest words by cosine, best first."""
        rows = unit(self.after if trained else self.before)
        scores = rows @ rows[self.words.index(word)]
        return [(self.words[at], float(scores[at])) for at in np.argsort(-scores, kind="stable")
                if self.words[at] != word][:n]


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def pairs(sentences: Sequence[Sequence[int]], window: int) -> np.ndarray:
    """int (n, 2): every word with each word at most `window` places away in its sentence."""
    found = [(word, sentence[other]) for sentence in sentences for at, word in enumerate(sentence)
             for other in range(max(0, at - window), min(len(sentence), at + window + 1)) if other != at]
    return np.array(found, np.int64).reshape(-1, 2)


def train(texts: Sequence[str], *, dim: int, window: int, epochs: int, negatives: int, seed: int, least: int,
          report: Report, seconds: float = SECONDS) -> Space:
    """Vectors for the words that occur at least `least` times. `texts` are sentences; an empty list gives no words.

    Training ends after `seconds`, wherever it is then; within them the same input gives the same vectors.
    """
    tokens = [counting.words(text) for text in texts]
    frequency = Counter(word for sentence in tokens for word in sentence)
    words = tuple(sorted((w for w, n in frequency.items() if n >= least), key=lambda w: (-frequency[w], w)))
    index = {word: at for at, word in enumerate(words)}
    found = pairs([[index[w] for w in sentence if w in index] for sentence in tokens], window)
    rng = np.random.default_rng(seed)
    rows = ((rng.random((len(words), dim), np.float32) - 0.5) / dim).astype(np.float32)
    before, context = rows.copy(), np.zeros_like(rows)
    if not len(found):
        return Space(words, before, rows, context, ())
    chance = np.array([frequency[word] for word in words], float) ** POWER
    edges = np.cumsum(chance / chance.sum())
    history = np.full((2, len(words)), 1e-3, np.float32)
    losses, total = [], epochs * -(-len(found) // BATCH)
    step, until = 0, time.monotonic() + seconds
    for _ in range(epochs):
        rng.shuffle(found)
        for start in range(0, len(found), BATCH):
            if step and time.monotonic() > until:  # a busy machine trains a little too
                break
            centre, other = found[start:start + BATCH].T
            drawn = np.minimum(np.searchsorted(edges, rng.random((len(centre), negatives))), len(words) - 1)
            losses.append(_step(rows, context, history, centre, np.concatenate([other[:, None], drawn], axis=1)))
            step += 1
            if step % 50 == 0:
                report(step / total, f"training: loss {np.mean(losses[-50:]):.2f}")
    part = max(1, total // (epochs * 10))
    return Space(words, before, rows, context,
                 tuple(float(np.mean(losses[at:at + part])) for at in range(0, len(losses), part)),
                 epochs * step / total)


def _step(rows: np.ndarray, context: np.ndarray, history: np.ndarray, centre: np.ndarray, others: np.ndarray) -> float:
    """One step on a batch: centre (b,), others (b, 1 + negatives), the true neighbour first. The mean loss."""
    u, v = rows[centre], context[others]
    scores = np.einsum("bd,bkd->bk", u, v)
    push = 1 / (1 + np.exp(-np.clip(scores, -30, 30)))
    loss = -np.log(np.maximum(push[:, 0], 1e-9)) - np.log(np.maximum(1 - push[:, 1:], 1e-9)).sum(axis=1)
    push[:, 0] -= 1
    _descend(rows, history[0], centre, np.einsum("bk,bkd->bd", push, v))
    _descend(context, history[1], others.ravel(), (push[..., None] * u[:, None]).reshape(-1, u.shape[1]))
    return float(loss.mean())


def _descend(rows: np.ndarray, history: np.ndarray, at: np.ndarray, slopes: np.ndarray) -> None:
    """Adagrad, one rate a row: slopes of the same row are summed first."""
    unique, where = np.unique(at, return_inverse=True)
    order = np.argsort(where, kind="stable")
    starts = np.searchsorted(where[order], np.arange(len(unique)))
    summed = np.add.reduceat(slopes[order], starts, axis=0)
    history[unique] += (summed ** 2).mean(axis=1)
    rows[unique] -= RATE * summed / np.sqrt(history[unique])[:, None]


def told_apart(space: Space, texts: Sequence[str], window: int, seed: int = 0) -> tuple[float, float]:
    """How often a true pair of neighbours scores above a random pair, (before, after); 0.5 is guessing."""
    index = {word: at for at, word in enumerate(space.words)}
    true = pairs([[index[w] for w in counting.words(text) if w in index] for text in texts], window)
    if not len(true):
        return 0.5, 0.5
    rng = np.random.default_rng(seed)
    false = np.stack([true[:, 0], rng.permutation(true[:, 1])], axis=1)  # like frequencies, other company
    def share(rows: np.ndarray, context: np.ndarray) -> float:
        good, bad = ((rows[p[:, 0]] * context[p[:, 1]]).sum(axis=1) for p in (true, false))
        return float(((good > bad) + 0.5 * (good == bad)).mean())
    return share(space.before, space.before), share(space.after, space.context)


@dataclass(frozen=True)
class Grammar:
    """classes {name: words} and sentence patterns by section; "" is the section before any [name]."""

    classes: dict[str, tuple[str, ...]]
    patterns: dict[str, tuple[str, ...]]

    def sentences(self, sections: Sequence[str], n: int, seed: int) -> list[str]:
        """n sentences of the named sections, patterns in turn, words drawn evenly."""
        rng = random.Random(seed)
        patterns = [pattern for name in sections for pattern in self.patterns.get(name, ())]
        return [re.sub(r"\{(\w+)\}", lambda m: rng.choice(self.classes[m[1]]), patterns[at % len(patterns)])
                for at in range(n)]


def grammar(text: str) -> Grammar:
    """Read a grammar: "# ..." is a remark, "[name]" opens a section, "name = words" is a class, else a pattern."""
    classes: dict[str, tuple[str, ...]] = {}
    patterns: dict[str, list[str]] = {}
    section = ""
    for line in (line.strip() for line in text.splitlines()):
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            section = line.strip("[]")
        elif " = " in line:
            name, words = line.split(" = ")
            classes[name] = tuple(words.split())
        else:
            patterns.setdefault(section, []).append(line)
    return Grammar(classes, {name: tuple(lines) for name, lines in patterns.items()})
