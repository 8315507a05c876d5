"""The page as a whole: what it is composed of, who gets in, what a visitor can make it do, what is forgotten."""
from __future__ import annotations

import dataclasses
import errno
import re
from html.parser import HTMLParser

import gradio as gr
import httpx
import pytest

import app
from assistant import Assistant, Config
from assistant.errors import InputError
from assistant.ui import page as page_module
from assistant.ui.answer_view import AnswerView
from assistant.ui.chat import Chat
from assistant.ui.page import check_port, exposed, launch, login
from assistant.ui.replay_form import ReplayForm
from assistant.ui.settings import Settings
from assistant.ui.traces import Traces
from assistant.ui.warmth import Warmth
from eval.panel.tab import Panel
from tests.fakes import free_port, made_trace

PASSWORD = "correct:horse battery"
SERVED = {"llm": "http://user:hunter2@mine.example/v1?api-key=hunter2#m", "reranker": "/srv/models/ours"}


@pytest.fixture()
def rag(tmp_path) -> Assistant:
    """An index with one trace and no document; no model is loaded."""
    made = Assistant(Config(index=str(tmp_path / "index"), **SERVED))
    made.traces.add(made_trace("t1", config={**Config().public()}))
    return made


def panel(kind, rag):
    with gr.Blocks() as page, gr.Tab("One") as tab:
        return kind(rag, Warmth(rag), page, tab)


def tabs(page: gr.Blocks) -> list[str]:
    return [part.label for part in page.blocks.values() if isinstance(part, gr.Tab) and part.elem_id
            and part.elem_id.startswith("gb-panel-")]


# composition


def test_the_app_puts_the_eval_tab_behind_the_pages_own(rag):
    assert tabs(app.build(rag)) == ["Chat", "Traces", "Lab", "Corpus", "Eval"]


# where it can be served


