"""Files to Documents.

A document's identity is its name: a file of a folder is `folder/path/below/it`, a single file is its file name, so an
index can be moved and a new version of a file replaces the old one.
"""
from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import InputError
from assistant.records import Document
from assistant.text.sections import MARKDOWN, is_markdown, title

PLAIN = (".txt", ".text", ".rst", ".org", ".log")
PDF = (".pdf",)
HTML = (".html", ".htm")  # these and Word's are made into Markdown, and count as it
WORD = (".docx",)
READABLE = MARKDOWN + PLAIN + PDF
MAX_BYTES = 50_000_000
SAMPLE = 4096       # characters looked at to tell text from other bytes
MAX_STRANGE = 0.05  # share of control and replacement characters that text may have
KINDS_NAMED = 5     # of the kinds of files that are left out, the commonest


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


@dataclass(frozen=True)
class Found:
    """What lies under the paths of an ingest.

    roots     the folders, by what the names of their documents begin with
    left_out  by such a prefix, how many files of each kind (".png"; "" without an ending) are not read
    """

    sources: list[Source]
    roots: dict[str, Path]
    left_out: dict[str, Counter[str]]


def survey(paths: Iterable[str | Path]) -> Found:
    """The files under the paths. A missing path raises InputError, and so do two folders of one name.

    In folders, kinds that cannot be read are left out and counted, hidden files are passed over; a file named outright
    is always taken.
    """
    sources: list[Source] = []
    roots: dict[str, Path] = {}
    left_out: dict[str, Counter[str]] = {}
    for given in paths:
        try:
            path = Path(given).expanduser()
            if path.is_dir():
                prefix = _name(path.resolve().name) + "/"
                root = roots.setdefault(prefix, path.resolve())
                if root != path.resolve():
                    raise InputError(f"two folders of this ingest are named {prefix}, so their documents would be "
                                     f"named alike: rename one, or ingest a folder that holds both ({_name(str(root))} "
                                     f"and {_name(str(path.resolve()))})")
                for file in _below(path):
                    if file.suffix.lower() in READABLE:
                        sources.append(Source(file, prefix + _name(file.relative_to(path).as_posix())))
                    else:
                        left_out.setdefault(prefix, Counter())[_name(file.suffix.lower())] += 1
            elif path.is_file():
                sources.append(Source(path, _name(path.name)))
            else:
                raise InputError(f"no file or folder at {_name(str(given))}: give a path that exists")
        except (OSError, RuntimeError) as error:  # a name too long, a folder that may not be read, an unknown ~user
            raise InputError(f"cannot read {_name(str(given))[:200]} ({error.__class__.__name__}): give a file or "
                             "folder that exists and can be read") from error
    return Found(sources, roots, left_out)


def not_read(kinds: Counter[str]) -> str:
    """One line for all the files of a folder that are left out for their kind."""
    total, named = sum(kinds.values()), kinds.most_common(KINDS_NAMED)
    listed = [f"{kind or 'no ending'} {count:,}" for kind, count in named]
    if rest := len(kinds) - len(named):
        listed.append(f"{rest} more kind{'s' if rest > 1 else ''} {total - sum(count for _, count in named):,}")
    what = "1 file of a kind that is" if total == 1 else f"{total:,} files of kinds that are"
    return f"{what} not read ({', '.join(listed)}): expected {', '.join(READABLE)}"


def _below(folder: Path) -> list[Path]:
    """The files of a folder that are not hidden; nor is what Word lays beside a file that is open in it ("~$...")."""
    return [file for file in sorted(folder.rglob("*"))
            if not any(part.startswith((".", "~$")) for part in file.relative_to(folder).parts) and file.is_file()]


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
    kind = path.suffix.lower()
    read = _pdf if kind in PDF else _html if kind in HTML else _docx if kind in WORD else _plain
    text = read(path)
    # a lone surrogate is no character, and neither SQLite nor a tokenizer takes it
    return text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode("utf-8")


def _plain(path: Path) -> str:
    return _decoded(path.read_bytes())


def _decoded(raw: bytes, otherwise: str = "cp1252") -> str:
    """Text by its byte order mark, else as UTF-8; where it is none, in the encoding named (or the commonest other)."""
    if raw.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        text = raw.decode("utf-32", errors="replace")
    elif raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = raw.decode("utf-16", errors="replace")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode(otherwise, errors="replace")
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


def _html(path: Path) -> str:
    import codecs

    from bs4.dammit import EncodingDetector

    from assistant.ingest.markup import from_html
    raw = path.read_bytes()
    named = EncodingDetector.find_declared_encoding(raw, is_html=True) or "cp1252"
    try:  # what the web calls Latin-1 is Windows' extension of it; a name of no use, or one that the bytes belie, too
        plain = codecs.lookup(named).name in ("iso8859-1", "ascii", "utf-8", "utf-16", "utf-32")
        text = _decoded(raw, "cp1252" if plain else named)
    except LookupError:
        text = _decoded(raw)
    return from_html(text) if text.strip() else ""


def _docx(path: Path) -> str:
    from assistant.ingest.markup import from_docx
    return from_docx(path.read_bytes())
