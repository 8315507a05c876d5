"""The suite `failures`: what the Lab's demos of chapter 7 measure on their fixed pairs, the problem and its fix.

Each number is the mean of one outcome a pair, and has a row for each pair, so that it has an interval and two runs are
compared pair by pair. With twelve pairs or fewer an interval says little: where all agree it has no width.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence

from assistant import Assistant
from assistant.lab import Demo, demos
from assistant.lab.demo import means
from eval.suite.metrics import Count
from eval.suite.rows import rounded, row, summary

CHAPTER = 7


def measuring() -> list[Demo]:
    """The demos that measure something."""
    return [demo for demo in demos() if demo.measure is not None]


def measured(rag: Assistant, chosen: Sequence[Demo] | None = None, done: Callable[[], None] = lambda: None) -> dict:
    """`eval.suite.rows.summary` of the pairs, with "demos" {name: {"values", "roles"} or {"error"}} and "not_measured".

    A demo that crashes is listed under "crashed" and has no number. chosen: the demos to look at, all by default.
    done: called after each that measures something.
    """
    chosen = demos() if chosen is None else chosen
    rows: list[dict] = []
    said: dict[str, dict] = {}
    for demo in chosen:
        if demo.measure is None:
            continue
        try:
            outcomes = demo.measure(rag)
            said[demo.name] = {"values": {name: rounded(value) for name, value in means(outcomes).items()},
                               "roles": {name: demo.roles[name] for name in outcomes}}
        except Exception as error:
            said[demo.name] = {"error": f"{type(error).__name__}: {error}"}
            continue
        finally:
            done()
        for at in range(max(map(len, outcomes.values()))):
            key = f"{demo.name}.{at + 1:02}"
            counts = {f"{demo.name}.{name}": Count(values[at]) for name, values in outcomes.items() if at < len(values)}
            rows.append(row(key, demo.name, "open", key, f"{demo.title}, pair {at + 1}", counts))
    made = summary(rows)
    made["crashed"] = [name for name, found in said.items() if "error" in found]
    return {**made, "demos": said,
            "not_measured": [d.name for d in chosen if d.chapter == CHAPTER and d.measure is None]}
