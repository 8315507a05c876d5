"""The interface's HTML, as pure functions over records: escaping, offsets, whose words, what is shown when."""
from __future__ import annotations

import queue
import re
import socket
from pathlib import Path

import pytest

from assistant.catalog.conversations import Conversations, Turn
from assistant.catalog.database import Database
from assistant.catalog.documents import Size
from assistant.config import Config
from assistant.errors import ConfigError, InputError
from assistant.records import (
    Answer,
    Document,
    Evidence,
    IngestReport,
    Score,
    Support,
)
from assistant.ui.conversation_list import list_html
from assistant.ui.corpus import Corpus
from assistant.ui.inspector import chunks_html, evidence_html, prompt_html, timings_html
from assistant.ui.thread import examples, first_screen, turns_html
from assistant.ui.traces import Traces
from tests.ui_values import BASE, EVIL, evidence, hit, marks_in, trace, visible

# the inspector


def test_evidence_is_marked_inside_its_chunk_cited_apart_from_uncited():
    page = evidence_html([hit()], [evidence(0, 19, 1), evidence(20, 36, 2)], frozenset({1}))
    assert marks_in(page) == [(100, 119, "HNSW walks a graph."), (120, 136, "IVF scans lists.")]
    assert '<mark class="cited" data-marker="1"' in page and '<mark class="uncited" data-marker="2"' in page
    assert 'id="ev-1"' in page and 'id="ev-2"' in page
    assert page.count("<article") == 1


def test_a_row_read_as_pairs_says_so():
    row = "MiniLM 384"
    item = Evidence(1, "c1", "D", "H", ((BASE, BASE + len(row)),), "Model: MiniLM; dimensions: 384", 0.7)
    assert "read as: Model: MiniLM; dimensions: 384" in evidence_html([hit(text=row)], [item])
    assert "read as" not in evidence_html([hit()], [evidence(0, 19)])


def test_bars_say_their_scale_and_stand_where_the_score_is():
    page = chunks_html(trace(), threshold=0.35)
    dense = re.search(r'<div class="gb-bar gb-dense".*?</div>', page)[0]
    assert 'aria-valuemin="-1"' in dense and 'aria-valuenow="-0.5"' in dense
    assert "left:25.0%;width:25.0%" in dense  # from -0.5 to 0 on -1..1
    assert "rank 3" in dense
    rerank = re.search(r'<div class="gb-bar gb-rerank".*?</div>', page)[0]
    assert 'class="gb-tick" style="left:35.0%"' in rerank and "width:90.0%" in rerank
    fused = re.search(r'<div class="gb-bar gb-fused".*?</div>', page)[0]
    assert "width:50.0%" in fused  # 1/61 of at most 2/61
    assert "rank 7 before reranking, 1 after" in page
    assert "width:100.0%" in re.search(r'<div class="gb-bar gb-lexical".*?</div>', page)[0]


def test_a_missing_score_is_no_zero_and_an_uncalibrated_one_says_so():
    page = chunks_html(trace(hits=(hit(rerank=None),), gate="off"))
    assert "rerank: no score from this stage" in page and "rank 7</span>" in page
    assert "uncalibrated" in chunks_html(trace(calibrated=False))
    assert "uncalibrated" not in chunks_html(trace())


def test_dropped_chunks_are_folded_behind_the_kept_ones():
    page = chunks_html(trace(hits=(hit(), hit(kept=False), hit(kept=False))))
    assert page.index("gb-kept") < page.index('<details class="gb-fold"><summary>2 more candidates')
    assert '<details class="gb-fold" open>' in chunks_html(trace(hits=(hit(kept=False),), gate="declined"))


def test_the_waterfall_has_one_time_axis():
    page = timings_html(trace().spans, {"k": 4, "rerank": True, "threshold": None})
    assert "left:0.00%;width:25.00%" in page and "left:25.00%;width:75.00%" in page
    assert "<b>0.02 s</b>" in page
    assert visible(page).count("auto") == 1 and ">on<" in page


def test_the_prompt_tab_says_what_was_searched_and_why():
    page = prompt_html(trace(query="What is IVF?", query_reason="\"And IVF?\" asks on"))
    assert "What is IVF?" in visible(page) and "asks on" in page
    assert "No language model was called" in prompt_html(trace(prompt=(), gate="declined", gate_reason="0.02"))


# the conversation


def test_only_the_last_question_can_be_edited_and_retried():
    turns = [Turn(0, "user", "a"), Turn(1, "assistant", "b", "t1"), Turn(2, "user", "c"),
             Turn(3, "assistant", "d", "t2")]
    page = turns_html(turns, lambda _: trace(), "t2")
    assert page.count('data-event="edit"') == 1 and 'data-position="2"' in page
    assert page.count('data-act="retry"') == 1
    assert page.count("gb-inview") == 1
    assert 'data-act="retry"' not in turns_html(turns, lambda _: None, "", running=True)


