"""The units of a text that can be quoted: sentences, list items, table rows with their header, code statements."""
from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from assistant.text.blocks import MONTH, Block, blocks, is_code
from assistant.text.segment import split_sentences
from assistant.text.tables import glued_cells, has_header, is_markdown_rule, markdown_cells, row_text, seams
from assistant.text.words import NOT_IT

WRAP = 120   # characters; wider lines are paragraphs, not wrapped text
SHORT_CODE = 40  # words; statements that are no longer together are quoted together
SHORT_ITEM = 30  # words; a list's item that is no longer is quoted whole: "Send the letter. *Lucy, by 17 May*"
LABEL = 60   # characters; a line of at least this length says something by itself
_LEANING = re.compile(rf"^{NOT_IT}(this|that|these|those|it|its|they|their|them|such|here's|here|he|she|instead|"
                      r"otherwise|however|but|so|for example|in other words|the word|the result|the fix|fix:|no\.|"
                      r"the rest|the former|the latter|the others|neither|as a result|therefore|hence|thus)\b", re.I)
NAMING = re.compile(r"(this|that|it|these|they)( \w+)? (is|are|was) (called|known as|named|termed)\b", re.I)
_SAYS_FIRST = re.compile(r"(?!\S+ \S+[:—])[^?]{30,}[:—] [^?]+\?")  # "X is a count: how often does each word appear?"
NAMED = 60   # words before "This is called ..." that it may stand for
_ITEM_MARK = re.compile(r"\s*([-*+•]|\d{1,3}[.)])\s+")
# A line of code that does nothing yet: a comment, an import, the fence, a blank.
_PREPARES = r"(?:[ \t]*(?:(?:#|//|import |from \S+ import |using |```|~~~)[^\n]*)?)"
_IMPORTS = re.compile(r"(?:(?:import|from|using)\s[^\n]*\n?)+")  # at the end of a chunk, what they are for in the next
_HAN = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # written without blanks: a character counts as a word
_WORD = re.compile(rf"[{_HAN}]|[^\W{_HAN}]+")
# "2**10" is a power; where words are not set apart by blanks a mark may follow a letter
_EMPHASIS = re.compile(r"(?<![A-Za-z0-9_)\]])\*\*(.+?)\*\*|(?<![\w*])\*(?!\s)(.+?)(?<!\s)\*(?![\w*])|`([^`]+)`|"
                       r"\[([^\]]+)\]\([^)]*\)")


@dataclass(frozen=True)
class Unit:
    """text[start:end] is the unit; `reading` is how it is shown and scored.

    kind     "sentence", "row" (of a table), "code" or "item" (of a list)
    leaning  its first word refers to the sentence before, which it needs to be understood
    """

    kind: Literal["sentence", "row", "code", "item"]
    start: int
    end: int
    reading: str
    leaning: bool = False


@dataclass(frozen=True)
class Quotable:
    """Something that can be quoted by itself: text[start:end] is a unit, with the one before where it leans on it."""

    kind: str
    start: int
    end: int
    reading: str


def quotables(text: str, header: str = "") -> list[Quotable]:
    """The units of a chunk that say something, in order. Questions and fragments are left out: they answer nothing, but
    a question on a line of its own stands before its answer."""
    found: list[Quotable] = []
    before: Unit | None = None
    introduced = False  # the "Opening hours:" of a list and the list's items
    every = _short_items_together(units(text, header))
    for at, unit in enumerate(every):
        replies = before is not None and _asks(before) and _ends(text, before, unit)
        introduces = unit.reading.endswith(":") and at + 1 < len(every) and every[at + 1].kind == "item"
        introduced = introduces or (introduced and unit.kind == "item")
        if _says_nothing(unit) and not (_is_short(unit) and (replies or introduced)):
            before = unit if _asks_alone(text, unit) else None
            continue
        if NAMING.match(unit.reading) and (meant := named(every[:at])):
            unit = replace(unit, start=meant[0].start, reading=" ".join(one.reading for one in (*meant, unit)))
            found.append(Quotable(unit.kind, unit.start, unit.end, unit.reading))
        elif before is not None and (unit.leaning or _asks(before)) and unit.kind in ("sentence", "item"):
            reading = plain(text[before.start:unit.end]) if _asks(before) else f"{before.reading} {unit.reading}"
            found.append(Quotable(unit.kind, before.start, unit.end, reading))
        else:
            found.append(Quotable(unit.kind, unit.start, unit.end, unit.reading))
        before = unit if unit.kind in ("sentence", "item") else None
    short = [unit for unit in every if _is_short(unit)]
    if not found and short and sum(len(unit.reading.split()) for unit in short) <= NAMED:  # all there is
        return [Quotable(short[0].kind, short[0].start, short[-1].end, "; ".join(unit.reading for unit in short))]
    return found


