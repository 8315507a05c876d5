"""Traces to files and back: the formats of an export, and what an import may hold.

json      one trace a line, in the layout of assistant.trace.layout: the only one that can be imported
markdown  for a bug report
otlp      OpenTelemetry spans
gold      drafts for the gold set, of traces with feedback
"""
from __future__ import annotations

import json
import re
from collections.abc import Sequence

from assistant.errors import InputError
from assistant.records import Trace
from assistant.trace import from_json, to_json
from assistant.trace.gold import draft
from assistant.trace.markdown import markdown
from assistant.trace.otel import otlp
from assistant.trace.versions import Drift, drift

FORMATS = ("json", "markdown", "otlp", "gold")


def written(rag, traces: Sequence[Trace], kind: str) -> str:
    """The traces in one of FORMATS; InputError for a gold draft of a trace that nobody has judged."""
    if kind == "markdown":
        return "\n".join(markdown(trace) for trace in traces)
    if kind == "otlp":
        return line({"resourceSpans": [spans for trace in traces for spans in otlp(trace)["resourceSpans"]]}) + "\n"
    bodies = [_gold(rag, trace) if kind == "gold" else to_json(trace) for trace in traces]
    return "".join(line(body) + "\n" for body in bodies)


def _gold(rag, trace: Trace) -> dict:
    judged = rag.feedback.get(trace.id)
    if judged is None:
        raise InputError(f"nobody has judged {trace.id}: `assistant trace feedback {trace.id} up` (or down) first")
    return draft(trace, judged.thumb, judged.note)


def read(raw: bytes, name: str) -> list[Trace]:
    """The traces of an exported file: one object a line, one object, or an array; InputError says what is wrong."""
    try:
        text = raw.decode("utf-8-sig")
        try:
            bodies = json.loads(text)
        except json.JSONDecodeError:
            bodies = [json.loads(row) for row in text.split("\n") if row.strip()]
        line(bodies).encode()  # half a surrogate pair is JSON, but no text that can be kept
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} holds no JSON that can be read ({error}): expected what `assistant trace export` "
                         "writes") from error
    traces = [from_json(body) for body in (bodies if isinstance(bodies, list) else [bodies])]
    if not traces:
        raise InputError(f"{name} holds no trace: expected what `assistant trace export` writes")
    if wrong := [trace.id for trace in traces if not re.fullmatch(r"[\w-]{1,64}", trace.id)]:
        raise InputError(f"{name} holds a trace with the id {wrong[0][:80]!r}: expected 1 to 64 letters, digits, "
                         "\"_\" or \"-\"; export it again")
    return traces


def keep(rag, traces: Sequence[Trace]) -> tuple[list[str], list[str]]:
    """(ids that are new, ids that were here already). Nothing is kept where one would replace another trace."""
    new: dict[str, Trace] = {}
    known = []
    for trace in traces:
        there = new.get(trace.id) or (rag.trace(trace.id) if rag.traces.has(trace.id) else None)
        if there is None:
            new[trace.id] = trace
        elif there == trace:
            known.append(trace.id)
        else:
            raise InputError(f"another trace is here under the id {trace.id}: delete it first, or import into another "
                             "index; nothing was imported")
    for trace in new.values():
        rag.traces.add(trace)
    return list(new), known


def drift_of(rag, trace: Trace) -> Drift:
    """What changed in the Assistant's index since the trace was made."""
    return drift(trace, rag.index_fingerprint(), rag.catalog.hashes())


def print_json(value: object) -> None:
    """One line on standard output, at once."""
    print(line(value), flush=True)


def line(value: object) -> str:
    """JSON in one line, also for a reader that takes U+2028 and its like for the end of one."""
    text = json.dumps(value, ensure_ascii=False)
    for separator in "\x85\u2028\u2029":
        text = text.replace(separator, f"\\u{ord(separator):04x}")
    return text
