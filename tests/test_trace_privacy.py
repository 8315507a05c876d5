"""Keys and passwords never stay in a trace, however they got into an address, a setting or an error."""
from __future__ import annotations

import dataclasses
import json

import pytest

from assistant.backends import chat_server
from assistant.errors import GlassboxError
from assistant.records import Answer
from assistant.trace import to_json
from assistant.trace.secrets import HIDDEN, secrets_of, without_secrets
from tests.fakes import made_trace
from tests.test_chat_server import server  # noqa: F401 (fixture)

SECRET = "hunter2-of-mine"
ADDRESSES = (
    f"http://user:{SECRET}@host:9/v1#m", f"HTTPS://user:{SECRET}@host", f"http://{SECRET}@host/v1",
    f"http://user:{SECRET}#x@host/v1", f"http://user:{SECRET}?x@host/v1", f"http://user:{SECRET}/x@host/v1",
    f"http:/user:{SECRET}@host", f"user:{SECRET}@host:80", f"http://host/v1?key={SECRET}#m",
    f"http://host/v1?a=1&key={SECRET}", f"http://host/v1;key={SECRET}", f"http://host/v1#m?key={SECRET}",
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_address_and_no_error_that_repeats_it_keeps_its_secret(address):
    made = made_trace(status="failed", error=f"cannot reach {address} (invalid port {SECRET!r})",
                      config={"llm": address, "k": 4})
    hidden = without_secrets(made, secrets_of([address], {}))
    assert SECRET not in json.dumps(to_json(hidden)) and HIDDEN in hidden.error and hidden.config["k"] == 4
    assert (hidden.question, hidden.hits, hidden.spans) == (made.question, made.hits, made.spans)


@pytest.mark.parametrize("address", ["HTTP://me:{}@127.0.0.1:9/v1", "http://me:{}#x@127.0.0.1:9/v1", "me:{}@host:80",
                                     "http://127.0.0.1:9/v1?key={}"])
def test_a_question_that_fails_on_such_an_address_leaves_a_trace_without_it(rag, monkeypatch, address):
    monkeypatch.setattr(chat_server, "BACKOFF_SECONDS", 0.01)
    wrong = rag.with_config(rag.config.replace({"llm": address.format(SECRET)}))
    before = {summary.id for summary in rag.traces.list(limit=-1)}
    try:  # a server that is away is done without
        said = wrong.answer("What is the difference between HNSW and IVF?").text
    except GlassboxError as failed:
        said = str(failed)
    made = next(rag.trace(summary.id) for summary in rag.traces.list(limit=-1) if summary.id not in before)
    assert made.error and SECRET not in json.dumps(to_json(made)) + said


def test_a_server_that_repeats_its_key_does_not_get_it_into_the_trace(rag, server, monkeypatch):  # noqa: F811
    monkeypatch.setenv("GLASSBOX_LLM_KEY", SECRET)
    monkeypatch.setenv("GLASSBOX_LLM", server.url)
    server.replies = [(200, ['data: {"error": "Incorrect API key provided: ' + SECRET + '"}'])]
    served = rag.with_config(rag.config.replace({"llm": server.url}))
    before = {summary.id for summary in rag.traces.list(limit=-1)}
    with pytest.raises(GlassboxError) as failed:
        served.answer("What is the difference between HNSW and IVF?")
    made = next(rag.trace(summary.id) for summary in rag.traces.list(limit=-1) if summary.id not in before)
    assert server.asked[-1][2] == f"Bearer {SECRET}" and made.status == "failed"
    assert SECRET not in json.dumps(to_json(made)) + str(failed.value)


def test_a_key_of_the_environment_is_hidden_in_every_text():
    env = {"GLASSBOX_LLM_KEY": SECRET, "GLASSBOX_EMBEDDER_KEY": "other-secret", "GLASSBOX_K": "4", "HOME": "/home/me"}
    assert set(secrets_of(["embedded"], env)) == {SECRET, "other-secret"}
    made = made_trace(draft=f"your key is {SECRET}", answer=Answer(f"It is {SECRET} [1]."),
                      error=f"Incorrect API key provided: {SECRET}")
    hidden = without_secrets(made, secrets_of(["embedded"], env))
    assert SECRET not in json.dumps(to_json(hidden)) and hidden.answer.text == f"It is {HIDDEN} [1]."


@pytest.mark.parametrize("plain", [
    "embedded", "off", "/models/folder/a.gguf", "http://host:8080/v1#qwen@latest",
    "http://127.0.0.1:9/v1#m", "https://host/v1", "org/model"])
def test_what_holds_no_secret_is_kept_as_it_is(plain):
    made = made_trace(config={"llm": plain}, error=f"cannot load {plain}")
    assert secrets_of([plain], {}) == () and without_secrets(made, ()) is made


def test_a_short_password_does_not_eat_the_words_of_a_question():
    made = made_trace(question="What is a test set?", config={"llm": "http://me:test@host"}, error="test failed")
    hidden = without_secrets(made, secrets_of(["http://me:test@host"], {}))
    assert hidden.question == made.question and "test" not in json.dumps([hidden.config, hidden.error])
    assert without_secrets(hidden, secrets_of(["http://me:test@host"], {})) == dataclasses.replace(hidden)


def test_a_password_is_known_as_it_is_written_and_as_it_is_meant():
    assert set(secrets_of(["http://me:p%40ssw0rd@host"], {})) == {"p%40ssw0rd", "p@ssw0rd"}
