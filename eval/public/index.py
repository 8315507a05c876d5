"""A public set's documents as an index of the assistant's own making, kept by what it is made of.

Every document becomes a Markdown file: its title as the heading, its text below, so it is chunked as any document is,
and each chunk is embedded with the title in front (BEIR's own runs embed "title text" as well). The same documents
under the same chunk size, embedder and code are indexed once.
"""
from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from assistant import Assistant, Config
from assistant.ingest.chunk import chunk
from assistant.parts import Parts
from assistant.protocols import Embedder
from assistant.records import Chunk, Document
from assistant.text.readable import passage
from assistant.text.sentences import quotables
from eval.public.beir import Entry, PublicSet
from eval.suite.runner import documents_of, indexed
from eval.suite.runs import state_folder

KEPT = 4      # sets whose documents are kept as files, those used last
AHEAD = 50    # documents whose texts are embedded together
FOLDER = "corpus"
_HEADING = re.compile(r"^( {0,3})(#{1,6}\s)", re.M)
Report = Callable[[int, int, str], None]


def markdown(entry: Entry) -> str:
    """The document as it is indexed; a line of the text that would be read as a heading is escaped."""
    title, text = " ".join(entry.title.split()), _HEADING.sub(r"\1\\\2", entry.text)
    # under a heading that nothing follows there is nothing to find; a text at the very top could be front matter
    return f"# {title}\n\n{text}\n" if title and text.strip() else f"\n{title or text}\n"


def as_files(public: PublicSet) -> tuple[Path, list[str]]:
    """(a folder with a file for each document that holds some text, those documents' ids in the files' order)."""
    filled = [entry for entry in public.corpus if (entry.title + entry.text).strip()]
    home = state_folder() / "public" / public.corpus_fingerprint()
    if not home.is_dir():
        trial = home.with_name(f"{home.name}.trial")
        shutil.rmtree(trial, ignore_errors=True)
        (trial / FOLDER).mkdir(parents=True)
        for at, entry in enumerate(filled):
            (trial / FOLDER / f"{at:08}.md").write_text(markdown(entry), encoding="utf-8", errors="replace",
                                                        newline="\n")
        trial.rename(home)
    os.utime(home)
    for old in sorted(home.parent.iterdir(), key=lambda other: other.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return home / FOLDER, [entry.id for entry in filled]


def index(public: PublicSet, config: Config, models: Assistant | None = None,
          report: Report = lambda *_: None) -> tuple[Assistant, dict[str, str], bool]:
    """(an Assistant over the set, {its documents' ids: the set's}, whether the index was there already).

    models  one whose models are used where the config names the same ones
    """
    folder, ids = as_files(public)
    documents = documents_of([folder])
    parts = models.parts.with_config(config) if models else Parts(config)
    ahead = Ahead(parts.embedder, documents, config.chunk_tokens, report)
    lent = SimpleNamespace(parts=parts.with_embedder(ahead))
    rag = indexed([folder], documents, config, lent)
    rag.parts = Parts(rag.config, {**lent.parts._made, **parts._made}, parts._lock)
    return rag, {d.id: ids[int(Path(d.source).stem)] for d in documents}, not ahead.used


class Ahead:
    """assistant.protocols.Embedder that embeds the texts of the next documents together.

    An ingest asks for one document's texts at a time, few and of unlike lengths, most of which is padding: together
    they take a third of the time. What it was not prepared for is embedded as it comes.
    """

    def __init__(self, inner: Embedder, documents: Sequence[Document], chunk_tokens: int, report: Report) -> None:
        self._inner, self._documents, self._size, self._report = inner, documents, chunk_tokens, report
        self._next, self._known = 0, {}
        self.used = False   # whether anything was embedded through it

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)  # name, fingerprint, dim, max_tokens, count_tokens

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.used = True
        while self._next < len(self._documents) and not all(text in self._known for text in texts):
            self._prepare(set(texts))
        if not texts or not all(text in self._known for text in texts):
            return self._inner.embed(texts)
        return np.stack([self._known[text] for text in texts])

    def _prepare(self, wanted: set[str]) -> None:
        """Embed the next documents; where none of the wanted texts is theirs they are indexed already: pass over."""
        part = self._documents[self._next:self._next + AHEAD]
        texts = list(dict.fromkeys(
            text for document in part
            for made in chunk(document, self._inner.count_tokens, self._size, self._inner.max_tokens)
            for text in _texts(made)))
        if not wanted.isdisjoint(texts):  # what came before was used by now
            self._known = dict(zip(texts, self._inner.embed(texts), strict=True))
        self._next += len(part)
        self._report(self._next, len(self._documents), "documents")


def _texts(made: Chunk) -> list[str]:
    """What `assistant.ingest.index` embeds of a chunk."""
    readings = [quotable.reading for quotable in quotables(made.text, made.header)]
    return [*(readings if len(readings) > 1 else []), passage(made)]
