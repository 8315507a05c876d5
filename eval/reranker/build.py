"""Data folder to training groups.

Hard negatives are mined by the bi-encoder and by BM25 among passages of the training split, so nothing of a
held-out article is seen, not even as a negative. Nothing here filters out a twin as too similar.
"""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from eval.reranker import asked, rules, sources, structured, twins, unanswerable, written
from eval.reranker.groups import Group
from eval.reranker.reworded import reworded_groups
from eval.reranker.sources import Passage, Question, sentences, split_of
from eval.reranker.vectors import Bm25, Vectors

FIELD = "search.jsonl"  # of the written documents: the default corpus's field
ANSWERS = 0.0  # the shipped reranker's logit from which on a text may answer; at a cosine of 0.5 a probability of 0.24


@dataclass(frozen=True)
class Pool:
    """The passages of one split with their vectors; `owner` is the title, which marks siblings."""

    texts: list[str]
    owner: list[str]
    vectors: np.ndarray
    bm25: Bm25


def _pool(found: list[Question], plain: list[Passage], vectors: Vectors) -> Pool:
    seen: dict[str, str] = {}
    for title, text in [(q.title, q.context) for q in found] + [(p.title, p.text) for p in plain]:
        seen.setdefault(text, title)
    texts = list(seen)
    return Pool(texts, list(seen.values()), vectors(texts), Bm25(texts))


def _titled(title: str, text: str, mark: str) -> str:
    return f"{title}{mark}{text}" if title and mark else text


def _without(answers: tuple[str, ...], context: str) -> str | None:
    """The passage with the sentences that hold an answer taken out; None where too little is left."""
    if not answers:
        return None
    parts = sentences(context)
    left = [s for s in parts if not any(a.lower() in s.lower() for a in answers)]
    return " ".join(left) if left and len(left) < len(parts) and len(" ".join(left)) > 60 else None


def _mined(
    rng: random.Random, pool: Pool, at: Question, vector: np.ndarray
) -> tuple[list[int], list[int], list[int]]:
    """(hard by cosine, hard by BM25, middling) positions in the pool, without the gold or its answers."""

    def usable(i: int) -> bool:
        text = pool.texts[i].lower()
        return pool.texts[i] != at.context and not any(len(a) > 2 and a.lower() in text for a in at.answers)

    near = np.argsort(-(pool.vectors @ vector))[:200]
    hard = [int(i) for i in near[:25] if usable(int(i))]
    scores = pool.bm25.scores(at.text)
    lexical = [int(i) for i in np.argsort(-scores)[:12] if scores[i] > 0 and usable(int(i))]
    return hard, lexical, [int(i) for i in near[60:]]


def question_groups(rng: random.Random, found: list[Question], pool: Pool, vectors: Vectors) -> list[Group]:
    """Three groups a question at most: whole passages, single sentences, and both beside each other."""
    made: list[Group] = []
    asked = vectors([q.text for q in found])
    for q, vector in zip(found, asked, strict=True):
        hard, lexical, middling = _mined(rng, pool, q, vector)
        if not hard:
            continue
        mark = rng.choice(("", "", "\n", "\n", ": "))

        def show(i: int, mark=mark) -> str:
            return _titled(pool.owner[i], pool.texts[i], mark)

        query = rules.keywords(q.text) if rng.random() < 0.15 else q.text
        query = query or q.text
        top = rng.sample(hard[:8], min(2, len(hard[:8])))
        extra = [i for i in lexical if i not in top][:2]
        picked = top + extra[:1] + [rng.choice(middling), rng.randrange(len(pool.texts))]
        removed = _without(q.answers, q.context)
        texts = [_titled(q.title, q.context, mark)] + [
            show(i) for i in dict.fromkeys(picked) if pool.texts[i] != q.context
        ]
        if removed and rng.random() < 0.7:
            texts.insert(1, _titled(q.title, removed, mark))
        texts = texts[:6]
        made.append(Group(query, tuple(texts), (1, *[0] * (len(texts) - 1)), f"passage_{q.source}", 3.0))
        made += _sentence_groups(rng, q, query, mark, removed, pool, hard)
    return made


