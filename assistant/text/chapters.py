"""The chapters of documents: numbered by a document's front matter, or by its "Chapter N" headings."""
from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.records import Chunk, Document
from assistant.text.sections import front_matter, is_markdown
from assistant.text.words import STOP

_SAYS = re.compile(r"\W*what (?:does|do|is|are) (?:said )?(?:in )?(?:the )?(?:(?:chapters?|ch\.|part)\s*\d+|"
                   r"chapter (?:on|about|called|titled|named) .{3,60}?|[\w-]+ chapter) "
                   r"(?:says?|tells? (?:us|me)|teach(?:es)?|explains?|writes?) (?:about|on|of) (.+?)\W*$", re.I)
_PLACE = re.compile(r",?\s*\b(?:in|from|according to|within)\s+(?:the )?(?:(?:chapters?|ch\.|part)\s*\d+|"
                    r"(?:first|opening|introductory|last|final|closing) chapter)\b('s)?,?\s*", re.I)
_ON = re.compile(r"\bthe (?:chapter|document) (?:on|about|called|titled|named) (?P<after>.+)|"
                 r"\bthe (?P<before>(?:[\w-]+ ){1,4})chapter\b", re.I)
_FIRST = re.compile(r"\b(?:first|opening|introductory) chapter\b|"
                    r"\b(?:lesson|course|book|text)'s introduction\b|\bintroduction (?:of|to) (?:the|this) "
                    r"(?:lesson|course|book|text)\b", re.I)
_LAST = re.compile(r"\b(?:last|final|closing) chapter\b", re.I)
_NAMED = re.compile(r"\b(?:chapters?|ch\.|part)\s*(\d+)(?:\s*(,|and|or|to|&)\s*(?:chapter\s*)?(\d+))?\b", re.I)


MAX_CHAPTERS = 100  # of a range that a question names


@dataclass(frozen=True)
class Chapter:
    """A document with a number in its front matter, or the part of one under an outermost "Chapter N" heading.

    text[start:end] of the document is its title; chunks are those that begin in it, in their order.
    """

    number: int | None
    title: str
    document: Document
    start: int
    end: int
    chunks: tuple[Chunk, ...]


def chapters(document: Document, chunks: Sequence[Chunk]) -> list[Chapter]:
    """The document's chapters: those of its headings that are numbered, else the document as one."""
    marks = [m for m in re.finditer(r"(?m)^#{0,2}\s*(chapter|part)\s+(\d+)\s*[:.–—-]\s*(.+)$", document.text, re.I)]
    if len(marks) > 1:
        ends = [*(m.start() for m in marks[1:]), len(document.text)]
        longest: dict[tuple[str, str], tuple[re.Match, int]] = {}  # a table of contents has each heading once more
        for mark, end in zip(marks, ends, strict=True):
            before = longest.get(_name(mark))
            if before is None or end - mark.start() >= before[1] - before[0].start():
                longest[_name(mark)] = mark, end
        return [Chapter(int(m[2]), m[3].strip(), document, *_trimmed(m),
                        tuple(c for c in chunks if m.start() <= c.start < end))
                for m, end in sorted(longest.values(), key=lambda found: found[0].start())]
    values, body = front_matter(document.text)
    number = int(values["number"]) if values.get("number", "").isdigit() else None
    heading = re.compile(r"(?m)^#\s+(.+?)\s*$").search(document.text, body) if is_markdown(document.source) else None
    start = document.text.find(document.title)
    if heading:
        start, end = heading.start(1), heading.end(1)
    elif start >= 0:
        end = start + len(document.title)
    elif chunks:
        start, end = chunks[0].start, min(chunks[0].end, chunks[0].start + 80)
    else:
        return []
    return [Chapter(number, document.title, document, start, end, tuple(chunks))]


def _name(mark: re.Match) -> tuple[str, str]:
    """Number and title of a heading, without a page number."""
    return mark[2], re.sub(r"[\s.·]*\d*\s*$", "", mark[3]).lower()


