"""Models load in the background after the page is up; this knows how far they are."""
from __future__ import annotations

import sys
import threading
import traceback
from typing import Literal

from assistant.errors import GlassboxError
from assistant.pipeline import Assistant
from assistant.ui.jobs import failure
from assistant.ui.prose import esc


class Warmth:
    """state: "cold" until `start`, then "loading", then "ready" or "failed" with `error` in one line."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self.state: Literal["cold", "loading", "ready", "failed"] = "cold"
        self.error = ""

    def start(self) -> None:
        """Load the models in a thread of their own. A second call does nothing."""
        if self.state == "cold":
            self.state = "loading"
            threading.Thread(target=self._load, daemon=True, name="warm").start()

    def again(self) -> None:
        """Load what could not be loaded. Of use once an answer came: the server that was down is back."""
        if self.state == "failed":
            self.state = "cold"
            self.start()

    def _load(self) -> None:
        try:
            self._assistant.warm()
            self.state = "ready"
        except GlassboxError as error:
            self.error, self.state = str(error), "failed"
        except Exception as error:  # a broken installation: the page stays, the log says why
            traceback.print_exc(file=sys.stderr)
            self.error, self.state = failure(error), "failed"

    def pill_html(self) -> str:
        """The status in the header: what is loading, or how much there is to ask."""
        try:
            status = self._assistant.status()
            count = f"{status['documents']:,} documents, {status['chunks']:,} chunks"
        except GlassboxError as error:
            return f'<span class="gb-pill gb-failed" role="status" title="{esc(error)}">{esc(error, 90)}</span>'
        if self.state == "failed":
            return (f'<span class="gb-pill gb-failed" role="status" title="{esc(self.error)}">'
                    f"{esc(self.error, 90)}</span>")
        words = {"loading": "loading models…", "ready": "ready", "cold": "ready"}[self.state]
        return (f'<span class="gb-pill gb-{self.state}" role="status"><b>{words}</b>'
                f'<span class="gb-count">{count}</span></span>')
