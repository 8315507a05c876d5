"""The `assistant` command: results on standard output, everything else on standard error, 0, 1 or 2 at the end."""
from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from assistant import doctor
from assistant.cli import main
from tests.fakes import CORPUS, ROOT, free_port

HNSW = "difference between HNSW and IVF"
ANSWER = [
    "question",
    "query",
    "answer",
    "abstained",
    "citations",
    "support",
    "hits",
    "evidence",
    "timings_ms",
    "trace_id",
    "config_fingerprint",
    "index_fingerprint",
]
CITATION = ["marker", "chunk_id", "document", "heading", "start", "end", "quote"]
HIT = ["chunk_id", "document", "heading", "text", "start", "end", "scores", "ranks", "kept", "reason"]
STAGES = ["dense", "lexical", "fused", "rerank"]
EVIDENCE = ["marker", "chunk_id", "document", "heading", "spans", "text", "score"]
SUPPORT = ["start", "end", "supported", "markers", "score", "origin"]


@pytest.fixture()
def command(capsys):
    """command(words...) -> (exit status, standard output, standard error)."""
    def run(*words: object) -> tuple[int, str, str]:
        try:
            status = main([str(word) for word in words])
        except SystemExit as left:
            status = left.code
        out, err = capsys.readouterr()
        return status, out, err
    return run


@pytest.fixture(scope="module")
def answers(rag, tmp_path_factory) -> list[dict]:
    """One process: three questions from a file, with the language model."""
    file = tmp_path_factory.mktemp("questions") / "three of them.jsonl"
    file.write_text("\n".join([
        HNSW, "", json.dumps({"question": "And the large one?", "history": [
            {"role": "user", "content": "How much does text-embedding-3-small cost per million tokens?"},
            {"role": "assistant", "content": "$0.02 [1]."}]}),
        json.dumps({"question": "What is the\u2028capital of Australia?"}, ensure_ascii=False)]), encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "assistant", "ask", "--questions", str(file), "--json", "--index",
                           rag.config.index], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def one_line(err: str) -> str:
    assert err.count("\n") == 1 and err.startswith("assistant: ") and "Traceback" not in err, err
    return err


# ask


def test_a_file_of_questions_gives_one_object_a_line(answers):
    assert [a["question"] for a in answers] == [HNSW, "And the large one?", "What is the\u2028capital of Australia?"]
    assert [a["abstained"] for a in answers] == [False, False, True]
    assert "text-embedding-3-large" in answers[1]["query"] and "0.13" in answers[1]["answer"]


def test_the_objects_have_exactly_the_keys_of_the_design(answers):
    for answer in answers:
        assert list(answer) == ANSWER
        assert all(list(c) == CITATION for c in answer["citations"]) and all(list(h) == HIT for h in answer["hits"])
        assert all(list(h["scores"]) == list(h["ranks"]) == STAGES for h in answer["hits"])
        assert all(list(e) == EVIDENCE for e in answer["evidence"]) and all(
            list(s) == SUPPORT for s in answer["support"]
        )
        assert all(isinstance(ms, float) for ms in answer["timings_ms"].values())
        assert answer["hits"] and answer["trace_id"] and len(answer["config_fingerprint"]) == 12


def test_the_quotes_are_slices_and_the_markers_stand_in_the_answer(answers, rag):
    texts = {document.title: document.text for document in rag.documents()}
    assert answers[0]["citations"]
    for answer in answers:
        for citation in answer["citations"]:
            assert texts[citation["document"]][citation["start"]:citation["end"]] == citation["quote"]
            assert f"[{citation['marker']}]" in answer["answer"]
        for hit in answer["hits"]:
            assert texts[hit["document"]][hit["start"]:hit["end"]] == hit["text"]


def test_missing_scores_are_null_and_never_zero(answers):
    for answer in answers:
        for hit in answer["hits"]:
            for stage in STAGES:
                assert (hit["scores"][stage] is None) == (hit["ranks"][stage] is None)


def test_ask_prints_the_answer_and_its_sources_to_standard_output(command, rag):
    status, out, err = command("ask", HNSW, "--index", rag.config.index, "--no-llm")
    assert status == 0 and err.startswith("trace ") and err.count("\n") == 1
    said, *sources = out.splitlines()
    assert "[1]" in said and any(line.startswith("[1] ") for line in sources)


