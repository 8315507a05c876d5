"""One question on its way to an answer: the stages in their order, timed, and the Trace that is made of them."""
from __future__ import annotations

import dataclasses
import os
import sys
import threading
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import numpy as np

from assistant.answer import decline, overview, prompt
from assistant.answer import evidence as evidence_
from assistant.answer.generate import Assembly, essential, fixed
from assistant.answer.verify import declines
from assistant.errors import PromptTooLongError, StoreError, UnreachableError
from assistant.records import Answer, Evidence, Found, Message, Progress, Retrieval, Sentence, Trace
from assistant.retrieve.contextualise import asks_on
from assistant.retrieve.manner import wants_one
from assistant.retrieve.split import Ask
from assistant.trace import Stopwatch, redacted
from assistant.trace.secrets import secrets_of, without_secrets

Event = Progress | Found | Sentence | Answer
SAID = 6  # passages looked at beyond the limit where a question asks on: as many as earlier answers may have quoted


class Run:
    """One question on its way to an answer, and the Trace that is made of it however it ends."""

    def __init__(self, rag, question: str, history: tuple[Message, ...], stop: threading.Event,
                 parent: str | None) -> None:
        self._rag, self._question, self._history, self._stop = rag, question, history, stop
        self._parent, self._began, self._watch = parent, datetime.now(UTC), Stopwatch()
        self._id = uuid.uuid4().hex[:12]
        self._retrieval = Retrieval(question, question, "", (), "off", "", False, None)
        self._asks: tuple[Ask, ...] = ()
        self._evidence: tuple[Evidence, ...] = ()
        self._prompt: tuple[Message, ...] = ()
        self._draft = ""
        self._answer = Answer("")
        self._assembly: Assembly | None = None
        self._error = ""
        self._index, self._versions = "", ()
        self.trace: Trace | None = None  # once the question has ended, kept or not

    def events(self) -> Iterator[Event]:
        rag = self._rag
        if reply := decline.small_talk(self._question, rag.catalog.counts()[0]):
            yield from self._finish(fixed(reply, abstained=False))
            return
        yield Progress("search")
        self._index = rag.index_fingerprint()  # now: an ingest may change the index while the model writes
        self._retrieval, self._asks = rag._retrieve(self._question, self._history, self._watch)
        self._versions = rag.catalog.versions({hit.chunk.document_id for hit in self._retrieval.hits})
        about = overview.find(self._retrieval.query, rag.documents, rag.chunks)
        yield Progress("evidence")
        with self._watch.stage("evidence", n_in=sum(hit.kept for hit in self._retrieval.hits)) as out:
            self._evidence = overview.evidence(about, self._scorer(about.ask, None)) if about \
                else self._choose()
            out.n = len(self._evidence)
        if self._retrieval.gate == "passed" and not about and \
                (why := decline.unanswered(self._retrieval.query, self._essential(), self._evidence)):
            self._retrieval = dataclasses.replace(self._retrieval, gate="declined", gate_reason=why)
        yield Found(self._retrieval, self._evidence)
        if not self._evidence or (self._retrieval.gate == "declined" and not about):
            self._evidence = ()
            yield from self._finish(fixed(decline.decline(self._retrieval.hits), abstained=True))
            return
        yield from self._speak(verbatim=bool(about))

    def _choose(self) -> tuple[Evidence, ...]:
        """The evidence, that of two questions in turn; one that nothing kept answers has none."""
        if self._retrieval.gate == "declined":
            return ()
        kept = [hit for hit in self._retrieval.hits if hit.kept]
        limit, floor = self._rag.config.evidence, self._retrieval.threshold or 0.0
        replies = [turn["content"] for turn in self._history if turn.get("role") == "assistant"] \
            if asks_on(self._question, self._history) else []
        self._asks = tuple(ask for ask in self._asks if len(self._asks) == 1 or (ask.best or 0.0) >= floor)
        chosen = [evidence_.choose(ask.text, kept, self._scorer(ask.text, ask.vector),
                                   limit + (SAID if replies else 0)) for ask in self._asks]
        found = evidence_.beyond(evidence_.by_turns(chosen), replies, floor)
        whole_table = not replies and any(len(passages) > limit for passages in chosen)
        return found if whole_table else found[:max(limit, len(self._asks))]

    def _essential(self) -> list[Evidence]:
        """What the answer must not leave out; where one sentence is asked for, the best passage alone."""
        asks = len(self._asks)
        return list(self._evidence[:asks]) if wants_one(self._question) else \
            essential(self._retrieval.query, self._evidence, asks)

    def _scorer(self, query: str, vector: np.ndarray | None) -> evidence_.Scorer:
        """How well each passage answers. Its cosine is its chunk's: among the sentences of one chunk a sentence's own
        only favours the one that repeats the question (measured on eval/gold/dev.jsonl)."""
        parts = self._rag.parts
        vector = parts.embedder.embed_query([query])[0] if vector is None else vector

        def score(pool: Sequence[evidence_.Passage]) -> np.ndarray:
            texts = [evidence_.scored_text(passage) for passage in pool]
            if parts.reranker is None:  # evidence by cosine, and the trace's gate says so
                return parts.embedder.embed(texts) @ vector
            chunks = list(dict.fromkeys(passage.chunk.id for passage in pool))
            cosines = dict(zip(chunks, parts.store.vectors(chunks) @ vector, strict=True))
            return parts.reranker.probabilities(parts.reranker.logits(query, texts),
                                                np.array([cosines[passage.chunk.id] for passage in pool]))

        return score

    def _speak(self, verbatim: bool) -> Iterator[Event]:
        """The model's checked sentences and the quotations. verbatim: quotations only, as for an overview."""
        query, generator = self._retrieval.query, self._rag.parts.generator
        self._assembly = Assembly(query, self._evidence, self._quotes(),
                                  self._evidence if verbatim else self._essential())
        if not verbatim and decline.unsure(self._retrieval):
            yield self._assembly.note(decline.UNSURE)
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
                except (PromptTooLongError, UnreachableError) as error:  # the evidence answers without the model
                    self._error = str(error)
            self._draft = self._assembly.draft
            if declines(self._draft) and not self._assembly.answer().citations and not self._stop.is_set():
                yield from self._finish(fixed(decline.decline(self._retrieval.hits), abstained=True))
                return
        if not self._stop.is_set():
            yield from self._assembly.rest()
            if self._error:
                yield self._assembly.note(f"Answered without the language model: {self._error}.")
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
        chunks = self._rag.catalog.chunks_by_id([e.chunk_id for e in self._evidence])
        for item in self._evidence:
            if item.chunk_id not in chunks:
                raise StoreError("the documents changed while the question was answered: ask it again")
            document_id = chunks[item.chunk_id].document_id
            text = texts.setdefault(document_id, self._rag.document(document_id).text)
            start, end = item.spans[0]
            quotes[item.marker] = (start, end, text[start:end])
        return quotes

    def _finish(self, answer: Answer, status: str = "complete") -> Iterator[Event]:
        self._answer = answer
        self.save(status)
        yield self._answer

    def save(self, status: str, error: str = "") -> None:
        """Make the Trace, once, and keep it where traces are on."""
        if self.trace is not None:  # a reader may leave after the last event
            return
        error = error or self._error
        if status != "complete" and self._assembly is not None:
            self._answer = dataclasses.replace(self._assembly.answer(), trace_id=self._answer.trace_id)
            self._draft = self._assembly.draft
        if self._rag.config.traces:
            self._answer = dataclasses.replace(self._answer, trace_id=self._id)
        self.trace = self._made(status, error)
        config = self._rag.config
        if not config.traces:
            return
        try:
            self._rag.traces.add(redacted(self.trace) if config.redact else self.trace, config.trace_days,
                                 config.trace_count)
        except StoreError as failure:  # a full disk must not cost the answer
            print(f"assistant: the trace was not kept: {failure}", file=sys.stderr)
            self._answer = dataclasses.replace(self._answer, trace_id="")
            self.trace = dataclasses.replace(self.trace, answer=self._answer)

    def _made(self, status: str, error: str) -> Trace:
        found, config = self._retrieval, self._rag.config
        fingerprint = config.fingerprint(self._rag.parts.fingerprints()) if status != "failed" else ""
        made = Trace(
            self._id, self._parent, self._began.isoformat(timespec="milliseconds"), status, self._question,
            self._history, found.query, found.query_reason, config.public(), fingerprint,
            self._index or self._rag.index_fingerprint(), found.hits, found.gate, found.gate_reason, found.calibrated,
            self._evidence, self._prompt, self._draft, self._answer, tuple(self._watch.spans), error, found.threshold,
            self._assembly.checks if self._assembly else (), self._versions)
        return without_secrets(made, secrets_of((config.embedder, config.vectors, config.reranker, config.llm),
                                                os.environ))
