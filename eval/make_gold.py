"""Drafts of gold questions from any documents, for a person to review.

    python -m eval.make_gold my-docs/ --out drafts.jsonl

Headings, definitions, table rows, numbers, lists and reasons become questions (eval.drafting.patterns), each with its
passage quoted verbatim, once in its document, in the gold set's format (eval/gold/suite/README.md), with two keys more:
`draft` is true and `todo` says what to look at. Nothing is random: the same documents give the same drafts. The Eval
tab shows them for review; so does any editor: change what is wrong, take out `draft` and `todo`, delete the rest.

What no program can draft is what a person must add: questions in other words than the document's, questions that it
does not answer, and those that need two documents.
"""
from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import GlassboxError, InputError
from assistant.ingest.load import Unreadable, is_markdown, load, survey
from assistant.records import Document
from assistant.text.blocks import Block, blocks
from assistant.text.sections import Section, sections
from assistant.text.sentences import Unit, plain, units
from assistant.text.tables import glued_cells, is_markdown_rule, markdown_cells, row_text, seams
from eval.drafting.patterns import KINDS, Drafted, from_heading, from_item, from_list, from_row, from_sentence
from eval.suite.gold_set import holds, normal

PER_DOCUMENT = 12
PER_SECTION = 3      # of one section, so that drafts are of the whole document
TABLES = 0.5         # of a document's drafts may be of tables: they are many, and much alike
MIN_QUOTE = 12       # characters; a shorter quote says nothing
TODO = {kind: "would someone ask this, and does the quote answer it? Are the facts what a right answer must say?"
        for kind in KINDS} | {"heading": "quote what answers the heading, and write the facts that an answer must hold"}


@dataclass(frozen=True)
class _Draft:
    """A question with the slices of the document that answer it. at: where the first of them begins."""

    drafted: Drafted
    quotes: tuple[str, ...]
    reference: str
    section: int
    at: int


def draft(documents: Sequence[Document], per_document: int = PER_DOCUMENT) -> list[dict]:
    """Lines of a gold set, in the documents' order, at most `per_document` of each; see the module for their keys.

    A question that would be the same for two passages is left out: it could not be answered by one of them alone.
    """
    found = [(document, list(_drafts(document))) for document in documents]
    asked: dict[str, int] = {}
    for _, drafts in found:
        for question in {normal(item.drafted.question) for item in drafts}:
            asked[question] = asked.get(question, 0) + 1
    rows = []
    for document, drafts in found:
        single = [item for item in drafts if asked[normal(item.drafted.question)] == 1]
        rows += [_row(item, document) for item in _chosen(single, per_document)]
    return [{"id": f"d{number:03}", **row} for number, row in enumerate(rows, 1)]


def _row(item: _Draft, document: Document) -> dict:
    return {"kind": item.drafted.kind, "split": "open", "question": item.drafted.question, "answerable": True,
            "evidence": [{"document": document.source, "quote": quote} for quote in item.quotes],
            "facts": [list(fact) for fact in item.drafted.facts], "forbidden": [], "reference": item.reference,
            "draft": True, "todo": TODO[item.drafted.kind]}


def _chosen(drafts: Sequence[_Draft], most: int) -> list[_Draft]:
    """Of every kind in turn, at first at most PER_SECTION of a section, no passage twice; in the document's order."""
    by_kind = [_spread([item for item in drafts if item.drafted.kind == kind]) for kind in KINDS]
    taken: list[_Draft] = []
    quotes: set[str] = set()
    full: dict[int, int] = {}
    tables = 0
    for cap in (PER_SECTION, most):
        turns = list(by_kind)
        while turns and len(taken) < most:
            kind = turns.pop(0)
            if kind and kind[0].drafted.kind == "table" and tables >= most * TABLES:
                continue
            item = next((item for item in kind
                         if not quotes & set(item.quotes) and full.get(item.section, 0) < cap), None)
            if item is not None:
                turns.append(kind)
                taken.append(item)
                tables += item.drafted.kind == "table"
                quotes |= set(item.quotes)
                full[item.section] = full.get(item.section, 0) + 1
    return sorted(taken, key=lambda item: (item.at, item.drafted.question))


def _spread(drafts: list[_Draft]) -> list[_Draft]:
    """The first of each section, then the second of each, and so on."""
    seen: dict[int, int] = {}
    turns = []
    for item in drafts:
        turns.append((seen.setdefault(item.section, 0), item.at, item))
        seen[item.section] += 1
    return [item for *_, item in sorted(turns, key=lambda turn: turn[:2])]


def _drafts(document: Document) -> Iterator[_Draft]:
    """Every draft of a document whose quotes stand once in it and hold its facts; of a question the first."""
    seen: set[str] = set()
    for number, section in enumerate(sections(document.text, is_markdown(document.source))):
        for drafted, spans, reference in _of_section(document.text, section):
            quotes = tuple(document.text[start:end].strip() for start, end in spans)
            name, said = normal(drafted.question), " ".join(map(plain, quotes))
            if name in seen or not all(len(q) >= MIN_QUOTE and document.text.count(q) == 1 for q in quotes):
                continue
            if drafted.facts and all(holds(fact, said) for fact in drafted.facts) \
                    and not all(holds(fact, drafted.question) for fact in drafted.facts):
                seen.add(name)
                yield _Draft(drafted, quotes, reference, number, spans[0][0])