@pytest.mark.parametrize("question", ["", "  ", "x" * 1_000_000, "a\0b", "\udcff"])
def test_a_question_that_is_none_is_bad_input(command, rag, question):
    status, out, err = command("ask", question, "--index", rag.config.index)
    assert (status, out) == (2, "") and len(one_line(err)) < 300


def test_odd_questions_are_answered_or_declined(command, rag, tmp_path):
    file = tmp_path / "odd.txt"
    file.write_text("😀🚀\nما هو التضمين؟\n-1 or --json?\n'; DROP TABLE chunks; --\n[1] %s {}\n", encoding="utf-8")
    status, out, _ = command("ask", "--questions", file, "--json", "--index", rag.config.index, "--no-llm")
    assert status == 0 and len(out.splitlines()) == 5
    assert all(json.loads(line)["answer"] for line in out.splitlines())


def test_every_bad_line_of_a_file_is_named_before_anything_is_asked(command, rag, tmp_path):
    file = tmp_path / "bad.jsonl"
    file.write_text(
        "\n".join(
            [
                "What is a vector?",
                '{"question": "x"',
                '{"query": "x"}',
                '{"question": ""}',
                '{"question": "x", "history": "no"}',
                '{"question": "x", "history": [{"role": "system"}]}',
                "y" * 5000,
                '{"question": 3}',
                r'{"question": "a\u0001b"}',
                r'{"question": "\ud800"}',
                r'{"question": "x", "history": [{"role": "user", "content": "\ud800"}]}',
                '{"question": ' + "[" * 100_000,
                '{"question": ' + "1" * 5000 + "}",
            ]
        )
    )
    status, out, err = command("ask", "--questions", file, "--json", "--index", rag.config.index)
    assert (status, out) == (2, "")
    for number in range(2, 14):
        assert f"line {number}: " in one_line(err)
    assert "line 1:" not in err and '"history": [{"role"' in err


def test_files_that_hold_no_questions(command, rag, tmp_path):
    (tmp_path / "empty.txt").write_text(" \n\n")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00\x81")
    for name, said in (
        ("empty.txt", "holds no question"),
        ("binary.txt", "not UTF-8"),
        ("nowhere.txt", "No such file"),
        (".", "directory"),
    ):
        status, out, err = command("ask", "--questions", tmp_path / name, "--index", rag.config.index)
        assert (status, out) == (2, "") and said in one_line(err)


