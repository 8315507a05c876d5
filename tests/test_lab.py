"""The Lab as a whole: the registry, inputs and their errors, what every result carries, and the command."""
from __future__ import annotations

import argparse
import json
import subprocess
import sys

import pytest

from assistant.errors import InputError
from assistant.lab import command, counting, demos, for_chapter, get, related
from assistant.lab.demo import Input
from tests.fakes import ROOT
from tests.lab_runs import run

ALL = {  # name: chapter, as issue 7 lists them; None is for all chapters
    "semantic-search": 0, "one-hot": 1, "analogies": 2, "word2vec": 2, "pooling": 3, "encoders": 3, "cosine": 4,
    "dimensions": 4, "clusters": 4, "truncation": 5, "cost": 5, "shared-space": 6, "domain": 7, "negation": 7,
    "dilution": 7, "stale": 7, "drift": 7, "explorer": 8, "ann": 9, "stack": 9, "quiz": None}
FAILURES = {"domain", "negation", "dilution", "stale", "drift"}
HEAVY = ["torch", "sentence_transformers", "sklearn", "plotly", "faiss", "gradio", "chromadb", "onnxruntime"]


def test_the_registry_is_complete():
    assert {demo.name: demo.chapter for demo in demos()} == ALL
    assert len(demos()) == len(ALL)
    assert {demo.name for demo in demos() if demo.measure} == FAILURES
    assert [demo.name for demo in for_chapter(7)] == ["domain", "negation", "dilution", "stale", "drift", "quiz"]
    with pytest.raises(InputError, match="no demo 'nonsense': expected one of semantic-search"):
        get("nonsense")


def test_an_answer_leads_to_the_demos_that_it_touches():
    assert [demo.name for demo in related("Negation is nearly invisible to a bi-encoder.")] == ["encoders", "negation"]
    assert related("The train was late.") == ()
    assert not {"quiz"} & {demo.name for demo in related("a cluster of vectors")}


def test_importing_the_lab_loads_no_heavy_library():
    code = f"import sys, assistant.lab, assistant.lab.command; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("demo", demos(), ids=lambda demo: demo.name)
def test_defaults_and_presets_are_good_values(demo):
    assert demo.parse({}).keys() == demo.defaults().keys()
    for _, values in demo.presets:
        demo.parse(values)
    with pytest.raises(InputError, match=f"{demo.name} has no input 'flavour': expected one of "):
        demo.parse({"flavour": "red"})


@pytest.mark.parametrize("demo", demos(), ids=lambda demo: demo.name)
def test_input_that_makes_no_sense_gets_a_clear_line(demo):
    """Empty, one item, ten thousand lines, emoji, a number out of range: refused before a model is touched."""
    tried = 0
    for spec in demo.inputs:
        bad: list[object] = []
        if spec.kind == "text":
            bad = ["😀🎉", "x" * 5000] + ([] if spec.optional else ["", "   "])
        elif spec.kind == "lines":
            bad = ["\n".join(["a line"] * 10_000), "😀\n🎉\n😀\n" * 20] + ([] if spec.optional else [""])
            bad += ["only one"] if (spec.low or 1) > 1 else []
        elif spec.kind == "number":
            bad = ["many", spec.high + 1, float("nan"), True]
        elif spec.kind == "choice":
            bad = ["something else"]
        for value in bad:
            tried += 1
            with pytest.raises(InputError) as error:
                demo.run({spec.name: value}, None)
            assert spec.name in str(error.value) and "\n" not in str(error.value)
            assert any(word in str(error.value) for word in ("expected", "type some words"))
    assert tried


@pytest.mark.parametrize("name", ALL)
def test_every_result_is_whole(rag, name):
    """At most 60 words of explanation, a picture with a title and the picture in words, plain JSON."""
    result = run(rag, name)
    assert 15 <= len(result.explanation.split()) <= 60
    assert result.alt and result.verdict and result.numbers and result.table.rows
    assert all(len(row) == len(result.table.columns) for row in result.table.rows)
    picture = result.figure.to_dict()
    assert picture["layout"]["title"]["text"] and picture["data"]
    assert json.loads(json.dumps(result.as_json()))["holds"] is True  # on the default input each claim holds


def test_a_demo_starts_from_what_is_given_and_leaves_the_rest():
    spec = Input("n", "N", 4, "number", low=1, high=9)
    assert (spec.parse("7"), spec.parse(7.0)) == (7, 7)
    with pytest.raises(InputError, match=r"n is '2\.5': expected a whole number, 1 to 9"):
        spec.parse("2.5")
    assert Input("l", "L", "", "lines", low=2, high=5).parse("one\n\n two ") == ("one", "two")


def test_counting_agrees_with_the_lesson():
    bags, vocabulary = counting.counts(["The cat sat on the mat"])
    assert dict(zip(vocabulary, bags[0].tolist(), strict=True)) == {"the": 2, "cat": 1, "sat": 1, "on": 1, "mat": 1}
    # ln(3 / 0.5), one occurrence of k1 + 1 over 1 + k1 (0.25 + 0.75 x 6 / (17 / 3)): chapter 1's example
    scores = counting.bm25("photosynthesis", ["the cat sat on the mat", "the dog sat by the",
                                              "a leaf makes sugar by photosynthesis"])
    assert scores[:2] == [0, 0] and scores[2] == pytest.approx(0.5108 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 6 / (17 / 3))),
                                                                rel=1e-3)


# the command ---------------------------------------------------------------------------------------------------


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return parser.parse_args(["lab", *arguments])


def test_the_command_lists_every_demo(rag, capsys):
    assert command.run(parsed("--list"), rag) == 0
    text = capsys.readouterr().out
    assert all(f"{name} " in text for name in ALL)
    command.run(parsed("--list", "--json"), rag)
    assert [demo["name"] for demo in json.loads(capsys.readouterr().out)] == [demo.name for demo in demos()]


def test_the_command_runs_a_demo(rag, capsys, tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("king\nqueen\nbanana\n", encoding="utf-8")
    command.run(parsed("one-hot", "--set", f"texts=@{words}", "--set", "first=a good day", "--json"), rag)
    shown = json.loads(capsys.readouterr().out)
    assert shown["inputs"]["texts"] == ["king", "queen", "banana"] and shown["numbers"]["one_hot_max"] == 1.4142
    command.run(parsed("one-hot", "--set", "texts=king\\nqueen"), rag)
    out = capsys.readouterr()
    assert out.out.startswith("One-hot, bag of words, TF-IDF: ") and "one_hot_max" in out.out


@pytest.mark.parametrize(("arguments", "message"), [
    (("nonsense",), "no demo 'nonsense'"), (("cosine", "--list"), "either NAME or --list"),
    (("cosine", "--set", "angle_a"), "expected INPUT=VALUE"), (("cosine", "--set", "angle=3"), "no input 'angle'"),
    (("one-hot", "--set", "texts=@/no/such/file"), "cannot read /no/such/file")])
def test_the_command_refuses_in_one_line(rag, arguments, message):
    with pytest.raises(InputError, match=message) as error:
        command.run(parsed(*arguments), rag)
    assert "\n" not in str(error.value)
