"""Paragraphs, lists, tables and code: the parts of a section that a chunk should not tear apart."""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from assistant.text.tables import glued_table, is_markdown_rule

Kind = Literal["prose", "list", "table", "glued", "code"]

_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
_ITEM = re.compile(r"^\s*([-*+•]|\d+[.)])\s+\S")
_LANGUAGE = re.compile(r"^(python|javascript|typescript|java|bash|shell|sql|json|yaml|rust|go|c\+\+|c|html|css)$")
_CODE = re.compile(
    r"^\s*(#\s|//|import\s|from\s+\S+\s+import|def\s|class\s|return\b|for\s.*:$|if\s.*:$|with\s.*:$|@|\"[^\"]*\",?$)"
    r"|^\s*[\w.\[\], ]+\s*[-+*/]?=\s*\S|^\s*[\w.]+\(.*\)?\s*(#.*)?$|^\s*[)\]}]+,?\s*(#.*)?$")


@dataclass(frozen=True)
class Block:
    """text[start:end], without the blank lines around it. kind "glued" is a table that lost its column marks."""

    kind: Kind
    start: int
    end: int


def blocks(text: str, start: int = 0, end: int | None = None) -> list[Block]:
    """The blocks of text[start:end] in order; together they hold every character that is not a blank line."""
    end = len(text) if end is None else end
    lines = _lines(text, start, end)
    found: list[Block] = []
    at = 0
    while at < len(lines):
        if not text[slice(*lines[at])].strip():
            at += 1
            continue
        kind, size = _next_block([text[a:b] for a, b in lines[at:]])
        found.append(Block(kind, lines[at][0], lines[at + size - 1][1]))
        at += size
    return found


def _lines(text: str, start: int, end: int) -> list[tuple[int, int]]:
    spans, at = [], start
    for line in text[start:end].split("\n"):
        spans.append((at, at + len(line)))
        at += len(line) + 1
    return spans


def _next_block(lines: list[str]) -> tuple[Kind, int]:
    """(kind, number of lines) of the block that the first line, which is not blank, begins."""
    if fence := _FENCE.match(lines[0]):
        mark = fence[1]
        closing = next((n for n, line in enumerate(lines[1:], 1) if line.strip().startswith(mark)), len(lines) - 1)
        return "code", closing + 1
    if len(lines) > 1 and is_markdown_rule(lines[1]):
        return "table", _while(lines, lambda line: "|" in line)
    if lines[0].lstrip().startswith("|"):
        return "table", _while(lines, lambda line: line.lstrip().startswith("|"))
    paragraph = lines[:_while(lines, lambda line: bool(line.strip()))]
    if size := glued_table(paragraph):
        return "glued", size
    if _LANGUAGE.match(lines[0].strip()) and len(lines) > 1:
        return "code", _bare_code(lines)
    if _ITEM.match(lines[0]):
        return "list", _while(lines, lambda line: bool(line.strip()))
    for size in range(1, len(paragraph)):  # a paragraph ends where another kind begins without a blank line
        rest = paragraph[size:]
        if _FENCE.match(rest[0]) or rest[0].lstrip().startswith("|") or glued_table(rest) \
                or _LANGUAGE.match(rest[0].strip()):
            return "prose", size
    return "prose", len(paragraph)


def _while(lines: list[str], holds) -> int:
    return next((n for n, line in enumerate(lines) if not holds(line)), len(lines))


def _bare_code(lines: list[str]) -> int:
    """Lines of code that lost its fence: it goes on over blank lines for as long as what follows looks like code."""
    size = last = 1
    while size < len(lines):
        line = lines[size]
        if line.strip():
            if not _CODE.search(line) and not line.startswith((" ", "\t")):
                break
            last = size + 1
        size += 1
    return last


def is_code(line: str) -> bool:
    """Whether a line looks like a statement, a call or a comment of a program."""
    return bool(_CODE.search(line))
