"""A run of the suite in a process of its own, for the page: it reports its progress, and stopping it ends it at once.

A process rather than a thread: the page stays quick, the run's peak memory is its own, a crash takes nothing with it,
and where the page's process dies, this one notices that its input has closed and ends too.

    python -m eval.panel.background    reads one request, a line of JSON, and writes lines of JSON:
    {"done": 3, "total": 40, "label": "retrieval"}, last {"kept": NAME} or {"error": TEXT}
"""
from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.config import Config
from assistant.errors import GlassboxError
from assistant.ui.work import Work

ROOT = Path(__file__).resolve().parents[2]
LABELS = {"questions": "questions", "conversations": "conversations", "injection": "injections"}
TAIL = 300   # characters of the end of what a run that died has said


@dataclass(frozen=True)
class Request:
    """What is run: see eval.suite.runner.Plan. config: {setting: value} of all; gold and paths "" or () for ours."""

    suites: tuple[str, ...]
    limit: int | None
    config: dict[str, object]
    gold: str = ""
    paths: tuple[str, ...] = ()


class Background(Work):
    """One run. share 0..1, or None while it is not known; what says how far it is; seconds since the start.

    At the end `kept` names the run, or `error` says in a line or more what is wrong, or neither where it was stopped.
    """

    idle_seconds = 1   # so that the seconds are seen to pass

    def __init__(self, request: Request) -> None:
        super().__init__()
        self.request = request
        self.share: float | None = None
        self.what = "loading the models"
        self.kept, self.error = "", ""
        self.began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def start(self) -> Background:
        threading.Thread(target=self._work, daemon=True, name="eval").start()
        return self

    def halt(self) -> None:
        """Stop it: nothing of it is kept."""
        self.stop.set()
        self.changed()

    def _work(self) -> None:
        try:
            self._follow_process()
        except Exception as error:  # the page must stay usable
            traceback.print_exc(file=sys.stderr)
            self.error = f"The run could not be started ({type(error).__name__}: {str(error)[:160]})."
        self.done = True
        self.changed()

    def _follow_process(self) -> None:
        known = os.environ.get("PYTHONPATH")
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *([known] if known else [])])}
        process = subprocess.Popen([sys.executable, "-m", "eval.panel.background"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
                                   errors="replace", env=environment)
        said: list[str] = []
        threads = [threading.Thread(target=self._end, args=(process,), daemon=True),
                   threading.Thread(target=lambda: said.extend(process.stderr), daemon=True)]
        for thread in threads:
            thread.start()
        try:
            with contextlib.suppress(BrokenPipeError):  # it was ended before it had read: its exit says so
                process.stdin.write(json.dumps(dataclasses.asdict(self.request)) + "\n")
                process.stdin.flush()
            for line in process.stdout:
                self._take(json.loads(line))
        finally:
            code = process.wait()
            threads[1].join(timeout=5)
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        if code and not (self.error or self.stop.is_set()):
            last = "".join(said).strip()[-TAIL:] or "it said nothing"
            self.error = f"The run ended early, with exit code {code}: {last}"

    def _end(self, process: subprocess.Popen) -> None:
        """End the process once the stop is set."""
        while process.poll() is None:
            if self.stop.wait(timeout=0.5):
                process.terminate()
                try:
                    process.wait(timeout=5)
                except subprocess.TimeoutExpired:
                    process.kill()
                return

    def _take(self, message: dict) -> None:
        if self.stop.is_set():
            return
        if "total" in message:
            done, total = message["done"], message["total"]
            self.share = done / total if total else None
            self.what = f"{done} of {total}: {LABELS.get(message['label'], message['label'])}" if done < total \
                else "taking the times and putting the numbers together"
        self.kept, self.error = message.get("kept", ""), message.get("error", "")
        self.changed()


def main() -> int:
    """The child's side. 0 where the run was kept, 2 on bad input, 1 where something failed."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints must not break the lines
    lock = threading.Lock()

    def say(**message: object) -> None:
        with lock:
            out.write(json.dumps(message) + "\n")
            out.flush()
    try:
        asked = json.loads(sys.stdin.readline())
        threading.Thread(target=_end_with_the_page, daemon=True).start()
        say(kept=_run(Request(**{**asked, "suites": tuple(asked["suites"]), "paths": tuple(asked["paths"])}),
                      lambda done, total, label: say(done=done, total=total, label=label)))
        return 0
    except GlassboxError as error:
        say(error=str(error))
        return 2
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        say(error=f"The run failed ({type(error).__name__}: {str(error)[:300]}).")
        return 1


def _run(request: Request, report) -> str:
    from eval.suite import runs
    from eval.suite.runner import CORPUS, GOLD, Plan, run
    plan = Plan(request.suites, _paths(request.paths) or (CORPUS,), Path(request.gold or GOLD), request.limit)
    return runs.keep(run(plan, Config(**request.config), report)).stem


def _paths(given: Sequence[str]) -> tuple[Path, ...]:
    return tuple(map(Path, given))


def _end_with_the_page() -> None:
    sys.stdin.read()  # returns when the page's process has closed its end
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
