"""Pure functions over a Trace: stages timed, records to JSON and back."""
from __future__ import annotations

import dataclasses
import time
import types
import typing
from collections.abc import Iterator
from contextlib import contextmanager

from assistant.records import Span, Trace

LAYOUT = 1  # raised when a stored trace's keys change their meaning


class Stopwatch:
    """Times stages from its own start. `with watch.stage("dense", n_in=1) as out: ...; out.n = 20`."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self.spans: list[Span] = []

    @contextmanager
    def stage(self, name: str, n_in: int) -> Iterator[_Count]:
        out, began = _Count(), time.perf_counter()
        try:
            yield out
        finally:
            ended = time.perf_counter()
            self.spans.append(Span(name, (began - self._start) * 1000, (ended - began) * 1000, n_in, out.n))


@dataclasses.dataclass
class _Count:
    n: int = 0


def to_json(record: object) -> dict:
    """A record as JSON values; a Trace carries its `layout` number."""
    body = dataclasses.asdict(record)
    return {"layout": LAYOUT, **body} if isinstance(record, Trace) else body


def from_json(body: dict) -> Trace:
    """The Trace that `to_json` wrote, equal to the original."""
    return _build(Trace, {key: value for key, value in body.items() if key != "layout"})


def _build(kind: object, value: object) -> object:
    """`value` (from JSON) as the annotated type: dataclasses, tuples and optionals of them are rebuilt."""
    if value is None:
        return None
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{name: _build(hints[name], item) for name, item in value.items()})
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        inner = args[0] if args and args[-1] is Ellipsis else None
        return tuple(_build(inner or args[at], item) for at, item in enumerate(value))
    if origin in (typing.Union, types.UnionType):
        return _build(next(arg for arg in args if arg is not type(None)), value)
    return value
