"""What an index holds of a text is another thing once the code that cuts it changes; LAYOUT says so to older indexes.

An ingest leaves alone what it knows by its hash. So without another LAYOUT an index would go on with chunks and vectors
of sentences that today's code would not make.
"""
from __future__ import annotations

import hashlib

from assistant import Config
from assistant.ingest import index
from assistant.ingest.chunk import chunk
from assistant.ingest.load import load, survey
from assistant.records import Document
from assistant.text.readable import body, passage
from tests.fakes import CORPUS
from tests.test_text import COPIED

HELD = {"layout": "5", "texts": "b5f09bebe872", "stored": "d69cc3be6e8a"}


def _digest(parts) -> str:
    return hashlib.sha256("\x1e".join(parts).encode()).hexdigest()[:12]


def test_layout_is_raised_whenever_other_things_are_stored_of_the_same_texts(embedder):
    documents = [*load(survey([CORPUS]).sources), Document("copied", "Lakes", "copied.txt", COPIED, "")]
    stored = []
    for document in documents:
        for made in chunk(document, embedder.count_tokens, Config().chunk_tokens, embedder.max_tokens):
            stored += [made.id, str(made.start), str(made.end), made.heading, made.header, passage(made),
                       body(made.text, made.header), *index._sentences(made)]
    now = {"layout": index.LAYOUT, "texts": _digest(document.text for document in documents), "stored": _digest(stored)}
    if now["texts"] == HELD["texts"] and now["stored"] != HELD["stored"]:
        assert now["layout"] != HELD["layout"], (
            "of the same texts other chunks or sentences are stored: raise LAYOUT in assistant/ingest/index.py, so "
            "that older indexes are made anew, and then set HELD here to what this test says")
    assert now == HELD, f"the texts or LAYOUT are others: set HELD to {now}"
