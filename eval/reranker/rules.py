"""Training groups made by rule: negation and antonym twins, number swaps, keywords, acronyms.

Each function takes a seeded random.Random and gives groups; the same seed gives the same groups.
"""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

from eval.reranker.groups import Group
from eval.reranker.sources import Passage, Question, sentences
from eval.reranker.vocabulary import ABILITIES, AROUND, KINDS, PARTS, PROPERTIES

STOP = set(
    """
    a an the is are was were be been of in on at to for by with from and or what which who whom whose
    when where why how do does did can could will would should has have had it its this that these those
    as
    """.split()  # noqa: SIM905 (a word list is read more easily so)
)
LIFT = 5.0  # twins share nearly all words, so the gold is lifted further over the cosine than elsewhere


def _words(text: str) -> set[str]:
    return {w for w in re.findall(r"[a-z]+", text.lower()) if w not in STOP}


def protected(gold: Path) -> list[set[str]]:
    """The content words of the hand-written pairs, which no rule-made group may come close to."""
    with gold.open(encoding="utf-8") as lines:
        return [_words(r["question"] + " " + r["satisfying"]) for r in map(json.loads, lines)]


def _names(kind: str) -> list[str]:
    return KINDS[kind].split(";") if ";" in KINDS[kind] else KINDS[kind].split()


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _property_pair(
    rng: random.Random, kind: str, name: str
) -> tuple[list[str], list[str], list[str], list[str]]:
    """(positive statements, negative statements, positive questions, negative questions) of one property."""
    word, opposite, prefixed = rng.choice(PROPERTIES)
    be = rng.choice(["is", "is", "was"])
    yes = [f"{name} {be} {word}", f"{name} {be} always {word}", f"{name} {be} known to be {word}"]
    no = [
        f"{name} {be} not {word}",
        f"{name} {be} never {word}",
        f"{name} {be} by no means {word}",
        f"{name} {be} anything but {word}",
        f"it {be} not true that {name} {be} {word}",
    ]
    no += [f"{name} {be} {opposite}"] * 2 if opposite else []
    no += [f"{name} {be} {prefixed}"] * 3 if prefixed else []
    ask = [
        f"which {kind} is {word}?",
        f"which of them is {word}?",
        f"is there a {kind} that is {word}",
        f"{word} {kind}",
        f"what {kind} is {word}?",
    ]
    ask_not = [
        f"which {kind} is not {word}?",
        f"which {kind} isn't {word}?",
        f"a {kind} that is not {word}",
        f"{kind} that is never {word}",
        f"not {word} {kind}",
        f"which of them is not {word}?",
        f"what {kind} is not {word}?",
    ]
    ask_not += [f"which {kind} is {o}?" for o in (opposite, prefixed) if o]
    return yes, no, ask, ask_not


def _ability_pair(
    rng: random.Random, kind: str, name: str
) -> tuple[list[str], list[str], list[str], list[str]]:
    verb, verbs = rng.choice(ABILITIES)
    yes = [f"{name} {verbs}", f"{name} can {verb}", f"{name} always {verbs}", f"{name} does {verb}"]
    no = [
        f"{name} does not {verb}",
        f"{name} doesn't {verb}",
        f"{name} never {verbs}",
        f"{name} fails to {verb}",
        f"{name} cannot {verb}",
        f"{name} hardly ever {verbs}",
        f"{name} refuses to {verb}",
    ]
    ask = [
        f"which {kind} {verbs}?",
        f"a {kind} that can {verb}",
        f"what {kind} does {verb}?",
        f"{kind} {verbs}",
    ]
    ask_not = [
        f"which {kind} does not {verb}?",
        f"which {kind} never {verbs}?",
        f"a {kind} that fails to {verb}",
        f"what {kind} cannot {verb}?",
        f"{kind} that doesn't {verb}",
    ]
    return yes, no, ask, ask_not


def _part_pair(rng: random.Random, kind: str, name: str) -> tuple[list[str], list[str], list[str], list[str]]:
    part = rng.choice(PARTS)
    bare = re.sub(r"^an? ", "", part)
    yes = [
        f"{name} comes with {part}",
        f"{name} has {part}",
        f"there is {part} in {name}",
        f"{name} needs {part}",
    ]
    no = [
        f"{name} comes without {part}",
        f"{name} has no {bare}",
        f"{name} lacks {part}",
        f"{name} is free of {bare}",
        f"there is no {bare} in {name}",
        f"{name} works without {part}",
        f"{name} has everything except {part}",
    ]
    ask = [
        f"which {kind} has {part}?",
        f"a {kind} with {part}",
        f"{kind} with {bare}",
        f"which {kind} includes {part}?",
    ]
    ask_not = [
        f"which {kind} has no {bare}?",
        f"a {kind} without {part}",
        f"{kind} without {bare}",
        f"which {kind} lacks {part}?",
        f"which {kind} does not have {part}?",
    ]
    return yes, no, ask, ask_not


