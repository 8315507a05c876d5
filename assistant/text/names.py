"""The names in a question: acronyms, products, versions, quoted words, capitalised words inside a sentence."""
from __future__ import annotations

import re

NAME = re.compile(r"\"[^\"]+\"|“[^”]+”|\b(?:[A-Z][\w]*[A-Z0-9][\w]*|[a-z]+[A-Z]\w*|"
                  r"[A-Za-z]+(?:-[A-Za-z0-9]+)*-?\d[\w-]*|[A-Z]{2,})\b|(?<=[a-z,] )[A-Z][a-z]+(?:[- ][A-Z][a-z]+)*")
_NONE = frozenset(("I", "OK"))


def mentioned(name: str, text: str) -> bool:
    """Whether a lower-case text holds one word of the name, its plural's "s" aside."""
    return any(part in text or (part.endswith("s") and part[:-1] in text) for part in name.lower().split())


def names(text: str) -> list[str]:
    """As written, each once, in order; "Cohere embed-v3" is one name."""
    text = re.sub(r"\[\d+\]", "", text)
    found: list[str] = []
    ended = -2
    for match in NAME.finditer(text):
        if found and match.start() == ended + 1 and text[ended] == " ":
            found[-1] += " " + match[0]
        else:
            found.append(match[0].strip("\"“”"))
        ended = match.end()
    return list(dict.fromkeys(name for name in found if name not in _NONE))
