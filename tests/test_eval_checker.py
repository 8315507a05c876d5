"""The sentence checker's own error: the labelled sentences, and what is counted of the checker's verdicts."""
from __future__ import annotations

import json
import re

import pytest

from eval.suite import checker
from eval.suite.cases import GoldError
from tests.fakes import CORPUS, ROOT

ROWS = [json.loads(line) for line in (ROOT / "eval" / "gold" / "support.jsonl").read_text("utf-8").splitlines()]
PASSAGE = "The lighthouse lamp was lit in 1874 by the keeper's daughter."


def test_a_hundred_sentences_half_of_them_true_over_all_chapters():
    assert len(ROWS) == len({row["id"] for row in ROWS}) == len({row["sentence"] for row in ROWS}) == 100
    assert sum(row["supported"] for row in ROWS) == 50
    assert {row["evidence"][0]["document"] for row in ROWS} == {path.name for path in CORPUS.glob("*.md")}
    assert sum(row["written"] == "model" for row in ROWS) >= 50
    for true, words in ((True, {"entailed", "paraphrase", "combination", "inference"}),
                        (False, {"order", "invented", "number", "negation", "name", "scope", "opposite"})):
        assert {row["why"] for row in ROWS if row["supported"] is true} == words


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_each_quote_stands_in_its_document_exactly_once(row):
    for item in row["evidence"]:
        text = (CORPUS / item["document"]).read_text(encoding="utf-8")
        assert text.count(item["quote"]) == 1
        headings = re.findall(r"^#+ (.+)$", text[:text.index(item["quote"])], re.M)
        assert item["heading"].split(" > ")[-1] == headings[-1]


def _line(name: str, sentence: str, supported: bool, why: str, *quotes: str) -> str:
    return json.dumps({"id": name, "question": "Who lit the lamp?", "sentence": sentence, "supported": supported,
                       "why": why, "evidence": [{"document": "a.md", "heading": "Lighthouse", "quote": quote}
                                                for quote in quotes or (PASSAGE,)]})


def test_precision_recall_and_error_by_hand(tmp_path):
    """The real checker passes a, c and d and refuses b and e. For the count, c, a quotation, is labelled as false."""
    file = tmp_path / "support.jsonl"
    file.write_text("\n".join([
        _line("a", PASSAGE, True, "entailed"),
        _line("b", "Nobody but the girl of the house could have started that light.", True, "paraphrase"),
        _line("c", PASSAGE, False, "order"),
        _line("d", "The lamp was lit in 1874 and the ferry sails at noon.", True, "combination",
              "The lamp was lit in 1874.", "The ferry sails at noon."),
        _line("e", "The lighthouse lamp was lit in 1875 by the keeper's daughter.", False, "number")]))
    found = checker.measured(file)
    assert {name: (cell["value"], cell["n"]) for name, cell in found["metrics"].items()} == {
        "precision": (0.666667, 3), "recall": (0.666667, 3), "false_passed": (0.5, 2), "error": (0.4, 5)}
    assert found["kinds"] == {"entailed": [1, 1], "paraphrase": [0, 1], "order": [0, 1], "combination": [1, 1],
                              "number": [1, 1]}
    assert [(row["id"], row["verdict"]) for row in found["wrong"]] == [("b", "refused"), ("c", "passed")]


def test_bad_lines_are_named_together(tmp_path):
    file = tmp_path / "support.jsonl"
    file.write_text("\n".join(["{", _line("a", PASSAGE, True, "entailed"), '{"id": "b"}',
                               _line("c", PASSAGE, True, "x").replace("true", '"yes"')]))
    with pytest.raises(GoldError) as error:
        checker.load(file)
    assert [line.split(": ")[0] for line in str(error.value).split("\n")] == [f"{file}:{n}" for n in (1, 3, 4)]
    file.write_text("\n")
    with pytest.raises(GoldError, match="holds no sentence"):
        checker.load(file)


def test_the_shipped_sentences_are_judged_alike_each_time():
    first = checker.measured()
    assert first == checker.measured() and first["n"] == 100
    assert sum(right for right, _ in first["kinds"].values()) == 100 - len(first["wrong"])
    assert first["metrics"]["error"]["value"] == pytest.approx(len(first["wrong"]) / 100)
