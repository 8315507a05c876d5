"""What happened between a question and its answer, as HTML: evidence, chunks, timings, prompt. Pure functions.

Each takes a Trace, or while the answer is still being written the Retrieval that the stream gave; the attributes
used here have one name in both.
"""
from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.records import Evidence, Hit, Retrieval, Score, Span, Trace
from assistant.trace.compare import setting
from assistant.ui.answer import place_html
from assistant.ui.prose import Mark, esc, marked

FUSED_TOP = 2 / 61  # a chunk that both searches rank first, with reciprocal rank fusion's k = 60
SLOW_MS = 1.0       # spans shorter than this are written with two decimals


@dataclass(frozen=True)
class Scale:
    """How a stage's score is drawn: its range, and what it is in words."""

    name: str
    words: str
    low: float
    high: float | None  # None: the highest among the hits


SCALES = (Scale("dense", "cosine", -1.0, 1.0), Scale("lexical", "BM25", 0.0, None),
          Scale("fused", "RRF", 0.0, FUSED_TOP), Scale("rerank", "probability", 0.0, 1.0))


def cited_markers(trace: Trace) -> frozenset[int]:
    return frozenset(citation.marker for citation in trace.answer.citations)


def evidence_html(hits: Sequence[Hit], evidence: Sequence[Evidence], cited: frozenset[int] | None = None) -> str:
    """The passages, each marked inside its chunk. `cited` None: the answer is not there yet, nothing stands back."""
    if not evidence:
        closest = [hit for hit in hits if hit.fused or hit.rerank or hit.dense or hit.lexical][:3]
        note = "No sentence of the documents was good enough to answer from."
        if not closest:
            return _empty("No document was needed, or none was found, for this reply.")
        return _empty(note + " The closest passages are below.") + "".join(
            _passage(hit, (), frozenset()) for hit in closest)
    chunks = {hit.chunk.id: hit for hit in hits}
    order = list(dict.fromkeys(item.chunk_id for item in evidence))
    parts = []
    for chunk_id in order:
        own = [item for item in evidence if item.chunk_id == chunk_id]
        markers = frozenset(item.marker for item in own) if cited is None else cited
        if chunk_id in chunks:
            parts.append(_passage(chunks[chunk_id], own, markers))
        else:  # a chunk that is not among the hits: the sentences alone
            parts.append("".join(f'<article class="gb-card">{_where(item.document, item.heading)}'
                                 f'<p class="gb-prose" id="ev-{item.marker}">{esc(item.text)}</p></article>'
                                 for item in own))
    return "".join(parts)


def _passage(hit: Hit, own: Sequence[Evidence], cited: frozenset[int]) -> str:
    chunk = hit.chunk
    marks = [mark for item in own for mark in marks_of(item, item.marker in cited)]
    notes = "".join(_read_as(item, chunk.text, chunk.start) for item in own)
    markers = " ".join(str(item.marker) for item in own)
    return (f'<article class="gb-card gb-passage" data-markers="{markers}">{_where(hit.document, chunk.heading)}'
            f'<div class="gb-text">{marked(chunk.text, chunk.start, marks, "ev-", chunk.header)}</div>'
            f"{notes}</article>")


def marks_of(item: Evidence, cited: bool = True) -> list[Mark]:
    """Its first span is the passage; further ones, such as a table's header row, help to read it."""
    return [Mark(start, end, item.marker, cited, main=n == 0) for n, (start, end) in enumerate(item.spans)]


def _read_as(item: Evidence, text: str, base: int) -> str:
    """How the prompt put an evidence that is not simply its slice, such as a table row as "header: cell" pairs."""
    slices = " ".join(text[max(0, a - base):max(0, b - base)] for a, b in item.spans)
    if _words(item.text) == _words(slices):
        return ""
    return f'<p class="gb-note"><b>[{item.marker}]</b> read as: {esc(item.text)}</p>'


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def chunks_html(source: Trace | Retrieval, threshold: float | None = None) -> str:
    """A card for each candidate: the kept ones, then what completes them, then the dropped ones, folded."""
    hits = source.hits
    if not hits:
        return _empty("No chunk was considered for this.")
    best = max((hit.lexical.value for hit in hits if hit.lexical), default=0.0)
    evidence = source.evidence if isinstance(source, Trace) else ()
    kept = [hit for hit in hits if hit.kept]
    dropped = [hit for hit in hits if not hit.kept]

    def cards(some: Sequence[Hit]) -> str:
        return "".join(_card(hit, best, threshold, source.calibrated, evidence) for hit in some)

    parts = [_gate(source), cards(kept)]
    if dropped:
        closed = " open" if not kept else ""
        parts.append(f'<details class="gb-fold"{closed}><summary>{len(dropped)} more '
                     f'{"candidate" if len(dropped) == 1 else "candidates"}, not used</summary>'
                     f"{cards(dropped)}</details>")
    return "".join(parts)


