"""Ingesting: twice changes nothing, changes are followed, crashes are mended, bad files lose nothing."""
from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from assistant import Config
from assistant.backends import chroma
from assistant.catalog.documents import Size
from assistant.errors import ConfigError, IndexMismatchError, InputError, StoreError
from assistant.ingest import load as load_
from assistant.protocols import chunk_of
from tests.fakes import ROOT, FakeEmbedder, FakeStore, Shelf

LONG = "\n\n".join(f"Lake number {n} is {n}.5 m deep and lies in the north of the land." for n in range(30))


@pytest.fixture()
def notes(tmp_path):
    folder = tmp_path / "notes"
    (folder / "deep").mkdir(parents=True)
    (folder / "one.md").write_text(f"# One\n\n{LONG}\n", encoding="utf-8")
    (folder / "two.txt").write_text("Two Lakes\n\nTisse is shallow.\n", encoding="utf-8")
    (folder / "deep" / "three.md").write_text("# Three\n\nVelm is deep.\n", encoding="utf-8")
    return folder


def vectors(shelf: Shelf) -> dict[str, bytes]:
    return {name: vector.tobytes() for name, vector in shelf.store.held.items()}


# what an ingest does


def test_a_folder_is_taken_and_named_from_its_own_name_on(shelf, notes):
    report = shelf.ingest(notes)
    assert sorted(report.added) == ["notes/deep/three.md", "notes/one.md", "notes/two.txt"]
    assert (report.updated, report.unchanged, report.removed, report.skipped) == ((), (), (), ())
    assert report.chunks == len(shelf.documents.chunk_ids()) > 3
    assert shelf.whole()
    assert [d.title for d in shelf.documents.all()] == ["Three", "One", "Two Lakes"]


def test_ingesting_twice_changes_nothing_and_embeds_nothing(shelf, notes):
    shelf.ingest(notes)
    before, chunks, shelf.embedder.embedded[:] = vectors(shelf), shelf.documents.chunks(), []
    report = shelf.ingest(notes)
    assert sorted(report.unchanged) == ["notes/deep/three.md", "notes/one.md", "notes/two.txt"]
    assert (report.added, report.updated, report.removed) == ((), (), ())
    assert vectors(shelf) == before and shelf.documents.chunks() == chunks
    assert shelf.embedder.embedded == []


def test_a_changed_file_is_updated_and_only_its_new_chunks_are_embedded(shelf, notes):
    shelf.ingest(notes)
    shelf.embedder.embedded.clear()
    with (notes / "one.md").open("a") as file:
        file.write("\nThe last lake is Zandra.\n")
    report = shelf.ingest(notes)
    assert report.updated == ("notes/one.md",) and len(report.unchanged) == 2
    whole = [text for text in shelf.embedder.embedded if text.startswith("One")]  # the headings stand in front
    assert len(whole) == 1 and "Zandra" in whole[0]
    assert all(text.lower() in whole[0].lower() for text in shelf.embedder.embedded)  # its sentences and new words
    assert "zandra" in shelf.embedder.embedded and "tisse" not in shelf.embedder.embedded
    assert shelf.lexical.search("Zandra", 5)[0][0] in shelf.store.held
    assert shelf.whole()


def test_a_file_that_left_its_folder_leaves_the_index_and_others_stay(shelf, notes, tmp_path):
    (tmp_path / "lone.md").write_text("# Lone\n\nA single file.\n")
    shelf.ingest(notes, tmp_path / "lone.md")
    (notes / "two.txt").unlink()
    report = shelf.ingest(notes)
    assert report.removed == ("notes/two.txt",)
    assert sorted(shelf.texts()) == ["lone.md", "notes/deep/three.md", "notes/one.md"]
    assert shelf.lexical.search("Tisse", 5) == [] and shelf.whole()


def test_the_last_file_of_a_folder_leaves_the_index_too(shelf, notes, tmp_path):
    (tmp_path / "lone").mkdir()
    (tmp_path / "lone" / "only.md").write_text("# Only\n\nA single file.\n")
    shelf.ingest(notes, tmp_path / "lone")
    (tmp_path / "lone" / "only.md").unlink()
    with pytest.raises(InputError, match="nothing to ingest"):      # a mistake loses nothing
        shelf.ingest(tmp_path / "lone", rebuild=True)
    assert shelf.ingest(tmp_path / "lone").removed == ("lone/only.md",)
    assert len(shelf.texts()) == 3 and shelf.whole()
    with pytest.raises(InputError, match="nothing to ingest"):
        shelf.ingest(tmp_path / "lone")


def _folder(path, **files):
    path.mkdir(parents=True)
    for name, words in files.items():
        (path / f"{name}.md").write_text(words)
    return path


