"""A public test set in BEIR's layout, read and checked: documents, queries, judgements.

    folder/corpus.jsonl     {"_id", "title" (may be missing or empty), "text"} a line
    folder/queries.jsonl    {"_id", "text"} a line
    folder/qrels/NAME.tsv   query-id, corpus-id, score, with tabs between; a first line of names is passed over
    folder/qrels.tsv        the same, where there is only one

The layout is that of Thakur and others, "BEIR" (2021). A score is a whole number, 0 or less for "not relevant". Other
keys of a line are passed over. Ids are texts; whole numbers are taken as such.
"""
from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import InputError

HEADER = ("query-id", "corpus-id", "score")
USUAL = "test"    # the judgements that are taken where there are several and none was named
NAMED = 1000      # wrong lines that are listed; the rest is counted


@dataclass(frozen=True)
class Entry:
    """A document of the set. One of `title` and `text` may be empty; a document without both is never found."""

    id: str
    title: str
    text: str


@dataclass(frozen=True)
class PublicSet:
    """A set whose every line was found good.

    queries  {query's id: its text} of the queries that have a relevant document, in the file's order
    qrels    {query's id: {document's id: score}} of those queries
    left_out queries that were judged, but have no relevant document: no measure says anything of them
    """

    name: str
    split: str
    corpus: tuple[Entry, ...]
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]
    left_out: tuple[str, ...] = ()

    def corpus_fingerprint(self) -> str:
        """12 hex digits over ids and texts of the documents."""
        return _hash(*(part for entry in self.corpus for part in (entry.id, entry.title, entry.text)))

    def gold_fingerprint(self) -> str:
        """12 hex digits over queries and judgements: runs of one set can be compared."""
        return _hash(json.dumps([dict(self.queries), {q: dict(found) for q, found in self.qrels.items()}]))


def load(folder: Path, split: str | None = None) -> PublicSet:
    """The set in the folder. InputError lists everything that is wrong with it, each with file and line.

    split  which file of qrels/ is read, by its name without ".tsv"; the only one, or "test", by default
    """
    wrong: list[str] = []
    if not folder.is_dir():
        raise InputError(f"no folder {folder}: expected one in BEIR's layout, with corpus.jsonl, queries.jsonl and "
                         "qrels/*.tsv or qrels.tsv")
    corpus = [Entry(name, row.get("title") or "", row["text"]) for name, row in _rows(folder / "corpus.jsonl", wrong)]
    queries = {name: row["text"] for name, row in _rows(folder / "queries.jsonl", wrong, blank=False)}
    file = _judgements(folder, split, wrong)
    qrels = _qrels(file, {entry.id for entry in corpus}, queries, wrong) if file else {}
    if wrong:
        more = [f"and {len(wrong) - NAMED:,} more lines that are wrong"] if len(wrong) > NAMED else []
        raise InputError("\n".join([*wrong[:NAMED], *more]))
    answered = {name for name, found in qrels.items() if max(found.values()) > 0}
    if not answered:
        raise InputError(f"{file}: no query has a relevant document (a score above 0), so nothing can be measured")
    return PublicSet(folder.resolve().name, "" if file.parent == folder else file.stem, tuple(corpus),
                     {name: text for name, text in queries.items() if name in answered},
                     {name: qrels[name] for name in queries if name in answered},
                     tuple(sorted(set(qrels) - answered)))


def _rows(file: Path, wrong: list[str], *, blank: bool = True) -> Iterator[tuple[str, dict]]:
    """(id, row) of each line of a .jsonl file that can be used; what cannot is said in `wrong`. blank: a text may be
    empty; where it may not, its id is still known, so that the judgements of it are not called wrong as well."""
    taken: dict[str, int] = {}
    said = len(wrong)
    for at, line in _lines(file, wrong):
        row = _row(line)
        if isinstance(row, str):
            wrong.append(f"{file}:{at}: {row}")
            continue
        name = str(row["_id"])
        if name in taken:
            wrong.append(f"{file}:{at}: the _id {name!r} is taken by line {taken[name]}")
            continue
        taken[name] = at
        if not blank and not row["text"].strip():
            wrong.append(f"{file}:{at}: its \"text\" is empty")
        yield name, row
    if not taken and len(wrong) == said:
        wrong.append(f"{file}: it is empty; expected a JSON object with \"_id\" and \"text\" on each line")


