"""The suite's gold set as the runner reads it: spans that are the quotes, alternatives, and all errors at once."""
from __future__ import annotations

import json

import pytest

from eval.suite.cases import GoldError, Passage, load
from eval.suite.runner import gold_fingerprint
from tests.fakes import CORPUS, ROOT

CHAPTERS = {path.name: path.read_text(encoding="utf-8") for path in sorted(CORPUS.glob("*.md"))}
TEXT = "One is red. Two is blue. Three is green."


def _line(**changes) -> dict:
    return {"id": "a", "kind": "fact", "split": "open", "question": "What is red?", "answerable": True,
            "evidence": [{"document": "a.md", "quote": "One is red."}], "facts": [["one"]], "forbidden": [],
            "reference": "One.", **changes}


def _file(folder, *rows, name="questions.jsonl"):
    (folder / name).write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return folder / name


def test_the_whole_set_resolves_to_its_quotes():
    cases = load(ROOT / "eval" / "gold" / "suite", CHAPTERS)
    assert [sum(case.suite == suite for case in cases) for suite in ("questions", "conversations", "injections")] \
        == [327, 79, 20]
    for case in cases:
        texts = {**CHAPTERS, case.title: case.text}
        assert len(case.targets) == len(case.gold.evidence) and bool(case.targets) == case.gold.answerable
        for target in case.targets:
            assert all(texts[p.document][p.start:p.end] == p.quote for p in target.passages)
    turns = [case for case in cases if case.group == "c01"]
    assert [case.gold.id for case in turns] == ["c01.1", "c01.2", "c01.3"]
    assert turns[2].turns == (turns[0].gold.question, turns[1].gold.question)


def test_an_alternative_stands_in_the_place_of_one_item_or_of_all(tmp_path):
    quotes = [{"document": "a.md", "quote": quote} for quote in ("One is red.", "Two is blue.")]
    path = _file(tmp_path, _line(evidence=quotes, also=[
        {"document": "a.md", "quote": "Three", "for": 1}, {"document": "b/a2.md", "quote": "all"}]))
    case, = load(path, {"folder/a.md": TEXT, "b/a2.md": "It is all here."})
    first, second = case.targets
    assert first.passages == (Passage("folder/a.md", 0, 11, "One is red."), Passage("b/a2.md", 6, 9, "all"))
    assert second.passages == (Passage("folder/a.md", 12, 24, "Two is blue."), Passage("folder/a.md", 25, 30, "Three"),
                               Passage("b/a2.md", 6, 9, "all"))


def test_everything_wrong_is_named_with_file_and_line(tmp_path):
    path = _file(tmp_path, _line(evidence=[{"document": "a.md", "quote": "Four"}]), "{", "", _line(id="b", split="all"),
                 _line(id="c", evidence=[{"document": "z.md", "quote": "One"}]), _line(),
                 {"id": "d", "kind": "fact"}, _line(id="e", facts=[]), "[1]",
                 _line(id="f", also=[{"document": "a.md", "quote": "Two", "for": 3}]))
    with pytest.raises(GoldError) as error:
        load(path, {"a.md": TEXT})
    lines = str(error.value).split("\n")
    expected = {1: "stands 0 times", 2: "no JSON", 4: "split is 'all'", 5: "no documents are named 'z.md'",
                6: "the id 'a' is taken", 7: "'question' is missing", 8: "needs evidence and facts",
                9: "expected an object", 10: "for item 3"}
    assert len(lines) == len(expected) and error.value.exit_code == 2
    for number, words in expected.items():
        assert any(line.startswith(f"{path}:{number}:") and words in line for line in lines), (number, lines)


@pytest.mark.parametrize("changes, words", [
    ({"facts": ["red"]}, 'facts is ["red"]: expected a list of facts, each a list of its wordings'),
    ({"facts": "red"}, 'facts is "red"'), ({"facts": [[7]]}, "facts is [[7]]"), ({"facts": [[]]}, "facts is [[]]"),
    ({"facts": [["one", "**"]]}, "the wording '**', which says nothing"), ({"forbidden": "x"}, "forbidden is"),
    ({"evidence": ["a.md"]}, "evidence is"), ({"evidence": {"document": "a.md", "quote": "One"}}, "evidence is"),
    ({"evidence": [{"document": "a.md", "quote": 1}]}, "evidence is"), ({"also": [{"quote": "One"}]}, "also is"),
    ({"evidence": [{"document": 5, "quote": "One"}]}, "evidence is"), ({"id": None}, "id is null: expected text"),
    ({"kind": ["fact"]}, 'kind is ["fact"]'), ({"question": " "}, "question is"),
    ({"answerable": "no"}, "answerable is"),
    ({"answerable": False}, "an unanswerable question has no evidence"), ({"reference": 3}, "reference is 3"),
    ({"history": ["Hello"]}, "history is"), ({"turns": []}, "turns is []"), ({"turns": ["One?"]}, "turns is"),
    ({"canary": "moon"}, "canary is"), ({"canary": ["moon"]}, "title is null"),
    ({"canary": ["moon"], "title": "../a", "text": "t"}, 'title is "../a"'),
    ({"canary": ["moon"], "title": "a"}, "text is null")])
def test_a_line_of_another_shape_is_said_and_never_read_as_something_else(tmp_path, changes, words):
    with pytest.raises(GoldError) as error:
        load(_file(tmp_path, _line(), {**_line(id="b"), **changes}), {"a.md": TEXT})
    line, = str(error.value).split("\n")
    assert line.startswith(f"{tmp_path / 'questions.jsonl'}:2: ") and words in line


def test_all_that_is_wrong_with_a_line_or_a_turn_is_said_together(tmp_path):
    turn = {key: value for key, value in _line(facts=["red"]).items() if key not in ("id", "kind", "answerable")}
    with pytest.raises(GoldError) as error:
        load(_file(tmp_path, {"id": "a", "turns": [_line(), {**turn, "history": [{"role": "user", "content": "Hm"}]}]}),
             {"a.md": TEXT})
    assert str(error.value).split(":1: ")[1].split("; ") == [
        "'kind' is missing", "turn 2: 'answerable' is missing",
        'turn 2: facts is ["red"]: expected a list of facts, each a list of its wordings, such as [["7:30"]]',
        "turn 2: history is what the turns before it say: take it out"]


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_set_is_an_error(tmp_path, text):
    with pytest.raises(GoldError, match="holds no question"):
        load(_file(tmp_path, text), {})
    with pytest.raises(GoldError, match="no gold set there"):
        load(tmp_path / "nowhere", {})


@pytest.mark.parametrize("changes", [
    {"question": "Which is red?"}, {"facts": [["two"]]}, {"split": "held"}, {"forbidden": ["blue"]}, {"kind": "other"},
    {"evidence": [{"document": "a.md", "quote": "Two is blue."}]}, {"also": [{"document": "a.md", "quote": "Three"}]},
    {"history": [{"role": "user", "content": "What is blue?"}]}, {"answerable": False, "evidence": [], "facts": []}])
def test_another_gold_set_has_another_fingerprint_whatever_differs(tmp_path, changes):
    def fingerprint(name: str, documents: dict[str, str], **changes) -> str:
        (tmp_path / name).mkdir()
        return gold_fingerprint(load(_file(tmp_path / name, _line(**changes)), documents))
    first = fingerprint("one", {"a.md": TEXT})
    assert fingerprint("two", {"a.md": TEXT}, **changes) != first
    assert fingerprint("elsewhere", {"a.md": TEXT}) == first, "where the file lies is none of it"
    assert fingerprint("moved", {"a.md": "Zero. " + TEXT}) != first, "the same quote in another place"