def test_questions_come_from_standard_input_with_a_dash(command, rag, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\ufeffWhat is IVF?\r\n".encode())))
    status, out, _ = command(
        "retrieve", "--questions", "-", "--json", "--index", rag.config.index, "--set", "rerank=off"
    )
    assert status == 0 and json.loads(out)["question"] == "What is IVF?"


@pytest.mark.parametrize("words", [("ask",), ("ask", "q", "--questions", "f"), ("retrieve",)])
def test_one_of_a_question_and_a_file_is_needed(command, rag, words):
    status, _, err = command(*words, "--index", rag.config.index)
    assert status == 2 and "give either a QUESTION or --questions FILE" in one_line(err)


# retrieve


def test_retrieve_shows_every_stage(command, rag):
    status, out, err = command("retrieve", HNSW, "--json", "--index", rag.config.index)
    found = json.loads(out)
    assert (status, err) == (0, "") and found["gate"] == "passed" and found["calibrated"] is True
    assert [list(h) for h in found["hits"]] == [HIT] * len(found["hits"])
    status, out, _ = command("retrieve", HNSW, "--index", rag.config.index, "--set", "rerank = off", "--set", "k=1")
    assert (
        status == 0
        and out.splitlines()[1].startswith("gate:  off")
        and all(len(line) <= 80 for line in out.splitlines()[2:])
    )


# ingest and status


def test_ingest_reports_on_output_and_shows_progress_on_error(tmp_path):
    index = tmp_path / "an index with spaces"
    ingest = [sys.executable, "-m", "assistant", "ingest", str(CORPUS / "00-why-embeddings.md"), "--index", str(index)]
    first, again = (subprocess.run([*ingest, "--json"], cwd=ROOT, capture_output=True, text=True) for _ in range(2))
    report = json.loads(first.stdout)
    assert first.returncode == 0 and report["added"] == ["00-why-embeddings.md"] and report["chunks"] > 5
    assert "1/1" in first.stderr and all(line.startswith("indexing [") for line in first.stderr.splitlines())
    assert json.loads(again.stdout)["unchanged"] == ["00-why-embeddings.md"] and again.stderr == ""


def test_status_tells_what_the_index_holds(command, rag):
    status, out, _ = command("status", "--json", "--index", rag.config.index)
    told = json.loads(out)
    assert status == 0 and told["documents"] == 10 and told["chunks"] == len(rag.chunks())
    assert told["made_with"] == {"embedder": "all-MiniLM-L6-v2", "chunk_tokens": 128}
    status, out, _ = command("status", "--index", rag.config.index)
    assert status == 0 and "documents  10" in out and "threshold    auto" in out


def test_places_that_cannot_be_ingested(command, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "picture.md").write_bytes(b"\x89PNG\0\0")
    for path, said in ((tmp_path / "nowhere", "no file or folder at"), (tmp_path / "empty", "nothing to ingest")):
        status, out, err = command("ingest", path, "--index", tmp_path / "index")
        assert (status, out) == (2, "") and said in one_line(err)
    status, out, err = command("ingest", tmp_path / "picture.md", "--index", tmp_path / "index")
    assert status == 2 and "skipped picture.md: it is binary" in err and "no file could be read" in err.splitlines()[-1]


# settings, models, folders


@pytest.mark.parametrize("words, said", [
    (("--set", "k"), "expected NAME=VALUE"), (("--set", "k=0"), "k is '0': expected 1 to 20"),
    (("--set", "top_k=3"), "unknown setting 'top_k'"), (("--set", "=3"), "unknown setting ''"),
    (("--set", "threshold=high"), "expected a number or auto"),
    (("--index", "~nouser-here/x"), "index is '~nouser-here/x': expected ~ or ~USER")])
def test_a_setting_that_cannot_be_is_bad_input(command, rag, words, said):
    status, out, err = command("ask", "What?", "--index", rag.config.index, *words)
    assert (status, out) == (2, "") and said in one_line(err)


def test_a_toml_file_with_an_error_is_bad_input(command, tmp_path, monkeypatch):
    (tmp_path / "config.toml").write_text("k = = 3")
    monkeypatch.setenv("GLASSBOX_CONFIG", str(tmp_path / "config.toml"))
    status, out, err = command("status", "--index", tmp_path / "index")
    assert (status, out) == (2, "") and "expected TOML lines" in one_line(err)


@pytest.mark.parametrize("setting, said", [
    ("embedder=/no/such", "no embedder at /no/such"), ("llm=/no/such.gguf", "no language model at /no/such.gguf"),
    ("reranker=/no/such", "no reranker at /no/such"), ("llm=http://", "no address of a server")])
def test_a_model_that_cannot_be_had_is_a_failure_with_the_remedy(command, rag, setting, said):
    status, _, err = command(
        "ask", HNSW, "--json", "--index", rag.config.index, "--set", setting, "--set", "threshold=0"
    )
    assert status == 1 and said in one_line(err)


def test_an_unreadable_model_file_is_one_line_from_a_fresh_process(rag, tmp_path):
    (tmp_path / "x.gguf").write_bytes(b"GGUF\3\0\0\0" + b"\xff" * 300)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "assistant",
            "ask",
            HNSW,
            "--json",
            "--index",
            rag.config.index,
            "--set",
            f"llm={tmp_path / 'x.gguf'}",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "") and "expected a GGUF file" in one_line(done.stderr)


def test_an_empty_index_and_another_chunk_size(command, tmp_path, rag):
    status, _, err = command("ask", "What?", "--index", tmp_path / "new")
    assert status == 2 and "run `assistant ingest PATH`" in one_line(err)
    status, _, err = command("ingest", CORPUS, "--index", rag.config.index, "--set", "chunk_tokens=64")
    assert status == 2 and "made with chunk_tokens=128, the settings say 64" in one_line(err)


