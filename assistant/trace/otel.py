"""A trace as OpenTelemetry spans in OTLP/JSON, for Jaeger, Phoenix or any collector.

One root span for the answer, one child for each stage. Attribute names are those of the OpenTelemetry semantic
conventions for generative AI (`gen_ai.*`, status: development, as of 2026); what they have no name for is `glassbox.*`.
`openinference.span.kind` and `input.value`/`output.value` are what Phoenix draws by. OTLP/JSON writes ids in hex and
64-bit integers as strings (opentelemetry-proto, "JSON Protobuf Encoding").
"""
from __future__ import annotations

import hashlib
import json
from datetime import datetime

from assistant.errors import InputError
from assistant.records import Span, Trace
from assistant.trace.stopwatch import total_ms

INTERNAL, CLIENT = 1, 3  # SpanKind
OK, ERROR = 1, 2         # StatusCode
OPERATION = {"embed": "embeddings", "dense": "retrieval", "lexical": "retrieval", "generate": "chat"}
KIND = {"embed": "EMBEDDING", "dense": "RETRIEVER", "lexical": "RETRIEVER", "rerank": "RERANKER", "generate": "LLM"}
MODEL = {"embed": "embedder", "dense": "embedder", "rerank": "reranker", "generate": "llm"}
EMBEDDED = {"embedder": "all-MiniLM-L6-v2", "llm": "SmolLM2-135M-Instruct", "reranker": "glassbox-reranker"}


def otlp(trace: Trace) -> dict:
    """An ExportTraceServiceRequest: what a collector takes at /v1/traces as application/json."""
    try:
        start = int(datetime.fromisoformat(trace.created).timestamp() * 1000) * 1_000_000
    except ValueError:
        raise InputError(f"the trace's created is {trace.created!r}: expected an ISO 8601 time, without which there "
                         "are no spans") from None
    root = _id(trace.id, "root", 16)
    spans = [_span(trace, "answer", start, 0.0, total_ms(trace.spans), root, "", _root_attributes(trace))]
    for n, span in enumerate(trace.spans):
        spans.append(_span(trace, _name(trace, span.stage), start, span.start_ms, span.duration_ms,
                           _id(trace.id, f"{n} {span.stage}", 16), root, _stage_attributes(trace, span)))
    return {"resourceSpans": [{
        "resource": {"attributes": _attributes({"service.name": "glassbox"})},
        "scopeSpans": [{"scope": {"name": "glassbox.trace"}, "spans": spans}]}]}


def _span(trace: Trace, name: str, start: int, at_ms: float, ms: float, span_id: str, parent: str,
          attributes: dict[str, object]) -> dict:
    begin = start + round(at_ms * 1e6)
    failed = trace.status == "failed" and not parent
    return {"traceId": _id(trace.id, "trace", 32), "spanId": span_id, "parentSpanId": parent, "name": name,
            "kind": CLIENT if name.startswith("chat ") and "://" in str(trace.config.get("llm")) else INTERNAL,
            "startTimeUnixNano": str(begin), "endTimeUnixNano": str(begin + round(ms * 1e6)),
            "attributes": _attributes(attributes),
            "status": {"code": ERROR, "message": trace.error} if failed else {"code": OK}}


def _root_attributes(trace: Trace) -> dict[str, object]:
    return {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "glassbox",
            "gen_ai.input.messages": _messages([*trace.history, {"role": "user", "content": trace.question}]),
            "gen_ai.output.messages": _messages([{"role": "assistant", "content": trace.answer.text}]),
            "openinference.span.kind": "CHAIN", "input.value": trace.question, "output.value": trace.answer.text,
            "glassbox.trace.id": trace.id, "glassbox.trace.parent": trace.parent, "glassbox.status": trace.status,
            "glassbox.abstained": trace.answer.abstained, "glassbox.gate": trace.gate,
            "glassbox.gate.reason": trace.gate_reason, "glassbox.threshold": trace.threshold,
            "glassbox.config.fingerprint": trace.config_fingerprint,
            "glassbox.index.fingerprint": trace.index_fingerprint,
            "glassbox.unsupported_sentences": sum(not check.supported for check in trace.checks),
            **{f"glassbox.setting.{name}": value for name, value in trace.config.items()},
            "error.type": trace.error or None}


def _stage_attributes(trace: Trace, span: Span) -> dict[str, object]:
    stage = span.stage
    given: dict[str, object] = {
        "gen_ai.operation.name": OPERATION.get(stage), "gen_ai.request.model": _model(trace, stage),
        "openinference.span.kind": KIND.get(stage, "CHAIN"),
        "glassbox.stage": stage, "glassbox.items.in": span.n_in, "glassbox.items.out": span.n_out}
    if stage in OPERATION:
        given["gen_ai.provider.name"] = "glassbox"
    if stage in ("dense", "lexical", "rerank"):
        hits = sorted((hit for hit in trace.hits if getattr(hit, stage)), key=lambda hit: getattr(hit, stage).rank)
        scored = [(hit, getattr(hit, stage).value) for hit in hits]
        field = "reranker.output_documents" if stage == "rerank" else "retrieval.documents"
        if stage in OPERATION:
            given |= {"gen_ai.retrieval.query.text": trace.query, "gen_ai.data_source.id": trace.index_fingerprint,
                      "gen_ai.retrieval.documents": json.dumps([{"id": hit.chunk.id, "score": value}
                                                                for hit, value in scored])}
        for n, (hit, value) in enumerate(scored):
            given |= {f"{field}.{n}.document.id": hit.chunk.id, f"{field}.{n}.document.score": value,
                      f"{field}.{n}.document.content": hit.chunk.text}
    if stage == "generate":
        given |= {"gen_ai.request.temperature": _number(trace, "temperature"),
                  "gen_ai.request.max_tokens": trace.config.get("max_tokens"),
                  "gen_ai.input.messages": _messages(trace.prompt),
                  "gen_ai.output.messages": _messages([{"role": "assistant", "content": trace.draft}])}
    return given


def _name(trace: Trace, stage: str) -> str:
    """"{operation} {model}", as the conventions want it, for what they know; else the stage's own name."""
    if stage in ("embed", "generate"):
        return f"{OPERATION[stage]} {_model(trace, stage)}"
    return f"retrieval {stage}" if stage in OPERATION else stage


def _model(trace: Trace, stage: str) -> str | None:
    part = MODEL.get(stage)
    named = trace.config.get(part) if part else None
    return EMBEDDED[part] if named == "embedded" else str(named) if named else None


def _number(trace: Trace, name: str) -> float | None:
    value = trace.config.get(name)
    return float(value) if isinstance(value, (int, float)) else None


def _messages(messages) -> str:
    """The conventions' JSON for messages: a role and parts."""
    return json.dumps([{"role": m.get("role", ""), "parts": [{"type": "text", "content": m.get("content", "")}]}
                       for m in messages], ensure_ascii=False)


def _attributes(values: dict[str, object]) -> list[dict]:
    """OTLP's key-value list; what is None is left out."""
    return [{"key": key, "value": _value(value)} for key, value in values.items() if value is not None]


def _value(value: object) -> dict:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": str(value)}


def _id(trace_id: str, part: str, digits: int) -> str:
    """Hex digits, the same for the same trace, so that importing twice gives one trace."""
    return hashlib.sha256(f"{trace_id} {part}".encode()).hexdigest()[:digits]
