"""A trace without the words that went to the model or came from it unchecked, for those who must not keep them.

The prompt, the draft with its checks, and the earlier turns are replaced by their lengths, and so is the query where it
was made of earlier turns, with its reason and the gate's, which quote them: such a question cannot be asked again. The
question, the candidates and the checked answer stay: without them there is no trace; `traces=off` keeps nothing.
"""
from __future__ import annotations

import dataclasses

from assistant.errors import InputError
from assistant.records import Check, Message, Trace


def redacted(trace: Trace) -> Trace:
    """The trace with `redacted` set; one that is redacted already stays as it is."""
    if trace.redacted:
        return trace
    follows = bool(trace.history) and trace.query != trace.question
    return dataclasses.replace(
        trace, redacted=True, query=_length(trace.query) if follows else trace.query,
        query_reason=_length(trace.query_reason) if follows else trace.query_reason,
        gate_reason=_length(trace.gate_reason) if follows else trace.gate_reason,
        history=_hidden(trace.history), prompt=_hidden(trace.prompt),
        draft=_length(trace.draft),
        checks=tuple(Check(_length(c.sentence), c.supported, c.markers, "" if c.supported else "not supported")
                     for c in trace.checks))


def check_askable(trace: Trace) -> None:
    """InputError where the question cannot be asked again, for its earlier turns were not kept."""
    if trace.redacted and trace.history:
        raise InputError(f"trace {trace.id} was kept without its earlier turns (redact=on), which its question needs: "
                         "ask it again in a conversation")


def _hidden(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    return tuple({**message, "content": _length(message.get("content", ""))} for message in messages)


def _length(text: str) -> str:
    return f"[redacted: {len(text)} characters]" if text else ""
