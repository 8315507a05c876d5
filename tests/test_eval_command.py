"""The command around the suites: what it refuses before anything is run, and kept runs read again."""
from __future__ import annotations

import json

import pytest

from eval.command import main
from eval.suite import runs
from eval.suite.metrics import Count
from eval.suite.rows import row, summary


@pytest.fixture(autouse=True)
def _state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def _kept(rights: list[int], **config) -> str:
    """The name of a run that is kept, of so many questions answered right."""
    rows = [row(f"q{at}", "fact", "open", f"q{at}", f"Question {at}?",
                {"right": Count(right), "right_or_declined": Count(right)}, answerable=True)
            for at, right in enumerate(rights)]
    return runs.keep({"layout": runs.LAYOUT, "created": "2026-01-01T00:00:00+00:00", "limit": None, "config": config,
                      "fingerprints": {"gold": "g", "config": "c", "index": "i", "corpus": "d"},
                      "suites": {"answers": summary(rows)}, "timings": {"suites_s": {}, "latency_ms": {}}}).stem


def test_two_kept_runs_become_a_page(tmp_path, capsys):
    before, after = _kept([0] * 12, k=4), _kept([1] * 12, k=6)
    assert main(["--compare", before, after, "--html", str(tmp_path / "two.html")]) == 0
    assert "B against A: better in answers.right" in capsys.readouterr().out
    page = (tmp_path / "two.html").read_text()
    assert page.startswith("<!doctype html>") and "Better in" in page and "Question 7?" in page


@pytest.mark.parametrize("arguments, words", [
    (["--compare", "a", "b", "--suite", "answers", "--gate", "g.toml"], ["--suite does not go with --compare",
                                                                         "--gate does not go with --compare"]),
    (["--runs", "--html", "x.html"], ["--html does not go with --runs"]),
    (["--compare", "a", "b", "--html", "nowhere/x.html"], ["there is no folder nowhere"]),
    (["--html", "."], ["that is a folder"])])
def test_an_option_that_would_do_nothing_is_refused(arguments, words, capsys):
    assert main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(words) and all(word in line for word, line in zip(words, lines, strict=True))


def test_a_gate_that_could_not_fail_is_refused(tmp_path, capsys):
    (tmp_path / "gate.toml").write_text("[answers]\nright = 0.5\n")
    assert main(["--suite", "retrieval,injection", "--gate", str(tmp_path / "gate.toml")]) == 2
    assert "no bar of it is of a suite that is run (retrieval, injection)" in capsys.readouterr().err


def test_models_that_are_not_there_and_settings_that_find_nothing_stop_it_before_the_first_run(tmp_path, capsys):
    assert main(["--suite", "answers", "--set", "llm=off,/none/a.gguf", "--set", "dense=off", "--set", "lexical=off",
                 "--limit", "1"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2 and "no language model at /none/a.gguf" in said[1] and "finds nothing" in said[0]
    assert not (tmp_path / "data" / "glassbox").exists()


def test_questions_of_ones_own_without_their_documents_say_what_to_add(tmp_path, capsys):
    (tmp_path / "own.jsonl").write_text(json.dumps({
        "id": "a", "kind": "fact", "question": "When does it open?", "answerable": True, "facts": [["7:30"]],
        "evidence": [{"document": "garden.md", "quote": "It opens at 7:30."}]}))
    assert main(["--gold", str(tmp_path / "own.jsonl")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert "own.jsonl:1: a: no documents are named 'garden.md'" in said[0]
    assert len(said) == 2 and "name your documents with --corpus PATH" in said[1]


def test_documents_of_ones_own_without_questions_say_what_to_add_in_one_line(tmp_path, capsys):
    (tmp_path / "garden.md").write_text("It opens at 7:30.")
    assert main(["--corpus", str(tmp_path / "garden.md")]) == 2
    line, = capsys.readouterr().err.splitlines()
    assert "name your own questions with --gold FILE" in line


def test_a_copy_without_the_chapters_says_so(tmp_path, monkeypatch, capsys):
    for module in ("eval.suite.runner", "eval.command"):
        monkeypatch.setattr(f"{module}.CORPUS", tmp_path / "corpus")
    assert main(["--suite", "retrieval"]) == 2
    line, = capsys.readouterr().err.splitlines()
    assert "not installed with this copy of Glassbox: run it from its source folder" in line


def test_a_file_that_is_half_a_run_is_refused(tmp_path, capsys):
    (tmp_path / "half.json").write_text(json.dumps({"layout": runs.LAYOUT, "suites": {}, "timings": []}))
    assert main(["--compare", str(tmp_path / "half.json"), _kept([1])]) == 2
    assert "it lacks created, config, fingerprints, timings" in capsys.readouterr().err
