"""Read the public sets into two kinds of value: questions with a passage, and plain passages.

Every reader takes the data folder (one folder a set, see the model card for the licences) and gives
lists in a fixed order. A split name, "train", "calibrate" or "test", is a function of the item's
article alone, so no passage or question of a held-out article, nor its twin, can reach training.
Not covered: trec_dl20 and cranfield, which are for development only (see evaluate.py).
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

# Articles of SQuAD's part kept out of training.
SQUAD_TEST = ("Antibiotics", "IPod")
SQUAD_CALIBRATE = ("Montana",)


@dataclass(frozen=True)
class Question:
    """A question, the passage that answers it, and the answer strings found in the passage."""

    text: str
    title: str
    context: str
    answers: tuple[str, ...]
    source: str
    split: str


@dataclass(frozen=True)
class Passage:
    """A titled passage without a question."""

    title: str
    text: str
    source: str


def split_of(key: str) -> str:
    """The split of an article: 5 % calibrate, 5 % test, the rest train; a hash, so it never moves."""
    bucket = int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) % 20
    return {0: "calibrate", 1: "test"}.get(bucket, "train")


def sentences(text: str) -> list[str]:
    """Split prose at sentence ends; abbreviations of one or two letters do not end a sentence."""
    parts = re.split(r"(?<=[a-z0-9)\]\"'”][.!?])\s+(?=[A-Z0-9\"'“(])", " ".join(text.split()))
    return [p for p in parts if len(p) > 15]


def clean(text: str) -> str:
    """Undo the tokenised spacing of QED and of the lower-cased SQuAD sentences."""
    text = text.replace("``", '"').replace("''", '"').replace("-lrb-", "(").replace("-rrb-", ")")
    text = re.sub(r"\s+([,.;:!?%)\]])", r"\1", text)
    text = re.sub(r"([(\[$])\s+", r"\1", text)
    return re.sub(r"\s+('s|n't|'re|'ve)\b", r"\1", " ".join(text.split()))


def chunks(text: str, size: int = 560) -> list[str]:
    """Whole sentences packed to at most about `size` characters.

    560 characters are about 128 word pieces, the assistant's chunk: training sees what the stage meets.
    """
    found: list[str] = []
    for sentence in sentences(text) or [text]:
        if found and len(found[-1]) + len(sentence) < size:
            found[-1] += " " + sentence
        else:
            found.append(sentence[: size * 2])
    return found


def _chunk_for(question: str, answers: tuple[str, ...], text: str) -> str:
    """The chunk that holds an answer; of several, or where none does, the one that shares most words."""
    if len(text) < 700:
        return text
    words = set(question.lower().split())
    return max(
        chunks(text), key=lambda c: (any(a in c for a in answers), len(words & set(c.lower().split())))
    )


def question_key(text: str) -> str:
    """Letters and digits only: equal for the same question in different tokenisations."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def lines(path: Path) -> list[dict]:
    """The objects of a JSON-lines file."""
    with path.open(encoding="utf-8") as stored:
        return [json.loads(line) for line in stored if line.strip()]


def questions(data: Path) -> list[Question]:
    """QED-NQ, SQuAD paragraphs, PolicyQA and PubMedQA, with their splits."""
    found: list[Question] = []
    for row in lines(data / "qed_nq/qa-train.jsonl"):
        if row["type"] != "none":
            answers = tuple(clean(a) for a in row["answers"])
            found.append(
                Question(
                    row["question"],
                    row["title"],
                    _chunk_for(row["question"], answers, clean(row["context"])),
                    answers,
                    "qed",
                    split_of(row["title"]),
                )
            )
    for row in lines(data / "squad_v1_train_part/qa.jsonl"):
        split = (
            "test"
            if row["title"] in SQUAD_TEST
            else "calibrate"
            if row["title"] in SQUAD_CALIBRATE
            else "train"
        )
        found.append(
            Question(
                row["question"],
                row["title"].replace("_", " "),
                _chunk_for(row["question"], tuple(row["answers"]), row["context"]),
                tuple(row["answers"]),
                "squad",
                split,
            )
        )
    for row in lines(data / "policyqa/qa-dev.jsonl"):
        answers = tuple(" ".join(a.split()) for a in row["answers"])
        found.append(
            Question(
                row["question"],
                row["title"],
                _chunk_for(row["question"], answers, " ".join(row["context"].split())),
                answers,
                "policy",
                split_of(row["title"]),
            )
        )
    for row in lines(data / "pubmedqa/qa.jsonl"):
        found.append(
            Question(
                row["question"],
                "",
                _chunk_for(row["question"], (), " ".join(row["context"].split())),
                (),
                "pubmed",
                split_of(row["id"]),
            )
        )
    return found


def sentence_pairs(data: Path) -> list[Question]:
    """SQuAD question and sentence pairs, without those of the held-out articles."""
    held = {question_key(q.text) for q in questions(data) if q.source == "squad" and q.split != "train"}
    return [
        Question(clean(r["question"]), "", clean(r["sentence"]), (), "squad_sentence", "train")
        for r in lines(data / "squad_du_sentences/train-pairs.jsonl")
        if question_key(r["question"]) not in held
    ]


def multihop(data: Path) -> list[tuple[str, list[tuple[str, str]], list[tuple[str, str]]]]:
    """(question, supporting passages, distractors), each passage a (title, text)."""
    found = []
    for row in json.loads((data / "multihop/musique_train.json").read_text()):
        inside = {p["idx"]: (p["title"], p["paragraph_text"]) for p in row["paragraphs"]}
        distractors = [(p["title"], p["paragraph_text"]) for p in row["paragraphs"] if not p["is_supporting"]]
        for step in row["question_decomposition"]:
            if "#" not in step["question"]:
                found.append((step["question"], [inside[step["paragraph_support_idx"]]], distractors))
    for row in json.loads((data / "multihop/hotpotqa_train.json").read_text()):
        gold = {title for title, _ in row["supporting_facts"]}
        texts = [(title, "".join(parts).strip()) for title, parts in row["context"]]
        found.append(
            (row["question"], [t for t in texts if t[0] in gold], [t for t in texts if t[0] not in gold])
        )
    return found


def passages(data: Path) -> list[Passage]:
    """Titled passages of 2Wiki, MuSiQue and HotpotQA."""
    found = [
        Passage(r["title"], chunks(r["text"])[0], "2wiki")
        for r in json.loads((data / "multihop/2wikimultihopqa_corpus.json").read_text())
    ]
    found += [
        Passage(r["title"], chunks(r["text"])[0], "musique")
        for r in json.loads((data / "multihop/musique_train_corpus.json").read_text())
    ]
    found += [
        Passage(title, chunks("".join(parts).strip())[0], "hotpot")
        for title, parts in json.loads((data / "multihop/hotpotqa_train_corpus.json").read_text()).items()
    ]
    return found
