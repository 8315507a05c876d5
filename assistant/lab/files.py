"""The data files that come with the demos, in assistant/lab/data."""
from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from assistant.errors import InputError
from assistant.lab.demo import short

DATA = Path(__file__).resolve().parent / "data"
MAX_BYTES = 20_000_000


@cache
def rows(name: str) -> tuple[dict, ...]:
    """The objects of a .jsonl file, one a line."""
    text = (DATA / name).read_text(encoding="utf-8")
    return tuple(json.loads(line) for line in text.splitlines() if line.strip())


@cache
def text(name: str) -> str:
    return (DATA / name).read_text(encoding="utf-8")


def read(path: str, expected: str) -> str:
    """A file that the user names. InputError where it cannot be read as UTF-8 text."""
    try:
        file = Path(path).expanduser()
        if file.stat().st_size > MAX_BYTES:
            raise InputError(f"{short(path, 120)} has {file.stat().st_size / 1e6:.0f} MB: expected {expected} of "
                             f"at most {MAX_BYTES / 1e6:.0f} MB")
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{short(path, 120)} is not UTF-8 text ({error.reason}): expected {expected}") from error
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot read {short(path, 120)} ({why}): expected {expected}") from error
