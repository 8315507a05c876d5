"""What of a text is code: a chunk may hold a piece of a program without the fences around it."""
from __future__ import annotations

import pytest

from assistant.text.blocks import blocks, is_code
from assistant.text.sentences import quotables, units
from tests.fakes import CORPUS


def _lines_of_chapters(fenced: bool) -> list[str]:
    """The lines inside (or outside) the chapters' fences, headings, tables and list items left out."""
    found = []
    for file in sorted(CORPUS.glob("*.md")):
        inside = False
        for line in file.read_text(encoding="utf-8").split("\n"):
            if line.startswith("```"):
                inside = not inside
            elif inside == fenced and line.strip() and (fenced or not line.startswith(("#", "|", "- ", "* "))):
                found.append(line)
    return found


def test_every_line_of_the_chapters_code_is_code_and_no_line_of_their_prose_is():
    code, prose = _lines_of_chapters(True), _lines_of_chapters(False)
    assert len(code) > 100 and len(prose) > 300
    assert [line for line in code if not is_code(line)] == []
    assert [line for line in prose if is_code(line)] == []


@pytest.mark.parametrize("line", [
    '"""What it does."""', "del index[gone]",
    "with torch.no_grad():      # looking", "else:", "except OSError as error:",
    'raise InputError("none")', "assert total == 3  # by hand.", '"name": cosine(a, b),', "x, y = 1, 2", "let n = 3",
    "SELECT title FROM documents LIMIT 10;", "rows -= mean  # centred."])
def test_a_statement_is_code(line):
    assert is_code(line)


@pytest.mark.parametrize("line", [
    "The constant k = 60 flattens the differences at the top, so that places weigh less.",
    "At b = 0 length has no influence.", "More dimensions = more expressive, but also slower. A vector takes 6 KB.",
    "Try else: nothing of it is code.", "Raise the threshold.", "delete what is stale",
    "One vector a token = a summary."])
def test_a_sentence_is_none_even_with_an_equals_sign(line):
    assert not is_code(line)


def test_a_paragraph_with_an_equals_sign_is_read_sentence_by_sentence():
    text = "At b = 0 length has no influence. At b = 1 the correction is full."
    assert [block.kind for block in blocks(text)] == ["prose"]
    assert [unit.reading for unit in units(text)] == text.replace(". ", ".\n").split("\n")


def test_code_cut_out_of_its_fence_keeps_its_docstring_with_its_statements():
    text = 'def sync(index):\n    """Bring the index up to date."""\n    del index[gone]'
    assert [unit.kind for unit in units(text)] == ["code"]


def test_imports_that_a_chunk_ends_with_are_not_quoted_by_themselves():
    text = "Store a hash beside each vector.\n\n```python\nimport hashlib\nfrom pathlib import Path"
    assert [quotable.reading for quotable in quotables(text, "")] == ["Store a hash beside each vector."]
    assert "import hashlib" in quotables(text + "\n\nprint(hashlib.md5(b'').hexdigest())", "")[-1].reading
