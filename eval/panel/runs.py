"""The kept runs for the Eval tab: what its list says of each, their reports, two compared. Imports the whole suite."""
from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from assistant.errors import GlassboxError, InputError
from eval import gate
from eval.panel.view import Kept
from eval.report import page as report
from eval.report import tables
from eval.report.failures import is_own
from eval.suite import runs

SHOWN = 40   # of the list, the latest
BARS = Path(__file__).resolve().parents[1] / "gate.toml"


def kept() -> list[Kept]:
    """The latest runs that this version reads, the latest first."""
    found = []
    for file in reversed(runs.files()[-SHOWN:]):
        try:
            found.append(_summary(file, file.stat().st_mtime_ns))
        except (GlassboxError, OSError, KeyError, ValueError):
            continue   # of another layout, or gone meanwhile; `assistant eval --runs` says so
    return found


@lru_cache(maxsize=4 * SHOWN)
def _summary(file: Path, changed: int) -> Kept:
    """changed: the file's time in nanoseconds, so that another text is read anew."""
    result = runs.read(file)
    asked = {row["id"] for found in result["suites"].values() for row in found.get("questions", ())}
    return Kept(file.stem, result["created"], tuple(result["suites"]), result.get("limit"), len(asked),
                report.run_words(result), _gate(result), tables.changed(result))


def _gate(result: dict) -> str:
    verdicts = [verdict for _, verdict, _ in _judged(result)]
    return "failed" if "failed" in verdicts else "passed" if "passed" in verdicts else ""


def _judged(result: dict) -> list:
    """The project's own gate, of runs on its own gold set."""
    return gate.judged(gate.load(BARS), result) if is_own(result) else []


def report_of(name: str) -> str:
    """The report's HTML. InputError where there is no such run."""
    result = runs.kept(_known(name))
    return report.page(result, gate=_judged(result))


def comparison(before: str, after: str) -> str:
    """Two kept runs compared, as a page. InputError where they cannot be."""
    return report.comparison_page(runs.kept(_known(before)), runs.kept(_known(after)))


def delete(name: str) -> None:
    """Forget a kept run; nothing where it is gone already."""
    for file in runs.files():
        if file.stem == name:
            file.unlink(missing_ok=True)


def _known(name: str) -> str:
    """The name, which must be a kept run's: a window may not name other files."""
    if name not in {file.stem for file in runs.files()}:
        raise InputError(f"the run {name[:60]!r} is not kept any more: choose another")
    return name
