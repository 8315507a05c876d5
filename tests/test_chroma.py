"""The vector store: cosines, several processes, servers, and what goes wrong in it."""
from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from assistant import Config
from assistant.backends import chroma
from assistant.errors import StoreError
from assistant.protocols import chunk_of
from tests.fakes import LONG, ROOT, FakeEmbedder, FakeStore, Shelf

WORKER = """
import sys
from pathlib import Path
from assistant import Config
from assistant.backends import chroma
from tests.fakes import Shelf
folder, source = Path(sys.argv[1]), Path(sys.argv[2])
Shelf(folder, store=chroma.build(Config(index=str(folder)))).ingest(source)
"""


def test_two_processes_ingest_at_once_and_an_open_store_sees_what_they_wrote(tmp_path, notes):
    index = tmp_path / "shared index"
    shelf = Shelf(index, store=chroma.build(Config(index=str(index))))
    shelf.ingest(notes / "two.txt")
    assert shelf.whole()
    others = [tmp_path / name for name in ("more", "most")]
    for number, folder in enumerate(others):
        folder.mkdir()
        for n in range(5):
            (folder / f"{n}.md").write_text(f"# Lake {n}\n\nLake {number}{n} is deep.\n\n{LONG[:300]}")
    workers = [subprocess.Popen([sys.executable, "-c", WORKER, str(index), str(folder)], cwd=ROOT,
                                stderr=subprocess.PIPE, text=True) for folder in others]
    assert [(worker.communicate()[1], worker.returncode) for worker in workers] == [("", 0), ("", 0)]
    assert len(shelf.documents.all()) == 11 and shelf.whole()
    everything = shelf.store.search(shelf.embedder.embed(["Lake 14 is deep."])[0], 1000)
    assert {chunk_of(name) for name, _ in everything} == set(shelf.documents.chunk_ids())


def test_chroma_gives_cosines_and_takes_vectors_of_another_length_once_it_is_empty(tmp_path):
    store = chroma.build(Config(index=str(tmp_path)))
    # unit vectors at 0, 60 and 90 degrees: cosines 1, 0.5 and 0 with the first
    angles = np.array([[1, 0], [0.5, 3 ** 0.5 / 2], [0, 1]], np.float32)
    store.upsert(["a", "b", "c"], angles)
    found = store.search(angles[0], 10)
    assert [name for name, _ in found] == ["a", "b", "c"]
    assert [value for _, value in found] == pytest.approx([1.0, 0.5, 0.0], abs=1e-6)
    np.testing.assert_allclose(store.vectors(["c", "a"]), angles[[2, 0]], atol=1e-6)
    with pytest.raises(StoreError, match=r"1 chunks have no vector, z for one: run `assistant ingest`"):
        store.vectors(["a", "z"])
    store.delete(["a", "b", "c"])
    assert store.ids() == set() and store.search(angles[0], 3) == []
    store.upsert(["d"], np.eye(3, dtype=np.float32)[:1])
    assert store.search(np.eye(3, dtype=np.float32)[0], 3) == [("d", pytest.approx(1.0))]


def test_two_indexes_on_one_server_leave_each_others_vectors_alone(tmp_path, notes, monkeypatch):
    import chromadb
    client, settings = chromadb.PersistentClient, chromadb.config.Settings(anonymized_telemetry=False)
    monkeypatch.setattr(chromadb, "HttpClient", lambda **_: client(str(tmp_path / "server"), settings=settings))

    def shelf_at(name: str) -> Shelf:
        folder = tmp_path / name
        return Shelf(folder, store=chroma.build(Config(index=str(folder), vectors="http://127.0.0.1:8000")))
    one, other = shelf_at("one"), shelf_at("other")
    one.ingest(notes)
    held = one.store.ids()
    other.ingest(notes / "two.txt")
    assert one.store.ids() == held and one.whole() and other.whole()
    other.ingest(notes / "two.txt", rebuild=True)
    assert one.whole() and shelf_at("one").whole()                # and it is found again
    assert {file.name for file in (tmp_path / "one").iterdir()} >= {"catalog.sqlite3", "collection"}
    assert not list(tmp_path.glob("*/collection.*"))


def test_an_embedded_store_keeps_the_collection_of_its_first_day(tmp_path):
    store = chroma.build(Config(index=str(tmp_path)))
    assert [made.name for made in store._client.list_collections()] == ["chunks"]