def test_another_folder_of_the_same_name_takes_no_document_away(shelf, tmp_path):
    first = _folder(tmp_path / "a" / "docs", one="Onra is deep.", two="Tisse is shallow.")
    other = _folder(tmp_path / "b" / "docs", three="Velm is wide.")
    shelf.ingest(first)
    before = vectors(shelf)
    with pytest.raises(InputError, match=r"docs/ in this index is the folder .*docs/one\.md and 1 more would be lost: "
                                         r"rename one of the folders.*--index.*--rebuild") as caught:
        shelf.ingest(other)
    assert str(first) in str(caught.value) and str(other) in str(caught.value) and "\n" not in str(caught.value)
    (other / "one.md").write_text("Another text under the name of the first.")
    (other / "two.md").write_text("Tisse is shallow.")
    with pytest.raises(InputError, match=r"docs/one\.md would be lost"):
        shelf.ingest(other)
    with pytest.raises(InputError, match="two folders of this ingest are named docs/"):
        shelf.ingest(first, other)
    assert vectors(shelf) == before and set(shelf.ingest(first).unchanged) == {"docs/one.md", "docs/two.md"}
    assert sorted(shelf.ingest(other, rebuild=True).added) == ["docs/one.md", "docs/three.md", "docs/two.md"]
    assert shelf.ingest(other).removed == () and shelf.whole()


def test_the_same_folder_by_another_way_its_copy_and_where_it_was_moved_to_are_taken(shelf, tmp_path):
    first = _folder(tmp_path / "a" / "docs", one="Onra is deep.")
    shelf.ingest(first)
    (tmp_path / "link").symlink_to(first)
    assert shelf.ingest(tmp_path / "link", first / ".." / "docs").unchanged == ("docs/one.md",)
    copy = _folder(tmp_path / "copy" / "docs", one="Onra is deep.", two="Tisse is shallow.")
    assert shelf.ingest(copy).added == ("docs/two.md",)             # it takes nothing away
    with pytest.raises(InputError, match=r"docs/two\.md would be lost"):
        shelf.ingest(first)
    copy.rename(tmp_path / "docs")
    (tmp_path / "docs" / "one.md").write_text("Onra was measured again.")
    (tmp_path / "docs" / "two.md").unlink()
    report = shelf.ingest(tmp_path / "docs")
    assert (report.updated, report.removed) == (("docs/one.md",), ("docs/two.md",)) and shelf.whole()


def test_the_sizes_of_the_documents_are_those_of_their_texts_and_chunks(shelf, notes):
    shelf.ingest(notes)
    assert shelf.documents.sizes() == [
        Size(d.id, d.title, d.source, len(d.text), len(shelf.documents.chunks(d.id))) for d in shelf.documents.all()]
    assert shelf.documents.sizes()[1].chunks > 1


def test_one_document_can_be_removed_and_an_unknown_one_is_named(shelf, notes):
    shelf.ingest(notes)
    one = next(d for d in shelf.documents.all() if d.source == "notes/one.md")
    shelf.index.remove(one.id, shelf.store)
    assert "notes/one.md" not in shelf.texts() and shelf.whole()
    with pytest.raises(InputError, match="no document"):
        shelf.index.remove(one.id, shelf.store)


def test_progress_counts_documents_up_to_the_end(shelf, notes):
    seen = []
    shelf.ingest(notes, progress=lambda *event: seen.append(event))
    assert [event[:2] for event in seen] == [(0, 3), (1, 3), (2, 3), (3, 3), (3, 3)]
    assert seen[-2][2].endswith(" words")
    assert sorted(label for _, _, label in seen if not label.endswith(" words")) == [
        "", "notes/deep/three.md", "notes/one.md", "notes/two.txt"]


# crashes


@pytest.mark.parametrize("method", ["upsert", "delete"])
def test_a_crash_between_vectors_and_catalog_is_mended_by_the_next_ingest(shelf, notes, method):
    shelf.ingest(notes)
    (notes / "one.md").write_text("# One\n\nOnra is now the only lake.\n\n" + LONG[:200])
    shelf.store.fail = method
    with pytest.raises(RuntimeError, match="crashed"):
        shelf.ingest(notes)
    known = {chunk.id for chunk in shelf.documents.chunks()}
    assert known <= shelf.store.ids()               # whatever the catalog promises can still be searched
    shelf.ingest(notes)
    assert shelf.whole() and "only lake" in shelf.texts()["notes/one.md"]


