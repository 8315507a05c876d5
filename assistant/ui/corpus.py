"""The Corpus panel: the documents of the index, their chunks, adding and removing them."""
from __future__ import annotations

import contextlib
import queue
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

import gradio as gr

from assistant.catalog.documents import Size
from assistant.errors import GlassboxError
from assistant.ingest.load import READABLE
from assistant.pipeline import Assistant
from assistant.records import Chunk, Document, IngestReport
from assistant.ui.answer import place_html
from assistant.ui.fragment import fragment
from assistant.ui.icons import icon
from assistant.ui.jobs import failure
from assistant.ui.prose import esc, marked
from assistant.ui.warmth import Warmth

CHUNKS_SHOWN = 200  # of one document; a page of thousands of cards would not scroll


class Corpus:
    def __init__(self, assistant: Assistant, warmth: Warmth, page: gr.Blocks, tab: gr.Tab) -> None:
        self.rag = assistant
        quiet = {"show_progress": "hidden", "api_visibility": "private"}
        self.opened = gr.State("")
        with gr.Row(elem_id="gb-corpus", equal_height=False):
            with gr.Column(elem_id="gb-documents", min_width=0):
                self.upload = gr.UploadButton("Add files", file_count="multiple", file_types=list(READABLE), size="sm",
                                              elem_id="gb-upload", variant="primary")
                self.note = fragment(_kinds(), elem_id="gb-corpusnote")
                self.table = fragment("", elem_id="gb-table", wired=True)
            with gr.Column(elem_id="gb-document", min_width=0):
                self.detail = fragment(self._detail(""), elem_id="gb-chunklist")
        tab.select(self.refresh, self.opened, [self.table, self.detail], **quiet)
        page.load(self.refresh, self.opened, [self.table, self.detail], **quiet)
        self.table.select(self.open, None, [self.opened, self.table, self.detail], **quiet)
        self.table.delete(self.remove, self.opened, [self.note, self.opened, self.table, self.detail], **quiet)
        self.upload.upload(self.ingest, [self.upload, self.opened], [self.note, self.table, self.upload], **quiet)

    def show(self, opened: str) -> tuple[str, str]:
        return documents_html(self.rag.catalog.sizes(), opened), self._detail(opened)

    def refresh(self, opened: str) -> tuple[object, object]:
        """The tab comes to the front. With nothing open the detail is left alone: a link that opens a document brings
        the tab to the front as well, and whichever of the two ends last must not take the document away."""
        table, detail = self.show(opened)
        return (table, detail) if opened else (table, gr.skip())

    def open(self, event: gr.EventData) -> tuple[str, str, str]:
        opened = str(event._data.get("id", ""))
        return opened, *self.show(opened)

    def remove(self, opened: str, event: gr.EventData) -> tuple[str, str, str, str]:
        gone = str(event._data.get("id", ""))
        try:
            title = self.rag.document(gone).title
            self.rag.remove(gone)
            note = _note(f"{title} is no longer in the index. Its file was not touched.")
        except GlassboxError as error:
            note = _note(str(error), bad=True)
        except Exception as error:  # the page must stay usable
            traceback.print_exc(file=sys.stderr)
            note = _note(failure(error), bad=True)
        opened = "" if opened == gone else opened
        return note, opened, *self.show(opened)

    def ingest(self, paths: Sequence[str] | None, opened: str) -> Iterator[tuple[str, object, object]]:
        """Index the uploaded files in a thread and show how far it is."""
        if not paths:
            yield _kinds(), gr.skip(), gr.update(value=None)
            return
        steps: queue.Queue = queue.Queue()
        threading.Thread(target=self._ingest, args=(list(paths), steps), daemon=True, name="ingest").start()
        yield progress_html(0, len(paths), "loading the embedder"), gr.skip(), gr.update(interactive=False)
        while True:
            step = steps.get()
            if isinstance(step, tuple):
                yield progress_html(*step), gr.skip(), gr.skip()
                continue
            note = report_html(step) if isinstance(step, IngestReport) else _note(step, bad=True)
            yield note, self.show(opened)[0], gr.update(value=None, interactive=True)
            return

    def _ingest(self, paths: list[str], steps: queue.Queue) -> None:
        try:
            steps.put(self.rag.ingest(paths, progress=lambda done, total, label: steps.put((done, total, label))))
        except GlassboxError as error:
            steps.put(str(error))
        except Exception as error:  # the page must stay usable
            traceback.print_exc(file=sys.stderr)
            steps.put(failure(error))
        finally:
            for path in paths:  # Gradio's copies would outlive the documents, also those that are deleted
                with contextlib.suppress(OSError):
                    Path(path).unlink()

    def _detail(self, opened: str) -> str:
        if not opened:
            return '<p class="gb-empty">Choose a document to read its chunks.</p>'
        try:
            return chunks_of_html(self.rag.document(opened), self.rag.chunks(opened))
        except GlassboxError as error:
            return _note(str(error), bad=True)


