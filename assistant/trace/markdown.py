"""A trace as one Markdown text, for a bug report: what was asked, found, kept, said, and with which settings."""
from __future__ import annotations

import re

from assistant.records import Hit, Trace
from assistant.text.place import place
from assistant.trace.compare import setting
from assistant.trace.stopwatch import total_ms

TEXT = 300  # characters of a candidate's text that are shown; the JSON export has all of it


def markdown(trace: Trace) -> str:
    """Headings from `##` on, tables and fenced blocks; whatever a text holds, it cannot break out of its place."""
    parts = [f"## Glassbox trace `{trace.id}`", _facts(trace), _block("Question", trace.question)]
    if trace.history:
        parts.append(_block("Earlier turns", "\n".join(f"{m.get('role', '')}: {m.get('content', '')}"
                                                       for m in trace.history)))
    if trace.query != trace.question or trace.query_reason:
        why = f" ({_line(trace.query_reason)})" if trace.query_reason else ""
        parts.append(_block(("Searched instead" if trace.query != trace.question else "Searched") + why, trace.query))
    parts += [_block("Answer" + (" (declined)" if trace.answer.abstained else ""), trace.answer.text or "none"),
              "### Evidence", _evidence(trace), f"### Candidates\n\nGate: {trace.gate}, {_line(trace.gate_reason)}",
              _candidates(trace), *[f"{n}. {_text(hit)}" for n, hit in enumerate(trace.hits, 1) if hit.kept]]
    if trace.checks:
        parts.append("### Sentences of the draft\n\n" + "\n".join(
            f"- {'supported' if c.supported else 'not supported: ' + _line(c.why)}: {_line(c.sentence)}"
            for c in trace.checks))
    if trace.draft:
        parts.append(_block("Draft", trace.draft))
    parts += [f"### Timings ({total_ms(trace.spans):.0f} ms)", _table(
        ("stage", "start ms", "ms", "in", "out"),
        [(s.stage, f"{s.start_ms:.1f}", f"{s.duration_ms:.1f}", s.n_in, s.n_out) for s in trace.spans]),
        "### Settings", ", ".join(f"`{name}={setting(value)}`" for name, value in trace.config.items())]
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(trace: Trace) -> str:
    facts = [f"asked {trace.created}", f"status {trace.status}",
             f"configuration `{trace.config_fingerprint or 'none'}`", f"index `{trace.index_fingerprint or 'none'}`"]
    if trace.parent:
        facts.append(f"replay of `{trace.parent}`")
    if trace.error:
        facts.append(f"error: {_line(trace.error)}")
    if trace.redacted:
        facts.append("redacted")
    return ", ".join(facts)


def _evidence(trace: Trace) -> str:
    if not trace.evidence:
        return "None."
    return "\n".join(f"- [{e.marker}] {_line(place(e.document, e.heading))}"
                     + (f" ({e.score:.2f})" if e.score is not None else "") + f": {_line(e.text)}"
                     for e in trace.evidence)


def _candidates(trace: Trace) -> str:
    if not trace.hits:
        return "None."
    rows = [(n, "yes" if hit.kept else "", *(f"{s.value:.{d}f} #{s.rank}" if s else "" for s, d in
             ((hit.dense, 3), (hit.lexical, 2), (hit.fused, 4), (hit.rerank, 3))),
             hit.chunk.heading or hit.document, hit.reason) for n, hit in enumerate(trace.hits, 1)]
    return _table(("", "kept", "dense", "lexical", "fused", "rerank", "heading", "reason"), rows)


def _text(hit: Hit) -> str:
    text = _line(hit.chunk.text)
    return text if len(text) <= TEXT else text[:TEXT - 1] + "…"


def _table(names: tuple, rows: list[tuple]) -> str:
    lines = ["| " + " | ".join(_line(str(cell)) for cell in line) + " |" for line in (names, *rows)]
    return "\n".join([lines[0], "|" + " --- |" * len(names), *lines[1:]])


def _block(title: str, text: str) -> str:
    """The text in a fence that is longer than any run of backticks in it."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"### {title}\n\n{fence}text\n{text}\n{fence}"


def _line(text: str) -> str:
    """One line; what Markdown or HTML would take for a mark is written so that it shows."""
    return re.sub(r"([\\`*_<>|\[\]]|^[#+-])", r"\\\1", " ".join(text.split()))
