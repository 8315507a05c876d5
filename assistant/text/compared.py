"""The things that a question sets side by side: "bi-encoder vs cross-encoder", "the batch sizes of A and B"."""
from __future__ import annotations

import re

from assistant.text.names import names

_COMPARES = re.compile(r"\b(compar\w+|versus|vs\.?|differ\w*|than|both|each|respectively|or)\b", re.I)
_SIDES = (re.compile(r"\b(?:between|compare)\s+(.+?)\s+(?:and|with|to)\s+(.+?)\W*$", re.I),
          re.compile(r"^\W*(.+?)\s+(?:vs\.?|versus)\s+([^:?]+)", re.I))
MAX_WORDS = 5  # of one side; a longer one is a clause and no name


def compared(question: str) -> tuple[str, ...]:
    """Two or more things as the question writes them; () where it compares none.

    Names count wherever they stand; other words only as the sides of "between A and B", "compare A with B", "A vs B".
    """
    if not _COMPARES.search(question):
        return ()
    named = tuple(names(question))
    if len(named) > 1:
        return named
    for pattern in _SIDES:
        if (sides := pattern.search(question)) and all(len(side.split()) <= MAX_WORDS for side in sides.groups()):
            return sides.groups()
    return ()
