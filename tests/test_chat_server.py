"""A language model behind a URL: streamed, tried again when refused for load, and its key shown nowhere."""
from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from assistant import Config
from assistant.backends import chat_server, generator
from assistant.errors import ModelError, UnreachableError
from tests.fakes import ROOT

MESSAGES = [{"role": "user", "content": "Hello?"}]


def event(text: str | None) -> str:
    return "data: " + json.dumps({"choices": [{"delta": {} if text is None else {"content": text}}]})


class Server(ThreadingHTTPServer):
    """Answers each request with the next of `replies`: (status, lines of the body)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: list[tuple[int, list[str]]] = []
        self.asked: list[tuple[str, dict, str | None]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1#tiny"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body, self.headers["Authorization"]))
        status, lines = self.server.replies.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write("\n".join(lines).encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture()
def server(monkeypatch):
    monkeypatch.setattr(chat_server, "BACKOFF_SECONDS", 0.01)
    made = Server()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def ask(url: str) -> str:
    return "".join(generator.build(Config(llm=url)).stream(MESSAGES, temperature=0.5, max_tokens=9))


def test_the_pieces_of_the_stream_are_the_reply(server):
    server.replies = [(200, [": a remark", event(None), event("Hel"), "", event("lo"), "data: [DONE]"])]
    assert ask(server.url) == "Hello"
    path, body, key = server.asked[0]
    assert path == "/v1/chat/completions" and key is None
    assert body == {"model": "tiny", "messages": MESSAGES, "temperature": 0.5, "max_tokens": 9, "stream": True}


def test_a_refusal_for_load_is_tried_again_and_the_key_goes_in_the_header_alone(server, monkeypatch):
    monkeypatch.setenv("GLASSBOX_LLM_KEY", "s3cret")
    monkeypatch.setenv("GLASSBOX_LLM", server.url.replace("#tiny", "/#another-model"))
    server.replies = [(503, []), (429, []), (200, [event("At last")])]
    assert ask(server.url) == "At last"
    assert [key for _, _, key in server.asked] == ["Bearer s3cret"] * 3
    assert "s3cret" not in json.dumps(Config(llm=server.url).public())


@pytest.mark.parametrize("configured", [
    "embedded", "http://127.0.0.1:9/v1", "https://127.0.0.1:{}/v1", "http://localhost:{}/v1", "http://127.0.0.1/v1",
    "http://127.0.0.1:{}@mine/v1", "/models/a.gguf", "http://127.0.0.1:no/v1"])
def test_the_key_goes_to_no_other_address_than_the_configured_one(server, monkeypatch, configured):
    monkeypatch.setenv("GLASSBOX_LLM_KEY", "s3cret")
    monkeypatch.setenv("GLASSBOX_LLM", configured.format(server.server_address[1]))
    server.replies = [(200, [event("Hello")]), (401, [])]
    assert ask(server.url) == "Hello" and server.asked[0][2] is None
    with pytest.raises(ModelError, match="sent only to the address that GLASSBOX_LLM or the TOML file names"):
        ask(server.url)
    assert server.asked[1][2] is None


def test_after_three_tries_it_gives_up_in_one_line(server):
    server.replies = [(500, [])] * 3
    with pytest.raises(ModelError, match=r"gave no answer \(status 500\) after 3 tries.*llm=embedded"):
        ask(server.url)


def test_a_wrong_key_is_not_tried_again(server):
    server.replies = [(401, [])]
    with pytest.raises(ModelError, match=r"answered 401: check the URL.*GLASSBOX_LLM_KEY"):
        ask(server.url)
    assert len(server.asked) == 1


def test_a_reply_that_breaks_off_is_not_begun_again(server):
    server.replies = [(200, [event("Half"), "data: {broken"])]
    pieces = generator.build(Config(llm=server.url)).stream(MESSAGES, temperature=0.0, max_tokens=9)
    assert next(pieces) == "Half"
    with pytest.raises(UnreachableError, match=r"broke off in the middle of its reply \(JSONDecodeError\)"):
        next(pieces)
    assert len(server.asked) == 1


def test_an_error_in_the_stream_is_told(server):
    server.replies = [(200, ['data: {"error": {"message": "no such model"}}'])]
    with pytest.raises(ModelError, match="no such model"):
        ask(server.url)


@pytest.mark.parametrize("line", ["<html><body>Welcome</body></html>", "", '{"object": "list", "data": []}',
                                  '{"choices": [{"message": {"content": "whole"}}]}'])
def test_a_reply_that_is_no_stream_is_an_error_and_not_an_empty_text(server, line):
    server.replies = [(200, [line])]
    with pytest.raises(ModelError, match="not as a stream of chat completions: check the URL, with its /v1"):
        ask(server.url)
    assert len(server.asked) == 1


def test_an_event_may_name_no_error_and_no_choice(server):
    server.replies = [(200, ['data: {"error": null, "choices": [{"delta": {"content": "Hel"}}]}',
                             'data: {"choices": [null]}', event("lo")])]
    assert ask(server.url) == "Hello"


def test_a_server_on_this_machine_is_asked_past_a_proxy(server):
    """In a process of its own: the environment is read when the backends are first imported."""
    server.replies = [(200, [event("Hello")])]
    code = ("import sys; from assistant import Config; from assistant.backends import generator;"
            "print(*generator.build(Config(llm=sys.argv[1])).stream([], temperature=0.0, max_tokens=9))")
    env = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run([sys.executable, "-c", code, server.url], cwd=ROOT, capture_output=True, text=True,
                          env={**env, "HTTP_PROXY": "http://127.0.0.1:9"})
    assert done.stdout == "Hello\n", done.stderr


def test_an_address_that_is_none_is_named():
    with pytest.raises(ModelError, match="no address of a server"):
        ask("http://host:port/v1")
