"""Read the negation and contradiction sets into twins: a query, a text that satisfies it, its edit that violates it.

Held out: the dev part of CAD-NLI, every tenth group of ScoNe, and by a hash 5 % of each of the other two. No twin is
ever filtered out as too similar: that is the point of it.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from eval.reranker.sources import lines, sentences, split_of

# ScoNe comes as groups of minimal edits of one sentence pair; every tenth group is held out.
SCONE_HELD_OUT_EVERY = 10


@dataclass(frozen=True)
class Twin:
    """A claim or question with a text that satisfies it and its minimal edit that violates it."""

    query: str
    satisfying: str
    violating: str
    source: str
    split: str


def _cad(data: Path, split: str) -> list[Twin]:
    by_hypothesis: dict[str, dict[str, list[str]]] = {}
    by_premise: dict[str, dict[str, list[str]]] = {}
    for part in ("original", "revised_premise", "revised_hypothesis"):
        for line in (data / f"cad_nli/{part}/{split}.tsv").read_text(encoding="utf-8").splitlines()[1:]:
            premise, hypothesis, label = line.split("\t")
            if part != "revised_hypothesis":
                by_hypothesis.setdefault(hypothesis, {}).setdefault(label, []).append(premise)
            if part != "revised_premise":
                by_premise.setdefault(premise, {}).setdefault(label, []).append(hypothesis)
    name = "train" if split == "train" else "test"
    twins = [
        Twin(h, good, bad, "cad_nli", name)
        for h, by in by_hypothesis.items()
        for good in by.get("entailment", [])
        for bad in by.get("contradiction", [])
    ]
    # The premise as the query: which of two claims follows from it.
    twins += [
        Twin(p, good, bad, "cad_nli", name)
        for p, by in by_premise.items()
        for good in by.get("entailment", [])
        for bad in by.get("contradiction", [])
    ]
    return twins


def _scone(data: Path) -> list[Twin]:
    def rows(name: str) -> list[dict]:
        with (data / f"scone/train/{name}.csv").open(encoding="utf-8", newline="") as stored:
            return list(csv.DictReader(stored))

    twins = []
    for plain, negated in zip(rows("no_negation"), rows("one_scoped"), strict=True):
        split = "train" if int(plain["group_index"]) % SCONE_HELD_OUT_EVERY else "test"
        with_not, without = negated["sentence1"], plain["sentence1_edited"]
        if with_not == without:
            continue
        twins.append(
            Twin(
                with_not,
                negated["sentence2"] if negated["gold_label"] == "entailment" else with_not,
                without,
                "scone",
                split,
            )
        )
        claim = plain["sentence2_edited"] if plain["gold_label_edited"] == "entailment" else without
        twins.append(Twin(claim, without, with_not, "scone", split))
    return twins


def _negation_nli(data: Path) -> list[Twin]:
    twins = []
    for name in ("RTE", "SNLI"):
        rows = [
            line.split("\t")
            for line in (data / f"negation_nli/{name}.txt")
            .read_text(encoding="cp1252", errors="replace")
            .splitlines()[1:]
        ]
        for at in range(0, len(rows) - 2, 3):  # three versions of one pair follow each other
            triple = [r for r in rows[at : at + 3] if len(r) == 4]
            good = [r for r in triple if r[3] == "entailment"]
            for row in good:
                bad = [r for r in triple if r[2] == row[2] and r[1] != row[1] and r[3] != "entailment"]
                twins += [Twin(row[2], row[1], b[1], "negation_nli", split_of(row[2])) for b in bad]
    return twins


def _condaqa(data: Path) -> list[Twin]:
    by_question: dict[tuple[int, str], list[dict]] = {}
    for row in lines(data / "condaqa/condaqa_dev.json"):
        by_question.setdefault((row["PassageID"], row["sentence2"]), []).append(row)
    twins = []
    for (passage, question), rows in by_question.items():
        for good in rows:
            for bad in rows:
                if good["label"] == "YES" and bad["label"] == "NO" and good["sentence1"] != bad["sentence1"]:
                    twins.append(
                        Twin(
                            question,
                            *_differing(good["sentence1"], bad["sentence1"]),
                            "condaqa",
                            split_of(f"condaqa{passage}"),
                        )
                    )
    return [t for t in twins if t.satisfying != t.violating]


def _differing(one: str, other: str) -> tuple[str, str]:
    """The sentences in which two versions of a passage differ, and the sentence before them."""
    a, b = sentences(one), sentences(other)
    start = 0
    while start < min(len(a), len(b)) - 1 and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start - 1 and a[-1 - end] == b[-1 - end]:
        end += 1
    start = max(0, start - 1)
    return " ".join(a[start : len(a) - end]), " ".join(b[start : len(b) - end])


def twins(data: Path) -> list[Twin]:
    """Negation and contradiction twins of the four sets."""
    return _cad(data, "train") + _cad(data, "dev") + _scone(data) + _negation_nli(data) + _condaqa(data)