def _row(line: str) -> dict | str:
    """The row, or what is wrong with it."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"no JSON ({getattr(error, 'msg', None) or error}); expected an object with \"_id\" and \"text\""
    if not isinstance(row, dict):
        return f"a JSON {type(row).__name__}; expected an object with \"_id\" and \"text\""
    name = row.get("_id")
    if isinstance(name, bool) or not isinstance(name, (str, int)) or not str(name).strip():
        return f"its \"_id\" is {name!r}; expected text"
    if any(sign.isspace() for sign in str(name)):
        return f"its \"_id\" is {name!r}; expected no blanks, which TREC files cannot hold"
    for key in ("text", "title"):
        if not isinstance(row.get(key), str) and not (key == "title" and row.get(key) is None):
            return f"its \"{key}\" is {row.get(key)!r}; expected text"
    return row


def _lines(file: Path, wrong: list[str]) -> Iterator[tuple[int, str]]:
    """(line's number from 1, line) of the lines that hold something."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        wrong.append(f"{file}: cannot be read ({error.strerror or error}); BEIR's layout has it")
        return
    for at, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            text = line.decode("utf-8").rstrip("\r")
        except UnicodeDecodeError as error:
            wrong.append(f"{file}:{at}: no UTF-8 (byte {error.start + 1} of the line)")
            continue
        if text.strip():
            yield at, text


def _judgements(folder: Path, split: str | None, wrong: list[str]) -> Path | None:
    """The file of judgements that is meant."""
    several = {file.stem: file for file in sorted((folder / "qrels").glob("*.tsv"))}
    if split is None and not several and (folder / "qrels.tsv").is_file():
        return folder / "qrels.tsv"
    if split is None and len(several) == 1:
        return next(iter(several.values()))
    if (name := split or USUAL) in several:
        return several[name]
    names = ", ".join(several)
    if not several:
        wrong.append(f"--split {split}: there is no folder {folder / 'qrels'} with .tsv files" if split else
                     f"{folder}: no judgements; expected qrels/*.tsv or qrels.tsv")
    else:
        wrong.append(f"--split {split}: qrels has {names}" if split else f"{folder / 'qrels'} has {names}: name one "
                                                                         "with --split")
    return None


def _qrels(file: Path, documents: set[str], queries: Mapping[str, str], wrong: list[str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    said, first = len(wrong), True
    for at, line in _lines(file, wrong):
        parts = [part.strip() for part in line.split("\t")]
        header, first = first and parts[-1].lower() == HEADER[-1], False
        if header:
            continue
        if len(parts) != 3:
            wrong.append(f"{file}:{at}: {len(parts)} columns; expected 3 with tabs between: {', '.join(HEADER)}")
            continue
        query, document, score = parts
        problems = []
        if query not in queries:
            problems.append(f"the query {query!r} is not in queries.jsonl")
        if document not in documents:
            problems.append(f"the document {document!r} is not in corpus.jsonl")
        try:
            value = int(score)
        except ValueError:
            problems.append(f"the score is {score!r}; expected a whole number")
            value = None
        if value is not None and found.get(query, {}).get(document, value) != value:
            problems.append(f"{query!r} and {document!r} were judged {found[query][document]} before")
        wrong += [f"{file}:{at}: {problem}" for problem in problems]
        if not problems:
            found.setdefault(query, {})[document] = value
    if not found and len(wrong) == said:
        wrong.append(f"{file}: it holds no judgement; expected lines of {', '.join(HEADER)}")
    return found


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "replace")).hexdigest()[:12]
