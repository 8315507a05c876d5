"""The Lab as a whole: the registry, inputs and their errors, what every result carries, and the command."""
from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from itertools import combinations, pairwise

import numpy as np
import pytest

from assistant.errors import InputError
from assistant.lab import command, counting, demos, figures, for_chapter, get, inside, related
from assistant.lab.demo import Input, foreign
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


QUESTIONS = {  # one that a learner may ask, for each demo; the answer's own words would add to it
    "semantic-search": "How does semantic search find a book without shared words?",
    "one-hot": "Why does one-hot encoding say nothing about similarity?",
    "analogies": "Does king minus man plus woman really give queen?",
    "word2vec": "How does word2vec learn from negative sampling?",
    "pooling": "What does mean pooling do to word order?",
    "encoders": "What is the difference between a bi-encoder and a cross-encoder?",
    "cosine": "Why is cosine similarity preferred to Euclidean distance?",
    "dimensions": "Why are random vectors nearly orthogonal in high dimensions?",
    "clusters": "How does K-means group embeddings?", "truncation": "What is a Matryoshka embedding?",
    "cost": "What does embedding 100,000 documents cost?", "shared-space": "How does CLIP put pictures beside words?",
    "domain": "Why do embeddings fail on company jargon?", "negation": "Why can embeddings not see negation?",
    "dilution": "Why should long documents be chunked?", "stale": "When do embeddings become stale?",
    "drift": "What is semantic drift?", "explorer": "How can I compare two sentences?",
    "ann": "What is the difference between HNSW and IVF?", "stack": "What are the layers of the retrieval stack?",
    "quiz": "What are the review questions?"}
OTHER_WORDS = {  # the same matters as people put them
    "semantic-search": "How can a bookstore search by meaning?", "one-hot": "What is wrong with integer ids?",
    "pooling": "What is the CLS token for?", "dimensions": "Johnson-Lindenstrauss lemma", "truncation": "MRL?",
    "shared-space": "Which modalities does ImageBind bind?", "stale": "When must I re-embed my documents?",
    "domain": "Does our in-house vocabulary matter?", "ann": "Is brute force feasible for a million vectors?"}


@pytest.mark.parametrize("name", ALL)
def test_every_demo_is_linked_from_some_question(name):
    assert name in [demo.name for demo in related(QUESTIONS[name])]
    assert name in [demo.name for demo in related(OTHER_WORDS.get(name, QUESTIONS[name]))]


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


def test_half_a_character_is_refused_by_every_input_of_text():
    """What a shell hands over of a text in another encoding; no model reads it."""
    for demo in demos():
        for spec in demo.inputs:
            if spec.kind in ("text", "lines"):
                with pytest.raises(InputError, match=r"holds '\\udce9', which is no character: expected text in UTF-8"):
                    spec.parse("caf\udce9\n" * (int(spec.low or 1) if spec.kind == "lines" else 1))


def test_another_script_is_read_and_said_to_mean_little(rag):
    chinese = run(rag, "explorer", first="机器学习很有趣", second="深度学习很难")
    assert "was trained on English" in chinese.verdict
    assert "English" not in run(rag, "explorer").verdict
    assert "English" not in run(rag, "explorer", first="Der Bär trinkt süßen Tee", second="π is a number").verdict
    assert foreign({"a": "ab", "b": ("где", "ab"), "c": 3}) == 3 / 5 and foreign({"a": "σ²"}) == 0


def test_a_text_that_the_embedder_cuts_off_is_named(rag):
    """297 pieces: 295 letters, one piece each, and the two special tokens; MiniLM reads 256."""
    long = " ".join("abcde" * 59)
    assert "reads the first 256 word pieces of a text; one text has 297, and" in run(rag, "pooling", first=long).verdict
    assert "; 2 texts have more, up to 298, and" in run(rag, "pooling", first=long, second=long + " a").verdict
    items = run(rag, "semantic-search", items=f"{long}\na short line")
    assert "one text has 297" in items.verdict
    assert "word pieces" not in run(rag, "pooling").verdict


