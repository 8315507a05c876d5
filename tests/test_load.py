"""What can be read and what cannot: encodings, names, PDF, and files that say nothing."""
from __future__ import annotations

import os

import pytest

from assistant.errors import InputError
from assistant.ingest import load as load_


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