def test_a_proxy_of_the_environment_is_not_asked_for_the_page(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing listens there
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")
    with gr.Blocks() as page:
        gr.Markdown("here")
    address = launch(page, "127.0.0.1", free_port(), block=False)
    try:
        assert httpx.get(address).status_code == 200
    finally:
        page.close(verbose=False)


def test_what_fails_as_the_page_is_launched_is_one_line(monkeypatch):
    def refuse(self, **_):
        raise Exception("Couldn't start the app because\nit failed")
    monkeypatch.setattr(gr.Blocks, "launch", refuse)
    with gr.Blocks() as page, pytest.raises(InputError, match=r"cannot listen on .* because it failed\).* --port$"):
        launch(page, "127.0.0.1", free_port())


@pytest.mark.parametrize("host, port, said", [
    ("127.0.0.1", -1, "--port is -1: expected 1 to 65535"), ("127.0.0.1", 0, "--port is 0: expected 1 to 65535"),
    ("127.0.0.1", 65536, "--port is 65536"), ("nonsense.invalid", 7860, "name an address of this machine with --host"),
    ("x" * 70, 7860, "name an address of this machine with --host"),
    ("192.0.2.7", 7860, "name an address of this machine with --host")])
def test_where_nothing_can_listen_the_remedy_is_the_right_one(host, port, said):
    with pytest.raises(InputError, match=re.escape(said)) as caught:
        check_port(host, port)
    assert "other program" not in str(caught.value)


def test_a_port_that_needs_rights_is_told_apart(monkeypatch):
    def refuse(self, _):
        raise PermissionError(errno.EACCES, "Permission denied")
    monkeypatch.setattr("socket.socket.bind", refuse)
    with pytest.raises(InputError, match="Permission denied; ports under 1024 need rights"):
        check_port("127.0.0.1", 80)


# who gets in


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_a_host_that_is_this_machine_alone_needs_no_warning(host):
    assert exposed(host, False) == exposed(host, True) == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.7", "no such host"])
def test_a_host_that_others_can_reach_is_warned_of_in_one_line(host):
    bare, guarded = exposed(host, False), exposed(host, True)
    assert bare.startswith("warning: ") and "set GLASSBOX_AUTH=user:password" in bare and "\n" not in bare
    assert "HTTPS" in guarded and "everybody" not in guarded


def test_a_login_is_user_and_password_and_anything_else_lets_nobody_serve():
    assert login({}) is None and login({"GLASSBOX_AUTH": f"me:{PASSWORD}"}) == ("me", PASSWORD)
    for wrong in ("", "secret-alone", ":secret-alone", "me:", " : "):
        with pytest.raises(InputError, match="not to user:password") as caught:
            login({"GLASSBOX_AUTH": wrong})
        assert "secret-alone" not in str(caught.value)


def test_nothing_of_the_page_is_served_before_the_login(rag, capfd):
    page = app.build(rag)
    address = launch(page, "127.0.0.1", free_port(), block=False, auth=("me", PASSWORD))
    try:
        with httpx.Client(base_url=address) as visitor:
            assert visitor.get("config").status_code == 401
            assert visitor.post("gradio_api/queue/join", json={"fn_index": 0, "data": []}).status_code == 401
            assert visitor.post("gradio_api/upload", files={"files": b"x"}).status_code == 401
            assert "gb-question" not in visitor.get("").text.partition("window.gradio_config")[2]
            assert visitor.post("login", data={"username": "me", "password": "guess"}).status_code == 400
            assert visitor.get("config").status_code == 401
            assert visitor.post("login", data={"username": "me", "password": PASSWORD}).status_code == 200
            assert "gb-question" in visitor.get("config").text and PASSWORD not in visitor.get("config").text
    finally:
        page.close(verbose=False)
    assert PASSWORD not in "".join(capfd.readouterr())


def test_serving_to_other_machines_warns_and_hands_the_login_on(rag, monkeypatch, capfd):
    given = {}
    monkeypatch.setattr(page_module, "launch", lambda page, *where, **named: given.update(named) or "http://here")
    monkeypatch.setattr(gr.Blocks, "block_thread", lambda self: None)
    monkeypatch.setattr(Warmth, "start", lambda self: None)
    page_module.serve(rag, "127.0.0.1", free_port())
    assert given["auth"] is None and capfd.readouterr().err.startswith("Glassbox is at")
    monkeypatch.setenv("GLASSBOX_AUTH", f"me:{PASSWORD}")
    page_module.serve(rag, "0.0.0.0", free_port())
    said = "".join(capfd.readouterr())
    assert given["auth"] == ("me", PASSWORD) and said.startswith("warning: 0.0.0.0") and PASSWORD not in said


# what a visitor can make the server do


def test_the_replay_form_shows_no_path_and_no_password(rag):
    with gr.Blocks() as page:
        form = ReplayForm(rag.config)
    shown = str([part.get_config() for part in page.blocks.values()]) + str(form.values(made_trace()))
    assert "hunter2" not in shown and "/srv/models" not in shown
    assert "http://mine.example/v1#m" in shown and "'ours'" in shown


@pytest.mark.parametrize("reranker, llm", [("embedded", "http://elsewhere/v1#m"), ("/etc", "off"),
                                           ("embedded", SERVED["llm"])])
def test_a_replay_in_the_page_refuses_a_model_that_is_not_of_the_settings(rag, reranker, llm):
    traces = panel(Traces, rag)
    *_, last = traces.replay("t1", ["dense", "lexical", "rerank"], 4, 20, "", 0, reranker, llm)
    assert "cannot be chosen in the page" in last[-1] and rag.traces.count() == 1


def test_a_replay_in_the_page_asks_todays_model_by_its_public_name(rag, monkeypatch):
    asked = []
    monkeypatch.setattr("assistant.ui.traces.replay",
                        lambda rag, trace, changes: asked.append(changes) or made_trace("t1").answer)
    list(panel(Traces, rag).replay("t1", ["dense", "lexical", "rerank"], 4, 20, "", 0, "ours",
                                   "http://mine.example/v1#m"))
    assert asked == [SERVED]


def test_the_eval_tab_runs_no_model_and_no_store_that_is_not_of_the_settings(rag, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    made = panel(Panel, rag)
    for line in ("llm = http://elsewhere/v1", "vectors=http://elsewhere:8000", "embedder = /etc", "reranker=x/y"):
        with pytest.raises(InputError, match="cannot be chosen in the page"):
            made._request(["retrieval"], "", 3, True, f"k = 6\n{line}")
    request = made._request(["retrieval"], "", 3, True, "llm = http://mine.example/v1#m\nk=6\nquery_encoder = off")
    assert request.config["llm"] == SERVED["llm"] and request.config["reranker"] == SERVED["reranker"]
    assert (request.config["k"], request.config["query_encoder"]) == (6, "off")
    assert made._request(["retrieval"], "", 3, False, "").config["llm"] == "off"


# what is shown of a trace, and forgotten


def test_the_chat_marks_the_threshold_that_the_gate_used():
    raised = made_trace(config={"threshold": 0.3}, threshold=0.51, gate="declined", gate_reason="0.40 is too little")
    with gr.Blocks():
        view = AnswerView(lambda: Settings(Config()))
    assert "threshold 0.51" in view.of_trace(raised)[view.chunks] and "left:51.0%" in view.of_trace(raised)[view.chunks]
    for odd in (dataclasses.replace(raised, threshold=None), made_trace(config={"threshold": "x"})):
        assert "gb-tick" not in view.of_trace(odd)[view.chunks]


class Texts(HTMLParser):
    """The words that a browser would print, and the titles that it would show on a pointer."""

    def __init__(self) -> None:
        super().__init__()
        self.printed, self.titles = "", []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.titles += [value for name, value in attrs if name == "title"]

    def handle_data(self, data: str) -> None:
        self.printed += data


def test_a_long_question_stays_inside_the_heads_attribute():
    with gr.Blocks():
        view = AnswerView(lambda: Settings(Config()))
    seen = Texts()
    seen.feed(view.of_trace(made_trace(question='Why "so" long? ' * 30))[view.head])
    assert '">' not in seen.printed and seen.titles[0].endswith(" … 150 more characters")


def test_a_deleted_trace_is_not_opened_from_memory(rag):
    chat = panel(Chat, rag)
    request = gr.Request(query_params={"trace": "t1"})
    request.query_params = {"trace": "t1"}
    assert any(update.get(chat.view) == "t1" for update in chat.open_page(request))
    rag.traces.delete(["t1"])
    assert chat.trace_of("t1") is None
    opened, = chat.open_page(request)
    assert "t1" in opened[chat.hint] and "A text" not in str(opened)
