"""Paragraphs, lists, tables and code: the parts of a section that a chunk should not tear apart."""
from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from assistant.text.tables import glued_table, is_markdown_rule

Kind = Literal["prose", "list", "table", "glued", "code"]

_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
MONTH = r"(?:Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember)\b"
_ITEM = re.compile(rf"^\s*([-*+•]|\d{{1,3}}[.)](?!\s+{MONTH}))\s+\S")  # "12. Mai 2024" is a day, "1990." a year
_LANGUAGE = re.compile(r"^(python|javascript|typescript|java|bash|shell|sql|json|yaml|rust|go|c\+\+|c|html|css)$")
# "return within 30 days", not "return a if b"
_PROSE = (r" (?!not |await |lambda |new |yield )[a-z]+ (?!(if|and|or|in|is|not|for|else|instanceof)\b)[\w'’-]+"
          r"(?=[ .,;:!?]|$)")
_CODE = re.compile(
    rf"^\s*(#\s|//|import\s|from\s+\S+\s+import|def\s|class\s|return\b(?!{_PROSE})"
    r"|(for|if|elif|while|with)\s.*:(\s*#.*)?$|@[\w.]+(\(|\s*(#.*)?$)"
    r"|(try|else|finally):|except\b.*:$|del\s[\w.]+(\[.*\])?$|assert\s.*[=(<>]|raise\s+\w+(\(|$)|\"{3}"
    r"|\"[^\"]*\",$|\"[^\"]*(?<![.!?])\"$|\"[^\"]*\":\s.*[\[({,]$|SELECT\s.*\sFROM\s)"
    r"|^\s*+(\w++ ){0,2}?[\w.\[\]]++(, ?[\w.\[\]]++)*+\s*+[-+*/]?=(?![^#]*\w\.$)\s*\S"  # a sentence ends in a full stop
    r"|^\s*[\w.]+\(.*\)?\s*(#.*)?$|^\s*[)\]}]+,?\s*(#.*)?$")


@dataclass(frozen=True)
class Block:
    """text[start:end], without the blank lines around it. kind "glued" is a table that lost its column marks."""

    kind: Kind
    start: int
    end: int


def blocks(text: str, start: int = 0, end: int | None = None) -> list[Block]:
    """The blocks of text[start:end] in order; together they hold every character that is not a blank line."""
    end = len(text) if end is None else end
    spans = _lines(text, start, end)
    lines = [text[a:b] for a, b in spans]
    found: list[Block] = []
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        kind, after = _next_block(lines, at)
        found.append(Block(kind, spans[at][0], spans[after - 1][1]))
        at = after
    return found


def _lines(text: str, start: int, end: int) -> list[tuple[int, int]]:
    spans, at = [], start
    for line in text[start:end].split("\n"):
        spans.append((at, at + len(line)))
        at += len(line) + 1
    return spans


def _next_block(lines: list[str], at: int) -> tuple[Kind, int]:
    """(kind, the line after it) of the block that line `at`, which is not blank, begins.

    It looks no further than its block goes, and copies no lines: so a text takes time in proportion to its length.
    """
    first, following = lines[at], at + 1
    if fence := _FENCE.match(first):
        mark = fence[1]
        return "code", min(_while(lines, following, lambda line: not line.strip().startswith(mark)) + 1, len(lines))
    if "|" in first and following < len(lines) and is_markdown_rule(lines[following]):
        return "table", _while(lines, at, lambda line: "|" in line)
    if first.lstrip().startswith("|"):
        return "table", _while(lines, at, lambda line: line.lstrip().startswith("|"))
    if size := glued_table(lines, at):
        return "glued", at + size
    if _LANGUAGE.match(first.strip()) and following < len(lines):
        return "code", _bare_code(lines, at)
    if _ITEM.match(first):
        return "list", _while(lines, at, lambda line: bool(line.strip()))
    for n in range(following, len(lines)):  # a paragraph ends where another kind begins without a blank line
        line = lines[n].strip()
        if lines[n - 1].rstrip().endswith(":") and _ITEM.match(lines[n]):  # "Opening hours:" above its list
            return "prose", n
        if not line or line.startswith("|") or _FENCE.match(lines[n]) or _LANGUAGE.match(line) or glued_table(lines, n):
            return "prose", n
    return "prose", len(lines)


def _while(lines: list[str], at: int, holds: Callable[[str], bool]) -> int:
    """The first line from `at` on for which it does not hold, else their number."""
    return next((n for n in range(at, len(lines)) if not holds(lines[n])), len(lines))


def _bare_code(lines: list[str], at: int) -> int:
    """Lines of code that lost its fence: it goes on over blank lines for as long as what follows looks like code."""
    after = at + 1
    for n in range(after, len(lines)):
        line = lines[n]
        if line.strip():
            if not line.startswith((" ", "\t")) and not _CODE.search(line):
                break
            after = n + 1
    return after


def is_code(line: str) -> bool:
    """Whether a line looks like a statement, a call or a comment of a program."""
    return bool(_CODE.search(line))