Found = tuple[Drafted, list[tuple[int, int]], str]
"""What was drafted, the spans that answer it, a right answer."""


def _of_section(text: str, section: Section) -> Iterator[Found]:
    body, known = text[section.start:section.end], text
    first = True
    before: Block | None = None
    for block in blocks(body):
        at = section.start + block.start
        if block.kind in ("table", "glued"):
            yield from _of_table(text, at, section.start + block.end, block.kind == "glued", known)
        elif block.kind != "code":
            for unit in units(body[block.start:block.end]):
                span = (at + unit.start, at + unit.end)
                if unit.kind == "sentence" and first and section.headings and (
                        asked := from_heading(section.headings[-1], known)) and len(unit.reading.split()) > 5:
                    yield Drafted("heading", asked, ((_opening(unit.reading),),)), [span], unit.reading
                first = first and unit.kind != "sentence"
                if unit.kind in ("sentence", "item") and not unit.leaning:
                    made = from_item(unit.reading, known) if unit.kind == "item" else ()
                    for drafted in (*made, *from_sentence(unit.reading, known)):
                        yield drafted, [span], unit.reading
            if block.kind == "list" and before:
                yield from _of_list(text, section.start, before, block, known)
        before = block


def _opening(reading: str) -> str:
    return " ".join(reading.rstrip(".").split()[:8])


def _of_table(text: str, start: int, end: int, glued: bool, known: str) -> Iterator[Found]:
    lines, at = [], start
    for line in text[start:end].split("\n"):
        lines.append((at, at + len(line)))
        at += len(line) + 1
    shown = [text[a:b] for a, b in lines]
    columns = len(seams(shown[0])) + 1
    cells_of = [glued_cells(line, columns) if glued else markdown_cells(line) for line in shown]
    names = [plain(name) for name in cells_of[0]]
    rows = [n for n in range(1, len(shown)) if shown[n].strip() and not is_markdown_rule(shown[n])]
    firsts = [cells_of[n][0] for n in rows]
    for place, n in enumerate(rows):
        if firsts.count(cells_of[n][0]) > 1:
            continue
        cells = [plain(cell) for cell in cells_of[n]]
        made = list(from_row(names, cells, known))
        if made:  # another column for each row, so that the table is not asked one thing only
            yield made[place % len(made)], [lines[n]], row_text(names, cells)


def _of_list(text: str, base: int, before: Block, block: Block, known: str) -> Iterator[Found]:
    lead = plain(text[base + before.start:base + before.end].strip())
    lead = re.split(r"(?<=[.!?])\s+", lead)[-1]
    body = text[base + block.start:base + block.end]
    items = [unit for unit in units(body) if unit.kind == "item"]
    whole = re.findall(r"(?m)^\s*(?:[-*+•]|\d+[.)])\s", body)
    if before.kind != "prose" or not lead.endswith(":") or len(items) != len(whole):  # an item of several sentences
        return
    if drafted := from_list(lead, [unit.reading for unit in items], known):
        yield drafted, [_shifted(unit, base + block.start) for unit in items], "; ".join(u.reading for u in items)


def _shifted(unit: Unit, by: int) -> tuple[int, int]:
    return unit.start + by, unit.end + by


def documents_of(paths: Iterable[str | Path]) -> tuple[list[Document], list[str]]:
    """(the documents under the paths, what could not be read). InputError where there is none."""
    loaded = list(load(survey(paths).sources))
    documents = [item for item in loaded if isinstance(item, Document)]
    wrong = [f"{item.source.path}: {item.why}" for item in loaded if isinstance(item, Unreadable)]
    if not documents:
        raise InputError("\n".join(wrong) or f"no document under {', '.join(map(str, paths))}: name a folder that "
                                             "holds some")
    return documents, wrong


def written(rows: Sequence[dict]) -> str:
    """The rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, or 2 on bad input."""
    parser = argparse.ArgumentParser(prog="python -m eval.make_gold", description="Draft gold questions for review.")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="documents, or folders of them")
    parser.add_argument("--out", required=True, metavar="FILE", help="where the drafts are written, as JSON lines")
    parser.add_argument("--per-document", type=int, default=PER_DOCUMENT, metavar="N",
                        help="at most N of each document")
    options = parser.parse_args(arguments)
    try:
        if options.per_document < 1:
            raise InputError(f"--per-document {options.per_document}: expected at least 1")
        if Path(options.out).exists():
            raise InputError(f"{options.out} is there already, perhaps reviewed: name another file, or delete it first")
        documents, wrong = documents_of(options.paths)
        rows = draft(documents, options.per_document)
        Path(options.out).write_text(written(rows), encoding="utf-8")
    except (GlassboxError, OSError) as error:
        print(f"make_gold: {error}", file=sys.stderr)
        return 2
    for line in wrong:
        print(f"make_gold: left out {line}", file=sys.stderr)
    of = {kind: sum(row["kind"] == kind for row in rows) for kind in KINDS}
    print(f"{len(rows)} drafts of {len(documents)} documents in {options.out}: "
          f"{', '.join(f'{count} {kind}' for kind, count in of.items() if count) or 'none'}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