def named(question: str) -> list[int]:
    """The numbers of the chapters that a question names, in its order: "chapters 3 and 4" gives [3, 4], "1 to 3" all
    three, of a longer range the first `MAX_CHAPTERS`."""
    found: list[int] = []
    for match in _NAMED.finditer(question):
        first, last = int(match[1]), int(match[3] or match[1])
        through = (match[2] or "").lower() == "to"
        found += range(first, min(last + 1, first + MAX_CHAPTERS)) if through else [first, last]
    return list(dict.fromkeys(found))


def titled(question: str, found: Sequence[Chapter]) -> list[Chapter]:
    """The one chapter that a question names by words of its title ("the chapter on geometry") or by its place ("the
    last chapter"); [] where it names none, or the words fit several."""
    numbered = sorted((c for c in found if c.number is not None), key=lambda c: c.number or 0)
    for pattern, at in ((_FIRST, 0), (_LAST, -1)):
        if numbered and pattern.search(question):
            return [numbered[at]]
    said = _ON.search(question)
    if not said:
        return []
    words = re.findall(r"[^\W_]+", (said["after"] or said["before"]).lower())
    shared = [_shared(words if said["after"] else words[::-1], c.title) for c in found]
    most = max(shared, default=0)
    return [found[shared.index(most)]] if most and shared.count(most) == 1 else []


def holds_all(title: str, phrase: str) -> bool:
    """Whether every word of the phrase, small ones aside, stands in the title, and there is one."""
    words = [word for word in re.findall(r"[^\W_]+", phrase.lower()) if word not in STOP]
    return bool(words) and _shared(words, title) == len(words)


def _shared(words: Sequence[str], title: str) -> int:
    """How many words, up to the first that the title does not hold, stand in it; small words count for nothing."""
    held = {word.removesuffix("s") for word in re.findall(r"[^\W_]+", title.lower())}
    count = 0
    for word in words:
        if word in STOP:
            continue
        if word.removesuffix("s") not in held:
            break
        count += 1
    return count


def narrowed(question: str) -> str:
    """The question without the words that name its chapter, which stand in no passage: they are no part of what is
    asked. Unchanged where too little is left ("What happens in chapter 7?")."""
    if asked := _SAYS.match(question):
        return f"What is {asked[1]}?"
    rest = re.sub(r"\s+([?.!])", r"\1", _PLACE.sub(" ", question)).strip(" ,")
    return rest if len(re.findall(r"\w{4,}", rest)) >= 3 else question


def within(question: str, documents: Callable[[], Sequence[Document]],
           chunks: Callable[[str], list[Chunk]]) -> frozenset[str] | None:
    """Ids of the chunks of the chapters that the question names, by number, title or place; None where it names none
    that there is.

    Where it names several at once, chunks that do so in the same words ("Chapters 1 to 3 build ...") are among them.
    """
    numbers = named(question)
    if not numbers and not any(pattern.search(question) for pattern in (_ON, _FIRST, _LAST)):
        return None
    found = [chapter for document in documents() for chapter in chapters(document, chunks(document.id))]
    wanted = [c for c in found if c.number in numbers] if numbers else titled(question, found)
    inside = {c.id for chapter in wanted for c in chapter.chunks}
    said = [re.compile(rf"\b{re.escape(match[0])}\b", re.I) for match in _NAMED.finditer(question) if match[3]]
    naming = {c.id for chapter in found for c in chapter.chunks if any(pattern.search(c.text) for pattern in said)}
    return frozenset(inside | naming) if inside else None


def _trimmed(match: re.Match) -> tuple[int, int]:
    """The heading's own words, without the Markdown marks in front and blanks behind."""
    line = match[0]
    lead = len(line) - len(line.lstrip("# \t\n"))
    return match.start() + lead, match.start() + len(line.rstrip())
