"""The question of a trace asked again, under its own settings or changed ones; the new trace names its parent.

The trace's settings are those that count, not today's, but what says where things are kept, and whether, is today's.
A trace holds no path and no key, and an imported one may come from anybody: a model other than the embedded one is
taken from today's settings where its public name is the same, and else has to be named.
"""
from __future__ import annotations

from collections.abc import Mapping

from assistant.config import KEEPING, Config, names
from assistant.errors import InputError, StoreError
from assistant.pipeline import Assistant
from assistant.records import Answer, Trace
from assistant.trace.redact import check_askable

MODELS = ("embedder", "query_encoder", "reranker", "llm")
PLACES = (*MODELS, "vectors")  # settings that make this machine read a path or connect to an address
PLAIN = ("embedded", "off")
BEFORE = {"query_encoder": "off"}  # what a trace was made with that is older than the setting


def replay(rag: Assistant, trace: Trace, changes: Mapping[str, object] | None = None) -> Answer:
    """Ask the trace's question of `rag`'s index; `answer.trace_id` names the new trace, whose parent is `trace`.

    changes: {setting: value}, over the trace's. Raises InputError where the earlier turns were redacted, a model
    cannot be found again, or traces are off; ConfigError for an unknown setting; StoreError where the new trace cannot
    be kept; and what `answer` raises.
    """
    config = settings(rag.config, trace, changes or {})
    if not config.traces:
        raise InputError("traces are off, and a replay is one: set traces=on")
    check_askable(trace)
    answer = Answer("")
    for event in rag.with_config(config).stream(trace.question, list(trace.history), parent=trace.id):
        answer = event
    if not answer.trace_id:  # the reason is on standard error
        raise StoreError("the replay was answered, but its trace could not be kept, and without it nothing can be "
                         "shown: make room where the index is, and replay again")
    return answer


def settings(today: Config, trace: Trace, changes: Mapping[str, object]) -> Config:
    """The trace's settings with the changes, on today's index."""
    public = today.public()
    values: dict[str, object] = {}
    for name in names():
        if name in changes or name in KEEPING or name not in {**BEFORE, **trace.config}:
            continue
        value = trace.config.get(name, BEFORE.get(name))
        if name in MODELS:
            value = getattr(today, name) if value == public[name] else _named(name, str(value), trace)
        values[name] = value
    return today.replace({**values, **changes})


def from_page(today: Config, changes: Mapping[str, object]) -> dict[str, object]:
    """The changes that a visitor of the page made, a public name of today's model put back to what it stands for.

    A visitor chooses among the models that the operator named. InputError for any other: its path would be read, or its
    address be sent the documents.
    """
    public, made = today.public(), dict(changes)
    for name in PLACES:
        if name not in changes or (value := str(changes[name]).strip()) in PLAIN:
            continue
        if value != public[name]:
            raise InputError(f"{name}={value[:80]} cannot be chosen in the page: expected "
                             f"{' or '.join(dict.fromkeys([*PLAIN, str(public[name])]))}; another is named where "
                             "Glassbox is started, in its settings")
        made[name] = getattr(today, name)
    return made


def _named(name: str, value: str, trace: Trace) -> str:
    if value in PLAIN:
        return value
    raise InputError(f"trace {trace.id} was made with {name}={value}, which today's settings do not name: name "
                     f"where it is, or replay with another, such as --set {name}=embedded")
