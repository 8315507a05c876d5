"""Behind the Eval tab: a run in its own process, gold sets of one's own, what is shown where something is wrong."""
from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import pytest

from assistant import Assistant, Config, cli
from assistant.errors import ConfigError, InputError
from assistant.ingest.load import load, survey
from assistant.records import Document
from eval.make_gold import draft
from eval.panel import own_sets
from eval.panel import runs as panel_runs
from eval.panel.background import Background, Request
from eval.panel.drafts import reviewed, told
from eval.panel.tab import Panel, parsed
from eval.panel.view import Kept, drafts_html, frame_html, progress_html, runs_html
from eval.suite import runs
from tests.fakes import ROOT
from tests.test_eval_report import RESULT
from tests.test_formats import docx

TEXT = "# Tower\n\nThe tower is 38 metres high. A lantern is a lamp that sailors see from far away.\n"
DOCUMENT = Document("d1", "Tower", "guides/tower.md", TEXT, "ab")
PAPER = Document("d2", "Paper", "paper.pdf", "The lamp was lit in 1874 for the first time.", "cd")


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "state"))


def values(**changes) -> dict[str, object]:
    config = Config(llm="off", **changes)
    return {field.name: getattr(config, field.name) for field in dataclasses.fields(Config)}


def finished(request: Request) -> Background:
    run = Background(request).start()
    for _ in run.follow():
        pass
    return run


def test_a_set_of_ones_own_is_run_on_the_documents_of_the_index(tmp_path):
    rag = Assistant(Config(index=str(tmp_path / "index"), llm="off"))
    (tmp_path / "guides").mkdir()
    (tmp_path / "guides" / "tower.md").write_text(TEXT, encoding="utf-8")
    rag.ingest([tmp_path / "guides"])
    documents = rag.documents()
    assert own_sets.save("mine", draft(own_sets.named(documents)), documents) == 2
    run = finished(Request(("retrieval",), None, values(), str(own_sets.path("mine")),
                           (str(own_sets.as_files(documents)),)))
    assert run.error == "" and run.kept
    questions = runs.kept(run.kept)["suites"]["retrieval"]["questions"]
    assert {row["question"] for row in questions} == {"How high is the tower?", "What is a lantern?"}
    assert all(row["ranks"]["reranked"] == [1] for row in questions)


def test_what_is_wrong_with_a_run_is_said_and_nothing_is_kept(tmp_path):
    assert "no gold set there" in finished(Request(("retrieval",), 3, values(), str(tmp_path / "nothing"))).error
    assert "unknown suite 'x'" in finished(Request(("x",), 3, values())).error
    assert "unexpected keyword" in finished(Request(("retrieval",), 3, {"nonsense": 1})).error
    assert runs.files() == []


def test_a_run_that_is_stopped_leaves_nothing_and_says_no_error():
    run = Background(Request(("retrieval",), 3, values())).start()
    run.halt()
    for _ in run.follow():
        pass
    assert (run.kept, run.error, runs.files()) == ("", "", [])


def test_the_process_ends_when_the_page_is_gone():
    process = subprocess.Popen([sys.executable, "-m", "eval.panel.background"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT)
    process.stdin.write(json.dumps(dataclasses.asdict(Request(("retrieval",), 3, values()))) + "\n")
    process.stdin.close()   # as when the page's process dies
    assert process.wait(timeout=120) == 1 and '"kept"' not in process.stdout.read()
    process.stdout.close()


def test_accepted_drafts_join_a_set_and_take_the_place_of_the_same_question():
    rows = draft([DOCUMENT])
    assert own_sets.save("mine", rows[:1], [DOCUMENT]) == 1
    assert own_sets.save("mine", [{**rows[0], "facts": [["38 m", "38 metres"]]}, rows[1]], [DOCUMENT]) == 2
    kept = [json.loads(line) for line in own_sets.path("mine").read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in kept] == ["q001", "q002"] and kept[0]["facts"] == [["38 m", "38 metres"]]
    assert not any(key in row for row in kept for key in ("draft", "todo")) and own_sets.names() == ["mine"]


def test_a_set_that_would_not_load_is_refused_and_the_old_one_stays():
    rows = draft([DOCUMENT])
    own_sets.save("mine", rows, [DOCUMENT])
    before = own_sets.path("mine").read_text(encoding="utf-8")
    with pytest.raises(InputError, match="needs evidence and facts"):
        own_sets.save("mine", [{**rows[0], "question": "Other?", "facts": []}], [DOCUMENT])
    with pytest.raises(InputError, match="no documents are named"):
        own_sets.add("mine", json.dumps({**rows[0], "evidence": [{"document": "x.md", "quote": "y"}]}), [DOCUMENT])
    with pytest.raises(InputError, match="accept some"):
        own_sets.save("mine", [], [DOCUMENT])
    assert own_sets.path("mine").read_text(encoding="utf-8") == before
    assert sorted(file.name for file in own_sets.folder().iterdir()) == ["mine.jsonl"]


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 70])
def test_a_name_that_could_lead_elsewhere_is_none(name):
    with pytest.raises(InputError, match="is no name for a set"):
        own_sets.path(name)


