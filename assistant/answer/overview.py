"""Questions about the documents themselves: what they are about, which chapters there are, what a chapter says.

They are answered from titles, headings and the named chapter's own sentences, with citations like any other answer.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from assistant.answer.evidence import Scorer, passages
from assistant.records import Chunk, Document, Evidence, Hit
from assistant.text.chapters import Chapter, chapters, holds_all, titled
from assistant.text.words import STOP

MAX_CHAPTERS = 30    # in a list; a longer one helps nobody
MAX_KEY_SENTENCES = 6
MAX_SCORED = 60      # sentences of a chapter that are scored
_WHAT = (r"(this|these|it|(the|this|these|your) (documents?|corpus|lesson|text|course|book|files?|material|collection|"
         r"chapters))")
_PART = r"(chapters?|sections|parts|topics|documents|lessons)"
_OURS = rf"(?=\W*$| (are there|exist|do you (have|know|hold))\W*$|.*\b(in|of|does|do|has|have) {_WHAT}\b)"
_LIST = re.compile(rf"\b((which|what) (chapters|sections) (are|do|does|exist|can)\b"
                   rf"(?!.* (about|say|explain|discuss|mention|cover) )|"
                   rf"(which|what|how many) {_PART}{_OURS}|list (all )?(the |of )?{_PART}{_OURS}|"
                   rf"list (all )?(the |of )?(chapters|sections)|how many (chapters|sections)|table of contents|"
                   rf"names? of the (chapters|sections|documents)|"
                   rf"what (topics|chapters) (does|do) {_WHAT} (cover|have|contain))", re.I)
_HOW_MANY = re.compile(rf"\bhow many {_PART}\b|\bnumber of {_PART}\b", re.I)
_ABOUT = re.compile(rf"^\W*(what('s| is| are) {_WHAT} (all )?about|summari[sz]e {_WHAT}|"
                    rf"(give me )?an? (overview|summary) of {_WHAT}|"
                    rf"what (does|do) {_WHAT} (cover|teach|deal with)|what is in {_WHAT})\W*$", re.I)
_LEAD = (r"\b(summari[sz]e|summary of|overview of|sum up|recap|outline|main (points?|ideas?|message) of|"
         r"key points of|what (is|does|happens in)|what's|tell me about|explain)\W+")
_TAIL = r"(\W+(about|cover|say|teach|deal with|in (short|brief)|please|for me|explain|discuss))*\W*$"
_CHAPTER = re.compile(rf"{_LEAD}(the )?(chapter|ch\.?|part)\s*(?P<number>\d+){_TAIL}", re.I)
_TITLED = re.compile(rf"{_LEAD}the (chapter (on|about|called|titled|named) (?P<title>.+?)|"
                     rf"(first|opening|introductory|last|final|closing) chapter|(?P<word>[\w-]+( [\w-]+)?) chapter)"
                     rf"{_TAIL}", re.I)

_WHERE = re.compile(rf"\b(which|what|how many)\s+(?:\w+\s+)?{_PART}\b"
                    rf"(?!\s*\d|\s+(?:are there|exist|do(?:es)? {_WHAT}))", re.I)
_HOLDS = re.compile(r"\b(mention|discuss|cover|explain|talk|describe|deal|treat|contain|say|tell|name|use|introduce|"
                    r"speak|refer|appear|about)(s|es|ed|ing)?\b", re.I)
# What only frames a question for chapters: the rest of its words are what they are to hold.
_FRAMING = re.compile(r"^(whole|entire|full|total|altogether|exist|course|book|text|corpus|material|one|two|three|four|"
                      r"five|six|seven|which|what|how|many|can|chapters?|sections?|parts?|documents?|lessons?|topics?|"
                      r"talk|mention|discuss|explain|use|deal|cover|about|contain|treat|appear|turn|come|up|describe|"
                      r"introduce|say|name|present|example|pair|term|word|concept|idea)(s|ed|d|ing)?$", re.I)


@dataclass(frozen=True)
class About:
    """What is asked for: "list", "about", "chapter" or "where", and of which chapters.

    ask    what sentences are scored by
    terms  of "where": what a chapter must hold, as it is typed
    """

    kind: str
    chapters: tuple[Chapter, ...]
    ask: str
    terms: tuple[str, ...] = ()


def find(question: str, documents: Callable[[], Sequence[Document]],
         chunks: Callable[[str], list[Chunk]]) -> About | None:
    """None where the question is not about the documents themselves; then `documents` is not called."""
    named, titles, asked = _CHAPTER.search(question), _TITLED.search(question), _WHERE.search(question)
    if asked and not re.search(r"chapter|section", asked[0], re.I) and not _HOLDS.search(question):
        asked = None  # "What documents are required for a visa?"
    terms = tuple(_terms(question)) if asked else ()
    if not (named or titles or terms or _LIST.search(question) or _ABOUT.match(question)):
        return None
    found = [chapter for document in documents() for chapter in chapters(document, chunks(document.id))]
    if titles and not named:
        said = titles["title"] or titles["word"]
        wanted = tuple(c for c in titled(question, found) if not said or holds_all(c.title, said))
        return About("chapter", wanted, _main_point(wanted[0])) if wanted else None
    if terms and not named:
        holding = tuple(c for c in found if any(_holds(chunk, terms) for chunk in c.chunks))
        return About("where", holding[:MAX_CHAPTERS], question, terms) if holding else None
    if named:
        wanted = tuple(c for c in found if c.number == int(named["number"]))
        return About("chapter", wanted, _main_point(wanted[0])) if wanted else None
    kind = "list" if _LIST.search(question) else "about"
    ask = question if kind == "list" else "What is this text about?"
    return About(kind, tuple(found[:MAX_CHAPTERS]), ask)


def evidence(about: About, score: Scorer) -> tuple[Evidence, ...]:
    """What answers it, in the documents' order."""
    if about.kind == "where":
        return _holding(about)
    if about.kind == "chapter":
        return _numbered([*_titles(about.chapters[:1]), *map(_headed, _key_sentences(about.chapters[0], score))])
    titles = _titles(about.chapters)
    if about.kind == "list" and _HOW_MANY.search(about.ask) and titles:
        titles[0] = replace(titles[0], text=f"{len(titles)} {_noun(about.chapters)}. {titles[0].text}")
    opening: tuple[Evidence, ...] = ()
    if about.kind == "about" and about.chapters:
        first = about.chapters[0]
        opening = _key_sentences(Chapter(None, first.title, first.document, 0, 0, first.chunks[:4]), score)[:2]
    return _numbered([*opening, *titles])