def test_a_crash_while_the_catalog_is_written_leaves_the_old_document(shelf, notes, monkeypatch):
    shelf.ingest(notes)
    before = shelf.texts()
    (notes / "one.md").write_text("# One\n\nOnra is now the only lake.\n")

    def crash(*_):
        raise RuntimeError("power cut")
    with monkeypatch.context() as patch:
        patch.setattr(shelf.lexical, "add", crash)
        with pytest.raises(RuntimeError, match="power cut"):
            shelf.ingest(notes)
    assert shelf.texts() == before and shelf.lexical.search("Lake", 3)
    assert set(shelf.documents.chunk_ids()) <= shelf.store.ids()
    shelf.ingest(notes)
    assert shelf.whole() and "only lake" in shelf.texts()["notes/one.md"]


def test_lost_vectors_are_embedded_again(shelf, notes):
    shelf.ingest(notes)
    before = vectors(shelf)
    for name in [name for name in shelf.store.held if chunk_of(name) in shelf.documents.chunk_ids()[:2]]:
        del shelf.store.held[name]
    shelf.store.held["nobody's"] = np.zeros(64, np.float32)
    shelf.ingest(notes)
    assert vectors(shelf) == before


# another embedder, another chunk size


def test_another_embedder_or_chunk_size_is_refused_with_the_remedy_and_changes_nothing(tmp_path, notes):
    shelf = Shelf(tmp_path / "index")
    shelf.ingest(notes)
    before = vectors(shelf)
    other = Shelf(tmp_path / "index", embedder=FakeEmbedder("other"), store=shelf.store)
    with pytest.raises(IndexMismatchError, match=r"made with the embedder fake, the settings name other: .*--rebuild"):
        other.ingest(notes)
    larger = Shelf(tmp_path / "index", chunk_tokens=96, store=shelf.store)
    with pytest.raises(IndexMismatchError, match=r"chunk_tokens=64, the settings say 96: .*--index.*--rebuild"):
        larger.ingest(notes)
    assert vectors(shelf) == before and shelf.whole()


def test_rebuild_takes_the_new_settings_and_a_mistake_loses_nothing(tmp_path, notes):
    shelf = Shelf(tmp_path / "index")
    shelf.ingest(notes)
    before = shelf.texts()
    larger = Shelf(tmp_path / "index", chunk_tokens=300, store=shelf.store)
    with pytest.raises(ConfigError, match="embedder sees only 256"):
        larger.ingest(notes, rebuild=True)
    with pytest.raises(InputError, match="no file or folder"):
        shelf.ingest(tmp_path / "nowhere", rebuild=True)
    assert shelf.texts() == before and shelf.whole()
    larger.chunk_tokens = 96
    report = larger.ingest(notes, rebuild=True)
    assert len(report.added) == 3 and larger.whole()
    assert larger.documents.meta()["chunk_tokens"] == "96"


# files


def test_bad_files_are_skipped_with_a_reason_and_lose_nothing(shelf, notes, monkeypatch):
    shelf.ingest(notes)
    before = shelf.texts()
    (notes / "one.md").write_bytes(b"\x00\x01\x02" * 50)                # was text, is now binary
    (notes / "empty.md").write_text(" \n\n")
    (notes / "noise.txt").write_bytes(bytes(range(1, 32)) * 20)
    (notes / "broken.pdf").write_bytes(b"%PDF-1.4 and nothing more")
    (notes / "huge.txt").write_text("x" * 3000)
    (notes / "gone.md").symlink_to(notes / "nowhere.md")                # not a file: passed over
    monkeypatch.setattr(load_, "MAX_BYTES", 2500)
    report = shelf.ingest(notes)
    why = dict(report.skipped)
    assert set(why) == {f"notes/{name}" for name in ("one.md", "empty.md", "noise.txt", "broken.pdf", "huge.txt")}
    assert why["notes/one.md"].startswith("it is binary") and why["notes/noise.txt"].startswith("it is binary")
    assert why["notes/empty.md"] == "it holds no text"
    assert "more than the" in why["notes/huge.txt"] and "PDF cannot be read" in why["notes/broken.pdf"]
    assert shelf.texts() == before and report.removed == () and shelf.whole()


def test_files_that_may_not_be_opened_are_skipped(shelf, notes, monkeypatch):
    from pathlib import Path
    read = Path.read_bytes

    def refuse(path):
        if path.name == "two.txt":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    report = shelf.ingest(notes)
    assert report.skipped == (("notes/two.txt", "Permission denied"),) and len(report.added) == 2


def test_missing_and_empty_places_are_said_in_one_line(shelf, tmp_path):
    (tmp_path / "empty").mkdir()
    for path, said in ((tmp_path / "nowhere", "no file or folder at"), (tmp_path / "empty", "nothing to ingest"),
                       (tmp_path / ("x" * 5000), "cannot read"), ("~nobody-of-this-name/x", "cannot read"),
                       ("a\0b", "no file or folder")):
        with pytest.raises(InputError, match=said) as caught:
            shelf.ingest(path)
        assert "\n" not in str(caught.value)


