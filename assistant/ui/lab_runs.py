"""A demo at work in a thread of its own: progress to follow, a stop that its next report of progress obeys."""
from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Mapping
from typing import Any

from assistant.errors import GlassboxError
from assistant.lab import Demo, Result
from assistant.pipeline import Assistant
from assistant.ui.jobs import failure
from assistant.ui.theme import SANS
from assistant.ui.work import Work

RUNNING = 2       # demos computed at a time, over all windows; the machine that this is sized for has two cores
SLOW_SECONDS = 1  # from which a quick demo is not quick; a follower wakes this often
_slots = threading.Semaphore(RUNNING)


class Stopped(Exception):
    """Raised inside a demo by its own report of progress, once the stop was pressed."""


class Run(Work):
    """One run of a demo.

    share 0..1 and what say how far it is; at the end either `result` with its `figure` and that one's `title`, or
    `error` in one line, or neither where it was stopped. seconds is the time from the start to the end.
    """

    idle_seconds = SLOW_SECONDS

    def __init__(self, demo: Demo, values: Mapping[str, object], rag: Assistant) -> None:
        super().__init__()
        self._made = time.monotonic()
        self.demo, self.values, self.rag = demo, values, rag
        self.share, self.what = 0.0, "starting"
        self.result: Result | None = None
        self.title, self.figure = "", None
        self.error = ""
        self.seconds = 0.0

    @property
    def slow(self) -> bool:
        """Whether a way to stop it is worth a button: demos that train have it from the start, others after a while."""
        return self.demo.trains or time.monotonic() - self._made > SLOW_SECONDS

    def start(self) -> Run:
        threading.Thread(target=self._work, daemon=True, name=f"lab {self.demo.name}").start()
        return self

    def _report(self, share: float, what: str) -> None:
        if self.stop.is_set():
            raise Stopped
        self.share, self.what = min(max(float(share), 0.0), 1.0), what
        self.changed()

    def _work(self) -> None:
        try:
            if not _slots.acquire(blocking=False):
                self._report(0.0, "waiting for another demo to finish")
                while not _slots.acquire(timeout=SLOW_SECONDS):
                    self._report(0.0, "waiting for another demo to finish")
            try:
                began = time.perf_counter()
                self._report(0.0, "measuring")
                result = self.demo.run(self.values, self.rag, self._report)
                self.seconds = time.perf_counter() - began
                if not self.stop.is_set():
                    self.title, self.figure = _fitted(result.figure)
                    self.result = result
            finally:
                _slots.release()
        except Stopped:
            pass
        except GlassboxError as error:
            self.error = str(error)
        except Exception as error:  # the page must stay usable
            traceback.print_exc(file=sys.stderr)
            self.error = failure(error)
        self.done = True
        self.changed()


def _fitted(figure: Any) -> tuple[str, Any]:
    """A figure's title, which the page sets so that it wraps, and the figure without it, in the page's font, by which
    Plotly measures its legend, and with the tools that make sense here."""
    title = str(figure.layout.title.text or "")
    top = 30 if title else figure.layout.margin.t
    return title, figure.update_layout(title_text="", margin_t=top, font_family=", ".join(SANS),
                                       modebar_remove=["lasso", "select", "autoscale"])