def documents_html(documents: Sequence[Size], opened: str = "") -> str:
    """One row for each document."""
    if not documents:
        return ('<p class="gb-empty">The index is empty. Add files here, '
                "or run <code>assistant ingest PATH</code>.</p>")
    rows = "".join(
        f'<tr class="{"gb-here" if document.id == opened else ""}"><td><button type="button" class="gb-open" '
        f'data-event="select" data-id="{esc(document.id)}">{esc(document.title)}</button>'
        f'<span class="gb-source">{esc(document.source)}</span></td>'
        f'<td class="gb-value" data-name="chunks">{document.chunks:,}</td><td class="gb-value" data-name="characters">'
        f'{document.characters:,}</td><td><button type="button" class="gb-tool" data-event="delete" '
        f'data-id="{esc(document.id)}" data-confirm="Delete?" aria-label="Delete {esc(document.title)}">'
        f'{icon("delete")}</button></td></tr>' for document in documents)
    return ('<table class="gb-docs"><thead><tr><th>Document</th><th class="gb-value">Chunks</th>'
            f'<th class="gb-value">Characters</th><th><span class="gb-sr">Delete</span></th></tr></thead>'
            f"<tbody>{rows}</tbody></table>")


def chunks_of_html(document: Document, chunks: Sequence[Chunk]) -> str:
    """A document's chunks in their order, each under its heading with its size in tokens."""
    sizes = [chunk.n_tokens for chunk in chunks]
    about = (f"{len(chunks)} chunks, {min(sizes)} to {max(sizes)} tokens, {sum(sizes) / len(sizes):.0f} on average"
             if sizes else "no chunks")
    cards = "".join(
        f'<article class="gb-card"><div class="gb-cardhead"><h4 class="gb-where">'
        f'{place_html("", chunk.heading) if chunk.heading else "no heading"}</h4>'
        f'<span class="gb-move">{chunk.n_tokens} tokens</span></div>'
        f'<div class="gb-text">{marked(chunk.text, chunk.start)}</div></article>' for chunk in chunks[:CHUNKS_SHOWN])
    more = len(chunks) - CHUNKS_SHOWN
    rest = f'<p class="gb-empty">{more:,} more chunks are not shown.</p>' if more > 0 else ""
    return (f'<header class="gb-dochead"><h2>{esc(document.title)}</h2><p>{esc(document.source)} · {about}</p></header>'
            f"{cards}{rest}")


def progress_html(done: int, total: int, label: str) -> str:
    share = 100 * done / total if total else 100
    return (f'<div class="gb-progress" role="progressbar" aria-valuemin="0" aria-valuemax="{total}" '
            f'aria-valuenow="{done}" '
            f'aria-label="Indexing"><span style="width:{share:.0f}%"></span></div>'
            f'<p class="gb-note">{done} of {total}{f": {esc(label)}" if label else ""}</p>')


def report_html(report: IngestReport) -> str:
    counts = [f"{len(names)} {word}" for word, names in
              (("added", report.added), ("updated", report.updated), ("unchanged", report.unchanged)) if names]
    done = _note(f"{', '.join(counts) or 'Nothing changed'} in {report.seconds:.1f} s. "
                 f"The index holds {report.chunks:,} chunks.")
    return done + "".join(_note(f"{path}: {why}", bad=True) for path, why in report.skipped)


def _kinds() -> str:
    kinds = ", ".join(kind.lstrip(".") for kind in READABLE)
    return f'<p class="gb-note">{kinds}. A file that was added here under the same name is replaced.</p>'


def _note(text: str, bad: bool = False) -> str:
    return f'<p class="gb-note{" gb-bad" if bad else ""}" role="status">{esc(text, 400)}</p>'
