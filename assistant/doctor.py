"""`assistant doctor`: every part tried for real, one line each, with the remedy where one fails."""
from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from assistant.errors import GlassboxError
from assistant.protocols import chunk_of

ENOUGH_DISK = 1_000_000_000  # bytes; an index of some thousand pages and its traces


def run(rag) -> int:
    """Print each check; 0 where all passed, 1 where one failed."""
    failed = 0
    for name, check in _checks(rag):
        began = time.perf_counter()
        try:
            said, good = check(), True
        except GlassboxError as error:
            said, good = str(error), False
        except Exception as error:  # a check must not end the others
            said, good = f"{type(error).__name__}: {error}", False
        failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {name:10} {said} ({time.perf_counter() - began:.1f} s)", flush=True)
    print("all well" if not failed else f"{failed} to mend", file=sys.stderr)
    return 1 if failed else 0


def _checks(rag) -> Iterator[tuple[str, Callable[[], str]]]:
    parts = rag.parts

    def python() -> str:
        return f"{sys.version.split()[0]} on {sys.platform}"

    def disk() -> str:
        free = shutil.disk_usage(Path(rag.config.index).expanduser()).free
        if free < ENOUGH_DISK:
            raise GlassboxError(f"{free / 1e9:.1f} GB free at the index; expected 1 GB: make room or set another index")
        return f"{free / 1e9:.0f} GB free at the index"

    def embedder() -> str:
        vectors = parts.embedder.embed(["one", "two"])
        return f"{parts.embedder.name}, {vectors.shape[1]} dimensions, {parts.embedder.max_tokens} word pieces"

    def reranker() -> str:
        if parts.reranker is None:
            return "off in the settings"
        good, bad = rag.rerank("What is the capital of France?", ["Paris is the capital of France.", "Cats sleep."])
        if good <= bad:
            raise GlassboxError(f"{parts.reranker.name} ranks a wrong passage first ({bad:.2f} over {good:.2f}): "
                                "install the package again, or set reranker=embedded")
        return f"{parts.reranker.name}, {'calibrated' if parts.reranker.calibrated else 'not calibrated'}"

    def llm() -> str:
        if parts.generator is None:
            return "off in the settings"
        text = "".join(parts.generator.stream([{"role": "user", "content": "Say hello."}], temperature=0.0,
                                              max_tokens=8))
        if not text.strip():
            raise GlassboxError(f"{parts.generator.name} says nothing; expected a word or two: name a chat model in "
                                "the setting `llm`, or set llm=embedded")
        return f"{parts.generator.name} says {text!r}"

    def index() -> str:
        status = rag.status()
        if not status["chunks"]:
            raise GlassboxError(f"{status['index']} is empty: run `assistant ingest PATH`")
        rag._index.check(parts.embedder, rag.config.chunk_tokens)
        stored, kept = {chunk_of(name) for name in parts.store.ids()}, {c.id for c in rag.chunks()}
        if stored != kept:
            raise GlassboxError(f"{len(stored ^ kept)} chunks and vectors do not match: run `assistant ingest` on the "
                                "documents again, which mends it")
        return f"{status['documents']} documents, {status['chunks']} chunks, all with vectors"

    yield from (("python", python), ("disk", disk), ("embedder", embedder), ("reranker", reranker), ("llm", llm),
                ("index", index))
