"""The Lab's page without a browser: inputs as components, checked values, cards, what a run shows, stopping."""
from __future__ import annotations

import re
import subprocess
import sys
import time

import gradio as gr
import pytest

from assistant.errors import InputError
from assistant.lab import Demo, Input, Result, Table, demos, get, lesson_name
from assistant.lab.demo import lines
from assistant.records import Document
from assistant.ui.lab_inputs import checked, component, preset, step
from assistant.ui.lab_runs import Run
from assistant.ui.lab_view import (
    HOLDS,
    caption_html,
    cards_html,
    cell,
    chapters,
    head_html,
    numbers_html,
    progress_html,
    table_html,
    verdict_html,
)
from tests.fakes import CORPUS, ROOT

EVIL = '<script>alert("x")</script>'
LABEL = re.compile("“(.+)”")


@pytest.mark.parametrize("demo", demos(), ids=lambda demo: demo.name)
def test_every_input_has_a_component_that_holds_its_default_and_gives_it_back(demo):
    with gr.Blocks():
        parts = [component(spec, demo.name) for spec in demo.shown]
    assert len({part.elem_id for part in parts}) == len(parts)
    for spec, part in zip(demo.shown, parts, strict=True):
        assert spec.label in part.label
        expected = {"text": gr.Textbox, "lines": gr.Textbox, "choice": gr.Radio | gr.Dropdown,
                    "number": gr.Slider | gr.Number, "file": gr.File, "picture": gr.ImageEditor}[spec.kind]
        assert isinstance(part, expected)
    held = [part.value for part in parts]
    assert checked(demo, held) == demo.parse({})


@pytest.mark.parametrize("demo", demos(), ids=lambda demo: demo.name)
def test_presets_fill_the_components_with_what_the_demo_accepts(demo):
    for _, values in demo.presets:
        assert checked(demo, preset(demo, values)) == demo.parse(values)


def test_sliders_reach_both_ends_and_the_default():
    for demo in demos():
        for spec in demo.shown:
            if spec.kind == "number" and isinstance(component(spec, demo.name), gr.Slider):
                for value in (spec.default, spec.high):
                    steps = (value - spec.low) / step(spec)
                    assert abs(steps - round(steps)) < 1e-6, (demo.name, spec.name, value)


@pytest.mark.parametrize(("name", "at", "value", "says"), [
    ("negation", 0, "", "“A sentence” is empty: type some words"),
    ("negation", 0, None, "“A sentence” is empty: type some words"),
    ("negation", 0, "\U0001f600 \U0001f600", "“A sentence” holds no letter or digit"),
    ("negation", 0, "word " * 2000, "“A sentence” has 9,999 characters: expected at most 600"),
    ("clusters", 3, "\n".join(["word " * 60] * 100), "has 29,900 characters in all: expected at most 20,000"),
    ("semantic-search", 1, "one line", "“Items, one a line” has one line: expected 2 to 60"),
    ("semantic-search", 1, "a line\n" * 10_000, "“Items, one a line” has 10,000 lines: expected 2 to 60"),
    ("word2vec", 6, 1.5, "“Seed” is 1.5: expected a whole number, 0 to 10000"),
    ("word2vec", 6, None, "“Seed” is ''"),
])
def test_bad_input_gives_one_line_that_names_the_label(name, at, value, says):
    demo = get(name)
    given = preset(demo, {})
    given[at] = value
    with pytest.raises(InputError) as error:
        checked(demo, given)
    assert says in str(error.value) and "\n" not in str(error.value)


def test_the_lesson_s_own_names_open_the_demos_and_stand_on_their_cards():
    named = {"One-hot encoder": "one-hot", "Word analogy": "analogies", "Sentence similarity": "pooling",
             "Shared space": "shared-space", "Semantic search": "semantic-search", "cosine explorer": "cosine",
             "Negation": "negation", "Embedding explorer": "explorer"}
    with pytest.raises(InputError, match="no demo 'nonsense': expected one of semantic-search, "):
        get("nonsense")
    assert {wanted: get(wanted).name for wanted in named} == named
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(CORPUS.glob("*.md")))
    mentioned = set(re.findall(r"The Lab's \*([^*]+)\*", text))
    assert len(mentioned) >= 8
    cards = cards_html({})
    for name in mentioned:
        demo = get(name)
        assert name in (demo.title, lesson_name(demo)) and name in cards


