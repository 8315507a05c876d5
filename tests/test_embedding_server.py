"""An embedding model behind a URL: the embedded MiniLM served on loopback in OpenAI's layout, and servers that fail."""
from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from assistant import Assistant, Config
from assistant.backends import embedder as embedder_backend
from assistant.backends import embedding_server
from assistant.backends.embedding_server import BATCH, PROBES
from assistant.errors import IndexMismatchError, ModelError
from assistant.text.readable import passage

DOCUMENTS = {
    "mill.md": "# The mill\n\nThe mill at Orrin grinds rye on Tuesdays. Its wheel was built in 1832 by Ada Flint.\n",
    "ferry.md": "# The ferry\n\nThe ferry to Skarn leaves at half past seven. A ticket costs four crowns.\n",
    "library.md": "# The library\n\nThe library of Velm lends maps for two weeks. Dogs have to wait outside.\n",
}


class Server(ThreadingHTTPServer):
    """Serves `embed(texts)`, its rows in reverse and three times as long; `replies` (status, body, headers) come first.
    """

    def __init__(self, embed) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.embed = embed
        self.replies: list[tuple[int, str, dict[str, str]]] = []
        self.asked: list[tuple[str, dict, str | None]] = []
        self.base = f"http://127.0.0.1:{self.server_address[1]}/v1"
        self.url = f"{self.base}#mini"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body, self.headers["Authorization"]))
        status, said, headers = self.server.replies.pop(0) if self.server.replies else \
            (200, layout(self.server.embed(body["input"])), {})
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(said.encode()))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said.encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


def layout(vectors: np.ndarray) -> str:
    rows = [{"object": "embedding", "index": n, "embedding": (3 * row).tolist()} for n, row in enumerate(vectors)]
    return json.dumps({"object": "list", "data": rows[::-1], "model": "mini", "usage": {"prompt_tokens": 1}})


@pytest.fixture()
def serve(monkeypatch):
    monkeypatch.setattr(embedding_server, "BACKOFF_SECONDS", 0.01)
    made = []

    def start(embed) -> Server:
        made.append(Server(embed))
        threading.Thread(target=made[-1].serve_forever, daemon=True).start()
        return made[-1]
    yield start
    for server in made:
        server.shutdown()
        server.server_close()


@pytest.fixture()
def server(serve, embedder) -> Server:
    return serve(embedder.embed)


def build(url: str):
    return embedder_backend.build(Config(embedder=url))


def no_more(_) -> np.ndarray:
    raise AssertionError("nothing else was to be asked")


def test_three_documents_are_indexed_and_a_question_is_answered_through_it(server, tmp_path, embedder):
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text)
    rag = Assistant(Config(index=str(tmp_path / "index"), embedder=server.url, llm="off"))
    assert len(rag.ingest([folder]).added) == 3
    answer = rag.answer("When does the ferry to Skarn leave?")
    assert "half past seven" in answer.text and answer.citations[0].document == "The ferry"
    chunks = rag.chunks()
    stored = rag.parts.store.vectors([chunk.id for chunk in chunks])
    np.testing.assert_allclose(stored, embedder.embed([passage(chunk) for chunk in chunks]), atol=1e-5)
    trace = rag.trace(answer.trace_id)
    assert trace.config["embedder"] == server.url
    # the reranker was calibrated with the embedded embedder's cosines, and no others
    assert trace.gate == "off" and not trace.calibrated and "assistant calibrate" in trace.gate_reason
    assert {path for path, _, _ in server.asked} == {"/v1/embeddings"}
    with pytest.raises(IndexMismatchError, match="made with the embedder mini, the settings name all-MiniLM-L6-v2"):
        rag.with_config(rag.config.replace({"embedder": "embedded"})).answer("When?")


def test_rows_come_in_order_as_unit_float32_in_batches(server, embedder):
    served = build(server.url)
    texts = [f"text number {n}" for n in range(BATCH + 3)] + ["naïve Zürich ☃"]
    found = served.embed(texts)
    assert found.dtype == np.float32 and found.shape == (BATCH + 4, 384)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found, embedder.embed(texts), atol=1e-5)
    np.testing.assert_array_equal(served.embed_query(texts[:1]), served.embed(texts[:1]))
    assert [len(body["input"]) for _, body, _ in server.asked] == [len(PROBES), BATCH, 4, 1, 1]
    assert server.asked[0][1]["model"] == "mini" and served.embed([]).shape == (0, 384)


def test_the_fingerprint_is_of_name_and_vectors_and_not_of_the_address(serve, server, embedder, monkeypatch):
    monkeypatch.setenv("GLASSBOX_EMBEDDER_KEY", "s3cret")
    own = build(server.url).fingerprint
    random = np.random.default_rng(0)

    def noisy(texts):
        return embedder.embed(texts) + random.normal(0, 1e-6, (len(texts), 384))
    again = serve(noisy)
    assert build(f"{again.base}/embeddings/#mini").fingerprint == own  # another port, another way to write it
    assert build(f"{again.base}#other").fingerprint != own
    turned = serve(lambda texts: embedder.embed(texts) @ np.diag(np.linspace(0, 2, 384)))
    shorter = serve(lambda texts: embedder.embed(texts)[:, :383])
    assert len({own, build(turned.url).fingerprint, build(shorter.url).fingerprint}) == 3


