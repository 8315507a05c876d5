"""Traces as values: stages timed, JSON there and back, kept in the catalog."""
from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.catalog.database import Database
from assistant.catalog.traces import Traces
from assistant.errors import InputError
from assistant.records import Answer, Chunk, Citation, Evidence, Hit, Score, Span, Support, Trace
from assistant.trace import LAYOUT, Stopwatch, from_json, to_json

FLOAT = st.floats(allow_nan=False, allow_infinity=False)
SCORE = st.none() | st.builds(Score, FLOAT, st.integers(1, 200))
HIT = st.builds(Hit, st.from_type(Chunk), st.text(), SCORE, SCORE, SCORE, SCORE)
EVIDENCE = st.builds(Evidence, score=st.none() | FLOAT)
ANSWER = st.builds(Answer, citations=st.lists(st.from_type(Citation), max_size=3).map(tuple),
                   support=st.lists(st.builds(Support, score=st.none() | FLOAT), max_size=3).map(tuple))
MESSAGE = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": st.text()})
TRACE = st.builds(
    Trace,
    history=st.lists(MESSAGE, max_size=2).map(tuple),
    prompt=st.lists(MESSAGE, max_size=2).map(tuple),
    answer=ANSWER,
    config=st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | FLOAT | st.text(), max_size=4),
    hits=st.lists(HIT, max_size=3).map(tuple),
    evidence=st.lists(EVIDENCE, max_size=3).map(tuple),
    spans=st.lists(st.builds(Span, st.text(), FLOAT, FLOAT), max_size=3).map(tuple),
)


@given(TRACE)
def test_json_there_and_back_gives_an_equal_trace(trace):
    body = to_json(trace)
    assert body["layout"] == LAYOUT
    assert from_json(json.loads(json.dumps(body))) == trace


@given(trace=TRACE)
def test_the_catalog_gives_an_equal_trace(tmp_path_factory, trace):
    folder = tmp_path_factory.mktemp("traces")
    Traces(Database(folder / "catalog.sqlite3")).add(trace)
    again = Traces(Database(folder / "catalog.sqlite3"))
    assert again.get(trace.id) == trace and again.count() == 1
    with pytest.raises(InputError, match="no trace"):
        again.get(trace.id + "x")


def test_a_trace_is_replaced_under_its_id(tmp_path):
    traces = Traces(Database(tmp_path / "catalog.sqlite3"))
    made = Trace(
        "t",
        None,
        "2026-01-01T00:00:00+00:00",
        "failed",
        "q",
        (),
        "q",
        "",
        {},
        "",
        "",
        (),
        "off",
        "",
        False,
        (),
        (),
        "",
        Answer(""),
        (),
        "why",
    )
    traces.add(made)
    traces.add(dataclasses.replace(made, status="complete", error=""))
    assert traces.count() == 1 and traces.get("t").status == "complete"


def test_stages_are_timed_in_their_order_also_when_one_fails():
    watch = Stopwatch()
    with watch.stage("one", n_in=3) as out:
        out.n = 2
    with pytest.raises(ZeroDivisionError), watch.stage("two", n_in=1):
        1 / 0  # noqa: B018
    one, two = watch.spans
    assert (one.stage, one.n_in, one.n_out, two.stage, two.n_out) == ("one", 3, 2, "two", 0)
    assert 0 <= one.start_ms <= one.start_ms + one.duration_ms <= two.start_ms and two.duration_ms >= 0
