"""Work in a thread of its own, followed by pages: what an answer, a demo and an evaluation in the making share."""
from __future__ import annotations

import threading
from collections.abc import Iterator


class Work:
    """Read its fields inside `follow`; only its own thread writes them and calls `changed` after it, and anyone sets
    `stop`. `done` is set last, after what came of it."""

    idle_seconds = 5   # a follower wakes this often though nothing came, so that a page that left is noticed

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.done = False
        self._version = 0
        self._changed = threading.Condition()

    def follow(self) -> Iterator[None]:
        """Yields now and after changes until the work is done; the last one shows it done."""
        seen = -1
        while True:
            with self._changed:
                self._changed.wait_for(lambda known=seen: self._version != known, timeout=self.idle_seconds)
                seen, done = self._version, self.done
            yield
            if done:
                return

    def changed(self) -> None:
        """Wake the followers."""
        with self._changed:
            self._version += 1
            self._changed.notify_all()