def _gate(source: Trace | Retrieval) -> str:
    words = {"passed": "Gate passed", "declined": "Gate closed", "off": "Gate off"}[source.gate]
    reason = f": {esc(source.gate_reason)}" if source.gate_reason else ""
    return f'<p class="gb-gate gb-gate-{esc(source.gate)}"><b>{words}</b>{reason}</p>'


def _card(hit: Hit, best_lexical: float, threshold: float | None, calibrated: bool,
          evidence: Sequence[Evidence]) -> str:
    scored = any((hit.dense, hit.lexical, hit.fused, hit.rerank))
    bars = "".join(_bar(scale, getattr(hit, scale.name), best_lexical, threshold, calibrated)
                   for scale in SCALES) if scored else ""
    marks = [mark for item in evidence if item.chunk_id == hit.chunk.id for mark in marks_of(item)]
    kind = "kept" if hit.kept else "dropped"
    words = "kept" if hit.kept else "not used"
    if hit.reason.lower().startswith(words.split()[0]):
        reason = esc(hit.reason)
    else:
        reason = f"{words}: {esc(hit.reason)}" if hit.reason else words
    return (f'<article class="gb-card gb-chunk gb-{kind}">'
            f'<div class="gb-cardhead">{_where(hit.document, hit.chunk.heading)}{_move(hit)}</div>'
            f'<p class="gb-reason">{reason}</p>'
            f'{f"""<div class="gb-bars">{bars}</div>""" if bars else ""}'
            f'<details class="gb-more-text"><summary>Text, {hit.chunk.n_tokens} tokens</summary>'
            f'<div class="gb-text">{marked(hit.chunk.text, hit.chunk.start, marks, header=hit.chunk.header)}</div>'
            "</details></article>")


def _move(hit: Hit) -> str:
    """The rank before reranking (fused, or the only search that ran) and after it."""
    before = hit.fused or hit.dense or hit.lexical
    if not before:
        return ""
    if not hit.rerank:
        return f'<span class="gb-move" title="rank; it was not reranked">rank {before.rank}</span>'
    way = "up" if hit.rerank.rank < before.rank else "down" if hit.rerank.rank > before.rank else "same"
    label = f"rank {before.rank} before reranking, {hit.rerank.rank} after"
    return (f'<span class="gb-move gb-{way}" title="{label}" role="img" aria-label="{label}">rank {before.rank} '
            f'<span class="gb-arrow">→</span> {hit.rerank.rank}</span>')


def _bar(scale: Scale, score: Score | None, best_lexical: float, threshold: float | None, calibrated: bool) -> str:
    high = scale.high if scale.high is not None else max(best_lexical, 1e-9)
    words = "uncalibrated" if scale.name == "rerank" and score and not calibrated else scale.words
    name = f'<span class="gb-barname">{scale.name}<i>{words}</i></span>'
    if score is None:
        return (f'<div class="gb-bar gb-none" role="img" aria-label="{scale.name}: no score from this stage">{name}'
                '<span class="gb-track"></span><span class="gb-value">–</span><span class="gb-rank"></span></div>')
    zero = _share(0.0, scale.low, high)
    at = _share(score.value, scale.low, high)
    left, width = min(zero, at), abs(at - zero)
    tick = ""
    if scale.name == "rerank" and threshold is not None:
        tick = (f'<span class="gb-tick" style="left:{_share(threshold, 0, 1):.1f}%" '
                f'title="threshold {threshold:.2f}"></span>')
    middle = f'<span class="gb-zero" style="left:{zero:.1f}%"></span>' if scale.low < 0 else ""
    digits = 4 if scale.name == "fused" else 2 if scale.name == "lexical" else 3
    label = (f"{scale.name}, {words}: {score.value:.{digits}f} on a scale of {scale.low:g} to {high:.3g}, "
             f"rank {score.rank}")
    if tick:
        label += f", threshold {threshold:.2f}"
    return (f'<div class="gb-bar gb-{scale.name}" role="meter" aria-label="{label}" aria-valuemin="{scale.low:g}" '
            f'aria-valuemax="{high:.4g}" aria-valuenow="{score.value:.4g}">{name}<span class="gb-track">{middle}'
            f'<span class="gb-fill" style="left:{left:.1f}%;width:{max(width, 0.8):.1f}%"></span>{tick}</span>'
            f'<span class="gb-value">{score.value:.{digits}f}</span><span class="gb-rank">#{score.rank}</span></div>')


