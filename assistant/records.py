"""The values that flow through the pipeline, all immutable.

Offsets count characters of the document unless a docstring says otherwise; `end` is exclusive.
A score that a stage did not give is None, never 0.0.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Message = dict[str, str]
"""One turn of a conversation: {"role": "user" | "assistant", "content": text}."""


@dataclass(frozen=True)
class Document:
    """A source text. `id` is derived from `source`, `sha256` (hex) from `text`."""

    id: str
    title: str
    source: str
    text: str
    sha256: str


@dataclass(frozen=True)
class Chunk:
    """An exact slice of a document: `document.text[start:end] == text`.

    heading   the chain of headings above it, joined with " > "; not part of `text`
    n_tokens  the embedder's word pieces of everything that is embedded: headings, header, text and special tokens
    header    a split table's header row, for the parts that do not hold it; "" otherwise
    header_start  where that row stands in the document; -1 without one
    """

    id: str
    document_id: str
    heading: str
    text: str
    start: int
    end: int
    n_tokens: int
    header: str = ""
    header_start: int = -1


@dataclass(frozen=True)
class Score:
    """A stage's score of a chunk and the rank (from 1) that it gave there. Ranges: see DESIGN in the README."""

    value: float
    rank: int


@dataclass(frozen=True)
class Hit:
    """A candidate chunk with what every stage said of it; `reason` says in words why it was kept or dropped.

    dense    cosine of query and chunk, -1..1
    lexical  BM25, >= 0
    fused    reciprocal rank fusion, 0..2/61
    rerank   probability that the chunk answers the question, 0..1 (uncalibrated: see Retrieval.calibrated)
    """

    chunk: Chunk
    document: str
    dense: Score | None = None
    lexical: Score | None = None
    fused: Score | None = None
    rerank: Score | None = None
    kept: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Evidence:
    """A passage that carries the answer: one or more exact spans of a document, printed as `[marker]`.

    spans  ((start, end), ...) in the document; a table row and its header are two spans
    text   what the prompt shows; the slices themselves, a table row written as "header: cell" pairs
    score  probability that it answers the question, 0..1, from the log-odds of the passage and, with less weight, of
           its chunk; a cosine where no reranker ran; None where nothing was ranked
    """

    marker: int
    chunk_id: str
    document: str
    heading: str
    spans: tuple[tuple[int, int], ...]
    text: str
    score: float | None


@dataclass(frozen=True)
class Citation:
    """A marker in the answer and the verbatim slice it stands for: `quote == document.text[start:end]`.

    answer_start, answer_end: where the `[n]` stands, in characters of the answer.
    """

    marker: int
    chunk_id: str
    document: str
    heading: str
    start: int
    end: int
    quote: str
    answer_start: int
    answer_end: int


@dataclass(frozen=True)
class Support:
    """The check of one sentence of the answer; offsets are characters of the answer.

    origin  "model": the model's words, found supported; "quoted": copied from the evidence by code;
            "fixed": a sentence of Glassbox itself, such as a decline
    """

    start: int
    end: int
    supported: bool
    markers: tuple[int, ...]
    score: float | None
    origin: Literal["model", "quoted", "fixed"]


@dataclass(frozen=True)
class Answer:
    """What the user reads. `text` holds `[n]` markers; `citations` resolves each of them."""

    text: str
    citations: tuple[Citation, ...] = ()
    abstained: bool = False
    support: tuple[Support, ...] = ()
    trace_id: str = ""


@dataclass(frozen=True)
class Span:
    """A stage's time, from a monotonic clock: milliseconds from the question's start; items in and out."""

    stage: str
    start_ms: float
    duration_ms: float
    n_in: int
    n_out: int


@dataclass(frozen=True)
class Retrieval:
    """All candidates of a question, in the order of DESIGN: kept by rerank, others by rerank, neighbours.

    query       what was searched; query_reason says in words why it differs from the question ("" if it does not)
    gate        "passed", "declined" or "off" with gate_reason in words
    calibrated  whether `rerank` scores are probabilities that were calibrated on held-out data
    """

    question: str
    query: str
    query_reason: str
    hits: tuple[Hit, ...]
    gate: Literal["passed", "declined", "off"]
    gate_reason: str
    calibrated: bool
    threshold: float | None
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Check:
    """The check of one sentence of the model's draft; `why` says in words why it is not supported ("" if it is)."""

    sentence: str
    supported: bool
    markers: tuple[int, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class DocumentVersion:
    """Which text a document had when a question was answered: `sha256` (hex) of it."""

    id: str
    title: str
    source: str
    sha256: str


@dataclass(frozen=True)
class Trace:
    """Everything that happened between a question and its answer, enough to show it again without the index.

    parent     the trace that this one replays, under other settings or the same
    created    when the question was asked, ISO 8601 in UTC; the spans count from there
    config     {setting: value} without secrets
    prompt     the exact message list; draft is the model's raw text
    threshold  the gate's probability; None where there was no gate
    checks     one for each sentence of the draft that was read, in order
    documents  the versions of the documents that the hits come from
    redacted   whether what the model was sent and wrote was left out: see assistant.trace.redact
    """

    id: str
    parent: str | None
    created: str
    status: Literal["complete", "stopped", "failed"]
    question: str
    history: tuple[Message, ...]
    query: str
    query_reason: str
    config: dict[str, object]
    config_fingerprint: str
    index_fingerprint: str
    hits: tuple[Hit, ...]
    gate: Literal["passed", "declined", "off"]
    gate_reason: str
    calibrated: bool
    evidence: tuple[Evidence, ...]
    prompt: tuple[Message, ...]
    draft: str
    answer: Answer
    spans: tuple[Span, ...]
    error: str = ""
    threshold: float | None = None
    checks: tuple[Check, ...] = ()
    documents: tuple[DocumentVersion, ...] = ()
    redacted: bool = False


@dataclass(frozen=True)
class Progress:
    """An event of `Assistant.stream`: a stage has begun ("search", "rerank", "evidence", "generate")."""

    stage: str


@dataclass(frozen=True)
class Found:
    """An event of `Assistant.stream`: retrieval is over; the evidence can be shown before the model has spoken."""

    retrieval: Retrieval
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Sentence:
    """An event of `Assistant.stream`: one checked sentence (with its separator in front) to append to the answer."""

    text: str
    support: Support


@dataclass(frozen=True)
class IngestReport:
    """What an ingest did, in documents, and how many chunks the index holds now.

    `skipped`: (path, why) of each file that could not be read; (folder/, how many) where it has files of other kinds.
    """

    added: tuple[str, ...]
    updated: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    chunks: int
    seconds: float
