"""A trace as OpenTelemetry spans in OTLP/JSON, for Jaeger, Phoenix or any collector.

One root span for the answer, one child for each stage. Attribute names are those of the OpenTelemetry semantic
conventions for generative AI (`gen_ai.*`, repository semantic-conventions-genai, status: development, read in 2026) and
their JSON schemas of messages and retrieved documents; what they have no name for is `glassbox.*`. Phoenix draws by
OpenInference's names (`openinference.span.kind`, `input.value`, `llm.*`, `retrieval.documents`, `reranker.*`), so those
stand beside them. OTLP/JSON writes ids in hex, enums as numbers and 64-bit integers as strings (opentelemetry-proto,
"JSON Protobuf Encoding"). The status of a span that did not fail stays unset, as the conventions want it.
"""
from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime
from urllib.parse import urlsplit

from assistant.errors import InputError
from assistant.records import Span, Trace
from assistant.trace.stopwatch import total_ms

INTERNAL, CLIENT = 1, 3  # SpanKind
ERROR = 2                # StatusCode
AGENT = "glassbox"
OPERATION = {"embed": "embeddings", "dense": "retrieval", "lexical": "retrieval", "generate": "chat"}
KIND = {"embed": "EMBEDDING", "dense": "RETRIEVER", "lexical": "RETRIEVER", "rerank": "RERANKER", "generate": "LLM"}
MODEL = {"embed": "embedder", "dense": "embedder", "rerank": "reranker", "generate": "llm"}
EMBEDDED = {"embedder": "all-MiniLM-L6-v2", "llm": "SmolLM2-135M-Instruct", "reranker": "glassbox-reranker"}
FINISHED = {"complete": "stop", "stopped": "cancelled", "failed": "error"}  # a message's finish_reason, by the status


def otlp(trace: Trace) -> dict:
    """An ExportTraceServiceRequest: what a collector takes at /v1/traces as application/json."""
    try:
        start = int(datetime.fromisoformat(trace.created).timestamp() * 1000) * 1_000_000
    except ValueError:
        raise InputError(f"the trace's created is {trace.created!r}: expected an ISO 8601 time, without which there "
                         "are no spans") from None
    root = _id(trace.id, "root", 16)
    spans = [_span(trace, f"invoke_agent {AGENT}", start, 0.0, total_ms(trace.spans), root, "",
                   _root_attributes(trace))]
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
            "kind": CLIENT if name.startswith("chat ") and _server(trace) else INTERNAL,
            "startTimeUnixNano": str(begin), "endTimeUnixNano": str(begin + round(ms * 1e6)),
            "attributes": _attributes(attributes),
            "status": {"code": ERROR, "message": trace.error} if failed else {}}


def _root_attributes(trace: Trace) -> dict[str, object]:
    return {"gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": AGENT, "gen_ai.agent.name": AGENT,
            "gen_ai.data_source.id": trace.index_fingerprint or None,
            "gen_ai.input.messages": _messages([*trace.history, {"role": "user", "content": trace.question}]),
            "gen_ai.output.messages": _output(trace, trace.answer.text),
            "openinference.span.kind": "CHAIN", "input.value": trace.question, "output.value": trace.answer.text,
            "glassbox.trace.id": trace.id, "glassbox.trace.parent": trace.parent, "glassbox.status": trace.status,
            "glassbox.abstained": trace.answer.abstained, "glassbox.gate": trace.gate,
            "glassbox.gate.reason": trace.gate_reason, "glassbox.threshold": trace.threshold,
            "glassbox.config.fingerprint": trace.config_fingerprint,
            "glassbox.index.fingerprint": trace.index_fingerprint,
            "glassbox.unsupported_sentences": sum(not check.supported for check in trace.checks),
            **{f"glassbox.setting.{name}": value for name, value in trace.config.items()},
            "error.type": _error_type(trace)}


def _stage_attributes(trace: Trace, span: Span) -> dict[str, object]:
    stage = span.stage
    given: dict[str, object] = {
        "gen_ai.operation.name": OPERATION.get(stage), "gen_ai.request.model": _model(trace, stage),
        "openinference.span.kind": KIND.get(stage, "CHAIN"),
        "glassbox.stage": stage, "glassbox.items.in": span.n_in, "glassbox.items.out": span.n_out}
    if stage in OPERATION:
        given["gen_ai.provider.name"] = AGENT
    if stage == "embed":
        given |= {"input.value": trace.query, "embedding.model_name": _model(trace, stage),
                  "embedding.embeddings.0.embedding.text": trace.query}
    if stage in ("dense", "lexical", "rerank"):
        given |= _found(trace, stage)
    return given | (_generated(trace) if stage == "generate" else {})


