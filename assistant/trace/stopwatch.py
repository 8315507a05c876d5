"""Times the stages of one question."""
from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import contextmanager

from assistant.records import Span


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


def total_ms(spans: tuple[Span, ...]) -> float:
    """Milliseconds from the question's start to the end of the last timed stage; 0.0 without one."""
    return max((span.start_ms + span.duration_ms for span in spans), default=0.0)