def test_cards_stand_under_the_titles_of_the_chapters_that_the_index_holds():
    path = CORPUS / "07-when-embeddings-fail.md"
    known = chapters([Document("d7", "Title", path.name, path.read_text(encoding="utf-8"), "0"),
                      Document("x", EVIL, "x.md", "no front matter", "1")])
    assert {number: chapter.document_id for number, chapter in known.items()} == {7: "d7"}
    cards = cards_html(known)
    assert cards.count('data-event="select"') == len(demos())
    assert f"Chapter 7 · {known[7].title}" in cards and ">Chapter 4<" in cards and ">All chapters<" in cards
    assert 'data-chapter="d7"' in head_html(get("negation"), known)
    assert "data-chapter" not in head_html(get("cosine"), known)


def test_a_result_is_escaped_and_says_whether_the_claim_held():
    result = Result({"a_b": 0.123456, "n": 1234567, "word": EVIL, "trace_id": "t1", "none": ""}, None, EVIL, EVIL,
                    EVIL, lambda: None, Table(("text", "score"), ((EVIL, 0.5), ("b", None))))
    shown = (verdict_html(result, 0.0321) + numbers_html(result) + table_html(result.table)
             + caption_html(EVIL, result.alt) + progress_html(0.5, EVIL))
    assert "<script" not in shown
    for expected in (HOLDS[None][1], "32 ms", "a b", "0.1235", "1,234,567", 'data-opentrace="t1"', "–",
                     'aria-valuenow="50"'):
        assert expected in shown
    assert "none" not in numbers_html(result)
    assert numbers_html(Result({}, True, "", "", "", lambda: None)) == "" and table_html(Table((), ())) == ""


def test_numbers_are_written_to_be_read():
    assert [cell(v) for v in (0.5, 1.0, -0.25, 12345.6, 2350, True, None, "a\n b")] == [
        "0.5", "1", "−0.25", "12,346", "2,350", "yes", "–", "a b"]


def test_a_run_reports_its_progress_and_ends_with_the_result_and_its_figure(rag):
    run = Run(get("cosine"), checked(get("cosine"), preset(get("cosine"), {})), rag).start()
    for _ in run.follow():
        pass
    assert run.error == "" and run.result.numbers["cosine"] == pytest.approx(0.766, abs=1e-3)
    assert run.title.startswith("Angle 40") and not run.figure.layout.title.text and run.figure.data


def endless(values, rag, report):
    for turn in range(10_000):
        report(turn / 10_000, f"turn {turn}")
        time.sleep(0.01)
    raise AssertionError("it was not stopped")


def test_a_run_stops_where_it_next_reports_and_bad_luck_is_one_line(rag):
    run = Run(Demo("endless", "Endless", 0, "It ends.", (), endless, trains=True), {}, rag).start()
    for _ in run.follow():
        if run.what.startswith("turn"):
            run.stop.set()
    assert run.done and run.result is None and run.error == ""

    def broken(values, rag, report):
        raise RuntimeError("two\nlines")
    run = Run(Demo("broken", "Broken", 0, "It works.", (), broken), {}, rag).start()
    list(run.follow())
    assert "RuntimeError: two lines" in run.error and "\n" not in run.error

    def refuses(values, rag, report):
        raise InputError("the index holds no documents")
    run = Run(Demo("refuses", "Refuses", 0, "It runs.", (), refuses), {}, rag).start()
    list(run.follow())
    assert run.error == "the index holds no documents"


def test_a_choice_of_many_words_opens_as_a_list():
    spec = Input("c", "C", "alpha", "choice", options=("alpha", "b"))
    assert isinstance(component(spec, "d"), gr.Radio)
    spec = Input("c", "C", "alpha " * 4, "choice", options=("alpha " * 4, "beta " * 4))
    assert isinstance(component(spec, "d"), gr.Dropdown)
    assert preset(Demo("d", "D", 0, "", (Input("l", "L", "", "lines", optional=True),), endless),
                  {"l": ("a", "b")}) == [lines("a", "b")]


def test_the_page_starts_without_the_demos_libraries():
    code = ("import sys, assistant.ui.page; "
            "print(sorted({'torch', 'sklearn', 'plotly', 'faiss', 'scipy', 'transformers'} & sys.modules.keys()))")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_page_lets_no_visitor_name_a_folder_of_the_machine():
    demo = get("shared-space")
    assert "model" in demo.defaults() and "model" not in [spec.name for spec in demo.shown]
    assert [spec for d in demos() for spec in d.inputs if "folder" in spec.help and spec in d.shown] == []