def test_more_vectors_are_read_than_one_call_takes(tmp_path, monkeypatch):
    """SQLite takes 32,766 variables a statement."""
    store = chroma.build(Config(index=str(tmp_path)))
    store.upsert(["a"], np.eye(2, dtype=np.float32)[:1])
    with pytest.raises(StoreError, match=r"40000 chunks have no vector, n0 for one"):
        store.vectors(["a", *(f"n{n}" for n in range(40_000))])
    monkeypatch.setattr(chroma, "BATCH", 3)
    made = FakeEmbedder().embed([f"lake {n}" for n in range(10)])
    store = chroma.build(Config(index=str(tmp_path / "ten")))
    store.upsert([f"c{n}" for n in range(10)], made)
    order = [7, 0, 9, 3, 1, 8, 2]
    np.testing.assert_allclose(store.vectors([f"c{n}" for n in order]), made[order], atol=1e-6)
    assert store.vectors(["c1"]).dtype == np.float32


def test_what_goes_wrong_in_a_store_that_was_open_is_told_in_a_line(tmp_path, monkeypatch):
    store = chroma.build(Config(index=str(tmp_path)))
    one = np.eye(2, dtype=np.float32)[0]
    store.upsert(["a"], one[None])

    def refuse():
        raise ConnectionError("[Errno 111] Connection refused")
    monkeypatch.setattr(store, "_fresh", refuse)
    for use in (lambda: store.vectors(["a"]), lambda: store.search(one, 1), lambda: store.delete(["a"]), store.ids,
                lambda: store.upsert(["b"], one[None])):
        with pytest.raises(StoreError, match=r"cannot use the vectors in the index folder \(ConnectionError: "
                                             r"\[Errno 111\] Connection refused\); expected .* setting `vectors`"):
            use()


def test_a_store_that_could_not_be_opened_anew_once_is_opened_at_the_next_use(tmp_path, monkeypatch):
    """Another process wrote, and the folder cannot be read at that moment."""
    one = np.eye(2, dtype=np.float32)
    store, writer = (chroma.build(Config(index=str(tmp_path))) for _ in range(2))
    store.upsert(["a"], one[:1])
    writer.upsert(["b"], one[1:])
    connect, failures = store._connect, [OSError("too many open files")] * 2

    def fails_twice():
        if failures:
            raise failures.pop()
        return connect()
    monkeypatch.setattr(store, "_connect", fails_twice)
    for _ in range(2):
        with pytest.raises(StoreError, match="too many open files"):
            store.ids()
    assert store.ids() == {"a", "b"} and store.search(one[1], 1)[0][0] == "b"


def test_vectors_of_another_length_are_taken_after_a_reopening_that_failed(tmp_path, monkeypatch):
    store = chroma.build(Config(index=str(tmp_path)))
    store.upsert(["a"], np.eye(2, dtype=np.float32)[:1])
    store.delete(["a"])
    connect = store._connect

    def refuse():
        raise OSError("too many open files")
    monkeypatch.setattr(store, "_connect", refuse)
    with pytest.raises(StoreError, match="too many open files"):  # the old collection is gone by then
        store.upsert(["b"], np.eye(3, dtype=np.float32)[:1])
    monkeypatch.setattr(store, "_connect", connect)
    store.upsert(["b"], np.eye(3, dtype=np.float32)[:1])
    assert store.ids() == {"b"}


def test_a_server_that_does_not_run_is_named_without_its_password():
    with pytest.raises(StoreError, match=r"cannot open the vectors in http://127\.0\.0\.1:9") as caught:
        chroma.build(Config(index="unused", vectors="http://me:secret@127.0.0.1:9"))
    assert "secret" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_fake_store_is_like_the_real_one(tmp_path):
    real, fake = chroma.build(Config(index=str(tmp_path))), FakeStore()
    embedder = FakeEmbedder()
    made = embedder.embed([f"lake number {n} is deep" for n in range(40)])
    for store in (real, fake):
        store.upsert([f"c{n:02}" for n in range(40)], made)
        store.delete(["c07", "never there"])
    query = embedder.embed(["lake number 9"])[0]
    assert real.ids() == fake.ids()
    best = [{name for name, value in store.search(query, 40) if value > 0.55} for store in (real, fake)]
    assert best[0] == best[1] and best[0]
