"""What a result says of one question, and a suite's numbers made of its questions: plain values, ready for JSON."""
from __future__ import annotations

from collections.abc import Iterable, Mapping

from eval.suite.gold_lines import SPLITS
from eval.suite.metrics import Count
from eval.suite.statistics import interval


def row(id: str, kind: str, split: str, group: str, question: str, counts: Mapping[str, Count], *, error: str = "",
        **extra: object) -> dict:
    """One question's row; `error` is there only where it crashed."""
    made = {"id": id, "kind": kind, "split": split, "group": group, "question": question,
            "counts": {name: [rounded(c.part), rounded(c.whole)] for name, c in counts.items()}, **extra}
    return {**made, "error": error} if error else made


def summary(rows: list[dict]) -> dict:
    """The suite's metrics by split, counts by split and kind, and the questions."""
    names = list(dict.fromkeys(name for row in rows for name in row["counts"]))
    metrics = {split: cells([row for row in rows if split in (row["split"], "all")], names)
               for split in (*SPLITS, "all")}
    kinds: dict[str, dict] = {}
    for row in rows:
        for name, (part, whole) in row["counts"].items():
            cell = kinds.setdefault(row["split"], {}).setdefault(row["kind"], {}).setdefault(name, [0.0, 0.0])
            cell[:] = [rounded(cell[0] + part), rounded(cell[1] + whole)]
    return {"metrics": metrics, "kinds": kinds, "questions": rows,
            "crashed": [row["id"] for row in rows if "error" in row]}


def cells(rows: list[dict], names: Iterable[str]) -> dict[str, dict]:
    """{metric: {"value", "low", "high", "n"}} over the rows; None for what no row counts towards."""
    groups = {row["id"]: row["group"] for row in rows}
    made = {}
    for name in names:
        found = interval({row["id"]: Count(*row["counts"][name]) for row in rows if name in row["counts"]}, groups,
                         name)
        made[name] = {"value": rounded(found.value), "low": rounded(found.low), "high": rounded(found.high),
                      "n": found.n}
    return made


def rounded(value: float | None) -> float | None:
    """Six digits after the point: what a float's last bits do must not make two runs differ."""
    return None if value is None else round(float(value), 6)
