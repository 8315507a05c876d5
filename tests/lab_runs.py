"""Demos of the Lab run once for several tests."""
from __future__ import annotations

from functools import cache

from assistant import Assistant
from assistant.lab import Result, get


@cache
def _run(rag: Assistant, name: str, values: tuple[tuple[str, object], ...]) -> Result:
    return get(name).run(dict(values), rag)


def run(rag: Assistant, name: str, **values: object) -> Result:
    """The result of a demo, kept for the same values."""
    return _run(rag, name, tuple(sorted(values.items())))
