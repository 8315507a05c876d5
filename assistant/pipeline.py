"""Assistant: the public verbs over one index. It builds the parts, runs the stages, times them and makes the Trace."""
from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from assistant.catalog.conversations import Conversations
from assistant.catalog.database import Database
from assistant.catalog.documents import Documents
from assistant.catalog.feedback import Feedback
from assistant.catalog.lexical import Lexical
from assistant.catalog.traces import Traces
from assistant.config import Config
from assistant.errors import EmptyIndexError, GlassboxError, InputError
from assistant.ingest.index import Index
from assistant.parts import Parts
from assistant.records import (
    Answer,
    Chunk,
    Document,
    IngestReport,
    Message,
    Retrieval,
    Trace,
)
from assistant.retrieve.rerank import probabilities
from assistant.retrieve.stages import retrieve as run_retrieval
from assistant.run import Event, Run
from assistant.text.askable import check_question
from assistant.trace import Stopwatch

CATALOG_FILE = "catalog.sqlite3"


class Assistant:
    """One index and the models of one Config. Cheap to make: models load when first needed. Safe between threads.

    What it is made of, for those who look inside: `parts` (the models and the vectors), `catalog` (documents and
    chunks), `lexical` (BM25), `traces`, `feedback`, `conversations`.
    """

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config.load()
        self._db = Database(Path(self.config.index).expanduser() / CATALOG_FILE)
        self.catalog = Documents(self._db)
        self.lexical = Lexical(self._db)
        self.traces = Traces(self._db)
        self.feedback = Feedback(self._db)
        self.conversations = Conversations(self._db)
        self._index = Index(self._db, self.catalog, self.lexical)
        self.parts = Parts(self.config)
        self._fingerprints: dict[str, str] = {}  # of the index's revisions; shared with `with_config`'s twins

    def with_config(self, config: Config) -> Assistant:
        """The same index under other settings; models and store are shared where the settings name the same ones."""
        if config.index != self.config.index:
            return Assistant(config)
        twin = object.__new__(Assistant)
        twin.__dict__.update(self.__dict__)
        twin.config, twin.parts = config, self.parts.with_config(config)
        return twin

    def warm(self) -> None:
        """Load the models now (seconds) instead of at the first question."""
        self.parts.warm()

    # documents ------------------------------------------------------------------------------------------------

    def ingest(self, paths: Iterable[str | Path], progress: Callable[[int, int, str], None] | None = None, *,
               rebuild: bool = False) -> IngestReport:
        """Add and update documents; those of a given folder whose files are gone are removed.

        paths     files and folders; a missing one raises InputError before anything is changed
        progress  called with (documents done, documents to do, the one at work)
        rebuild   forget the index first: needed after `embedder` or `chunk_tokens` changed
        """
        paths = [paths] if isinstance(paths, (str, Path)) else list(paths)
        return self._index.ingest(paths, self.parts.embedder, self.parts.store, self.config.chunk_tokens, progress,
                                  rebuild=rebuild)

    def documents(self) -> list[Document]:
        return self.catalog.all()

    def document(self, document_id: str) -> Document:
        return self.catalog.get(document_id)

    def chunks(self, document_id: str | None = None) -> list[Chunk]:
        return self.catalog.chunks(document_id)

    def remove(self, document_id: str) -> None:
        """Take a document out of the index; its file stays where it is."""
        self._index.remove(document_id, self.parts.store)

    def status(self) -> dict[str, object]:
        """What the index holds and what the settings name, without loading a model."""
        documents, chunks = self.catalog.counts()
        made = self.catalog.meta()
        return {"index": str(Path(self.config.index).expanduser()), "documents": documents, "chunks": chunks,
                "traces": self.traces.count(), "index_fingerprint": self.index_fingerprint(),
                "made_with": {"embedder": made.get("embedder"),
                              "chunk_tokens": int(made.get("chunk_tokens", 0)) or None},
                "settings": self.config.public()}

    def index_fingerprint(self) -> str:
        """12 hex digits over the chunks and the embedder of the index: alike for the same text indexed alike."""
        made = self.catalog.meta()
        if known := self._fingerprints.get(made.get("revision", "")):
            return known
        key = "\n".join([made.get("embedder_fingerprint", ""), *self.catalog.chunk_ids()])
        found = hashlib.sha256(key.encode()).hexdigest()[:12]
        if "revision" in made:
            self._fingerprints[made["revision"]] = found
        return found

    # models ---------------------------------------------------------------------------------------------------

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (n, dim), rows of unit length."""
        return self.parts.embedder.embed(texts)

    def embed_query(self, texts: Sequence[str]) -> np.ndarray:
        """The same for questions, as the search reads them: to be compared with vectors of `embed`."""
        return self.parts.embedder.embed_query(texts)

    def rerank(self, question: str, texts: Sequence[str]) -> list[float]:
        """The probability, 0..1, that each text answers the question, in the texts' order."""
        if self.parts.reranker is None:
            raise InputError("rerank is off in the settings: set rerank=on")
        return probabilities(question, texts, self.parts.reranker, self.parts.embedder).tolist()

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
        yield from self._events(self._run(question, history, stop, parent))

    def traced(self, question: str, history: Sequence[Message] = ()) -> Trace:
        """Ask, and everything that happened, in full; it is kept as the settings say (`traces`, `redact`)."""
        run = self._run(question, history)
        for _ in self._events(run):
            pass
        return run.trace

    def _run(self, question: str, history: Sequence[Message], stop: threading.Event | None = None,
             parent: str | None = None) -> Run:
        self._check(question)
        return Run(self, question.strip(), tuple(history), stop or threading.Event(), parent)

    def _events(self, run: Run) -> Iterator[Event]:
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
        check_question(question)
        if not self.config.dense and not self.config.lexical:
            raise InputError("dense and lexical are both off, so nothing can be found: set one of them on")
        if not self.catalog.counts()[1]:
            raise EmptyIndexError(f"the index {self.config.index} holds no documents: run `assistant ingest PATH`, or "
                                  "upload some under Corpus")
        self._index.check(self.parts.embedder, int(self.catalog.meta()["chunk_tokens"]))

    def _retrieve(self, question: str, history: Sequence[Message], watch: Stopwatch):
        return run_retrieval(question, history, self.config, self.parts, self.catalog, self.lexical, watch)
