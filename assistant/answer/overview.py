"""Questions about the documents themselves: what they are about, which chapters there are, what a chapter says.

They are answered from titles, headings and the named chapter's own sentences, with citations like any other answer.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from assistant.answer.evidence import passages, scored_text
from assistant.ingest.load import is_markdown
from assistant.records import Chunk, Document, Evidence, Hit
from assistant.text.sections import front_matter

MAX_CHAPTERS = 30    # in a list; a longer one helps nobody
MAX_KEY_SENTENCES = 5
MAX_SCORED = 60      # sentences of a chapter that are scored
_WHAT = (r"(this|these|it|(the|this|these|your) (documents?|corpus|lesson|text|course|book|files?|material|collection|"
         r"chapters))")
_PART = r"(chapters?|sections|parts|topics|documents|lessons)"
_LIST = re.compile(rf"\b((which|what) {_PART} (are|do|does|exist|can)\b"
                   rf"(?!.* (about|say|explain|discuss|mention|cover) )|"
                   rf"list (all )?(the |of )?{_PART}|how many {_PART}|table of contents|names? of the {_PART}|"
                   rf"what (topics|chapters) (does|do) {_WHAT} (cover|have|contain))", re.I)
_ABOUT = re.compile(rf"^\W*(what('s| is| are) {_WHAT} (all )?about|summari[sz]e {_WHAT}|"
                    rf"(give me )?an? (overview|summary) of {_WHAT}|"
                    rf"what (does|do) {_WHAT} (cover|teach|deal with)|what is in {_WHAT})\W*$", re.I)
_CHAPTER = re.compile(r"\b(summari[sz]e|summary of|overview of|sum up|recap|outline|main (points?|ideas?|message) of|"
                      r"key points of|what (is|does|happens in)|what's|tell me about|explain)\W+"
                      r"(the )?(chapter|ch\.?|part)\s*(?P<number>\d+)"
                      r"(\W+(about|cover|say|teach|deal with|in (short|brief)|please|for me|explain|discuss))*\W*$",
                      re.I)


@dataclass(frozen=True)
class Chapter:
    """A document with a number in its front matter, or the part of one under an outermost "Chapter N" heading."""

    number: int | None
    title: str
    document: Document
    start: int
    end: int
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True)
class About:
    """What is asked for: "list", "about" or "chapter", and of which chapters. `ask` is what sentences are scored by."""

    kind: str
    chapters: tuple[Chapter, ...]
    ask: str


def find(question: str, documents: Callable[[], Sequence[Document]],
         chunks: Callable[[str], list[Chunk]]) -> About | None:
    """None where the question is not about the documents themselves; then `documents` is not called."""
    named = _CHAPTER.search(question)
    if not (named or _LIST.search(question) or _ABOUT.match(question)):
        return None
    found = [chapter for document in documents() for chapter in chapters(document, chunks(document.id))]
    if named:
        wanted = tuple(c for c in found if c.number == int(named["number"]))
        return About("chapter", wanted, f"What is the main point of {wanted[0].title}?") if wanted else None
    kind = "list" if _LIST.search(question) else "about"
    return About(kind, tuple(found[:MAX_CHAPTERS]), "What is this text about?")


def chapters(document: Document, chunks: Sequence[Chunk]) -> list[Chapter]:
    """The document's chapters: those of its headings that are numbered, else the document as one."""
    marks = [m for m in re.finditer(r"(?m)^#{0,2}\s*(chapter|part)\s+(\d+)\s*[:.–—-]\s*(.+)$", document.text, re.I)]
    if len(marks) > 1:
        ends = [*(m.start() for m in marks[1:]), len(document.text)]
        return [Chapter(int(m[2]), m[3].strip(), document, *_trimmed(m),
                        tuple(c for c in chunks if m.start() <= c.start < end))
                for m, end in zip(marks, ends, strict=True)]
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


def evidence(about: About, score: Callable[[Sequence[str]], np.ndarray]) -> tuple[Evidence, ...]:
    """What answers it, in the documents' order."""
    if about.kind == "chapter":
        return _key_sentences(about.chapters[0], score)
    titles = [(c, (c.start, c.end), f"Chapter {c.number}: {c.title}" if c.number is not None else c.title)
              for c in about.chapters if c.chunks]
    opening: tuple[Evidence, ...] = ()
    if about.kind == "about" and about.chapters:
        first = about.chapters[0]
        opening = _key_sentences(Chapter(None, first.title, first.document, 0, 0, first.chunks[:4]), score)[:2]
    return (*opening, *(Evidence(len(opening) + n, c.chunks[0].id, c.document.title, c.title, (span,), text, None)
                        for n, (c, span, text) in enumerate(titles, 1)))


def _key_sentences(chapter: Chapter, score: Callable[[Sequence[str]], np.ndarray]) -> tuple[Evidence, ...]:
    """The best sentence under each of the chapter's headings, the best headings' ones, in the chapter's order."""
    hits = [Hit(chunk, chapter.document.title) for chunk in chapter.chunks]
    pool = [p for p in passages(hits) if p.kind == "sentence" and len(p.reading.split()) >= 6][:MAX_SCORED]
    if not pool:
        return ()
    values = score([scored_text(p) for p in pool])
    best: dict[str, int] = {}
    for at, passage in enumerate(pool):
        heading = passage.chunk.heading
        if heading not in best or values[at] > values[best[heading]]:
            best[heading] = at
    chosen = sorted(sorted(best.values(), key=lambda at: -float(values[at]))[:MAX_KEY_SENTENCES])
    return tuple(Evidence(n, pool[at].chunk.id, pool[at].document, pool[at].chunk.heading, pool[at].spans,
                          pool[at].reading, float(values[at])) for n, at in enumerate(chosen, 1))


def _trimmed(match: re.Match) -> tuple[int, int]:
    """The heading's own words, without the Markdown marks in front and blanks behind."""
    line = match[0]
    lead = len(line) - len(line.lstrip("# \t\n"))
    return match.start() + lead, match.start() + len(line.rstrip())
