"""Traces as values: stages timed, JSON there and back, kept in the catalog."""
from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.catalog.database import Database
from assistant.catalog.feedback import Feedback
from assistant.catalog.traces import Traces, Wanted
from assistant.errors import InputError
from assistant.records import (
    Answer,
    Check,
    Chunk,
    Citation,
    DocumentVersion,
    Evidence,
    Hit,
    Score,
    Span,
    Support,
    Trace,
)
from assistant.trace import LAYOUT, Stopwatch, from_json, redacted, to_json
from assistant.trace.versions import drift
from tests.fakes import made_trace

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
    threshold=st.none() | FLOAT,
    checks=st.lists(st.from_type(Check), max_size=2).map(tuple),
    documents=st.lists(st.from_type(DocumentVersion), max_size=2).map(tuple),
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
    made = made_trace("t", status="failed", error="why")
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


# the layout


@pytest.mark.parametrize("change, said", [
    (lambda body: body.pop("layout"), "not a trace"),
    (lambda body: body.update(layout=99), "layout 99"),
    (lambda body: body.pop("question"), "no 'question'"),
    (lambda body: body.update(secret=1), "unknown key 'secret'"),
    (lambda body: body.update(question=7), "trace.question is 7: expected text"),
    (lambda body: body.update(status="done"), "expected 'complete' or"),
    (lambda body: body["hits"][0]["dense"].update(value="high"), r"trace.hits\[0\].dense.value is 'high'"),
    (lambda body: body["hits"][0]["dense"].update(value=float("nan")), "nan: expected a finite number"),
    (lambda body: body["hits"][0].update(kept=1), r"kept is 1: expected true or false"),
    (lambda body: body["answer"].update(citations={}), "expected an array"),
    (lambda body: body["evidence"][0].update(spans=[[1, 2, 3]]), "an array of 2"),
])
def test_what_is_no_trace_is_refused_with_the_place(change, said):
    body = to_json(made_trace("t"))
    change(body)
    with pytest.raises(InputError, match=said):
        from_json(body)


def test_a_key_that_was_added_later_takes_its_default():
    body = to_json(made_trace("t"))
    for name in ("threshold", "checks", "documents", "redacted"):
        del body[name]
    made = from_json(body)
    assert (made.threshold, made.checks, made.documents, made.redacted) == (None, (), (), False)


def test_a_redacted_trace_holds_no_word_of_prompt_draft_or_earlier_turns():
    secret = "marmalade"
    made = made_trace("t", history=({"role": "user", "content": secret},), draft=f"{secret} [1]",
                      prompt=({"role": "system", "content": secret * 30},),
                      checks=(Check(secret, False, (), f"the name {secret} is not in [1]"),))
    hidden = redacted(made)
    assert secret not in json.dumps(to_json(hidden)) and hidden.redacted and redacted(hidden) == hidden
    assert hidden.prompt[0]["content"] == "[redacted: 270 characters]" and hidden.prompt[0]["role"] == "system"
    assert (hidden.answer, hidden.hits, hidden.question) == (made.answer, made.hits, made.question)
    follow = dataclasses.replace(made, query=f"why {secret}", query_reason=f"it asks on about {secret}")
    assert secret not in json.dumps(to_json(redacted(follow)))
    first = dataclasses.replace(made, history=(), query="Which?", query_reason="\"Wich\" is read as \"Which\"")
    assert (redacted(first).query, redacted(first).query_reason) == (first.query, first.query_reason)


def test_drift_names_changed_and_missing_documents():
    made = made_trace("t", index_fingerprint="then", documents=(
        DocumentVersion("a", "Apples", "a.md", "1"), DocumentVersion("b", "Bees", "b.md", "2")))
    assert str(drift(made, "then", {"a": "1", "b": "2"})) == ""
    found = drift(made, "now", {"a": "9"})
    assert (found.changed, found.gone) == (("Apples",), ("Bees",))
    assert "Apples changed; Bees no longer there" in str(found)


# the catalog


@pytest.fixture()
def clock():
    return [datetime(2026, 5, 1, tzinfo=UTC)]


@pytest.fixture()
def database(tmp_path):
    return Database(tmp_path / "catalog.sqlite3")


@pytest.fixture()
def traces(database, clock):
    return Traces(database, now=lambda: clock[0])


def rows(database, table: str) -> int:
    with database.read() as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_texts_are_stored_once_and_go_with_the_last_trace_that_shows_them(database, traces):
    for name in ("a", "b"):
        traces.add(made_trace(name, texts=("one text", "another text")))
    traces.add(made_trace("c", texts=("one text",)))
    assert rows(database, "trace_texts") == 2
    assert [hit.chunk.text for hit in traces.get("b").hits] == ["one text", "another text"]
    assert traces.delete(["a", "b", "nobody"]) == 2
    assert rows(database, "trace_texts") == 1 and traces.get("c").hits[0].chunk.text == "one text"
    traces.add(made_trace("c", texts=("a third",)))  # replaced: what it no longer shows goes
    assert rows(database, "trace_texts") == 1 and traces.get("c").hits[0].chunk.text == "a third"
    assert traces.delete(["c"]) == 1
    assert [rows(database, t) for t in ("traces", "trace_bodies", "trace_uses", "trace_texts")] == [0, 0, 0, 0]


