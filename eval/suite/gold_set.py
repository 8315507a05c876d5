"""Gold questions from JSON lines, and whether an answer holds their key facts.

A line: {"id", "kind", "question", "history"?, "answerable", "evidence": [{"document", "quote"}], "facts": [[wording,
...], ...], "forbidden": [...], "reference"}. All facts must be in a right answer, each in one of its wordings; no
forbidden claim may be. Wordings are compared in lower case, with blanks, quotes and hyphens made alike.
"""
from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_ALIKE = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "‑": "-", "–": "-", "—": "-", "−": "-", "\u00a0": " "})


@dataclass(frozen=True)
class Gold:
    """evidence: ((document's name, quote), ...); facts: ((wording, ...), ...)."""

    id: str
    kind: str
    question: str
    history: tuple[dict[str, str], ...]
    answerable: bool
    evidence: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, ...], ...]
    forbidden: tuple[str, ...]
    reference: str
    not_on: tuple[str, ...] = ()  # collections on which it is no fair question: "corpus", "lesson"


def load(path: str | Path) -> list[Gold]:
    """Every line of the file; ValueError lists all lines that cannot be read, with their numbers."""
    gold, wrong = [], []
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            gold.append(Gold(row["id"], row["kind"], row["question"], tuple(row.get("history", ())), row["answerable"],
                             tuple((e["document"], e["quote"]) for e in row.get("evidence", ())),
                             tuple(tuple(fact) for fact in row.get("facts", ())), tuple(row.get("forbidden", ())),
                             row.get("reference", ""), _not_on(row)))
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            wrong.append(f"{path}:{number}: {type(error).__name__} {error}")
    if wrong:
        raise ValueError("\n".join(wrong))
    return gold


def _not_on(row: dict) -> tuple[str, ...]:
    """The corpus answers some questions that the lesson leaves open; some were written for one of them only."""
    only = {"corpus": ("lesson",), "lesson": ("corpus",)}.get(row.get("only", ""), ())
    return (*only, *(("corpus",) if row.get("answerable_in_corpus") else ()))


def normal(text: str) -> str:
    """Lower case, one blank between words, plain quotes and hyphens, no Markdown marks or `[n]`."""
    text = re.sub(r"\[\d+\]|[*`$\\]", "", text.translate(_ALIKE)).lower()
    return re.sub(r"\s+([.,;])", r"\1", re.sub(r"\s+", " ", text)).strip()


def holds(fact: Iterable[str], text: str) -> bool:
    """Whether one wording of the fact stands in the text."""
    text = normal(text)
    return any(normal(wording) in text for wording in fact)


def right(gold: Gold, answer: str) -> bool:
    """All facts there, nothing forbidden. A question without facts has no right answer but a decline."""
    return bool(gold.facts) and all(holds(fact, answer) for fact in gold.facts) \
        and not any(holds([claim], answer) for claim in gold.forbidden)
