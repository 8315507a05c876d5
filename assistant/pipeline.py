"""Assistant: the public verbs over one index. It builds the parts, runs the stages, times them and makes the Trace."""
from __future__ import annotations

import dataclasses
import hashlib
import sys
import threading
import unicodedata
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from assistant.answer import decline, overview, prompt
from assistant.answer import evidence as evidence_
from assistant.answer.generate import Assembly, fixed
from assistant.answer.verify import declines
from assistant.catalog.conversations import Conversations
from assistant.catalog.database import Database
from assistant.catalog.documents import Documents
from assistant.catalog.feedback import Feedback
from assistant.catalog.lexical import Lexical
from assistant.catalog.traces import Traces
from assistant.config import Config
from assistant.errors import EmptyIndexError, GlassboxError, InputError, ModelError, StoreError
from assistant.ingest.index import Index
from assistant.parts import Parts
from assistant.records import (
    Answer,
    Chunk,
    Document,
    Evidence,
    Found,
    IngestReport,
    Message,
    Progress,
    Retrieval,
    Sentence,
    Trace,
)
from assistant.retrieve.rerank import probabilities
from assistant.retrieve.stages import retrieve as run_retrieval
from assistant.trace import Stopwatch, redacted

MAX_QUESTION = 4000  # characters; a longer text is a document: ingest it
CATALOG_FILE = "catalog.sqlite3"
Event = Progress | Found | Sentence | Answer


class Assistant:
    """One index and the models of one Config. Cheap to make: models load when first needed. Safe between threads."""

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config.load()
        self._db = Database(Path(self.config.index).expanduser() / CATALOG_FILE)
        self._documents = Documents(self._db)
        self._lexical = Lexical(self._db)
        self.traces = Traces(self._db)
        self.feedback = Feedback(self._db)
        self.conversations = Conversations(self._db)
        self._index = Index(self._db, self._documents, self._lexical)
        self._parts = Parts(self.config)

    def with_config(self, config: Config) -> Assistant:
        """The same index under other settings; models and store are shared where the settings name the same ones."""
        if config.index != self.config.index:
            return Assistant(config)
        twin = object.__new__(Assistant)
        twin.__dict__.update(self.__dict__)
        twin.config, twin._parts = config, self._parts.with_config(config)
        return twin

    def warm(self) -> None:
        """Load the models now (seconds) instead of at the first question."""
        self._parts.warm()

    # documents ------------------------------------------------------------------------------------------------

    def ingest(self, paths: Iterable[str | Path], progress: Callable[[int, int, str], None] | None = None, *,
               rebuild: bool = False) -> IngestReport:
        """Add and update documents; those of a given folder whose files are gone are removed.

        paths     files and folders; a missing one raises InputError before anything is changed
        progress  called with (documents done, documents to do, the one at work)
        rebuild   forget the index first: needed after `embedder` or `chunk_tokens` changed
        """
        paths = [paths] if isinstance(paths, (str, Path)) else list(paths)
        return self._index.ingest(paths, self._parts.embedder, self._parts.store, self.config.chunk_tokens, progress,
                                  rebuild=rebuild)

    def documents(self) -> list[Document]:
        return self._documents.all()

    def document(self, document_id: str) -> Document:
        return self._documents.get(document_id)

    def chunks(self, document_id: str | None = None) -> list[Chunk]:
        return self._documents.chunks(document_id)

    def remove(self, document_id: str) -> None:
        """Take a document out of the index; its file stays where it is."""
        self._index.remove(document_id, self._parts.store)

    def status(self) -> dict[str, object]:
        """What the index holds and what the settings name, without loading a model."""
        documents, chunks = self._documents.counts()
        made = self._documents.meta()
        return {"index": str(Path(self.config.index).expanduser()), "documents": documents, "chunks": chunks,
                "traces": self.traces.count(), "index_fingerprint": self.index_fingerprint(),
                "made_with": {"embedder": made.get("embedder"),
                              "chunk_tokens": int(made.get("chunk_tokens", 0)) or None},
                "settings": self.config.public()}

    def index_fingerprint(self) -> str:
        """12 hex digits over the chunks and the embedder of the index: alike for the same text indexed alike."""
        key = "\n".join([self._documents.meta().get("embedder_fingerprint", ""), *self._documents.chunk_ids()])
        return hashlib.sha256(key.encode()).hexdigest()[:12]

    # models ---------------------------------------------------------------------------------------------------

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (n, dim), rows of unit length."""
        return self._parts.embedder.embed(texts)

    def rerank(self, question: str, texts: Sequence[str]) -> list[float]:
        """The probability, 0..1, that each text answers the question, in the texts' order."""
        if self._parts.reranker is None:
            raise InputError("rerank is off in the settings: set rerank=on")
        return probabilities(question, texts, self._parts.reranker, self._parts.embedder).tolist()

    # questions ------------------------------------------------------------------------------------------------

    def retrieve(self, question: str, history: Sequence[Message] = ()) -> Retrieval:
        """All candidates of a question, every stage's score on each."""
        self._check(question)
        return self._retrieve(question, history, Stopwatch())[0]

    def answer(self, question: str, history: Sequence[Message] = ()) -> Answer:
        """The checked answer; `answer.trace_id` names its trace."""
        for event in self.stream(question, history):  # noqa: B007 (the last one is wanted)
            pass
        return event

    def stream(self, question: str, history: Sequence[Message] = (), stop: threading.Event | None = None, *,
               parent: str | None = None) -> Iterator[Event]:
        """Progress, then Found (the evidence), then each checked Sentence, last the Answer.

        stop    set it from another thread to end the answer after the sentence at work; the trace says "stopped"
        parent  the trace that this question replays; its own trace names it
        """
        self._check(question)
        run = _Run(self, question.strip(), tuple(history), stop or threading.Event(), parent)
        try:
            yield from run.events()
        except GeneratorExit:
            run.save("stopped")
            raise
        except Exception as error:
            run.save("failed", str(error) if isinstance(error, GlassboxError) else type(error).__name__)
            raise

    def trace(self, trace_id: str) -> Trace:
        return self.traces.get(trace_id)

    def _check(self, question: str) -> None:
        if not question.strip():
            raise InputError("the question is empty: write one")
        if len(question) > MAX_QUESTION:
            raise InputError(f"the question has {len(question):,} characters; at most {MAX_QUESTION:,} are read: "
                             "shorten it, or ingest the text as a document")
        if any(unicodedata.category(c) in ("Cc", "Cs", "Cn") and not c.isspace() for c in question):
            raise InputError("the question holds characters that are not text: type it again")
        if not self.config.dense and not self.config.lexical:
            raise InputError("dense and lexical are both off, so nothing can be found: set one of them on")
        if not self._documents.counts()[1]:
            raise EmptyIndexError(f"the index {self.config.index} holds no documents: run `assistant ingest PATH`, or "
                                  "upload some under Corpus")
        self._index.check(self._parts.embedder, int(self._documents.meta()["chunk_tokens"]))

    def _retrieve(self, question: str, history: Sequence[Message], watch: Stopwatch):
        return run_retrieval(question, history, self.config, self._parts, self._documents, self._lexical, watch)