def named(before: Sequence[Unit]) -> list[Unit]:
    """What "This is called ..." stands for: the units before it, as far as they are few words."""
    words = 0
    for count, unit in enumerate(reversed(before)):
        words += len(unit.reading.split())
        if words > NAMED or unit.kind in ("row", "item"):
            return list(before[len(before) - count:])
    return list(before)


def _ends(text: str, before: Unit, unit: Unit) -> bool:
    """Whether it ends as a sentence does or stands right under the one before, as the reply "Yes." does."""
    return unit.reading[-1:] in ".!。！" or not re.search(r"\n\s*\n", text[before.end:unit.start])


def _says_nothing(unit: Unit) -> bool:
    return _asks(unit) or _is_short(unit) or (unit.kind == "code" and bool(_IMPORTS.fullmatch(unit.reading)))


def _is_short(unit: Unit) -> bool:
    """Whether it is a word or two that say nothing alone, as "Price: $20" does."""
    return unit.kind in ("sentence", "item") and len(_WORD.findall(unit.reading)) < 3 and not _asks(unit) and \
        not re.search(r"\w(: |：)\S", unit.reading)


def _short_items_together(every: Sequence[Unit]) -> list[Unit]:
    """Short items that follow one another ("PDF", "Word", "HTML") as one, as far as they are few words."""
    made: list[Unit] = []
    words, open_ = 0, False
    for unit in every:
        short = unit.kind == "item" and _is_short(unit)
        words += len(unit.reading.split())
        if short and open_ and words <= NAMED:
            made[-1] = replace(made[-1], end=unit.end, reading=f"{made[-1].reading}; {unit.reading}")
        else:
            made.append(unit)
            words = len(unit.reading.split())
        open_ = short
    return made


def units(text: str, header: str = "") -> list[Unit]:
    """The units of a chunk's text in order. `header`: the header row of a table that begins before this text."""
    found: list[Unit] = []
    for at, block in enumerate(blocks(text)):
        if block.kind in ("table", "glued") or (header and at == 0 and block.kind in ("prose", "table", "glued")):
            found += _rows(text, block, header if at == 0 else "")
        elif block.kind == "code" or all(is_code(line) for line in text[block.start:block.end].split("\n")):
            found += _statements(text, block)
        else:
            found += _sentences(text, block)
    return found


def _asks(unit: Unit) -> bool:
    return unit.reading.rstrip("\"”").endswith("?") and not _SAYS_FIRST.match(unit.reading)


def _asks_alone(text: str, unit: Unit) -> bool:
    """Whether it is a question on a line of its own, or in bold at its beginning, as in a list of questions and
    answers: the answer needs it."""
    above, below = text[max(0, unit.start - WRAP):unit.start].rpartition("\n")[2], text[unit.end:unit.end + WRAP]
    bold = text.startswith("**", unit.start) and text.endswith("**", unit.start, unit.end)
    return _asks(unit) and not re.search(r"\w{3}", above) and (bold or bool(re.match(r"[ *_]*\n", below)))


def _stripped(text: str) -> tuple[int, int]:
    return len(text) - len(text.lstrip()), len(text.rstrip())


def _labelled(sentence: str) -> bool:
    """Whether its lines are labels above a sentence, not one wrapped sentence."""
    first = sentence.split("\n")[0]
    return "\n" in sentence and len(first) < LABEL and not sentence.split("\n")[1][:1].islower()


def plain(text: str) -> str:
    """Markdown's emphasis, code marks and links as plain words, on one line."""
    while (bare := _EMPHASIS.sub(lambda m: next(g for g in m.groups() if g is not None), text)) != text:
        text = bare
    return re.sub(r"\s+", " ", text).strip()


