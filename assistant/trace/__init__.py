"""Traces as values: pure functions over records, one a module.

stopwatch.py  times the stages
layout.py     JSON there and back: the documented, versioned layout
redact.py     a trace without what the model was sent and wrote
secrets.py    a trace without keys and passwords
compare.py    two traces: what entered, left and moved, by which stage; the answers as a word diff; timings
markdown.py   a trace as a bug report
otel.py       OpenTelemetry spans as OTLP/JSON
gold.py       a judged answer as a draft for the gold set
terminal.py   text without what could steer a terminal
versions.py   what has changed in the index since
"""
from __future__ import annotations

from assistant.trace.layout import LAYOUT, from_json, to_json
from assistant.trace.redact import redacted
from assistant.trace.stopwatch import Stopwatch

__all__ = ["LAYOUT", "Stopwatch", "from_json", "redacted", "to_json"]
