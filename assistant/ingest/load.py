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
from assistant.text.sections import MARKDOWN, is_markdown, title

PLAIN = (".txt", ".text", ".rst", ".org", ".log")
PDF = (".pdf",)
READABLE = MARKDOWN + PLAIN + PDF
MAX_BYTES = 50_000_000
SAMPLE = 4096       # characters looked at to tell text from other bytes
MAX_STRANGE = 0.05  # share of control and replacement characters that text may have


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


def document_id(name: str) -> str:
    """12 hex digits of the document's name."""
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def find(paths: Iterable[str | Path]) -> tuple[list[Source], set[str]]:
    """(the files under the paths, the folders' name prefixes). A missing path raises InputError.

    In folders, hidden files and kinds that cannot be read are passed over; a file named outright is always taken.
    """
    found: list[Source] = []
    prefixes: set[str] = set()
    for given in paths:
        try:
            path = Path(given).expanduser()
            if path.is_dir():
                prefix = _name(path.resolve().name) + "/"
                prefixes.add(prefix)
                found += [Source(file, prefix + _name(file.relative_to(path).as_posix())) for file in _below(path)]
            elif path.is_file():
                found.append(Source(path, _name(path.name)))
            else:
                raise InputError(f"no file or folder at {_name(str(given))}: give a path that exists")
        except (OSError, RuntimeError) as error:  # a name too long, a folder that may not be read, an unknown ~user
            raise InputError(f"cannot read {_name(str(given))[:200]} ({error.__class__.__name__}): give a file or "
                             "folder that exists and can be read") from error
    return found, prefixes


def _below(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*"))
            if file.suffix.lower() in READABLE and file.is_file()
            and not any(part[0] == "." for part in file.relative_to(folder).parts)]


def _name(path: str) -> str:
    """A path as text: bytes that are no UTF-8 (Linux allows them in file names) become question marks."""
    return path.encode("utf-8", "replace").decode("utf-8")


def load(sources: Iterable[Source]) -> Iterator[Document | Unreadable]:
    """Each file as a Document, or as Unreadable with the reason in words. Line ends become \\n."""
    taken: dict[str, Path] = {}
    done: set[str] = set()
    for source in sources:
        same = taken.setdefault(source.name, source.path.resolve())
        if same != source.path.resolve():
            yield Unreadable(source, f"another file of this ingest is also named {source.name}; ingest their folder")
            continue
        if source.name in done:  # the same file, named twice
            continue
        done.add(source.name)
        try:
            text = _read(source.path)
        except (OSError, ValueError) as error:
            yield Unreadable(source, getattr(error, "strerror", None) or str(error))
            continue
        if not text.strip():
            yield Unreadable(source, "it holds no text")
            continue
        name = title(text, is_markdown(source.name)) or _name(source.path.stem)
        yield Document(document_id(source.name), name, source.name, text, hashlib.sha256(text.encode()).hexdigest())


def _read(path: Path) -> str:
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ValueError(f"it has {size / 1e6:.0f} MB, more than the {MAX_BYTES / 1e6:.0f} MB that are read; split it")
    text = _pdf(path) if path.suffix.lower() in PDF else _decoded(path.read_bytes())
    # a lone surrogate is no character, and neither SQLite nor a tokenizer takes it
    return text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode("utf-8")


def _decoded(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        text = raw.decode("utf-32", errors="replace")
    elif raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = raw.decode("utf-16", errors="replace")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("cp1252", errors="replace")  # the commonest encoding that is not UTF-8
    start = text[:SAMPLE]
    strange = sum((not (c.isprintable() or c.isspace()) and ord(c) < 0xA0) or c == "\ufffd" for c in start)
    if "\0" in text or strange > MAX_STRANGE * len(start):
        raise ValueError("it is binary, not text; expected " + ", ".join(READABLE))
    return text


def _pdf(path: Path) -> str:
    import logging

    from pypdf import PdfReader
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its remarks on untidy files are nothing to act on
    try:
        text = "\n\n".join(page.extract_text() for page in PdfReader(path).pages).replace("\0", "")
    except Exception as error:  # a damaged file makes pypdf raise nearly anything; one such file must not end an ingest
        raise ValueError(f"the PDF cannot be read ({type(error).__name__}); save it anew, with no password") from error
    if not text.strip():
        raise ValueError("the PDF holds no text, perhaps only scanned pages; run OCR on it first")
    return text