def _sentences(text: str, block: Block) -> list[Unit]:
    found: list[Unit] = []
    for begin, end in _paragraph_parts(text, block):
        item = block.kind == "list"
        if item and (mark := _ITEM_MARK.match(text[begin:end])):
            begin += mark.end()  # else "1." would be a sentence
        short = item and len(text[begin:end].split()) <= SHORT_ITEM
        for a, b in [_stripped(text[begin:end])] if short else split_sentences(text[begin:end]):
            bare = re.sub(rf"^\s*([-*+•>↓→]|\d{{1,3}}[.)](?!\s+{MONTH}))\s+", "", text[begin + a:begin + b])
            # a first line may be short for starting late
            labelled = not item and _labelled(bare) and not text[text.rfind("\n", 0, begin + a) + 1:begin + a].strip()
            reading = plain(re.sub(r"\n+", " — " if labelled else " ", bare))
            if re.search(r"\w", reading):
                found.append(Unit("item" if item else "sentence", begin + a, begin + b, reading,
                                  bool(_LEANING.match(reading))))
    return found


def _paragraph_parts(text: str, block: Block) -> list[tuple[int, int]]:
    """A list's items; a paragraph's lines where they are paragraphs of their own; else the whole block.

    Lines that only wrap a text are of one width. A short line without a sentence's end is the label of the next.
    """
    body = text[block.start:block.end]
    if block.kind == "list":
        marks = list(re.finditer(r"(?m)^\s*(?:[-*+•]|(\d{1,3}[.)]))\s", body))
        numbered = marks[0][1] or sum(mark[1] is not None for mark in marks) > 1  # else a line is wrapped at "12. It"
        cuts = [mark.start() for mark in marks if numbered or mark[1] in (None, "1.", "1)")]
    else:
        lines = body.split("\n")
        wrapped = max(map(len, lines)) <= WRAP and min(map(len, lines[:-1]), default=0) >= 0.6 * max(map(len, lines))
        at, cuts = 0, []
        for line in [] if wrapped else lines:
            at += len(line) + 1
            if len(line) >= LABEL or re.search(r"[.!?:;\"”)]\s*$", line):
                cuts.append(min(at, len(body)))
    cuts = sorted({0, *cuts} - {len(body)})
    return [(block.start + a, block.start + b) for a, b in zip(cuts, [*cuts[1:], len(body)], strict=True)]


def _rows(text: str, block: Block, header: str) -> list[Unit]:
    lines, at = [], block.start
    for line in text[block.start:block.end].split("\n"):
        lines.append((at, at + len(line)))
        at += len(line) + 1
    shown = [text[a:b] for a, b in lines]
    first = header or shown[0]
    glued = "|" not in first
    columns = len(seams(first)) + 1
    names = glued_cells(first, columns) if glued else markdown_cells(first) if header or has_header(shown) else []
    names = names if any(names) else []
    body = [n for n, line in enumerate(shown) if line.strip() and not is_markdown_rule(line)
            and (header or n or not (glued or has_header(shown)))]
    if not body:  # a header alone, cut from its rows
        names, body = [], [n for n, line in enumerate(shown) if not is_markdown_rule(line)]
    found = []
    for n in body:
        cells = glued_cells(shown[n], columns) if glued else markdown_cells(shown[n])
        reading = plain(row_text([plain(name) for name in names], cells))
        if re.search(r"\w", reading):
            found.append(Unit("row", lines[n][0], lines[n][1], reading))
    return found


def _statements(text: str, block: Block) -> list[Unit]:
    """Runs of code between blank lines: a comment and imports stay with what they are for."""
    body = text[block.start:block.end]
    found = []
    for match in re.finditer(rf"(?m)^(?:\A[a-z+]+\n)?(?:{_PREPARES}\n)*(?:[^\S\n]*+\S[^\n]*(?:\n|$))+", body):
        lines = match[0].strip("\n")
        begin = match.start() + len(match[0]) - len(match[0].lstrip("\n"))
        opening = re.match(r"\s*(```+|~~~+)[^\n]*(\n|$)|\w+\n(?=\s*\S)", lines) if not found else None
        if opening and (opening[1] or re.fullmatch(r"[a-z+]+\n", opening[0])):
            begin, lines = begin + opening.end(), lines[opening.end():]
        if closing := re.search(r"(```+|~~~+)\s*$", lines):
            lines = lines[:closing.start()].rstrip()
        if lines.strip():
            start, end = block.start + begin, block.start + begin + len(lines)
            if found and len(text[found[-1].start:end].split()) <= SHORT_CODE:
                start = found.pop().start
            found.append(Unit("code", start, end, text[start:end].strip()))
    return found
