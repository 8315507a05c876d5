"""Where a text stands, in words: the document, then the chain of headings."""
from __future__ import annotations


def place(document: str, heading: str) -> str:
    """ "document > heading", without saying the document's title twice where the chain begins with it."""
    if not heading or heading == document or heading.startswith(document + " > "):
        return heading or document
    return f"{document} > {heading}" if document else heading
