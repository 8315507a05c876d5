"""`assistant trace`: every command, in 80 columns and as JSON. Traces made by hand, but where the models are asked."""
from __future__ import annotations

import json

import pytest

from assistant import Assistant, Config, cli
from assistant.records import Answer, Check
from assistant.trace import from_json, to_json
from tests.fakes import made_trace

ESCAPE = "\x1b[31mred\x1b[0m"


@pytest.fixture()
def index(tmp_path):
    """An index without documents that holds three traces."""
    made = Assistant(Config(index=str(tmp_path / "index")))
    made.traces.add(made_trace("aaa1", question="What is IVF? " * 9))
    made.traces.add(made_trace("aaa2", parent="aaa1", created="2026-02-01T00:00:00+00:00", ms=7000.0,
                               answer=Answer("Another text [1]."), checks=(Check("It is.", False, (), "no words"),),
                               history=({"role": "user", "content": "before"},), config={"k": 2}))
    made.traces.add(made_trace("bbb", question=ESCAPE, texts=(ESCAPE * 9, "x" * 300), status="failed", error=ESCAPE,
                               answer=Answer(ESCAPE, (), True), draft=ESCAPE,
                               prompt=({"role": "\x1b[2J", "content": ESCAPE},)))
    return made


@pytest.fixture()
def run(index, capsys):
    def call(*words: str, expect: int = 0) -> str:
        assert cli.main(["trace", words[0], *words[1:], "--index", index.config.index]) == expect
        said = capsys.readouterr()
        return said.out if not expect else said.err
    return call


@pytest.mark.parametrize("words", [
    ("list",), ("list", "--search", "ivf"), ("list", "--declined"), ("list", "--unsupported"), ("list", "--slow"),
    ("list", "--thumb", "up"), ("list", "--status", "failed"), ("list", "--replays-of", "aaa1"),
    ("list", "--limit", "0"), ("show", "aaa1"), ("show", "aaa2", "--all"), ("show", "bbb", "--all"),
    ("diff", "aaa1", "aaa2"), ("diff", "aaa2", "bbb"), ("feedback", "aaa1"),
    ("feedback", "aaa1", "up", "--note", "so it is " * 20)])
def test_everything_reads_in_80_columns_and_steers_no_terminal(run, words):
    said = run(*words)
    assert said.strip() and max(len(line) for line in said.splitlines()) <= 80
    assert "\x1b" not in said


@pytest.mark.parametrize("words", [("list",), ("show", "aaa1"), ("diff", "aaa1", "aaa2"), ("export", "--all"),
                                   ("feedback", "aaa2", "down"), ("delete", "aaa1")])
def test_json_is_one_object_a_line(run, words):
    lines = run(*words, "--json").splitlines()
    assert lines and all(isinstance(json.loads(line), dict) for line in lines)


def test_the_list_is_latest_first_and_filters(run):
    listed = json.loads(run("list", "--json"))
    assert [row["id"] for row in listed["traces"]] == ["aaa2", "bbb", "aaa1"] and listed["total"] == 3
    assert [row["id"] for row in json.loads(run("list", "--json", "--slow", "6.5"))["traces"]] == ["aaa2"]
    limited = json.loads(run("list", "--json", "--limit", "1"))
    assert len(limited["traces"]) == 1 and limited["total"] == 3
    assert "no such traces" in run("list", "--search", "nothing like it")


def test_show_says_that_the_index_is_another_one_and_names_the_family(run):
    said = run("show", "aaa1")
    assert "the index is another one" in said and "replays    aaa2" in said
    shown = json.loads(run("show", "aaa2", "--json"))
    assert from_json(shown["trace"]).parent == "aaa1" and shown["index_changed"]["other"] and shown["replays"] == []


def test_export_and_import_into_a_fresh_index_round_trip(run, index, tmp_path):
    file, fresh = tmp_path / "out.jsonl", Assistant(Config(index=str(tmp_path / "fresh")))
    said = json.loads(run("export", "--all", "--out", str(file), "--json"))
    assert said == {"exported": ["aaa2", "bbb", "aaa1"], "file": str(file)}
    assert cli.main(["trace", "import", str(file), "--index", fresh.config.index]) == 0
    for name in ("aaa1", "aaa2", "bbb"):
        assert fresh.trace(name) == index.trace(name)
    assert "3 were here already" in run("import", str(file))
    changed = to_json(index.trace("bbb")) | {"question": "changed"}
    file.write_text(json.dumps([to_json(made_trace("new")), changed]), encoding="utf-8")
    assert "another trace is here" in run("import", str(file), expect=2)
    assert not index.traces.has("new")