def _sentence_groups(
    rng, q: Question, query: str, mark: str, removed: str | None, pool: Pool, hard: list[int]
) -> list[Group]:
    parts = sentences(q.context)
    holding = [i for i, s in enumerate(parts) if any(a.lower() in s.lower() for a in q.answers)]
    if not holding or len(parts) < 3:
        return []
    words = rules._words(q.text)
    best = max(holding, key=lambda i: len(words & rules._words(parts[i])))
    rest = sorted(
        (i for i in range(len(parts)) if i not in holding), key=lambda i: -len(words & rules._words(parts[i]))
    )[:3]
    if rng.random() < 0.15 and best + 1 < len(parts):  # a two-sentence window
        gold = f"{parts[best]} {parts[best + 1]}"
        rest = [i for i in rest if i != best + 1]
    else:
        gold = parts[best]
    gold = _titled(q.title, gold, mark)
    other = rng.choice(hard[:5])
    foreign = max(
        sentences(pool.texts[other]) or [pool.texts[other][:200]], key=lambda s: len(words & rules._words(s))
    )
    far = rng.randrange(len(pool.texts))
    texts = [gold] + [_titled(q.title, parts[i], mark) for i in rest]
    texts += [
        _titled(pool.owner[other], foreign, mark),
        _titled(pool.owner[far], (sentences(pool.texts[far]) or [pool.texts[far][:200]])[0], mark),
    ]
    made = [Group(query, tuple(texts), (1, *[0] * (len(texts) - 1)), f"sentence_{q.source}", 3.0)]
    if removed and rng.random() < 0.25:
        mixed = (_titled(q.title, q.context, mark), gold, _titled(q.title, removed, mark), *texts[1:3])
        made.append(Group(query, mixed, (1, 1, *[0] * (len(mixed) - 2)), "mixed", 3.0))
    return made


def pair_groups(rng: random.Random, pairs: list[Question], vectors: Vectors) -> list[Group]:
    """Lower-cased question and sentence pairs against sentences mined by cosine and at random."""
    texts = list(dict.fromkeys(q.context for q in pairs))
    matrix, asked = vectors(texts), vectors([q.text for q in pairs])
    made = []
    for q, vector in zip(pairs, asked, strict=True):
        # The first few may answer as well: neighbours in the same article often do; the first is skipped.
        near = [int(i) for i in np.argsort(-(matrix @ vector))[:12] if texts[int(i)] != q.context]
        picked = [*rng.sample(near[1:], 3), rng.randrange(len(texts))]
        made.append(
            Group(q.text, (q.context, *(texts[i] for i in picked)), (1, 0, 0, 0, 0), "sentence_squad2", 3.0)
        )
    return made


def title_groups(rng: random.Random, plain: list[Passage], pool: Pool, vectors: Vectors) -> list[Group]:
    """Definitions and title to passage: the first sentence defines, later ones only mention."""
    made = []
    asked = vectors([p.title for p in plain])
    for p, vector in zip(plain, asked, strict=True):
        parts = sentences(p.text)
        near = [int(i) for i in np.argsort(-(pool.vectors @ vector))[:10] if pool.owner[int(i)] != p.title]
        if not parts or len(near) < 4:
            continue
        picked = rng.sample(near, 3)
        who = " was born" in parts[0] or "(born" in parts[0]
        ask = rng.choice(
            [
                f"What is {p.title}?",
                f"what is {p.title}",
                p.title,
                p.title.lower(),
                f"{p.title} definition",
                f"define {p.title}",
                f"tell me about {p.title}",
            ]
            if not who
            else [f"Who is {p.title}?", f"who was {p.title}", p.title, p.title.lower()]
        )
        if rng.random() < 0.6:
            later = [f"{p.title}: {s}" for s in parts[1:3]]
            texts = [parts[0], *later] + [
                (sentences(pool.texts[i]) or [pool.texts[i][:200]])[0] for i in picked[:2]
            ]
        else:
            texts = [p.text] + [pool.texts[i] for i in picked]
        made.append(Group(ask, tuple(texts), (1, *[0] * (len(texts) - 1)), "title", 2.0))
    return made