def _share(value: float, low: float, high: float) -> float:
    """Where a value lies between low and high, in percent, kept inside."""
    return min(100.0, max(0.0, 100.0 * (value - low) / (high - low))) if high > low else 0.0


def timings_html(spans: Sequence[Span], config: dict[str, object] | None = None,
                 facts: dict[str, str] | None = None) -> str:
    """A waterfall on one time axis, then what the answer was made with."""
    if not spans:
        return _empty("No stage was timed.")
    total = max(span.start_ms + span.duration_ms for span in spans) or 1.0
    rows = "".join(
        f'<tr><th scope="row">{esc(span.stage)}</th><td class="gb-flow"><span class="gb-track">'
        f'<span class="gb-fill" style="left:{100 * span.start_ms / total:.2f}%;'
        f'width:{max(0.6, 100 * span.duration_ms / total):.2f}%"></span></span></td>'
        f'<td class="gb-value">{milliseconds(span.duration_ms)}</td>'
        f'<td class="gb-items" title="items in and out">{span.n_in} → {span.n_out}</td></tr>' for span in spans)
    made = ""
    if config:
        pairs = "".join(f"<div><dt>{esc(name)}</dt><dd>{esc(setting(value))}</dd></div>"
                        for name, value in config.items())
        made = f'<h4 class="gb-caps">Made with</h4><dl class="gb-settings">{pairs}</dl>'
    if facts:
        made += '<dl class="gb-facts">' + "".join(
            f"<div><dt>{esc(name)}</dt><dd>{esc(value)}</dd></div>" for name, value in facts.items() if value) + "</dl>"
    return (f'<p class="gb-total"><b>{total / 1000:.2f} s</b> from the question to the end of the answer</p>'
            '<table class="gb-waterfall"><thead class="gb-sr"><tr><th>stage</th><th>time line</th><th>duration</th>'
            f"<th>items</th></tr></thead><tbody>{rows}</tbody></table>{made}")


def milliseconds(value: float) -> str:
    return f"{value:.2f} ms" if value < SLOW_MS else f"{value:.0f} ms" if value < 10_000 else f"{value / 1000:.1f} s"


def prompt_html(trace: Trace) -> str:
    """What was searched and why, the exact messages, and the model's draft before any sentence was checked."""
    searched = ""
    if trace.query != trace.question or trace.query_reason:
        reason = f'<p class="gb-note">{esc(trace.query_reason)}</p>' if trace.query_reason else ""
        searched = ('<h4 class="gb-caps">Searched</h4>'
                    f'<p class="gb-searched"><q>{esc(trace.query, 2000)}</q></p>{reason}')
    if not trace.prompt:
        return searched + _empty("No language model was called for this answer"
                                 + (f": {trace.gate_reason}." if trace.gate == "declined" and trace.gate_reason
                                    else "."))
    messages = "".join(f'<h4 class="gb-caps">{esc(message.get("role", ""))}</h4>'
                       f'<pre class="gb-code gb-message" tabindex="0">{esc(message.get("content", ""), 20_000)}</pre>'
                       for message in trace.prompt)
    draft = (f'<pre class="gb-code gb-message" tabindex="0">{esc(trace.draft)}</pre>' if trace.draft.strip() else
             _empty("The model wrote nothing."))
    return (f'{searched}{messages}<h4 class="gb-caps">Draft, before checking</h4>{draft}')


def _where(document: str, heading: str) -> str:
    return f'<h4 class="gb-where">{place_html(document, heading)}</h4>'


def _empty(text: str) -> str:
    return f'<p class="gb-empty">{esc(text)}</p>'
