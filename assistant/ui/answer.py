"""An answer as HTML: whose words each sentence is, and a chip for each citation. Pure functions."""
from __future__ import annotations

import re

from assistant.records import Answer, Support
from assistant.text.place import place
from assistant.ui.prose import esc, inline

MARKER = re.compile(r"\s*\[(\d{1,3})\]")
_TAIL = re.compile(r"(.*?)((?:\s*\[\d{1,3}\])*)([.!?]?)", re.S)
_TOKEN = "\ue000{}\ue001"  # private-use characters hold a chip's place while the prose around it is set
_TOKENS = re.compile("\\s*\ue000(\\d+)\ue001")
LABELS = {"model": "The model's words, checked against the evidence", "quoted": "Quoted from the documents",
          "fixed": "Said by Glassbox itself"}


def answer_html(answer: Answer, sources: dict[int, str] | None = None, streaming: bool = False) -> str:
    """The answer's sentences, neighbours of one origin joined into a paragraph or quotation.

    sources   {marker: "document > heading"} for the chips' labels
    streaming  adds the sign that more is to come
    """
    sources = sources or {c.marker: place(c.document, c.heading) for c in answer.citations}
    groups: list[tuple[str, list[str]]] = []
    for text, origin, fresh in _parts(answer):
        if not groups or groups[-1][0] != origin or fresh:
            groups.append((origin, []))
        groups[-1][1].append(_sentence(text, sources))
    if streaming and groups:
        groups[-1][1].append('<span class="gb-caret" aria-hidden="true"></span>')
    return "".join(_group(origin, sentences, answer.abstained) for origin, sentences in groups)


def sources_text(answer: Answer) -> str:
    """The answer as plain text with the quotation behind each of its markers, to be pasted elsewhere."""
    seen: dict[int, list[str]] = {}
    names: dict[int, str] = {}
    for citation in answer.citations:
        names[citation.marker] = place(citation.document, citation.heading)
        quotes = seen.setdefault(citation.marker, [])
        if citation.quote not in quotes:
            quotes.append(citation.quote)
    lines = [f"[{marker}] {names[marker]}: " + " … ".join(f"“{' '.join(q.split())}”" for q in quotes)
             for marker, quotes in sorted(seen.items())]
    return answer.text.strip() + ("\n\nSources\n" + "\n".join(lines) if lines else "")


def place_html(document: str, heading: str) -> str:
    """`place` with the last heading first in weight and quiet separators."""
    parts = place(document, heading).split(" > ")
    above = "".join(f"{esc(part)}<i> › </i>" for part in parts[:-1])
    return f'<span class="gb-above">{above}</span><span class="gb-last">{esc(parts[-1])}</span>'


def _parts(answer: Answer) -> list[tuple[str, str, bool]]:
    """(text, origin, begins a new paragraph) for every stretch of the answer, checked or not."""
    parts, at = [], 0
    for support in sorted(answer.support, key=lambda s: s.start):
        between = answer.text[at:support.start]
        if between.strip():
            parts.append((between, "model", False))
        fresh = "\n" in between
        own = answer.text[support.start:support.end]
        parts.append((own, support.origin, fresh or own[:1] == "\n"))
        at = max(at, support.end)
    if answer.text[at:].strip():
        loose = answer.text[at:]
        only_markers = not MARKER.sub("", loose).strip()
        parts.append((loose, parts[-1][1] if parts and only_markers else "model", False))
    return [part for part in parts if part[0].strip()]


def _sentence(text: str, sources: dict[int, str]) -> str:
    """Its markers stand at its end; a `[0]` inside it is the document's own: an index, a reference."""
    if text.lstrip().startswith("```"):
        return _code(text.strip(), sources)
    said, marks, end = _TAIL.fullmatch(text.strip()).groups()
    chips = [int(n) for n in MARKER.findall(marks)]
    held = said + "".join(map(_TOKEN.format, chips)) + end
    html = _TOKENS.sub(lambda m: chip(int(m[1]), sources.get(int(m[1]), "")), inline(held))
    return f'<span class="gb-sentence" data-markers="{" ".join(map(str, chips))}">{html}</span>'


def _code(text: str, sources: dict[int, str]) -> str:
    """A quotation of several lines, which the answer holds in a fence, with its chips behind it."""
    lines = text.split("\n")
    end = next((n for n, line in enumerate(lines) if n and line.startswith("```")), len(lines))
    chips = "".join(chip(int(n), sources.get(int(n), "")) for n in MARKER.findall("\n".join(lines[end:])))
    body = "\n".join(lines[1:end])
    return f'<span class="gb-sentence"><span class="gb-code gb-block" tabindex="0">{esc(body)}</span>{chips}</span>'


def chip(marker: int, source: str) -> str:
    """A citation as a button; the script leads from it to the passage."""
    label = f"Source {marker}" + (f": {source}" if source else "")
    return (f'<button type="button" class="gb-chip" data-act="cite" data-marker="{marker}" aria-label="{esc(label)}" '
            f'title="{esc(source)}">{marker}</button>')


def _group(origin: str, sentences: list[str], abstained: bool) -> str:
    text = " ".join(sentences)
    if origin == "quoted":
        return f'<blockquote class="gb-quoted" aria-label="{LABELS["quoted"]}">{text}</blockquote>'
    if origin == "fixed" or abstained:
        return f'<p class="gb-fixed">{text}</p>'
    return f'<p class="gb-said">{text}</p>'


def partial(sentences: list[tuple[str, Support]]) -> Answer:
    """The answer as far as it has come, from the stream's sentences."""
    return Answer(text="".join(text for text, _ in sentences), support=tuple(support for _, support in sentences))
