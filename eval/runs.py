"""Runs of the suite, kept as JSON in the state folder by time and fingerprint, and two of them compared."""
from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from assistant.config import default_index
from assistant.errors import InputError
from eval.metrics import Count
from eval.statistics import Comparison, compare

LAYOUT = 1
LOWER_IS_BETTER = {"obeyed", "wrongly_declined", "words"}


def state_folder() -> Path:
    """Where indexes and runs are kept: beside the default index, in the user's data folder."""
    return Path(default_index()).parent / "eval"


def keep(result: dict) -> Path:
    """Write the run into the state folder under its time and fingerprint; give the file."""
    folder = state_folder() / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    stamp = result["created"].replace(":", "").replace("-", "")[:15]
    path = folder / f"{stamp}-{result['fingerprints']['config']}.json"
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


def kept(name: str) -> dict:
    """A kept run by its file's name (the beginning of it is enough), by a path, or "last"."""
    files = sorted((state_folder() / "runs").glob("*.json"))
    fits = [Path(name)] if Path(name).is_file() else files[-1:] if name == "last" else \
        [file for file in files if file.name.startswith(name)]
    if len(fits) != 1:
        raise InputError(f"{len(fits) or 'no'} kept runs are named {name!r}; there are: "
                         f"{', '.join(file.stem for file in files) or 'none'}")
    try:
        result = json.loads(fits[0].read_text(encoding="utf-8"))
        layout = result["layout"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{fits[0]} is no run of the eval suite ({type(error).__name__} {error})") from error
    if layout != LAYOUT:
        raise InputError(f"{fits[0]} has layout {layout}; this version reads {LAYOUT}: run the suite again")
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
