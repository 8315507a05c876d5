"""Where a text stands is said in one way, in the terminal, in a bug report and on the page; so is a setting."""
from __future__ import annotations

import pytest

from assistant import present
from assistant.records import Answer, Citation, Evidence
from assistant.text.place import place
from assistant.trace.compare import setting
from assistant.trace.markdown import markdown
from assistant.ui.answer import sources_text
from assistant.ui.inspector import timings_html
from eval.sweeps import sweep
from tests.fakes import made_trace


@pytest.mark.parametrize("document, heading, said", [
    ("Go", "Google APIs", "Go > Google APIs"), ("Go", "Go", "Go"), ("Go", "Go > Modules", "Go > Modules"),
    ("Go", "Go>Modules", "Go > Go>Modules"), ("Go", "", "Go"), ("", "Modules", "Modules"), ("", "", "")])
def test_the_title_of_the_document_is_said_once_and_never_lost(document, heading, said):
    assert place(document, heading) == said


class Said:
    """An assistant whose answer is given."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def stream(self, question, history=()):
        yield self.answer


def test_every_reader_says_it_alike(capsys):
    answer = Answer("A text [1].", (Citation(1, "c1", "Go", "Google APIs", 0, 6, "A text", 7, 10),), trace_id="t")
    present.print_answer(Said(answer), "What?")
    assert '[1] Go > Google APIs: "A text"' in capsys.readouterr().out
    trace = made_trace(evidence=(Evidence(1, "c1", "Go", "Google APIs", ((0, 6),), "A text", 0.7),), answer=answer)
    assert r"[1\] Go \> Google APIs" in markdown(trace).replace("[1]", r"[1\]")
    assert "[1] Go > Google APIs:" in sources_text(answer)


def test_a_setting_is_written_as_the_command_line_takes_it():
    values = {True: "on", False: "off", None: "auto", 0.5: "0.5", 2.0: "2", 7: "7", "off": "off"}
    assert {value: setting(value) for value in values} == values
    assert sweep.setting is setting
    assert "<dd>auto</dd>" in timings_html(made_trace().spans, {"threshold": None})
