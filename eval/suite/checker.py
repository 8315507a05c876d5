"""The sentence checker's own error, on 100 sentences that a person labelled: eval/gold/support.jsonl.

Citation recall and precision rest on assistant.answer.verify's check, which is no person. So it is asked about
sentences whose truth is known, and its precision (of the sentences that it passed, those that the passage does say),
recall (of those that the passage says, those that it passed), `false_passed` (of those that it does not say, those that
it passed) and error (wrong verdicts of all) stand beside them. It is strict on purpose: what it refuses is shown as a
quotation, so a low recall costs style, while a false sentence that passes costs truth. Half of the sentences are false,
made from the passage to be hard to tell; a model's own are false less often, so that its precision is higher there.

A line: {"id", "question", "evidence": [{"document", "heading", "quote"}], "sentence", "supported", "why", "written"};
eval/gold/README.md says how they were made.
"""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from assistant.records import Evidence
from eval.suite.asking import supports
from eval.suite.cases import GoldError
from eval.suite.metrics import Count
from eval.suite.rows import cells, row

FILE = Path(__file__).resolve().parents[1] / "gold" / "support.jsonl"
METRICS = ("precision", "recall", "false_passed", "error")
MARK = {True: "passed", False: "refused"}


@dataclass(frozen=True)
class Labelled:
    """A sentence and whether the evidence says it. why: one word, such as entailed, paraphrase, number, order."""

    id: str
    question: str
    evidence: tuple[Evidence, ...]
    sentence: str
    supported: bool
    why: str


def load(path: Path = FILE) -> list[Labelled]:
    """Every line; GoldError names each that cannot be read, with file and line."""
    made, wrong = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not isinstance(row["supported"], bool) or not row["evidence"]:
                raise ValueError("supported must be true or false, and evidence must not be empty")
            evidence = tuple(Evidence(n, item["document"], item["document"], item["heading"],
                                      ((0, len(item["quote"])),), item["quote"], None)
                             for n, item in enumerate(row["evidence"], 1))
            made.append(Labelled(row["id"], row["question"], evidence, row["sentence"], row["supported"], row["why"]))
        except (ValueError, KeyError, TypeError) as error:
            wrong.append(f"{path}:{number}: {type(error).__name__} {error}")
    if wrong or not made:
        raise GoldError("\n".join(wrong) or f"{path}: it holds no sentence")
    return made


def measured(path: Path = FILE) -> dict:
    """{"metrics": {"precision", "recall", "false_passed", "error": cells}, "kinds": {why: [right verdicts, sentences]},
    "wrong": [{"id", "why", "verdict", "sentence"}], "n": sentences}.

    The cited passages are read as one, as in eval.suite.asking.answer_counts.
    """
    rows, kinds, wrong = [], {}, []
    for item in load(path):
        passed = supports(item.sentence, tuple(e.marker for e in item.evidence), item.question, item.evidence)
        right = passed == item.supported
        counts = {"precision": Count(float(passed and item.supported), float(passed)),
                  "recall": Count(float(passed and item.supported), float(item.supported)),
                  "false_passed": Count(float(passed and not item.supported), float(not item.supported)),
                  "error": Count(float(not right))}
        rows.append(row(item.id, item.why, "open", item.id, item.sentence, counts))
        cell = kinds.setdefault(item.why, [0, 0])
        cell[:] = [cell[0] + right, cell[1] + 1]
        if not right:
            wrong.append({"id": item.id, "why": item.why, "verdict": MARK[passed], "sentence": item.sentence})
    return {"metrics": cells(rows, METRICS), "kinds": kinds, "wrong": wrong, "n": len(rows)}