def test_two_files_of_one_name_are_not_mixed_up_and_one_named_twice_is_taken_once(shelf, tmp_path):
    for folder, words in (("a", "Onra is deep."), ("b", "Tisse is shallow.")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "lake.md").write_text(words)
    report = shelf.ingest(tmp_path / "a" / "lake.md", tmp_path / "b" / "lake.md", tmp_path / "a" / "lake.md")
    assert report.added == ("lake.md",) and report.skipped[0][0] == "lake.md" and "also named" in report.skipped[0][1]
    assert shelf.texts() == {"lake.md": "Onra is deep."}
    assert sorted(shelf.ingest(tmp_path / "a", tmp_path / "b").added) == ["a/lake.md", "b/lake.md"]


@pytest.mark.parametrize(
    "raw",
    [
        b"Onra is 3 m deep.\r\nTisse is not.\r\n",
        b"Onra is 3 m deep.\rTisse is not.\r",
        "\ufeffOnra is 3 m deep.\nTisse is not.\n".encode(),
        "Onra is 3 m deep.\nTisse is not.\n".encode("utf-16"),
        "\ufeffOnra is 3 m deep.\nTisse is not.\n".encode("utf-16-be"),
        "Onra is 3 m deep.\nTisse is not.\n".encode("utf-32"),
    ],
)
def test_line_ends_and_encodings_are_made_alike(shelf, tmp_path, raw):
    (tmp_path / "lake.txt").write_bytes(raw)
    shelf.ingest(tmp_path / "lake.txt")
    assert shelf.texts() == {"lake.txt": "Onra is 3 m deep.\nTisse is not.\n"}


def test_letters_of_windows_and_of_right_to_left_scripts_are_kept(shelf, tmp_path):
    (tmp_path / "old.txt").write_bytes("Caf\u00e9 \u201cOnra\u201d \u2013 3 \u20ac".encode("cp1252"))
    (tmp_path / "rtl.txt").write_text("\u200fאגם עמוק. می‌خواهم 👩‍👩‍👧", encoding="utf-8")
    shelf.ingest(tmp_path / "old.txt", tmp_path / "rtl.txt")
    assert shelf.texts() == {"old.txt": "Café “Onra” – 3 €", "rtl.txt": "\u200fאגם עמוק. می‌خواهم 👩‍👩‍👧"}


def test_a_file_name_that_is_no_utf8_and_a_title_of_markup_are_taken(shelf, tmp_path):
    folder = tmp_path / "odd"
    folder.mkdir()
    with open(os.fsencode(folder) + b"/lake\xff.md", "w") as file:
        file.write("# <script>alert(1)</script>\n\nOnra is deep.\n")
    assert shelf.ingest(folder).added == ("odd/lake?.md",)
    assert [d.title for d in shelf.documents.all()] == ["<script>alert(1)</script>"] and shelf.whole()


def pdf(words: str) -> bytes:
    """A PDF of one page with one line of text, as the format's specification describes it."""
    stream = f"BT /F1 12 Tf 72 720 Td ({words}) Tj ET".encode()
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
               b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
               b"/Resources << /Font << /F1 5 0 R >> >> >>",
               b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
               b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        table, len(body))


def test_a_pdf_gives_its_text_and_one_without_text_says_so(shelf, tmp_path):
    (tmp_path / "lake.pdf").write_bytes(pdf("Onra is forty metres deep."))
    (tmp_path / "scan.pdf").write_bytes(pdf(""))
    report = shelf.ingest(tmp_path / "lake.pdf", tmp_path / "scan.pdf")
    assert shelf.texts()["lake.pdf"].strip() == "Onra is forty metres deep."
    assert report.skipped == (("scan.pdf", "the PDF holds no text, perhaps only scanned pages; run OCR on it first"),)


def test_a_document_of_two_hundred_pages(shelf, tmp_path):
    """500 words a page; one line a page of it is asked for again."""
    pages = [f"Page {n}\n\n" + f"Lake {n} was measured again in the year {1800 + n}. " * 55 for n in range(200)]
    (tmp_path / "book.txt").write_text("\n\n".join(pages))
    report = shelf.ingest(tmp_path / "book.txt")
    assert report.chunks > 1500 and shelf.whole()
    assert "1999" in shelf.documents.chunks_by_id([shelf.lexical.search("year 1999", 1)[0][0]]).popitem()[1].text


# the store


def test_one_ingest_at_a_time(shelf, notes, monkeypatch):
    from assistant.catalog import database
    monkeypatch.setattr(database, "INGEST_SECONDS", 0.1)
    with shelf.database.exclusive(), pytest.raises(StoreError, match="another ingest has been at work"):
        shelf.ingest(notes)
    assert shelf.ingest(notes).chunks


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
