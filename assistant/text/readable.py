"""A chunk as the models read it: the chain of headings, a split table's header, the text with its tables legible."""
from __future__ import annotations

from assistant.records import Chunk
from assistant.text.blocks import blocks
from assistant.text.tables import glued_cells, seams

SEPARATOR = " > "  # between the headings of a chain


def body(text: str, header: str = "") -> str:
    """The text with the cells of glued tables set apart by " | "; every other character stays."""
    parts, at = [], 0
    columns = len(seams(header)) + 1 if header and "|" not in header else 0
    for n, block in enumerate(blocks(text)):
        of_header = columns and n == 0
        if block.kind != "glued" and not of_header:
            continue
        lines = text[block.start:block.end].split("\n")
        width = columns if of_header else len(seams(lines[0])) + 1
        parts += [text[at:block.start], "\n".join(" | ".join(glued_cells(line, width)) for line in lines)]
        at = block.end
    return "".join(parts) + text[at:]


def passage(chunk: Chunk) -> str:
    """What is embedded, indexed and reranked for a chunk."""
    return compose(chunk.heading, chunk.header, chunk.text)


def compose(heading: str, header: str, text: str) -> str:
    """`passage` before there is a Chunk."""
    legible_header = " | ".join(glued_cells(header, len(seams(header)) + 1)) if header and "|" not in header else header
    return "\n".join(part for part in (heading, legible_header, body(text, header)) if part)
