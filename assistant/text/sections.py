"""Headings and what stands under them, in Markdown and in plain text.

Plain text has no marks for a heading, so one is recognised by its look: a short line alone between blank lines,
in title case, without a sentence's end; after two blank lines other short ones, too. A "Chapter N: ..." line always is
one, "Total: EUR 12" never. RST's and setext's underlines count.
"""
from __future__ import annotations

import re
from dataclasses import dataclass

MARKDOWN = (".md", ".markdown", ".mdx", ".html", ".htm", ".docx")  # the last three are made into it when read
MAX_HEADING = 90  # characters; a longer line is a paragraph
SHORT = 6         # words
STACKED = 3       # headings
SMALL = frozenset("a an and as at but by for from in into is it its nor of on or over per so than that the to vs via "  # noqa: SIM905
                  "with your are be not you they do does".split())
_ATX = re.compile(r"^ {0,3}(#{1,6})\s+(\S.*)$")
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
_CHAPTER = re.compile(r"^(chapter|part|appendix|section)\s+([0-9]+|[ivxlc]+|[a-z])\s*[:.–—-]\s*\S", re.I)
_NUMBERED = re.compile(r"^\d+(\.\d+)*\.?\s+[A-Z]")
# a list, a quotation, a sentence above a rule: no title, though a line of "---" follows
_SETEXT = re.compile(r"^ {0,3}(=+|-{2,})\s*$")
_NO_TITLE = re.compile(r"^\s*([-*+•]\s|\d+[.)]\s|[>#|<]|=+\s*$|-+\s*$)|^(\t| {4})|[.;,]\s*$")
_UNDERLINE = re.compile(r"^(={3,}|-{3,}|~{3,})\s*$")


@dataclass(frozen=True)
class Section:
    """`headings` is the chain above it, outermost first; start..end is the text under the last of them, or the words of
    a heading that has nothing under it."""

    headings: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class _Heading:
    level: int
    title: str
    start: int
    end: int


def front_matter(text: str) -> tuple[dict[str, str], int]:
    """({key: value}, where the body starts) of a `---` block of `key: value` lines at the very top; ({}, 0) without."""
    match = re.match(r"---\n(.*?)\n---[ \t]*(\n|$)", text, re.S)
    if not match:
        return {}, 0
    values = {}
    for line in match[1].split("\n"):
        key, colon, value = line.partition(":")
        if colon and re.fullmatch(r"[\w-]+", key.strip()):
            values[key.strip()] = value.strip().strip("\"'")
    return (values, match.end()) if values else ({}, 0)


def sections(text: str, markdown: bool) -> list[Section]:
    """The text cut at its headings, in order; front matter is in no section.

    Headings are in none but where nothing stands under them, not even another heading: then their words are all there
    is. In plain text, where a title and its label stand above one another, that holds for `STACKED` headings in a row
    and more, and for the last.
    """
    _, body = front_matter(text)
    found = _markdown_headings(text, body) if markdown else _plain_headings(text, body)
    cut, chain, at = [], [], body
    bare: list[Section] = []  # headings of a plain text in a row with nothing under them
    for before, heading in zip([None, *found], [*found, None], strict=True):
        end = heading.start if heading else len(text)
        titles = tuple(title for _, title in chain)
        empty = not text[at:end].strip()
        if empty and before and (heading is None or heading.level <= before.level):
            start = text.index(before.title, before.start)
            bare.append(Section(titles[:-1], start, start + len(before.title)))
        if bare and (markdown or heading is None or not empty):
            if markdown or len(bare) >= STACKED or (heading is None and empty):
                cut.append(Section(bare[0].headings, bare[0].start, bare[-1].end))
            bare = []
        if not empty:
            cut.append(Section(titles, at, end))
        if heading:
            chain = [item for item in chain if item[0] < heading.level] + [(heading.level, heading.title)]
            at = heading.end
    return cut


def title(text: str, markdown: bool) -> str:
    """The title in the front matter, else the line that opens a plain text, else the first heading that is more than a
    label in capitals, else ""."""
    values, body = front_matter(text)
    found = _markdown_headings(text, body) if markdown else _plain_headings(text, body)
    opening = "" if markdown else _opening(text, body)
    if opening and not values.get("title"):
        return opening
    titles = [h.title for h in found if not h.title.isupper()] or [h.title for h in found]
    return values.get("title") or (titles[0] if titles else "")