def distil_groups(
    rng: random.Random, plain: list[Passage], pool: Pool, vectors: Vectors, n: int
) -> list[Group]:
    """No labels: a sentence taken out of its passage, against the rest of it and against near passages."""
    some = [p for p in plain if len(sentences(p.text)) >= 3]
    some = rng.sample(some, min(n, len(some)))
    taken = [rng.choice(sentences(p.text)) for p in some]
    made = []
    for p, s, vector in zip(some, taken, vectors(taken), strict=True):
        near = [int(i) for i in np.argsort(-(pool.vectors @ vector))[:40]]
        rest = p.text.replace(s, " ").strip()
        query = rules.keywords(s)[:120] if rng.random() < 0.4 else s
        texts = [rest] + [
            pool.texts[i]
            for i in (
                near[1],
                near[rng.randint(2, 8)],
                near[rng.randint(9, 39)],
                rng.randrange(len(pool.texts)),
            )
            if pool.texts[i] != p.text
        ]
        made.append(Group(query, tuple(texts), (-1,) * len(texts), "distil", 0.0))
    return made


def multihop_groups(rng: random.Random, data: Path) -> list[Group]:
    made = []
    for question, gold, distractors in sources.multihop(data):
        mark = rng.choice(("", "\n"))
        texts = [_titled(*rng.choice(gold), mark)] + [
            _titled(*d, mark) for d in rng.sample(distractors, min(4, len(distractors)))
        ]
        made.append(Group(question, tuple(texts), (1, *[0] * (len(texts) - 1)), "multihop", 3.0))
    return made


def twin_groups(rng: random.Random, split: str, data: Path) -> list[Group]:
    made = []
    for t in twins.twins(data):
        if t.split == split:
            made.append(Group(t.query, (t.satisfying, t.violating), (1, 0), f"twin_{t.source}", rules.LIFT))
    rng.shuffle(made)
    return made


def written_kinds(rng: random.Random, vectors: Vectors) -> list[Group]:
    """The groups of the written documents; those on search and language technology, the field of the default corpus,
    as kinds of their own ("search_written" and so on), so that they can be given a share of their own."""
    every = written.documents()
    field = {d.title for d in written.documents(files=FIELD)}
    made = []
    for at_home in (False, True):
        some = [d for d in every if (d.title in field) == at_home]
        groups = written.written_groups(rng, some, vectors, _may_answer()) + asked.asked_groups(rng, some)
        made += [replace(g, kind=f"search_{g.kind}") for g in groups] if at_home else groups
    return made


def _may_answer() -> Callable[[str, str], bool]:
    """The shipped reranker's opinion. Negatives that a cross-encoder takes for answers are left out, since many of
    them are (RocketQA: Qu et al., NAACL 2021)."""
    from assistant.backends.cross_encoder import EmbeddedCrossEncoder

    reranker = EmbeddedCrossEncoder()
    return lambda question, text: float(reranker.logits(question, [text])[0]) > ANSWERS


def build(data: Path, gold: Path, work: Path, seed: int = 0) -> Path:
    """Write work/train.pickle, a list of Group, and return its path.

    gold: eval/gold/negation50.jsonl, which the rule-made twins keep away from.
    """
    rng = random.Random(seed)
    vectors = Vectors(work / "vectors.npz")
    mine = [q for q in sources.questions(data) if q.split == "train"]
    own = [p for p in sources.passages(data) if split_of(p.title) == "train"]
    pool = _pool(mine, own, vectors)
    vectors.save()
    print(f"{len(mine)} questions, {len(pool.texts)} passages", flush=True)
    made = question_groups(rng, mine, pool, vectors) + twin_groups(rng, "train", data)
    made += title_groups(rng, own, pool, vectors)
    made += pair_groups(rng, sources.sentence_pairs(data), vectors)
    made += distil_groups(rng, own, pool, vectors, 3000) + multihop_groups(rng, data)
    made += rules.negation_groups(rng, 6000, rules.protected(gold))
    made += rules.number_groups(rng, mine, 800) + rules.acronym_groups(rng, [*own, *mine], 1500)
    made += structured.table_groups(rng, 2000) + structured.code_groups(rng, 2000)
    made += unanswerable.without_gold(rng, made, 0.12) + unanswerable.swapped(rng, made, 0.35)
    made += reworded_groups(rng, made, vectors, 8000)
    made += asked.squad_groups(rng, mine) + written_kinds(rng, vectors)
    made = [g for g in made if len(g.texts) > 1]
    vectors.save()
    with (work / "train.pickle").open("wb") as out:
        pickle.dump(made, out)
    return work / "train.pickle"
