"""Bring an index in line with files: plan by content hash, apply document by document, reconcile.

A chunk has one vector of the whole of it and one of each of its sentences: a question often asks for one sentence, and
the vector of a whole chunk is a mean in which that sentence drowns (chapter 7; measured in eval/EXPERIMENTS.md).
Vectors are written before the catalog's transaction and old ones are removed after it, so a crash at any point leaves
an index that answers; what is left over is removed by the next ingest.
"""
from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from assistant.catalog.database import Database
from assistant.catalog.documents import Documents, Size
from assistant.catalog.lexical import Lexical
from assistant.errors import IndexMismatchError, InputError
from assistant.ingest.chunk import check_budget, chunk
from assistant.ingest.load import READABLE, Unreadable, load, not_read, survey
from assistant.protocols import Embedder, VectorStore, chunk_of, sentence_id
from assistant.records import Chunk, Document, IngestReport
from assistant.text.readable import body, passage
from assistant.text.sentences import quotables

Report = Callable[[int, int, str], None]
LAYOUT = "5"  # of what is stored; an index of another layout is made anew. tests/test_stored_layout.py holds it
BATCH = 256  # chunks embedded between two reports of progress: about 8 s on two cores


class Index:
    """Documents, lexical index and vectors, kept alike."""

    def __init__(self, database: Database, documents: Documents, lexical: Lexical) -> None:
        self._db, self.documents, self.lexical = database, documents, lexical

    def check(self, embedder: Embedder, chunk_tokens: int) -> None:
        """Raise IndexMismatchError where the index was made with another embedder or chunk size."""
        made = self.documents.meta()
        if "embedder_fingerprint" not in made:  # nothing is in it yet
            return
        if made["embedder_fingerprint"] != embedder.fingerprint:
            raise IndexMismatchError(
                f"this index was made with the embedder {made['embedder']}, the settings name {embedder.name}: set "
                "embedder back, name another folder with --index, or run `assistant ingest --rebuild PATH...`")
        if made.get("layout") != LAYOUT:
            raise IndexMismatchError("this index was made by another version of Glassbox: run "
                                     "`assistant ingest --rebuild PATH...`, or name another folder with --index")
        if int(made["chunk_tokens"]) != chunk_tokens:
            raise IndexMismatchError(
                f"this index was made with chunk_tokens={made['chunk_tokens']}, the settings say {chunk_tokens}: set "
                "it back, name another folder with --index, or run `assistant ingest --rebuild PATH...`")

    def ingest(self, paths: Iterable[str | Path], embedder: Embedder, store: VectorStore, chunk_tokens: int,
               progress: Report | None = None, *, rebuild: bool = False) -> IngestReport:
        """Add and update the paths' documents; remove those of a given folder whose files are gone.

        InputError, before anything is changed, where another folder of the same name would lose documents by it.

        rebuild  forget what is there first, once paths, embedder and chunk size have been found good
        """
        began = time.perf_counter()
        found = survey(paths)
        sources, prefixes = found.sources, tuple(found.roots)
        if not sources and (rebuild or not self._under(prefixes)):
            raise InputError("nothing to ingest: the given folders hold no file that can be read "
                             f"({', '.join(READABLE)})")
        if rebuild:  # not otherwise: `max_tokens` loads the weights, and an ingest that changes nothing needs none
            check_budget(chunk_tokens, embedder.max_tokens)
        with self._db.exclusive():
            if rebuild:
                self._clear(store)
            self.check(embedder, chunk_tokens)
            known = self.documents.hashes()
            before = {size.source for size in self.documents.sizes()}
            added, updated, unchanged, skipped, changed = [], [], [], [], []
            for item in load(sources):
                if isinstance(item, Unreadable):
                    kept = "; the index keeps the text it had" if item.source.name in before else ""
                    skipped.append((item.source.name, f"{item.why}{kept}"))
                elif known.get(item.id) == item.sha256:
                    unchanged.append(item.source)
                else:
                    (updated if item.id in known else added).append(item.source)
                    changed.append(item)
            names_present = {source.name for source in sources}
            gone = [d for d in self._under(prefixes) if d.source not in names_present]
            self._keep_roots(found.roots, updated + [d.source for d in gone])
            skipped += [(folder, not_read(kinds)) for folder, kinds in found.left_out.items()]
            for done, document in enumerate(changed):
                def tell(n: int, of: int, done: int = done, name: str = document.source) -> None:
                    if progress:
                        progress(done, len(changed), f"{name} ({n}/{of} chunks)" if n else name)
                tell(0, 0)
                self._write(document, embedder, store, chunk_tokens, tell)
            for document in gone:
                self._remove(document.id, store)
            self.reconcile(embedder, store)
            if words := self.lexical.words_without_vector():
                if progress:
                    progress(len(changed), len(changed), f"{len(words)} words")
                vectors = embedder.embed(words)
                with self._db.write() as connection:
                    self.lexical.add_word_vectors(connection, words, vectors)
        if progress:
            progress(len(changed), len(changed), "")
        return IngestReport(tuple(added), tuple(updated), tuple(unchanged), tuple(d.source for d in gone),
                            tuple(skipped), self.documents.counts()[1], time.perf_counter() - began)

    def _under(self, prefixes: tuple[str, ...]) -> list[Size]:
        """The documents of the folders whose documents' names begin so."""
        return [size for size in self.documents.sizes() if size.source.startswith(prefixes)]

    def _keep_roots(self, roots: dict[str, Path], lost: Sequence[str]) -> None:
        """Note where the folders are. InputError where a document that another one brought would be lost.

        A folder that is no longer where it was has been moved, and one that holds the same files takes nothing away.
        """
        known = self.documents.roots()
        new = {prefix: str(root) for prefix, root in roots.items()}
        for prefix in roots:
            before, now = known.get(prefix, new[prefix]), new[prefix]
            losing = [name for name in lost if name.startswith(prefix)]
            if losing and before != now and os.path.isdir(before):
                raise InputError(
                    f"{prefix} in this index is the folder {before!r}, and {now!r} would take its place, by which "
                    f"{losing[0]}{f' and {len(losing) - 1} more' if losing[1:] else ''} would be lost: rename one of "
                    "the folders, name another index with --index, or start anew with `assistant ingest --rebuild`")
        if known | new != known:
            with self._db.write() as connection:
                self.documents.set_roots(connection, known | new)

    def _write(self, document: Document, embedder: Embedder, store: VectorStore, chunk_tokens: int,
               tell: Callable[[int, int], None]) -> None:
        chunks = chunk(document, embedder.count_tokens, chunk_tokens, embedder.max_tokens)
        before = self.documents.chunks(document.id)
        old = {c.id for c in before}
        new = {c.id for c in chunks}
        missing = [c for c in chunks if c.id not in old]  # a chunk that did not change keeps its vector
        for at in range(0, len(missing), BATCH):
            part = missing[at:at + BATCH]
            if at:
                tell(at, len(missing))
            _embed(part, embedder, store)
        with self._db.write() as connection:
            self.documents.replace(connection, document, chunks)
            self.lexical.remove(connection, old)
            self.lexical.add(connection, [(c.id, f"{c.heading}\n{c.header}", body(c.text, c.header)) for c in chunks])
            self.documents.set_meta(connection, {
                "embedder": embedder.name, "embedder_fingerprint": embedder.fingerprint,
                "chunk_tokens": str(chunk_tokens), "layout": LAYOUT})
        store.delete([name for c in before if c.id not in new for name in _rows(c)])

    def remove(self, document_id: str, store: VectorStore) -> None:
        """Take one document out; an unknown one raises InputError."""
        with self._db.exclusive():
            self._remove(document_id, store)

    def _remove(self, document_id: str, store: VectorStore) -> None:
        chunks = self.documents.chunks(self.documents.get(document_id).id)
        with self._db.write() as connection:
            self.lexical.remove(connection, [c.id for c in chunks])
            self.documents.remove(connection, document_id)
        store.delete([name for c in chunks for name in _rows(c)])

    def clear(self, store: VectorStore) -> None:
        """Forget every document and what the index was made with; traces and conversations stay."""
        with self._db.exclusive():
            self._clear(store)

    def _clear(self, store: VectorStore) -> None:
        for document in self.documents.all():
            self._remove(document.id, store)
        store.delete(sorted(store.ids()))
        with self._db.write() as connection:
            connection.execute("DELETE FROM meta")
            self.lexical.clear_word_vectors(connection)

    def reconcile(self, embedder: Embedder, store: VectorStore) -> int:
        """Remove vectors without a chunk, embed chunks without a vector; how many there were."""
        kept, stored = set(self.documents.chunk_ids()), store.ids()
        orphans, missing = sorted(name for name in stored if chunk_of(name) not in kept), sorted(kept - stored)
        store.delete(orphans)
        if missing:
            _embed(list(self.documents.chunks_by_id(missing).values()), embedder, store)
        return len(orphans) + len(missing)


def _sentences(chunk: Chunk) -> list[str]:
    """The sentences that get a vector of their own; none where the chunk is a single one."""
    readings = [quotable.reading for quotable in quotables(chunk.text, chunk.header)]
    return readings if len(readings) > 1 else []


def _rows(chunk: Chunk) -> list[str]:
    """The ids of a chunk's vectors; its own comes last, so that where it is stored, the others are."""
    return [*(sentence_id(chunk.id, n) for n in range(len(_sentences(chunk)))), chunk.id]


def _embed(chunks: Sequence[Chunk], embedder: Embedder, store: VectorStore) -> None:
    texts = [text for c in chunks for text in (*_sentences(c), passage(c))]
    store.upsert([name for c in chunks for name in _rows(c)], embedder.embed(texts))