def _titles(found: Sequence[Chapter]) -> list[Evidence]:
    return [Evidence(0, c.chunks[0].id, c.document.title, c.title, ((c.start, c.end),),
                     f"Chapter {c.number}: {c.title}" if c.number is not None else c.title, None)
            for c in found if c.chunks]


def _numbered(found: Sequence[Evidence]) -> tuple[Evidence, ...]:
    return tuple(replace(e, marker=marker) for marker, e in enumerate(found, 1))


def _headed(sentence: Evidence) -> Evidence:
    """A key sentence under its section's name, so that a summary says what there is; the chapter's own needs none."""
    *_, above, last = ["", *sentence.heading.split(" > ")]
    return replace(sentence, text=f"{last}: {sentence.text}") if above.strip() else sentence


def _noun(found: Sequence[Chapter]) -> str:
    noun = "chapter" if any(c.number is not None for c in found) else "document"
    return noun if len(found) == 1 else f"{noun}s"


def _main_point(chapter: Chapter) -> str:
    return f"What is the main point of {chapter.title}?"


def _terms(question: str) -> list[str]:
    """What the chapters are to hold: what is quoted, and the words that do not merely frame the question."""
    quoted = re.findall(r"[\"“”]([^\"“”]+)[\"“”]", question)
    rest = re.sub(r"[\"“”][^\"“”]+[\"“”]", " ", question)
    return quoted + [w for w in re.findall(r"[^\W_][\w-]*", rest) if w.lower() not in STOP and not _FRAMING.match(w)]


def _holds(chunk: Chunk, terms: Sequence[str]) -> bool:
    text = f"{chunk.heading}\n{chunk.text}".lower()
    return all(re.search(rf"(?<!\w){re.escape(term.lower().rstrip('s'))}", text) for term in terms)


def _holding(about: About) -> tuple[Evidence, ...]:
    """For each chapter its first sentence that holds the most of the terms, under the chapter's name."""
    found = []
    for chapter in about.chapters:
        pool = passages([Hit(c, chapter.document.title) for c in chapter.chunks if _holds(c, about.terms)])
        if pool:
            best = max(pool, key=lambda p: sum(term.lower().rstrip("s") in p.reading.lower() for term in about.terms))
            name = chapter.title if chapter.number is None else f"Chapter {chapter.number}, {chapter.title}"
            found.append(Evidence(len(found) + 1, best.chunk.id, best.document, best.chunk.heading, best.spans,
                                  f"{name}: {best.reading}", None))
    return tuple(found)


def _key_sentences(chapter: Chapter, score: Scorer) -> tuple[Evidence, ...]:
    """The best sentence under each of the chapter's headings, the best headings' ones, in the chapter's order."""
    hits = [Hit(chunk, chapter.document.title) for chunk in chapter.chunks]
    pool = [p for p in passages(hits) if p.kind == "sentence" and len(p.reading.split()) >= 6][:MAX_SCORED]
    if not pool:
        return ()
    values = score(pool)
    best: dict[str, int] = {}
    for at, passage in enumerate(pool):
        heading = passage.chunk.heading
        if heading not in best or values[at] > values[best[heading]]:
            best[heading] = at
    chosen = sorted(sorted(best.values(), key=lambda at: -float(values[at]))[:MAX_KEY_SENTENCES])
    return tuple(Evidence(n, pool[at].chunk.id, pool[at].document, pool[at].chunk.heading, pool[at].spans,
                          pool[at].reading, float(values[at])) for n, at in enumerate(chosen, 1))