class _Run:
    """One question on its way to an answer, and the Trace that is made of it however it ends."""

    def __init__(self, rag: Assistant, question: str, history: tuple[Message, ...], stop: threading.Event,
                 parent: str | None) -> None:
        self._rag, self._question, self._history, self._stop = rag, question, history, stop
        self._parent, self._began, self._watch = parent, datetime.now(UTC), Stopwatch()
        self._id = uuid.uuid4().hex[:12]
        self._retrieval = Retrieval(question, question, "", (), "off", "", False, None)
        self._evidence: tuple[Evidence, ...] = ()
        self._prompt: tuple[Message, ...] = ()
        self._draft = ""
        self._answer = Answer("")
        self._assembly: Assembly | None = None
        self._error = ""

    def events(self) -> Iterator[Event]:
        rag, titles = self._rag, [d.title for d in self._rag.documents()]
        if reply := decline.small_talk(self._question, titles):
            yield from self._finish(fixed(reply, abstained=False))
            return
        yield Progress("search")
        self._retrieval, vector = rag._retrieve(self._question, self._history, self._watch)
        about = overview.find(self._retrieval.query, rag.documents(), rag.chunks)
        yield Progress("evidence")
        with self._watch.stage("evidence", n_in=sum(hit.kept for hit in self._retrieval.hits)) as out:
            self._evidence = overview.evidence(about, self._scorer(about.ask, None)) if about \
                else self._choose(vector)
            out.n = len(self._evidence)
        yield Found(self._retrieval, self._evidence)
        if not self._evidence or (self._retrieval.gate == "declined" and not about):
            self._evidence = ()
            yield from self._finish(fixed(decline.decline(self._retrieval.hits), abstained=True))
            return
        yield from self._speak(verbatim=bool(about))

    def _choose(self, vector: np.ndarray) -> tuple[Evidence, ...]:
        if self._retrieval.gate == "declined":
            return ()
        kept = [hit for hit in self._retrieval.hits if hit.kept]
        query = self._retrieval.query
        return evidence_.choose(query, kept, self._scorer(query, vector), self._rag.config.evidence)

    def _scorer(self, query: str, vector: np.ndarray | None):
        parts = self._rag._parts
        vector = parts.embedder.embed([query])[0] if vector is None else vector
        if parts.reranker is None:  # evidence by cosine, and the trace's gate says so
            return lambda texts: parts.embedder.embed(texts) @ vector
        return lambda texts: probabilities(query, texts, parts.reranker, parts.embedder, vector)

    def _speak(self, verbatim: bool) -> Iterator[Event]:
        """The model's checked sentences and the quotations. verbatim: quotations only, as for an overview."""
        query, generator = self._retrieval.query, self._rag._parts.generator
        self._assembly = Assembly(query, self._evidence, self._quotes(), verbatim)
        if generator is not None and not verbatim and not self._assembly.is_table:
            yield Progress("generate")
            self._prompt = prompt.build(query, self._evidence)
            with self._watch.stage("generate", n_in=len(self._evidence)) as out:
                pieces = generator.stream(self._prompt, temperature=self._rag.config.temperature,
                                          max_tokens=self._rag.config.max_tokens)
                try:
                    for sentence in self._assembly.from_draft(self._until_stopped(pieces)):
                        out.n += 1
                        yield sentence
                except ModelError as error:  # the evidence answers without the model
                    self._error = str(error)
            self._draft = self._assembly.draft
            if declines(self._draft) and not self._assembly.answer().text and not self._stop.is_set():
                yield from self._finish(fixed(decline.decline(self._retrieval.hits), abstained=True))
                return
        if not self._stop.is_set():
            yield from self._assembly.rest()
        yield from self._finish(self._assembly.answer(), "stopped" if self._stop.is_set() else "complete")

    def _until_stopped(self, pieces: Iterator[str]) -> Iterator[str]:
        try:
            for piece in pieces:
                if self._stop.is_set():
                    return
                yield piece
        finally:
            pieces.close()

    def _quotes(self) -> dict[int, tuple[int, int, str]]:
        """{marker: (start, end, verbatim slice)} of each evidence's first span."""
        texts: dict[str, str] = {}
        quotes = {}
        chunks = self._rag._documents.chunks_by_id([e.chunk_id for e in self._evidence])
        for item in self._evidence:
            document_id = chunks[item.chunk_id].document_id
            text = texts.setdefault(document_id, self._rag.document(document_id).text)
            start, end = item.spans[0]
            quotes[item.marker] = (start, end, text[start:end])
        return quotes

    def _finish(self, answer: Answer, status: str = "complete") -> Iterator[Event]:
        self._answer = dataclasses.replace(answer, trace_id=self._id if self._rag.config.traces else "")
        self.save(status)
        yield self._answer

    def save(self, status: str, error: str = "") -> None:
        error = error or self._error
        if not self._rag.config.traces:
            return
        if status != "complete" and self._assembly is not None:
            self._answer = dataclasses.replace(self._assembly.answer(), trace_id=self._id)
            self._draft = self._assembly.draft
        found = self._retrieval
        made = Trace(
            self._id, self._parent, self._began.isoformat(timespec="milliseconds"), status, self._question,
            self._history, found.query, found.query_reason, self._rag.config.public(),
            self._rag.config.fingerprint(self._rag._parts.fingerprints()) if status != "failed" else "",
            self._rag.index_fingerprint(), found.hits, found.gate, found.gate_reason, found.calibrated, self._evidence,
            self._prompt, self._draft, self._answer, tuple(self._watch.spans), error, found.threshold,
            self._assembly.checks if self._assembly else (),
            self._rag._documents.versions({hit.chunk.document_id for hit in found.hits}))
        config = self._rag.config
        try:
            self._rag.traces.add(redacted(made) if config.redact else made, config.trace_days, config.trace_count)
        except StoreError as failure:  # a full disk must not cost the answer
            print(f"assistant: the trace was not kept: {failure}", file=sys.stderr)
            self._answer = dataclasses.replace(self._answer, trace_id="")