def test_the_limit_is_what_is_measured(serve, server, embedder):
    assert embedder.max_tokens == 256 == build(server.url).max_tokens  # MiniLM cuts a text off there
    refuses = serve(embedder.embed)
    refuses.embed = lambda texts: embedder.embed(texts)
    refuses.replies = [(200, layout(embedder.embed(PROBES)), {})]
    pairs = [layout(embedder.embed([f"text {n}", "another one"])) for n in range(3)]
    refuses.replies += [*((200, pair, {}) for pair in pairs), (413, "too long", {})]
    assert build(refuses.url).max_tokens == 256  # 64, 128 and 256 were taken
    deaf = serve(lambda texts: np.ones((len(texts), 8), np.float32))
    with pytest.raises(ModelError, match="reads less than 64 word pieces, or gives every text the same vector"):
        _ = build(deaf.url).max_tokens


def test_word_pieces_are_counted_with_a_margin(serve, embedder):
    served = build(serve(no_more).url)
    short, long = "river", "one two three four five six seven eight"
    assert embedder.count_tokens([short, long]) == [3, 10]
    # 1 piece stays 1, so that a word is still known as whole; 8 become 10; 12 unknown signs of 3 bytes count 36 / 4
    assert served.count_tokens([short, long, "กขฃคฅฆงจฉชซฌ"]) == [3, 12, 11]


def test_a_refusal_for_load_is_tried_again_as_the_server_asks(server, monkeypatch):
    waited = []
    monkeypatch.setattr(embedding_server.time, "sleep", waited.append)
    server.replies = [(503, "", {}), (429, "", {"Retry-After": "3"}), (429, "", {"Retry-After": "900"})]
    assert build(server.url).dim == 384
    assert waited == [0.01, 3.0, 20.0]


@pytest.mark.parametrize("status, body, said", [
    (401, "", r"answered 401: set GLASSBOX_EMBEDDER_KEY to a key that it takes; it is sent only to the address"),
    (404, "", "answered 404: check the address in the setting `embedder`, with its /v1, and the model's name"),
    (413, "", "answered 413: .*lower chunk_tokens"),
    (307, "", "answered 307: it sends elsewhere"),
    (200, "<html>", "not JSON: the setting `embedder` should name its OpenAI-compatible address"),
    (200, "[]", "something else than 5 vectors in OpenAI's layout"),
    (200, '{"data": [{"embedding": [1, 2]}]}', "something else than 5 vectors"),
    (200, json.dumps({"data": [{"embedding": [1] * (n + 1)} for n in range(5)]}), "something else than 5 vectors"),
    (200, json.dumps({"data": [{"embedding": "AAAA"}] * 5}), "something else than 5 vectors"),
    (200, json.dumps({"data": [{"embedding": [0, 0]}] * 5}), "a vector that has no direction"),
])
def test_what_is_wrong_is_one_line_with_the_remedy(server, status, body, said):
    server.embed = no_more
    server.replies = [(status, body, {"Location": "http://127.0.0.1:9/"})]
    with pytest.raises(ModelError, match=said) as caught:
        build(server.url).embed(["text"])
    assert "\n" not in str(caught.value) and len(server.asked) == 1


def test_a_server_that_is_down_or_serves_another_model_is_named(server, monkeypatch):
    served = build(server.url)
    assert served.dim == 384
    server.embed = lambda texts: np.ones((len(texts), 5), np.float32)
    with pytest.raises(ModelError, match="gives vectors of 5 numbers, and gave 384 before: it serves another model"):
        served.embed(["text"])
    with pytest.raises(ModelError, match=r"gave no answer \(ConnectError\) after 4 tries: check that it runs, .*"
                                         "embedder=embedded needs no server"):
        build("http://127.0.0.1:9/v1").embed(["text"])
    for address in ("http://host:port/v1", "ftp://host/v1"):
        with pytest.raises(ModelError, match="the setting `embedder` is no address of a server"):
            build(address).embed(["text"])


def test_the_key_goes_to_the_configured_server_alone_and_is_shown_nowhere(serve, server, tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSBOX_EMBEDDER_KEY", "s3cret-key")
    monkeypatch.setenv("GLASSBOX_EMBEDDER", server.base + "/#another")
    (tmp_path / "mill.md").write_text(DOCUMENTS["mill.md"])
    rag = Assistant(Config.load({"index": str(tmp_path / "index"), "llm": "off", "embedder": server.url}))
    rag.ingest([tmp_path / "mill.md"])
    rag.answer("Who built the wheel?")
    assert {key for _, _, key in server.asked} == {"Bearer s3cret-key"}
    kept = b"".join(file.read_bytes() for file in (tmp_path / "index").rglob("*") if file.is_file())
    assert b"s3cret" not in kept and b"Ada Flint" in kept
    elsewhere = serve(server.embed)
    build(elsewhere.url).embed(["text"])
    assert {key for _, _, key in elsewhere.asked} == {None}
    server.replies = [(307, "", {"Location": f"{elsewhere.base}/embeddings"})]
    with pytest.raises(ModelError, match="sends elsewhere"):
        build(server.url).embed(["text"])
    assert {key for _, _, key in elsewhere.asked} == {None} and len(elsewhere.asked) == 2
    monkeypatch.setenv("GLASSBOX_EMBEDDER_KEY", "s3crét")
    with pytest.raises(ModelError, match="holds signs that no key can have") as caught:
        build(server.url).embed(["text"])
    assert "s3cr" not in str(caught.value)