def test_deleting_leaves_no_word_in_the_files(database, traces):
    secret = "pomegranate marmalade"
    traces.add(made_trace("kept"))
    traces.add(made_trace("gone", texts=(secret * 50,), question=secret))
    Feedback(database).set("gone", "down", secret)
    traces.delete(["gone"])
    for file in database.path.parent.iterdir():
        assert secret.encode() not in file.read_bytes(), file
    assert traces.get("kept").id == "kept"


def test_the_oldest_go_beyond_the_number_and_those_with_feedback_stay(database, traces, clock):
    judged = Feedback(database)
    for n in range(4):
        clock[0] += timedelta(minutes=1)
        traces.add(made_trace(f"t{n}"), days=1, count=3)
        if n == 0:
            judged.set("t0", "", "a note is enough")
    assert [s.id for s in traces.list()] == ["t3", "t2", "t1", "t0"]  # t0 does not count
    clock[0] += timedelta(minutes=1)
    traces.add(made_trace("t4"), days=1, count=3)
    assert {s.id for s in traces.list()} == {"t4", "t3", "t2", "t0"}


def test_what_is_too_old_goes_by_the_time_of_storing(traces, clock):
    traces.add(made_trace("imported", created="2001-01-01T00:00:00+00:00"))
    clock[0] += timedelta(days=9, hours=23)
    traces.add(made_trace("now"), days=10, count=100)
    assert traces.has("imported")
    clock[0] += timedelta(hours=2)
    traces.add(made_trace("later"), days=10, count=100)
    assert not traces.has("imported") and traces.count() == 2


def test_filters_hold_together_and_search_takes_signs_as_they_are(database, traces):
    traces.add(made_trace("a", question="100% of IVF_flat?", ms=100.0))
    traces.add(made_trace("b", question="HNSW?", answer=Answer("No.", (), True), ms=9000.0))
    traces.add(made_trace("c", question="hnsw again", parent="b", ms=6000.0,
                          checks=(Check("x", False, (), "why"), Check("y", True, (1,)))))
    Feedback(database).set("c", "down", "wrong year")

    def found(**wanted):
        return {summary.id for summary in traces.list(Wanted(**wanted))}
    assert found() == {"a", "b", "c"} and found(search="hNsW") == {"b", "c"}
    assert found(search="0% of") == found(search="IVF_flat") == {"a"} and found(search="%") == {"a"}
    assert found(search="wrong year") == {"c"} and found(declined=True) == {"b"}
    assert found(unsupported=True) == found(thumb="down") == found(parent="b") == {"c"}
    assert found(slower=6000.0) == {"b", "c"} and found(slower=6000.0, search="again") == {"c"}
    assert traces.count(Wanted(slower=6000.0)) == 2 and traces.count() == 3
    summary = traces.list(Wanted(thumb="down"))[0]
    assert (summary.unsupported, summary.note, summary.milliseconds, summary.kept) == (1, "wrong year", 6000.0, 1)


def test_a_trace_is_named_by_the_beginning_of_its_id(traces):
    for name, day in (("abc1", "01"), ("abc2", "03"), ("abc", "02")):
        traces.add(made_trace(name, created=f"2026-01-{day}T00:00:00+00:00"))
    assert traces.resolve("abc1") == "abc1" and traces.resolve("abc") == "abc" and traces.resolve("last") == "abc2"
    for name in ("ab", "x", "", "%"):
        with pytest.raises(InputError):
            traces.resolve(name)


def test_feedback_is_set_changed_and_taken_back(database, traces):
    judged = Feedback(database)
    traces.add(made_trace("t"))
    judged.set("t", "up")
    judged.set("t", "down", "  no  ")
    assert (judged.get("t").thumb, judged.get("t").note, len(judged.all())) == ("down", "no", 1)
    traces.add(made_trace("t"))  # replacing a trace keeps what was said of it
    assert judged.get("t") is not None
    judged.set("t", "")
    assert judged.get("t") is None
    for name, thumb, note in (("nobody", "up", ""), ("t", "sideways", ""), ("t", "up", "x" * 5000)):
        with pytest.raises(InputError):
            judged.set(name, thumb, note)


def test_a_catalog_of_the_time_before_is_taken_over(tmp_path):
    database = Database(tmp_path / "catalog.sqlite3")
    database.create("CREATE TABLE traces (id TEXT PRIMARY KEY, created TEXT, question TEXT, status TEXT, "
                    "abstained INTEGER, body TEXT)")
    traces = Traces(database)
    traces.add(made_trace("t"))
    assert traces.count() == 1
