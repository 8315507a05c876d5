"""Text on a terminal: an imported trace may hold anything, also what would steer it."""
from __future__ import annotations


def clean(text: str) -> str:
    """Without what could steer a terminal; line breaks stay."""
    return "".join(c if c.isprintable() or c == "\n" else " " if c.isspace() else "?" for c in text)