def test_export_knows_its_formats(run, index):
    assert run("export", "aaa1", "--format", "markdown").startswith("## Glassbox trace `aaa1`")
    assert len(json.loads(run("export", "aaa1", "bbb", "--format", "otlp"))["resourceSpans"]) == 2
    told = json.loads(run("export", "aaa1", "--format", "markdown", "--json"))
    assert told["traces"] == ["aaa1"] and told["markdown"].startswith("## Glassbox trace `aaa1`")
    assert "nobody has judged" in run("export", "aaa1", "--format", "gold", expect=2)
    assert run("export", "--format", "gold") == ""
    run("feedback", "aaa1", "up", "--note", "right")
    row = json.loads(run("export", "--format", "gold"))
    assert (row["id"], row["thumb"], row["note"]) == ("trace-aaa1", "up", "right")
    assert "name a trace" in run("export", expect=2)


def test_feedback_keeps_what_is_not_said_anew(run):
    run("feedback", "aaa1", "down", "--note", "wrong")
    assert json.loads(run("feedback", "aaa1", "up", "--json")) == {"trace": "aaa1", "thumb": "up", "note": "wrong"}
    assert json.loads(run("feedback", "aaa1", "--note", "", "--json"))["thumb"] == "up"
    assert json.loads(run("feedback", "aaa1", "none", "--json")) == {"trace": "aaa1", "thumb": "", "note": ""}


def test_delete_removes_those_named_or_all(run, index):
    assert "1 deleted" in run("delete", "bbb")
    assert "name a trace" in run("delete", expect=2) and index.traces.count() == 2
    assert json.loads(run("delete", "--all", "--json")) == {"deleted": 2} and index.traces.count() == 0
    assert "no traces yet" in run("list")


@pytest.mark.parametrize("words", [("show", "zzz"), ("show", "aaa"), ("diff", "aaa1", "zzz"),
                                   ("import", "missing.json"), ("replay", "aaa1"), ("why-not", "aaa1", "c1"),
                                   ("list", "--limit", "-1"), ("replay", "aaa1", "--set", "colour")])
def test_bad_input_is_one_line_and_exit_2(run, words):
    said = run(*words, expect=2)
    assert said.startswith("assistant: ") and said.count("\n") == 1


def test_an_error_steers_no_terminal(run, tmp_path):
    said = run("import", str(tmp_path / "a\x1b[2J\nb.json"), expect=2)
    assert said.startswith("assistant: ") and said.count("\n") == 1 and "\x1b" not in said


def test_settings_are_taken_where_they_change_something(run, capsys):
    said = run("why-not", "aaa1", "c1", "--set", "rerank=off", expect=2)
    assert "--set rerank changes nothing here" in said and "replay the trace with rerank changed" in said
    assert "no documents" in run("why-not", "aaa1", "c1", "--set", "reranker=embedded", expect=2)
    with pytest.raises(SystemExit):
        cli.main(["trace", "show", "aaa1", "--set", "k=2"])
    assert "unrecognized arguments" in capsys.readouterr().err


def test_replay_prints_what_ask_prints_and_why_not_explains(rag, capsys):
    index = ["--index", rag.config.index]
    trace = rag.with_config(rag.config.replace({"llm": "off"})).answer("difference between HNSW and IVF").trace_id
    before = set(json.loads(_said(capsys, "list", "--json", "--limit", "0", *index))["traces"][0])
    assert "question" in before
    asked = json.loads(_said(capsys, "replay", trace, "--set", "k=2", "--json", *index))
    assert asked["question"] == "difference between HNSW and IVF" and rag.trace(asked["trace_id"]).parent == trace
    assert {"answer", "citations", "support", "hits", "evidence", "timings_ms", "config_fingerprint"} <= asked.keys()
    said = _said(capsys, "diff", trace, asked["trace_id"], *index)
    assert "k: 4 → 2" in said and max(map(len, said.splitlines())) <= 80
    dropped = next(hit for hit in asked["hits"] if not hit["kept"])
    said = _said(capsys, "why-not", asked["trace_id"], dropped["chunk_id"], *index)
    assert dropped["reason"] in " ".join(said.split()) and max(map(len, said.splitlines())) <= 80
    shown = _said(capsys, "show", asked["trace_id"], *index)
    for hit in asked["hits"]:  # a line says why, and by which id why-not takes the chunk
        assert f" · {hit['reason']} · {hit['chunk_id'][:8]}\n" in shown
    found = json.loads(_said(capsys, "why-not", trace, "--passage", dropped["text"], "--json", *index))
    assert found["chunk"]["id"] == dropped["chunk_id"]


def _said(capsys, *words: str) -> str:
    assert cli.main(["trace", *words]) == 0
    return capsys.readouterr().out