def _opening(text: str, start: int) -> str:
    """The first line of a plain text, where it reads as a title; in capitals it is a label above one that follows."""
    first, *others = [line.strip() for line in text[start:].split("\n") if line.strip()][:2] or [""]
    if len(first) > MAX_HEADING or _gives_value(first) or _NUMBERED.match(first) \
            or not looks_like_title(first, strict=not first.isupper()):
        return ""
    return "" if first.isupper() and others and len(others[0]) <= MAX_HEADING and looks_like_title(others[0]) else first


def _lines(text: str, start: int) -> list[tuple[int, int]]:
    spans, at = [], start
    for line in text[start:].split("\n"):
        spans.append((at, at + len(line)))
        at += len(line) + 1
    return spans


def _markdown_headings(text: str, start: int) -> list[_Heading]:
    found, fence, lines = [], None, _lines(text, start)
    for at, (begin, end) in enumerate(lines):
        line = text[begin:end]
        if mark := _FENCE.match(line):
            # a fence closes only with its own kind of mark, so ``` inside ~~~ is text
            fence = None if fence and line.strip().startswith(fence) else fence or mark[1][:3]
        elif not fence and (heading := _ATX.match(line)):
            words = heading[2].rstrip()  # a pattern for the marks after it would take the cube of a line's blanks
            found.append(_Heading(len(heading[1]), words.rstrip("#").rstrip() or words[:1], begin, end))
        elif not fence and at + 1 < len(lines) and (rule := _SETEXT.match(text[slice(*lines[at + 1])])) \
                and 0 < len(line.strip()) <= MAX_HEADING and not _NO_TITLE.search(line) \
                and (at == 0 or not text[slice(*lines[at - 1])].strip()):
            found.append(_Heading(1 if rule[1][0] == "=" else 2, line.strip(), begin, lines[at + 1][1]))
    return found


def _plain_headings(text: str, start: int) -> list[_Heading]:
    found, lines = [], _lines(text, start)
    for at, (begin, end) in enumerate(lines):
        line = text[begin:end].strip()
        before = text[slice(*lines[at - 1])].strip() if at else ""
        after = text[slice(*lines[at + 1])].strip() if at + 1 < len(lines) else ""
        if not line or len(line) > MAX_HEADING:
            continue
        if _UNDERLINE.match(after) and not before and not _UNDERLINE.match(line):
            found.append(_Heading(1 if after[0] == "=" else 2, line, begin, lines[at + 1][1]))
        elif _CHAPTER.match(line) and not before and looks_like_title(line, strict=False):
            found.append(_Heading(1, line, begin, end))
        elif not before and not after and not _gives_value(line) \
                and looks_like_title(line, strict=not _set_apart(text, lines, at)):
            found.append(_Heading(2, line, begin, end))
    return found


def _set_apart(text: str, lines: list[tuple[int, int]], at: int) -> bool:
    """Whether two blank lines stand before a line of a few words that begins with a capital ("Range and habitat")."""
    line = text[slice(*lines[at])].strip()
    return at >= 2 and not any(text[slice(*lines[n])].strip() for n in (at - 1, at - 2)) \
        and line[:1].isupper() and len(line.split()) <= SHORT


def _gives_value(line: str) -> bool:
    """Whether a line is a name and its value ("Total: EUR 1,250.00", "CEO: Anna"), not a title in two parts
    ("Dense Vectors: The Basics", "Step 2: Mixing")."""
    name, _, value = line.partition(": ")
    words = value.split()
    if not words or _CHAPTER.match(line):
        return False
    if re.search(r"\d", words[0]) or (len(words) <= 3 and re.search(r"[\d@]", value)):
        return True
    return len(words) <= 2 and not re.search(r"\b(\d+|[A-Z])$", name) and not any(w.lower() in SMALL for w in words)


def looks_like_title(line: str, strict: bool = True) -> bool:
    """Whether a line alone reads as a heading: few words, capitals, no sentence's end, no formula."""
    words = re.findall(r"[^\W_][\w'’-]*", line)
    if not words or len(words) > 14 or re.search(r"[=×→≈|{}<>\[\]]|[.,;:!]$|^[\"“”'—–*•$-]", line):
        return False
    if not strict or _NUMBERED.match(line):
        return True
    weighty = [word for word in words if word.lower() not in SMALL]
    capital = sum(word[0].isupper() or word[0].isdigit() for word in weighty)
    return words[0][0].isupper() and bool(weighty) and capital >= 0.75 * len(weighty)


def is_markdown(name: str) -> bool:
    return name.lower().endswith(MARKDOWN)