def _found(trace: Trace, stage: str) -> dict[str, object]:
    """What a search or the reranker gave, best first."""
    hits = sorted((hit for hit in trace.hits if getattr(hit, stage)), key=lambda hit: getattr(hit, stage).rank)
    scored = [(hit, getattr(hit, stage).value) for hit in hits]
    given: dict[str, object] = {"input.value": trace.query}
    if stage in OPERATION:
        field = "retrieval.documents"
        given |= {"gen_ai.retrieval.query.text": trace.query, "gen_ai.data_source.id": trace.index_fingerprint,
                  "gen_ai.retrieval.top_k": trace.config.get("candidates"),
                  "gen_ai.retrieval.documents": json.dumps([{"id": hit.chunk.id, "score": value}
                                                            for hit, value in scored])}
    else:
        field = "reranker.output_documents"
        given |= {"reranker.query": trace.query, "reranker.model_name": _model(trace, stage)}
    for n, (hit, value) in enumerate(scored):
        given |= {f"{field}.{n}.document.id": hit.chunk.id, f"{field}.{n}.document.score": value,
                  f"{field}.{n}.document.content": hit.chunk.text}
    return given


def _generated(trace: Trace) -> dict[str, object]:
    """The call of the language model. A served one speaks OpenAI's protocol, and is named so."""
    given: dict[str, object] = {
        "gen_ai.request.temperature": _number(trace, "temperature"), "gen_ai.request.stream": True,
        "gen_ai.request.max_tokens": trace.config.get("max_tokens"), "gen_ai.input.messages": _messages(trace.prompt),
        "gen_ai.output.messages": _output(trace, trace.draft), "llm.model_name": _model(trace, "generate"),
        "output.value": trace.draft}
    if server := _server(trace):
        given |= {"gen_ai.provider.name": "openai", "server.address": server[0], "server.port": server[1]}
    said = [("input", trace.prompt), ("output", [{"role": "assistant", "content": trace.draft}] if trace.draft else [])]
    for side, messages in said:
        for n, message in enumerate(messages):
            given |= {f"llm.{side}_messages.{n}.message.role": message.get("role", ""),
                      f"llm.{side}_messages.{n}.message.content": message.get("content", "")}
    return given


def _name(trace: Trace, stage: str) -> str:
    """"{operation} {model}", as the conventions want it, for what they know; else the stage's own name."""
    if stage in ("embed", "generate"):
        return f"{OPERATION[stage]} {_model(trace, stage)}"
    return f"retrieval {stage}" if stage in OPERATION else stage


def _model(trace: Trace, stage: str) -> str | None:
    """The model's own name: of a served one what stands behind the address's `#`."""
    part = MODEL.get(stage)
    named = str(trace.config.get(part) or "") if part else ""
    return EMBEDDED[part] if named == "embedded" else (named.partition("#")[2] or "default") if "://" in named else \
        named or None


def _server(trace: Trace) -> tuple[str, int] | None:
    """(address, port) of a language model that is served; None for one in the process, or an address without a host."""
    try:
        url = urlsplit(str(trace.config.get("llm") or ""))
        return (url.hostname, url.port or (443 if url.scheme == "https" else 80)) if url.hostname else None
    except ValueError:  # "http://host:port" as somebody may have written it
        return None


def _error_type(trace: Trace) -> str | None:
    """A class of error, as the conventions want it; the words stand in the span's status."""
    return (trace.error if re.fullmatch(r"[A-Za-z_]\w*", trace.error) else "_OTHER") if trace.error else None


def _number(trace: Trace, name: str) -> float | None:
    value = trace.config.get(name)
    return float(value) if isinstance(value, (int, float)) else None


def _messages(messages) -> str:
    """The conventions' JSON for messages: a role and parts."""
    return json.dumps([{"role": m.get("role", ""), "parts": [{"type": "text", "content": m.get("content", "")}]}
                       for m in messages], ensure_ascii=False)


def _output(trace: Trace, text: str) -> str:
    """The conventions' JSON for what was said, which wants a reason for its end; nothing said is no message."""
    return json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": text}],
                        "finish_reason": FINISHED[trace.status]}] if text else [], ensure_ascii=False)


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