def negation_groups(rng: random.Random, n: int, avoid: list[set[str]]) -> list[Group]:
    """n groups in pairs: the same texts asked both ways round. The twin is the hardest negative."""
    made: list[Group] = []
    while len(made) < n:
        kind = rng.choice(list(KINDS))
        name = rng.choice([*_names(kind), f"the {kind}", f"the {kind}", f"this {kind}"])
        yes, no, ask, ask_not = rng.choice((_property_pair, _ability_pair, _part_pair))(rng, kind, name)
        before, after = rng.choice([(rng.choice(AROUND), ""), ("", rng.choice(AROUND))])
        good, bad = (f"{before} {_sentence(rng.choice(s))} {after}".strip() for s in (yes, no))
        if any(len(_words(ask_not[0] + " " + bad) & pair) >= 3 for pair in avoid):
            continue
        names = _names(kind)
        if name in names and rng.random() < 0.4:  # two things of a kind, of which one has the property
            second = rng.choice(names)
            bad = bad.replace(name, second).replace(_sentence(name)[:-1], _sentence(second)[:-1])
        other = rng.choice(list(KINDS))
        y, z, *_ = _part_pair(rng, other, rng.choice(_names(other)))
        off = _sentence(rng.choice(y + z))
        case = (lambda q: q[0].upper() + q[1:]) if rng.random() < 0.5 else (lambda q: q)
        made.append(Group(case(rng.choice(ask)), (good, bad, off), (1, 0, 0), "negation_rule", LIFT))
        made.append(Group(case(rng.choice(ask_not)), (bad, good, off), (1, 0, 0), "negation_rule", LIFT))
    return made[:n]


def number_groups(rng: random.Random, found: list[Question], n: int) -> list[Group]:
    """The answering sentence against itself with another number, for questions that name a number or year."""
    made: list[Group] = []
    for q in rng.sample(found, len(found)):
        if len(made) >= n:
            break
        numbers = set(re.findall(r"\d{2,4}", q.text))
        best = [
            s
            for s in sentences(q.context)
            if numbers and numbers & set(re.findall(r"\d{2,4}", s)) and any(a in s for a in q.answers)
        ]
        if best:
            number = rng.choice(sorted(numbers & set(re.findall(r"\d{2,4}", best[0]))))
            low = 10 ** (len(number) - 1)
            other = str(max(low, int(number) + rng.choice([-30, -7, -3, -1, 1, 2, 5, 12, 40])))
            made.append(
                Group(q.text, (best[0], re.sub(rf"\b{number}\b", other, best[0])), (1, 0), "number", LIFT)
            )
    return [g for g in made if g.texts[0] != g.texts[1]]


def keywords(question: str) -> str:
    """The question's content words in their order, as typed into a search box."""
    return " ".join(w for w in re.findall(r"[\w'-]+", question) if w.lower() not in STOP)


def acronym_groups(rng: random.Random, found: list[Passage | Question], n: int) -> list[Group]:
    """ "What does XYZ stand for", "XYZ" against the sentence that spells the acronym out."""
    made: list[Group] = []
    pool: dict[str, tuple[str, str]] = {}
    for item in found:
        text = item.text if isinstance(item, Passage) else item.context
        for s in sentences(text):
            for short in re.findall(r"\(([A-Z][A-Za-z-]{1,5}[A-Z])\)", s):
                pool.setdefault(short, (s, text))
    names = sorted(pool)
    rng.shuffle(names)
    for short in names[:n]:
        gold, passage = pool[short]
        others = [s for s in sentences(passage) if s != gold][:2] + [
            pool[x][0] for x in rng.sample(names, 3) if x != short
        ][:2]
        ask = rng.choice(
            [
                f"What is {short}?",
                f"what does {short} stand for",
                short,
                f"{short} meaning",
                f"define {short}",
                f"What does the abbreviation {short} mean?",
                short.lower(),
            ]
        )
        made.append(Group(ask, (gold, *others), (1, *[0] * len(others)), "acronym", 3.0))
    return made
