"""Runs of the suite, kept as JSON in the state folder by time and fingerprint, and two of them compared."""
from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from assistant.config import default_index
from assistant.errors import InputError
from eval.suite.metrics import Count
from eval.suite.statistics import Comparison, compare

LAYOUT = 1
PARTS = {"created": str, "config": dict, "fingerprints": dict, "suites": dict, "timings": dict}   # of every run
KEPT = 100   # runs, the latest; a whole one has about 2 MB
LOWER_IS_BETTER = {"obeyed", "wrongly_declined", "words", "negation.twin_cosine_mean", "checker.error",
                   "checker.false_passed"}
_FROM_THE_END = {"last": -1, "previous": -2}


def state_folder() -> Path:
    """Where indexes and runs are kept: beside the default index, in the user's data folder."""
    return Path(default_index()).parent / "eval"


def files() -> list[Path]:
    """The kept runs, the oldest first."""
    return sorted((state_folder() / "runs").glob("*.json"), key=lambda file: file.stem)  # "a" comes before "a-2"


def keep(result: dict) -> Path:
    """Write the run into the state folder under its time and fingerprint; give the file. KEPT runs stay."""
    folder = state_folder() / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    stamp = result["created"].replace(":", "").replace("-", "")[:15]
    path = folder / f"{stamp}-{result['fingerprints']['config']}.json"
    again = 1
    while path.exists():  # a small run takes less than a second
        again += 1
        path = path.with_name(f"{stamp}-{result['fingerprints']['config']}-{again}.json")
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False), encoding="utf-8")
    for old in files()[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def kept(name: str) -> dict:
    """A kept run by a part of its name that no other has, a path, "last" or "previous". InputError where none fits."""
    there = files()
    if name in _FROM_THE_END:
        fits = there[_FROM_THE_END[name]:][:1] if len(there) >= -_FROM_THE_END[name] else []
    else:
        fits = [Path(name)] if Path(name).is_file() else \
            [file for file in there if file.stem == name] or [file for file in there if name and name in file.stem]
    if len(fits) != 1:
        names = ", ".join(file.stem for file in (fits or there)[-8:]) or "(none is kept)"
        raise InputError(f"{len(fits) or 'no'} kept runs are named {name!r}; expected last, previous, a file, or a "
                         f"part of one name; there are {names}")
    return read(fits[0])


def read(file: Path) -> dict:
    """The run in the file. InputError where it is none, or of another layout."""
    try:
        result = json.loads(file.read_text(encoding="utf-8"))
        layout = result["layout"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} is no run of the eval suite ({type(error).__name__} {error})") from error
    if layout != LAYOUT:
        raise InputError(f"{file} has layout {layout}; this version reads {LAYOUT}: run the suite again")
    missing = [key for key in PARTS if not isinstance(result.get(key), PARTS[key])]
    if missing:
        raise InputError(f"{file} is no whole run of the eval suite: it lacks {', '.join(missing)}")
    return result


def compared(a: dict, b: dict, split: str = "all") -> Iterator[tuple[str, Comparison]]:
    """(suite, B against A) for each metric that both runs have, over the questions of the split ("all": of both).

    Raises InputError where the runs were made on other gold sets: their scores say nothing of one another.
    """
    if a["fingerprints"]["gold"] != b["fingerprints"]["gold"]:
        raise InputError("the two runs were made on different gold sets, so they cannot be compared: run both again")
    for suite in a["suites"]:
        rows = [[row for row in run["suites"].get(suite, {}).get("questions", ()) if split in (row["split"], "all")]
                for run in (a, b)]
        groups = {row["id"]: row["group"] for run in rows for row in run}
        names = [list(dict.fromkeys(name for row in run for name in row["counts"])) for run in rows]
        for name in (name for name in names[0] if name in names[1]):
            counts = [{row["id"]: Count(*row["counts"][name]) for row in run if name in row["counts"]} for run in rows]
            yield suite, compare(name, *counts, groups, lower_is_better=name in LOWER_IS_BETTER)
