"""Files to Documents.

A document's identity is its name: a file of a folder is `folder/path/below/it`, a single file is its file name, so an
index can be moved and a new version of a file replaces the old one.
"""
from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import InputError
from assistant.records import Document
from assistant.text.sections import title

MARKDOWN = (".md", ".markdown", ".mdx")
PLAIN = (".txt", ".text", ".rst", ".org", ".log")
PDF = (".pdf",)
READABLE = MARKDOWN + PLAIN + PDF
MAX_BYTES = 50_000_000


@dataclass(frozen=True)
class Source:
    """A file and the name that its document will have."""

    path: Path
    name: str


@dataclass(frozen=True)
class Unreadable:
    """A file that gives no document, and why."""

    source: Source
    why: str


def is_markdown(name: str) -> bool:
    return name.lower().endswith(MARKDOWN)


def document_id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def find(paths: Iterable[str | Path]) -> tuple[list[Source], set[str]]:
    """(the files under the paths, the folders' name prefixes). A missing path raises InputError.

    In folders, hidden files and kinds that cannot be read are passed over; a file named outright is always taken.
    """
    found: list[Source] = []
    prefixes: set[str] = set()
    for given in paths:
        path = Path(given).expanduser()
        if path.is_dir():
            prefix = path.resolve().name + "/"
            prefixes.add(prefix)
            for file in sorted(path.rglob("*")):
                below = file.relative_to(path)
                if file.is_file() and file.suffix.lower() in READABLE and not any(p[0] == "." for p in below.parts):
                    found.append(Source(file, prefix + below.as_posix()))
        elif path.is_file():
            found.append(Source(path, path.name))
        else:
            raise InputError(f"no file or folder at {given}: give a path that exists")
    return found, prefixes


def load(sources: Iterable[Source]) -> Iterator[Document | Unreadable]:
    """Each file as a Document, or as Unreadable with the reason in words. Line ends become \\n."""
    taken: dict[str, Path] = {}
    for source in sources:
        if source.name in taken and taken[source.name] != source.path:
            yield Unreadable(source, f"another file of this ingest is also named {source.name}; ingest their folder")
            continue
        taken[source.name] = source.path
        try:
            text = _read(source.path)
        except (OSError, ValueError) as error:
            yield Unreadable(source, str(error))
            continue
        if not text.strip():
            yield Unreadable(source, "it holds no text")
            continue
        name = title(text, is_markdown(source.name)) or source.path.stem
        yield Document(document_id(source.name), name, source.name, text,
                       hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def _read(path: Path) -> str:
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ValueError(f"it has {size / 1e6:.0f} MB, more than the {MAX_BYTES / 1e6:.0f} MB that are read; split it")
    if path.suffix.lower() in PDF:
        return _pdf(path)
    raw = path.read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = raw.decode("utf-16", errors="replace")
    elif b"\0" in raw:
        raise ValueError("it is binary, not text; expected " + ", ".join(READABLE))
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("cp1252", errors="replace")  # the commonest encoding that is not UTF-8
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _pdf(path: Path) -> str:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError
    try:
        text = "\n\n".join(page.extract_text() for page in PdfReader(path).pages)
    except (PyPdfError, KeyError, TypeError) as error:
        raise ValueError(f"the PDF cannot be read ({type(error).__name__})") from error
    if not text.strip():
        raise ValueError("the PDF holds no text, perhaps only scanned pages; run OCR on it first")
    return text