def test_a_damaged_or_forbidden_index_folder(command, tmp_path):
    (tmp_path / "file").write_text("x")
    status, _, err = command("status", "--index", tmp_path / "file" / "index")
    assert status == 1 and "cannot use the catalog" in one_line(err)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "catalog.sqlite3").write_bytes(b"no database at all" * 100)
    status, _, err = command("status", "--index", tmp_path / "damaged")
    assert status == 1 and "move the damaged file away" in one_line(err)


def test_an_index_folder_that_may_not_be_written(command, monkeypatch):
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("XDG_CONFIG_HOME", folder)
        os.chmod(folder, 0o555)
        who = os.geteuid()
        if who == 0:  # root may write anywhere: be nobody for a moment
            os.seteuid(65534)
        try:
            status, _, err = command("status", "--index", Path(folder) / "index")
            assert status == 1 and "name a folder that can be written" in one_line(err)
            status, _, err = command("status", "--index", folder)
            assert status == 1 and "name a folder that can be written" in one_line(err)
        finally:
            os.seteuid(who)
            os.chmod(folder, 0o755)


def test_without_the_eval_suite_every_other_command_runs(command, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "eval"] + ["eval"]:
        monkeypatch.setitem(sys.modules, name, None)  # as where it is not installed
    status, out, _ = command("status", "--index", tmp_path / "index")
    assert status == 0 and "documents  0" in out and "rerank       on" in out
    status, _, err = command("ask", "What?", "--index", tmp_path / "index")
    assert status == 2 and "assistant ingest PATH" in one_line(err)
    status, out, err = command("eval", "--runs")
    assert (status, out) == (2, "") and "the eval suite cannot be imported" in one_line(err)
    assert "measure a configuration" in command("--help")[1]


def test_the_eval_suite_is_imported_for_its_own_command_alone(tmp_path):
    code = ("import sys; from assistant.cli import main; main(sys.argv[1:]);"
            "print([name for name in sys.modules if name.partition('.')[0] == 'eval'])")
    words = ("status", "--json", "--index", str(tmp_path / "index"))
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_login_that_is_none_stops_serve_before_anything_is_done(command, tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSBOX_AUTH", "secret-alone")
    status, out, err = command("serve", "--port", free_port(), "--index", tmp_path / "index", "--corpus", CORPUS)
    assert (status, out) == (2, "") and "GLASSBOX_AUTH" in one_line(err) and "secret-alone" not in err
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize("words", [(), ("nonsense",), ("ask", "--unknown"), ("serve", "--port", "many"), ("ingest",)])
def test_a_command_that_is_none_is_one_line_too(command, words):
    status, out, err = command(*words)
    assert (status, out) == (2, "") and "--help` shows how" in one_line(err)


def test_serve_does_not_promise_a_browser(command):
    assert "serve the page, and say its address" in " ".join(command("--help")[1].split())


def test_a_defect_inside_is_one_line_and_the_rest_on_request(command, monkeypatch, tmp_path):
    from assistant.pipeline import Assistant

    def broken(self):
        raise ZeroDivisionError("a defect")
    monkeypatch.setattr(Assistant, "status", broken)
    status, _, err = command("status", "--index", tmp_path)
    assert status == 1 and "ZeroDivisionError: a defect" in one_line(err)
    monkeypatch.setenv("GLASSBOX_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(["status", "--index", str(tmp_path)])


def test_a_reader_that_has_had_enough_is_no_error(rag):
    done = subprocess.run(
        f"'{sys.executable}' -m assistant status --index '{rag.config.index}' | true",
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_doctor_says_that_a_model_without_a_word_does_not_work(capsys):
    mute = SimpleNamespace(name="tiny", stream=lambda *_, **__: iter(["", " "]))
    assert doctor.run(SimpleNamespace(parts=SimpleNamespace(generator=mute))) == 1
    said = capsys.readouterr().out
    assert re.search(r"(?m)^FAIL llm +tiny says nothing; expected a word or two: name a chat model", said)


def test_doctor_tries_every_part(command, rag, tmp_path):
    status, out, err = command("doctor", "--index", rag.config.index)
    assert status == 0 and [line[:4] for line in out.splitlines()] == ["ok  "] * 6 and err == "all well\n"
    status, out, err = command("doctor", "--index", tmp_path / "new", "--set", "llm=off", "--set", "rerank=off")
    assert status == 1 and "is empty: run `assistant ingest PATH`" in out and err == "1 to mend\n"
