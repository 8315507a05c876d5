"""Ingesting: twice changes nothing, changes are followed, crashes are mended, bad files lose nothing."""
from __future__ import annotations

import numpy as np
import pytest

from assistant.catalog.documents import Size
from assistant.errors import ConfigError, IndexMismatchError, InputError, StoreError
from assistant.protocols import chunk_of
from tests.fakes import LONG, FakeEmbedder, Shelf


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