def test_a_list_has_a_longest_line_and_a_longest_whole():
    spec = Input("l", "L", "", "lines", low=1, high=9, longest=5, total=8)
    assert spec.parse("abcde\nabc") == ("abcde", "abc")
    with pytest.raises(InputError, match="line 2 of l has 6 characters: expected at most 5"):
        spec.parse("a\nabcdef")
    with pytest.raises(InputError, match="l has 10 characters in all: expected at most 8"):
        spec.parse("abcde\nabcde")


# what is stopped -----------------------------------------------------------------------------------------------

LONG = {  # a demo: inputs that keep it at work for seconds, or for a moment only where nothing may
    "analogies": {"space": "sentence encoder", "words": 4000}, "ann": {"m": 20, "construction": 30},
    "clusters": {"texts": "\n".join(f"text number {n} of {n % 7} kinds" for n in range(200))},
    "domain": {"pairs": "\n".join(f"X{n} | the thing {n}" for n in range(60))}, "drift": {}, "encoders": {},
    "truncation": {"texts": "\n".join(f"note {n} about {n % 9} matters" for n in range(200))},
    "word2vec": {"epochs": 30}}


@pytest.mark.parametrize("name", LONG)
def test_long_work_can_be_stopped_at_any_of_its_reports(rag, name):
    """Each demo that takes its time reports often: no more than two seconds lie between, and a report may raise."""
    class Enough(Exception):
        pass

    inside._KEPT.clear()
    came = [time.process_time()]

    def report(done: float, what: str) -> None:
        assert 0 <= done <= 1.01 and what
        came.append(time.process_time())
        if len(came) > 6:
            raise Enough
    with pytest.raises(Enough):
        get(name).run(LONG[name], rag, report)
    assert max(b - a for a, b in pairwise(came)) < 2.5  # of the processor, so that a busy machine does not count


# colours -------------------------------------------------------------------------------------------------------

# Machado, Oliveira and Fernandes (2009), severity 1: linear RGB as the three kinds of colour blindness see it
BLIND = {"protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
         "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
         "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900))}


def lab_colour(linear: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear sRGB, white D65."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    ratio = xyz / np.array([0.9505, 1.0, 1.089])
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[at:at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def test_the_colours_stay_apart_for_the_colour_blind_and_are_never_alone():
    """The first four, which nearly every picture keeps to, differ by 12 or more in L*a*b*; a step of 2.3 is seen."""
    for kind, matrix in BLIND.items():
        seen = [lab_colour(np.clip(np.array(matrix) @ linear(colour), 0, 1)) for colour in figures.PALETTE[:4]]
        for a, b in combinations(range(4), 2):
            assert np.linalg.norm(seen[a] - seen[b]) > 12, (kind, a, b)
    for marks in (figures.PATTERNS, figures.SYMBOLS):
        assert len(set(marks)) == len(figures.PALETTE)
    bars = figures.bars("t", ["a"], {"x": [1.0], "y": [2.0]}, "v").data
    many = figures.points("t", {str(n): (np.zeros((1, 2)), ["a"]) for n in range(31)}).data  # thirty clusters and noise
    assert len({(trace.marker.color, trace.marker.symbol) for trace in many}) == 31
    lines = figures.curves("t", "x", "y", {"x": ([0, 1], [0, 1]), "y": ([0, 1], [1, 2])}).data
    assert bars[0].marker.pattern.shape != bars[1].marker.pattern.shape
    assert figures.bars("t", ["a", "b"], {"x": [-0.001, None]}, "v").data[0].text == ("0.00", None)
    assert lines[0].line.dash != lines[1].line.dash and lines[0].marker.symbol != lines[1].marker.symbol


@pytest.mark.parametrize("name", ALL)
def test_every_picture_has_words_that_say_more_than_its_title(rag, name):
    result = run(rag, name)
    assert len(result.alt.split()) >= 8
    assert any(c.isdigit() for c in result.alt) or name in ("analogies", "drift")  # these two tell of words alone


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
