"""A trace as JSON: the layout in which it is stored, exported and imported. It round-trips exactly.

An object with `layout` (the number below) and one key for each field of `records.Trace`, records being objects and
tuples being arrays:

    id, parent (or null), created, status ("complete", "stopped", "failed"), error
    question, history [{role, content}], query, query_reason
    config {setting: value}, config_fingerprint, index_fingerprint
    hits [{chunk {id, document_id, heading, text, start, end, n_tokens, header, header_start}, document,
           dense, lexical, fused, rerank (each {value, rank} or null), kept, reason}]
    gate ("passed", "declined", "off"), gate_reason, calibrated, threshold (or null)
    evidence [{marker, chunk_id, document, heading, spans [[start, end]], text, score (or null)}]
    prompt [{role, content}], draft, checks [{sentence, supported, markers, why}]
    answer {text, abstained, trace_id, citations [...], support [...]}
    spans [{stage, start_ms, duration_ms, n_in, n_out}]
    documents [{id, title, source, sha256}], redacted

Units and ranges are those of assistant.records. `layout` is raised when a key changes its meaning; a key may be added
under the same number, and is then left out by older writers and takes its default.
"""
from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing

from assistant.errors import InputError
from assistant.records import Trace

LAYOUT = 1


def to_json(record: object) -> dict:
    """A record as JSON values; a Trace carries its `layout` number."""
    body = _plain(record)
    return {"layout": LAYOUT, **body} if isinstance(record, Trace) else body


def from_json(body: object) -> Trace:
    """The Trace that `to_json` wrote, equal to the original. InputError says which value is not as it should be."""
    if not isinstance(body, dict) or "layout" not in body:
        raise InputError(f"not a trace: expected a JSON object with \"layout\": {LAYOUT}, as `assistant trace export` "
                         "writes it")
    if body["layout"] != LAYOUT:
        raise InputError(f"the trace has layout {body['layout']!r}, this version of Glassbox reads {LAYOUT}: export it "
                         "again with the version that imports it")
    return _build(Trace, {key: value for key, value in body.items() if key != "layout"}, "trace")


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value):
        return {name: _plain(getattr(value, name)) for name in _fields(type(value))}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return dict(value) if isinstance(value, dict) else value


@functools.cache
def _fields(kind: type) -> dict[str, tuple[object, bool]]:
    """{name: (type, whether it has a default)} of a record."""
    hints = typing.get_type_hints(kind)
    return {spec.name: (hints[spec.name], spec.default is not dataclasses.MISSING) for spec in dataclasses.fields(kind)}


def _build(kind: object, value: object, where: str) -> typing.Any:
    """`value` (from JSON) as the annotated type: records, tuples and optionals of them are rebuilt."""
    if dataclasses.is_dataclass(kind):
        return _record(kind, value, where)
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _build(next(arg for arg in args if arg is not type(None)), value, where)
    if origin is tuple:
        return _tuple(args, value, where)
    if origin is typing.Literal:
        return value if value in args else _refuse(value, where, " or ".join(map(repr, args)))
    if origin is dict:
        if not isinstance(value, dict):
            _refuse(value, where, "an object")
        return {name: item if args[1] is object else _build(args[1], item, f"{where}.{name}")
                for name, item in value.items()}
    accepted = {float: (float, int)}.get(kind, (kind,))
    if isinstance(value, float) and not math.isfinite(value):  # Python's reader takes NaN, which is no JSON
        _refuse(value, where, "a finite number")
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        _refuse(value, where, {str: "text", int: "a whole number", float: "a number", bool: "true or false"}[kind])
    return value


def _record(kind: typing.Any, value: object, where: str) -> object:
    fields = _fields(kind)
    if not isinstance(value, dict):
        _refuse(value, where, "an object")
    for name in value:
        if name not in fields:
            raise InputError(f"{where} has an unknown key {name!r}: expected {', '.join(fields)}")
    for name, (_, optional) in fields.items():
        if name not in value and not optional:
            raise InputError(f"{where} has no {name!r}: the file is not a whole trace; export it again")
    return kind(**{name: _build(fields[name][0], item, f"{where}.{name}") for name, item in value.items()})


def _tuple(args: tuple, value: object, where: str) -> tuple:
    if not isinstance(value, (list, tuple)):
        _refuse(value, where, "an array")
    if args[-1] is Ellipsis:
        return tuple(_build(args[0], item, f"{where}[{at}]") for at, item in enumerate(value))
    if len(value) != len(args):
        _refuse(value, where, f"an array of {len(args)}")
    return tuple(_build(arg, item, f"{where}[{at}]") for at, (arg, item) in enumerate(zip(args, value, strict=True)))


def _refuse(value: object, where: str, expected: str) -> typing.NoReturn:
    shown = repr(value)
    raise InputError(f"{where} is {shown if len(shown) <= 60 else shown[:57] + '...'}: expected {expected}")
