"""The eval suite's gold set: questions, conversations and injections, with quotes resolved to spans of characters.

    cases = load(Path("eval/gold/suite"), {"00-why-embeddings.md": text, ...})

eval/gold/suite/README.md says what a line holds. A gold span counts as found when it, or a passage in its place
(`also`), is found: so a Target is the list of passages any of which finds it.
Everything that is wrong with the files is raised at once, each with its file and line, and nothing is run.
"""
from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from assistant.errors import InputError
from eval.suite.gold_lines import problems
from eval.suite.gold_set import Gold

NO_DOCUMENT = "documents are named"   # in the line of a passage whose document is not there, or there twice
FILES = ("questions.jsonl", "conversations.jsonl", "injections.jsonl")


class GoldError(InputError):
    """The gold set cannot be used; one line of text for each thing that is wrong."""


@dataclass(frozen=True)
class Passage:
    """A span of a document: `document` as `load` was given it; start, end in characters, end exclusive."""

    document: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True)
class Target:
    """One gold span to be found: any of its passages will do. The first is the one that was asked for."""

    passages: tuple[Passage, ...]


@dataclass(frozen=True)
class Case:
    """One question with what a right answer holds.

    group    cases of one conversation share it: they are drawn together when intervals are made
    turns    the user's turns before this question, in order
    title, text, canary   an injection's document and the strings of an answer that obeyed it
    targets  filled by `resolve`; empty for a question that the documents do not answer
    """

    gold: Gold
    split: str
    group: str
    where: str
    also: tuple[tuple[str, str, int | None], ...] = ()
    turns: tuple[str, ...] = ()
    title: str = ""
    text: str = ""
    canary: tuple[str, ...] = ()
    targets: tuple[Target, ...] = field(default=())

    @property
    def suite(self) -> str:
        """Which list it belongs to: "questions", "conversations" or "injections"."""
        return "injections" if self.canary else "conversations" if self.group != self.gold.id else "questions"


def load(path: Path, documents: Mapping[str, str]) -> list[Case]:
    """The cases of a folder's files (FILES; a missing one is left out) or of one file of questions.

    documents  {name: text}; a gold document is one whose name equals its own or ends in "/" and its own
    Raises GoldError with all that is wrong.
    """
    files = [path] if path.is_file() else [path / name for name in FILES if (path / name).is_file()]
    if not files:
        raise GoldError(f"{path}: no gold set there; expected a .jsonl file, or a folder with {', '.join(FILES)}")
    cases: list[Case] = []
    wrong: list[str] = []
    for file in files:
        _read(file, cases, wrong)
    known: dict[str, str] = {}
    for case in cases:
        if case.gold.id in known:
            wrong.append(f"{case.where}: the id {case.gold.id!r} is taken by {known[case.gold.id]}")
        known.setdefault(case.gold.id, case.where)
    resolved = [_resolved(case, documents, wrong) for case in cases]
    if not cases and not wrong:
        wrong.append(f"{path}: it holds no question; expected one JSON object a line")
    if wrong:
        raise GoldError("\n".join(wrong))
    return resolved


def _read(file: Path, cases: list[Case], wrong: list[str]) -> None:
    """Append the file's cases, and what is wrong with its lines."""
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        wrong.append(f"{file}: cannot be read ({error})")
        return
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{file}:{number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            at = f" at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
            wrong.append(f"{where}: no JSON ({getattr(error, 'msg', None) or error}{at})")
            continue
        if found := problems(row):
            wrong.append(f"{where}: {'; '.join(found)}")
        else:
            cases += _cases(row, where)


def _cases(row: dict, where: str) -> Iterator[Case]:
    """A line's cases: one, or one for each turn of a conversation (ids c01.1, c01.2, ...)."""
    split, name = row.get("split", "open"), str(row["id"])
    if "turns" in row:
        asked: tuple[str, ...] = ()
        for number, turn in enumerate(row["turns"], 1):
            gold = _gold({**turn, "id": f"{name}.{number}", "kind": row["kind"]})
            yield Case(gold, split, name, where, _also(turn), asked)
            asked = (*asked, gold.question)
        return
    yield Case(_gold(row), split, name, where, _also(row), (), row.get("title", ""), row.get("text", ""),
               tuple(row.get("canary", ())))


def _gold(row: dict) -> Gold:
    return Gold(str(row["id"]), row["kind"], row["question"], tuple(row.get("history", ())), row["answerable"],
                tuple((item["document"], item["quote"]) for item in row.get("evidence", ())),
                tuple(tuple(fact) for fact in row.get("facts", ())), tuple(row.get("forbidden", ())),
                row.get("reference", ""))


def _also(row: dict) -> tuple[tuple[str, str, int | None], ...]:
    return tuple((item["document"], item["quote"], item.get("for")) for item in row.get("also", ()))


def _resolved(case: Case, documents: Mapping[str, str], wrong: list[str]) -> Case:
    """The case with its targets; what does not resolve is added to `wrong`."""
    if case.text:
        documents = {**documents, case.title: case.text}

    def passage(name: str, quote: str) -> Passage | None:
        fits = [known for known in documents if known == name or known.endswith(f"/{name}")]
        if len(fits) != 1:
            wrong.append(f"{case.where}: {case.gold.id}: {len(fits) or 'no'} {NO_DOCUMENT} {name!r}; expected "
                         "one")
            return None
        times = documents[fits[0]].count(quote) if quote else 0
        if times != 1:
            wrong.append(f"{case.where}: {case.gold.id}: the quote {quote[:60]!r} stands {times} times in {name}; "
                         "expected once")
            return None
        start = documents[fits[0]].index(quote)
        return Passage(fits[0], start, start + len(quote), quote)

    others = [(passage(name, quote), place) for name, quote, place in case.also]
    targets = []
    for at, (name, quote) in enumerate(case.gold.evidence):
        choices = [passage(name, quote), *(other for other, place in others if place in (None, at))]
        targets.append(Target(tuple(choice for choice in choices if choice is not None)))
    return replace(case, targets=tuple(targets))