def test_a_decline_lists_the_closest_sections_once():
    text = "The documents do not cover this. The closest sections are \"ANN\" (probability 0.02)."
    fixed = Answer(text, (), True, (Support(0, len(text), True, (), None, "fixed"),), "t1")
    page = turns_html([Turn(0, "user", "q"), Turn(1, "assistant", text, "t1")],
                      lambda _: trace(fixed, gate="declined", hits=(hit(kept=False, rerank=Score(0.02, 1)),)), "t1")
    shown = visible(re.sub(r'data-copy="[^"]*"', "", page))
    assert "do not cover this." in shown and "The closest sections are" not in shown
    assert shown.count("Chapter 9 › ANN") == 1 and "probability 0.02" in shown


def test_an_interrupted_question_offers_to_go_on():
    assert "interrupted" in turns_html([Turn(0, "user", "q")], lambda _: None, "")
    assert "interrupted" not in turns_html([Turn(0, "user", "q")], lambda _: None, "", running=True)


def test_the_first_screen_fits_the_documents():
    assert "index is empty" in first_screen([])
    lesson = Document("d", "Lesson", "l.md", "HNSW one-hot Word2Vec Euclidean negation", "")
    assert len(examples([lesson])) == 6
    other = Document("d", "Zebras", "z.md", "stripes", "")
    assert examples([other])[0][0] == "What is said about Zebras?"


def test_the_list_marks_the_open_conversation(tmp_path):
    store = Conversations(Database(tmp_path / "c.db"))
    one = store.create(EVIL)
    page = list_html(store.list(), one.id)
    assert "aria-current=true" in page and "<script" not in page and 'class="gb-here"' in page
    assert "Nothing found" in list_html([], None, "zz")


# documents


class Sized:
    """An assistant whose documents are told by their sizes; it keeps what it is given to read, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.catalog, self.error, self.read = self, error, []

    def sizes(self) -> list[Size]:
        return [Size("d1", "Zebras", "zebra.md", 1234, 5)]

    def ingest(self, paths, progress):
        if self.error:
            raise self.error
        self.read += [Path(path).read_text() for path in paths]
        return IngestReport(tuple(paths), (), (), (), (), 1, 0.1)


def corpus(rag: Sized) -> Corpus:
    made = object.__new__(Corpus)
    made.rag = rag
    return made


def test_the_documents_are_listed_by_their_sizes_and_no_text_is_loaded():
    table, _ = corpus(Sized()).show("")
    assert "Zebras" in table and ">5</td>" in table and ">1,234</td>" in table


@pytest.mark.parametrize("error", [None, InputError("bad"), RuntimeError("worse")])
def test_an_uploaded_file_is_gone_once_it_was_read(tmp_path, error, capsys):
    paths = [tmp_path / name for name in ("a.md", "b.md")]
    for path in paths:
        path.write_text("private")
    made, steps = corpus(Sized(error)), queue.Queue()
    made._ingest([str(path) for path in paths], steps)
    assert not any(path.exists() for path in paths) and steps.qsize() == 1
    assert made.rag.read == ([] if error else ["private"] * 2)
    assert "question" not in str(steps.get())


@pytest.mark.parametrize("error", [InputError("bad"), KeyError("worse")])
def test_an_import_that_fails_says_so_in_a_line(tmp_path, error, monkeypatch, capsys):
    def fails(raw: bytes, name: str):
        raise error
    monkeypatch.setattr("assistant.exchange.read", fails)
    made, file = object.__new__(Traces), tmp_path / "t.json"
    made.rag, made.parts = None, [None]
    file.write_text("[]")
    note = made.take(str(file))[0]
    assert ("bad" if isinstance(error, InputError) else "See the log") in note and "question" not in note
    assert ("KeyError" in capsys.readouterr().err) == isinstance(error, KeyError), "the log has the cause"


def test_gradio_drops_its_copies_of_what_was_uploaded(tmp_path):
    from assistant import Assistant
    from assistant.ui.page import build
    assert build(Assistant(Config(index=str(tmp_path)))).delete_cache == (3600, 3600)


# settings and serving


def test_settings_read_back_what_the_page_holds():
    import gradio as gr

    from assistant.ui.settings import SHOWN, Settings
    with gr.Blocks():
        settings = Settings(Config(k=3))
    values = dict(zip(SHOWN, settings.values(), strict=True))
    assert values["k"] == 3 and values["threshold"] == "auto"
    assert settings.config_from(settings.values()) == Config(k=3)
    assert settings.config_from(list((values | {"rerank": False, "threshold": "0.4"}).values())).threshold == 0.4
    with pytest.raises(ConfigError, match="threshold"):
        settings.config_from(list((values | {"threshold": "much"}).values()))
    with pytest.raises(ConfigError):
        settings.config_from(list((values | {"max_tokens": None}).values()))
    assert "rerank = off" in settings.note_html(list((values | {"rerank": False}).values()))


def test_a_port_in_use_is_named_with_the_remedy():
    from assistant.ui.page import check_port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port}.*--port"):
            check_port("127.0.0.1", port)
    with pytest.raises(InputError, match="--port"):
        check_port("127.0.0.1", 99999)


def test_no_font_or_style_comes_from_another_machine():
    from assistant.ui.theme import SCRIPTS, STYLES, Glass
    theme = Glass()
    css = theme._get_theme_css() + "".join(file.read_text() for file in (*STYLES, *SCRIPTS))
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\((?![\"']?data:)", css)
    assert theme._stylesheets == []
