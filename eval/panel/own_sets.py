"""Gold sets of one's own in the state folder, and the documents of an index as files, so that a set is run on them."""
from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from assistant.errors import InputError
from assistant.ingest.load import HTML, PDF, WORD
from assistant.records import Document
from eval.make_gold import written
from eval.suite.cases import load
from eval.suite.runs import state_folder

KEPT = 3   # indexes' documents as files; those used last
DRAFT_KEYS = ("draft", "todo")
KEPT_AS = {PDF: ".txt", HTML + WORD: ".md"}   # kinds whose text is no longer of that kind, and what it is now


def folder() -> Path:
    return state_folder() / "gold"


def names() -> list[str]:
    """The sets, in alphabetical order."""
    return sorted(file.stem for file in folder().glob("*.jsonl"))


def path(name: str) -> Path:
    """The file of a set. InputError for a name that is none."""
    if not re.fullmatch(r"[\w][\w .-]{0,59}", name.strip()):
        raise InputError(f"{name.strip()[:80]!r} is no name for a set: expected letters, digits, blanks, dots and "
                         f"hyphens")
    return folder() / f"{name.strip()}.jsonl"


def save(name: str, rows: Sequence[dict], documents: Sequence[Document]) -> int:
    """Add reviewed drafts to a set, new or there already; give how many questions it holds then.

    They get ids of their own there, and lose what marked them as drafts. Nothing is written where the set would not
    load: GoldError then says why. A question that the set holds already is put in the place of the old one.
    """
    file = path(name)
    if not rows:
        raise InputError("no draft was accepted: accept some of them first")
    before = _rows(file)
    new = {row["question"]: {key: value for key, value in row.items() if key not in DRAFT_KEYS} for row in rows}
    kept = [row for row in before if row.get("question") not in new]
    taken = {row["id"] for row in kept}
    free = (f"q{number:03}" for number in range(1, 10 ** 6) if f"q{number:03}" not in taken)
    whole = [*kept, *({**row, "id": next(free)} for row in new.values())]
    _write(file, written(whole), documents)
    return len(whole)


def add(name: str, text: str, documents: Sequence[Document]) -> int:
    """Keep a gold set that was written elsewhere; give how many questions it holds. GoldError with all that is
    wrong."""
    return _write(path(name), text, documents)


def _write(file: Path, text: str, documents: Sequence[Document]) -> int:
    file.parent.mkdir(parents=True, exist_ok=True)
    trial = file.with_suffix(".trial")
    try:
        trial.write_text(text, encoding="utf-8")
        cases = load(trial, {_name(document): document.text for document in documents})
        trial.replace(file)
    finally:
        trial.unlink(missing_ok=True)
    return len(cases)


def _rows(file: Path) -> list[dict]:
    import json
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]


def as_files(documents: Sequence[Document]) -> Path:
    """A folder that holds the documents under their names: what they are run on. See KEPT_AS."""
    if not documents:
        raise InputError("the index holds no documents: add some under Corpus first")
    key = hashlib.sha256("\0".join(sorted(_name(d) + d.id + d.sha256 for d in documents)).encode()).hexdigest()[:12]
    made = state_folder() / "documents" / key
    if not made.is_dir():
        trial = made.with_name(f"{key}.trial")
        shutil.rmtree(trial, ignore_errors=True)
        for document in documents:
            file = trial / _name(document)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(document.text, encoding="utf-8", newline="\n")
        trial.rename(made)
    made.touch()
    for old in sorted(made.parent.iterdir(), key=lambda other: other.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return made


def named(documents: Sequence[Document]) -> list[Document]:
    """The documents under the names that `as_files` gives them."""
    import dataclasses
    return [dataclasses.replace(document, source=_name(document)) for document in documents]


def _name(document: Document) -> str:
    parts = [part for part in PurePosixPath(document.source.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    name = "/".join(part.lstrip(".") or "_" for part in parts) or document.id
    return name + next((ending for kinds, ending in KEPT_AS.items() if name.lower().endswith(kinds)), "")
