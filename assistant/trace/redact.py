"""A trace without the words that went to the model or came from it unchecked, for those who must not keep them.

The prompt, the draft with its checks, and the earlier turns are replaced by their lengths. The question, the query that
was searched, the candidates and the checked answer stay: without them there is no trace; `traces=off` keeps nothing.
"""
from __future__ import annotations

import dataclasses

from assistant.records import Check, Message, Trace


def redacted(trace: Trace) -> Trace:
    """The trace with `redacted` set; one that is redacted already stays as it is."""
    if trace.redacted:
        return trace
    return dataclasses.replace(
        trace, redacted=True, history=_hidden(trace.history), prompt=_hidden(trace.prompt),
        draft=_length(trace.draft),
        checks=tuple(Check(_length(c.sentence), c.supported, c.markers, "" if c.supported else "not supported")
                     for c in trace.checks))


def _hidden(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    return tuple({**message, "content": _length(message.get("content", ""))} for message in messages)


def _length(text: str) -> str:
    return f"[redacted: {len(text)} characters]" if text else ""
