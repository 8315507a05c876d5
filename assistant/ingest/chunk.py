"""Documents to chunks: header-aware, sizes in the embedder's word pieces, every chunk an exact slice.

A section's blocks are packed into chunks as long as they fit; a block that does not fit alone is split, prose and
code by langchain-text-splitters, a table between its rows. Headings, a split table's header, text and the special
tokens together never have more word pieces than the budget.
"""
from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assistant.errors import ConfigError
from assistant.records import Chunk, Document
from assistant.text.blocks import Block, blocks
from assistant.text.readable import SEPARATOR, compose
from assistant.text.sections import Section, is_markdown, sections
from assistant.text.tables import has_header

Count = Callable[[Sequence[str]], list[int]]
SPLIT_PROSE = ["\n\n", r"(?<=[.!?])[\"”')]?\s+", "\n", r"[,;:]\s+", " ", ""]
SPLIT_CODE = ["\n\n", "\n", " ", ""]
HEADING_SHARE = 0.5  # of the budget, at most, for headings and a split table's header


@dataclass(frozen=True)
class _Piece:
    start: int
    end: int
    header: str = ""
    header_start: int = -1


def chunk(document: Document, count: Count, budget: int, limit: int) -> list[Chunk]:
    """The document's chunks in order.

    count   the embedder's `count_tokens`: word pieces with special tokens
    budget  word pieces of a chunk at most, all included; above the embedder's `limit` it raises ConfigError
    """
    check_budget(budget, limit)
    made = []
    for section in sections(document.text, is_markdown(document.source)):
        heading = _fitting_heading(section.headings, count, budget)
        for piece in _pieces(document.text, section, heading, count, budget):
            text = document.text[piece.start:piece.end]
            n_tokens = count([compose(heading, piece.header, text)])[0]
            made.append(Chunk(_id(document.id, heading, piece, text), document.id, heading, text, piece.start,
                              piece.end, n_tokens, piece.header, piece.header_start))
    return made


def check_budget(budget: int, limit: int) -> None:
    """Raise ConfigError where chunks of `budget` word pieces would not be seen whole."""
    if budget > limit:
        raise ConfigError(f"chunk_tokens is {budget}, but the embedder sees only {limit} word pieces: "
                          f"set chunk_tokens to {limit} or less")


def _id(document_id: str, heading: str, piece: _Piece, text: str) -> str:
    key = "\x1f".join((document_id, heading, piece.header, str(piece.start), str(piece.end), text))
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _fitting_heading(headings: tuple[str, ...], count: Count, budget: int) -> str:
    """The chain, shortened from its outer end, then in its own length, to its share of the budget."""
    chain = list(headings)
    while len(chain) > 1 and count([SEPARATOR.join(chain)])[0] > budget * HEADING_SHARE:
        chain.pop(0)
    heading = SEPARATOR.join(chain)
    while heading and count([heading])[0] > budget * HEADING_SHARE:
        heading = heading[:len(heading) * 3 // 4].rstrip()
    return heading


def _pieces(text: str, section: Section, heading: str, count: Count, budget: int) -> Iterator[_Piece]:
    def fits(start: int, end: int, header: str = "") -> bool:
        return count([compose(heading, header, text[start:end])])[0] <= budget

    open_: Block | None = None  # blocks packed so far, as one span
    for block in blocks(text, section.start, section.end):
        if open_ and fits(open_.start, block.end):
            open_ = Block("prose", open_.start, block.end)
            continue
        if open_:
            yield _Piece(open_.start, open_.end)
            open_ = None
        if fits(block.start, block.end):
            open_ = block
        else:
            yield from _split(text, block, heading, count, budget, fits)
    if open_:
        yield _Piece(open_.start, open_.end)


def _split(text: str, block: Block, heading: str, count: Count, budget: int, fits) -> Iterator[_Piece]:
    if block.kind in ("table", "glued"):
        yield from _split_table(text, block, heading, count, budget, fits)
        return
    room = budget - count([heading])[0] - 1  # the line end between heading and text may cost a piece
    separators = SPLIT_CODE if block.kind == "code" else SPLIT_PROSE
    yield from _split_text(text, block.start, block.end, separators, count, room, lambda a, b: fits(a, b))


def _split_table(text: str, block: Block, heading: str, count: Count, budget: int, fits) -> Iterator[_Piece]:
    rows, at = [], block.start
    for line in text[block.start:block.end].split("\n"):
        rows.append((at, at + len(line)))
        at += len(line) + 1
    bare = block.kind == "table" and not has_header([text[slice(*row)] for row in rows[:2]])
    header = "" if bare else text[slice(*rows[0])]
    if header and count([compose(heading, header, "")])[0] > budget * HEADING_SHARE * 1.5:
        header = ""  # a header this wide would leave no room for a row
    first = min(2 if block.kind == "table" else 1, len(rows))  # a table without a header opens with two rows as well
    prefix = (header, block.start) if header else ()

    def torn(a: int, b: int, header: str) -> Iterator[_Piece]:
        room = budget - count([compose(heading, header, "")])[0] - 1
        yield from _split_text(text, a, b, SPLIT_PROSE, count, room, lambda x, y: fits(x, y, header))

    open_, carried = (block.start, rows[first - 1][1]), False  # carried: the header is in the prefix, not in the piece
    if not fits(*open_):
        yield from torn(*open_, "")
        open_, carried = None, True
    for a, b in rows[first:]:
        if open_ and fits(open_[0], b, header if carried else ""):
            open_ = (open_[0], b)
            continue
        if open_:
            yield _Piece(*open_, *(prefix if carried else ()))
        open_, carried = (a, b), True
        if not fits(a, b, header):  # one row alone is too long
            for piece in torn(a, b, header):
                yield _Piece(piece.start, piece.end, *prefix)
            open_ = None
    if open_:
        yield _Piece(*open_, *(prefix if carried else ()))


def _split_text(text: str, start: int, end: int, separators: list[str], count: Count, room: int,
                fits) -> Iterator[_Piece]:
    """Slices of text[start:end] of at most `room` word pieces, cut at the best separators that serve."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter
    splitter = RecursiveCharacterTextSplitter(
        separators=separators, is_separator_regex=separators is SPLIT_PROSE, keep_separator="end",
        chunk_size=max(room - 2, 1), chunk_overlap=0, strip_whitespace=False,
        # a blank has no word pieces, but a length of 0 makes the splitter repeat it in the next part
        length_function=lambda piece: max(count([piece])[0] - 2, 1))
    at = start
    for part in splitter.split_text(text[start:end]):
        a, b = _trim(text, at, at + len(part))
        at += len(part)
        yield from _halved(a, b, text, fits)
    if at != end:
        raise AssertionError("the splitter did not return slices of its input")


def _halved(start: int, end: int, text: str, fits) -> Iterator[_Piece]:
    """The slice, or its halves where joining headings and text made more word pieces than the parts had."""
    if start >= end:
        return
    if fits(start, end) or end - start == 1:
        yield _Piece(start, end)
        return
    middle = text.rfind(" ", start, (start + end) // 2 + 1)
    middle = middle if middle > start else (start + end) // 2
    for a, b in ((start, middle), (middle, end)):
        yield from _halved(*_trim(text, a, b), text, fits)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    part = text[start:end]
    if not part.strip():
        return start, start
    return start + len(part) - len(part.lstrip()), start + len(part.rstrip())
