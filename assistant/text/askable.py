"""What can be asked: one rule for the pipeline, and for a file of questions before any of them is asked."""
from __future__ import annotations

import unicodedata

from assistant.errors import InputError

MAX_QUESTION = 4000  # characters; a longer text is a document: ingest it


def check_question(question: str) -> None:
    """InputError where the text is blank, longer than MAX_QUESTION, or holds control characters or surrogates."""
    if not question.strip():
        raise InputError("the question is empty: write one")
    if len(question) > MAX_QUESTION:
        raise InputError(f"the question has {len(question):,} characters; at most {MAX_QUESTION:,} are read: "
                         "shorten it, or ingest the text as a document")
    # unassigned ones (Cn) may be asked: an emoji that is newer than Python's tables is no damage
    if any(unicodedata.category(c) in ("Cc", "Cs") and not c.isspace() for c in question):
        raise InputError("the question holds characters that are not text: type it again")
