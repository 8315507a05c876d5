"""Where a pasted passage stands: the chunk that holds most of its words in their order."""
from __future__ import annotations

import re

from assistant.errors import InputError
from assistant.records import Chunk

SHARE = 0.3    # of a pasted passage's runs of three words that a chunk must hold to be taken for its place


def chunk_with(chunks: list[Chunk], text: str) -> tuple[Chunk | None, str]:
    """(the chunk, how much of the passage it holds, in words); None where none holds enough.

    Raises InputError for a passage without a word.
    """
    words = _words(text)
    if not words:
        raise InputError("the passage holds no word: paste its text")
    wanted = _runs(words, size := min(3, len(words)))
    shares = [(len(wanted & _runs(_words(chunk.text), size)) / len(wanted), -at) for at, chunk in enumerate(chunks)]
    share, at = max(shares)
    if share < SHARE:
        return None, f"no chunk holds more than {share:.0%} of it"
    return chunks[-at], "holds the passage" if share > 0.999 else f"holds {share:.0%} of the passage"


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _runs(words: list[str], size: int) -> set[tuple[str, ...]]:
    return {tuple(words[at:at + size]) for at in range(len(words) - size + 1)}