def test_documents_become_files_under_their_names_and_stay_in_the_folder():
    outside = Document("d3", "Outside", "../../etc/outside.txt", "Text of it.", "ef")
    folder = own_sets.as_files([DOCUMENT, PAPER, outside])
    assert (folder / "guides" / "tower.md").read_text(encoding="utf-8") == TEXT
    assert (folder / "paper.pdf.txt").is_file() and (folder / "etc" / "outside.txt").is_file()
    assert [d.source for d in own_sets.named([PAPER])] == ["paper.pdf.txt"]
    assert own_sets.as_files([DOCUMENT, PAPER, outside]) == folder
    with pytest.raises(InputError, match="holds no documents"):
        own_sets.as_files([])


def test_web_pages_and_word_files_are_measured_as_the_index_holds_them(tmp_path):
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "policy.HTML").write_text("<h1>Policy</h1><p>The fee is 12 euros.</p><ul><li>one item</li></ul>")
    (folder / "policy.docx").write_bytes(docx("<w:p><w:r><w:t>The fine is 9 euros.</w:t></w:r></w:p>"))
    held = [document for document in load(survey([folder]).sources) if isinstance(document, Document)]
    again = {d.source.partition("/")[2]: d.text for d in load(survey([own_sets.as_files(held)]).sources)}
    assert again == {f"{document.source}.md": document.text for document in held} and len(again) == 2
    quote = "# Policy\n\nThe fee is 12 euros."   # spans the lines of the Markdown
    row = {**draft([DOCUMENT])[0], "evidence": [{"document": "rules/policy.HTML.md", "quote": quote}]}
    assert own_sets.save("mine", [row], held) == 1


def test_kept_runs_are_listed_opened_compared_and_deleted():
    first = runs.keep({**RESULT, "limit": 3})
    second = runs.keep({**RESULT, "created": "2026-01-02T03:05:05+00:00", "config": {"k": 9}})
    (runs.state_folder() / "runs" / "20990101T000000-broken.json").write_text("{", encoding="utf-8")
    found = panel_runs.kept()
    assert [run.name for run in found] == [second.stem, first.stem], "the latest first; one that is broken is left out"
    assert (found[0].changed, found[1].limit, found[0].gate) == ("k=9", 3, ""), "our gate is not for other gold sets"
    assert found[0].words == "50 % of the answerable questions are answered right."
    assert "eval report" in panel_runs.report_of(second.stem)
    assert "k</code> 4 → <b>9</b>" in panel_runs.comparison(first.stem, second.stem)
    for name in (str(first), "../../x", ""):
        with pytest.raises(InputError, match="not kept any more"):
            panel_runs.report_of(name)
    panel_runs.delete(first.stem)
    assert [run.name for run in panel_runs.kept()] == [second.stem]


def test_settings_and_reviews_are_read_as_they_were_typed():
    assert parsed("k = 6\n\n rerank=off ") == {"k": "6", "rerank": "off"} and parsed("") == {}
    with pytest.raises(ConfigError, match="'k 6' is no setting"):
        parsed("k 6")
    rows = [{"id": "d001", "question": "A?", "facts": [["a"]]}, {"id": "d002", "question": "B?", "facts": [["b"]]}]
    made = reviewed(rows, {"d002": {"question": " B, then? ", "facts": "b | bee\n\nc"}})
    assert made == [{"id": "d002", "question": "B, then?", "facts": [["b", "bee"], ["c"]]}]


def test_a_handler_that_fails_says_so_in_a_line(capsys):
    def fails(error: Exception):
        raise error
    assert "two lines" in told(0, 1)(fails)(InputError("one\ntwo lines"))
    note, other = told(0, 2)(fails)(KeyError("x"))
    assert "KeyError" in note and "See the log" in note and "question" not in note and "Traceback" not in note
    assert other["__type__"] == "update"
    assert "KeyError" in capsys.readouterr().err, "the log has the cause"


def test_without_the_suite_the_tab_says_so_in_one_line(monkeypatch):
    import gradio as gr
    (_, there), = cli.panels()
    assert there is Panel
    monkeypatch.setitem(sys.modules, "eval.panel.tab", None)
    (name, missing), = cli.panels()
    with gr.Blocks() as page, gr.Tab(name) as tab:
        made = missing(None, None, page, tab)
    assert "is not installed" in made.value and made.value.count("<p") == 1


def test_the_page_is_built_without_importing_the_suite():
    code = ("import sys, assistant.ui.page, eval.panel.tab;"
            "print(sorted(m for m in sys.modules if m.startswith('eval.') and m[:10] != 'eval.panel'))")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_hostile_text_stays_text():
    bad = '"><script>x</script>'
    run = Kept(bad, "2026-01-02T03:04:05+00:00", (bad,), 3, 4, bad, "failed", bad)
    rows = [{"id": bad, "kind": bad, "question": bad, "facts": [[bad]], "evidence": [{"document": bad, "quote": bad}]}]
    for html in (runs_html([run], bad), frame_html(bad, bad, bad), drafts_html(rows), progress_html(0.5, bad, 3)):
        assert "<script>" not in html


def test_progress_says_how_long_it_may_take():
    assert "about 60 s to go" in progress_html(0.25, "5 of 20", 20) and "to go" not in progress_html(None, "loading", 2)
