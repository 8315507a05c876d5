"""Traces as HTML: the list, the head, the answer, the funnel, two side by side, why-not. Pure functions."""
from __future__ import annotations

from collections.abc import Sequence

from assistant.catalog.feedback import Judgement
from assistant.catalog.traces import Summary
from assistant.records import Trace
from assistant.trace.compare import Change, Comparison, setting
from assistant.trace.stopwatch import total_ms
from assistant.ui.answer import answer_html, place_html
from assistant.ui.icons import icon
from assistant.ui.inspector import milliseconds
from assistant.ui.prose import esc
from assistant.ui.trace_pictures import short
from assistant.why_not import Step, WhyNot

DIGITS = {"lexical": 2, "fused": 4}  # as on the cards; else 3

def list_html(summaries: Sequence[Summary], total: int, opened: str = "", filtered: bool = False,
              kept: bool = True) -> str:
    """A row a trace, the opened one marked. kept: whether questions leave traces, which a setting decides."""
    off = "" if kept else '<p class="gb-note gb-drift">Traces are off (traces=off): a question leaves none.</p>'
    if not summaries:
        return off + ('<p class="gb-empty">No trace fits these filters.</p>' if filtered else
                      '<p class="gb-empty">There are none. Import one to open it.</p>' if off else
                      '<p class="gb-empty">Every question leaves a trace here. Ask something under Chat, or import one.'
                      "</p>")
    rows = "".join(_row(summary, summary.id == opened) for summary in summaries)
    count = f"{len(summaries):,} of {total:,}" if total > len(summaries) else f"{total:,}"
    return (f'{off}<p class="gb-note">{count} {"trace" if total == 1 else "traces"}</p>'
            '<table class="gb-docs gb-tracelist"><thead><tr><th>Question</th><th class="gb-value">Time</th><th>'
            '<span class="gb-sr">Delete</span></th></tr>'
            f"</thead><tbody>{rows}</tbody></table>")


def _row(item: Summary, here: bool) -> str:
    result = item.status if item.status != "complete" else "declined" if item.abstained else ""
    tags = [tag for tag in (result, f"{item.unsupported} unsupported" if item.unsupported else "",
                            f"thumb {item.thumb}" if item.thumb else "", "replay" if item.parent else "") if tag]
    tagged = "".join(f'<span class="gb-tag gb-tag-{esc(tag.split()[-1])}">{esc(tag)}</span>' for tag in tags)
    mark = "gb-here" if here else ""
    return (f'<tr class="{mark}"><td><button type="button" class="gb-open" data-event="select" '
            f'data-id="{esc(item.id)}"{" aria-current=true" if here else ""}>{short(item.question, 160)}</button>'
            f'<span class="gb-source">{esc(item.created[:16].replace("T", " "))} UTC · {esc(item.id[:12])}</span>'
            f'{tagged}</td><td class="gb-value">{took(item.milliseconds)}</td><td><button type="button" '
            f'class="gb-tool" data-event="delete" data-id="{esc(item.id)}" data-confirm="Delete?" aria-label="Delete '
            f'the trace of {short(item.question, 60)}">{icon("delete")}</button></td></tr>')


def took(value: float) -> str:
    """A whole answer's milliseconds, as one reads them in a list."""
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def head_html(trace: Trace, changed: str, judged: Judgement | None) -> str:
    """The way back to the list (narrow screens), question, facts, what changed since, thumbs and export."""
    facts = [f"{esc(trace.created[:19].replace('T', ' '))} UTC", esc(trace.id[:24]), esc(trace.status)]
    if trace.parent:
        facts.append('replay of <button type="button" class="gb-link" data-event="select" '
                     f'data-id="{esc(trace.parent)}">{esc(trace.parent[:12])}</button>')
    thumbs = "".join(
        f'<button type="button" class="gb-tool" data-event="submit" data-act="{name}" aria-pressed='
        f'"{"true" if judged and judged.thumb == name else "false"}">{sign} {label}</button>'
        for name, sign, label in (("up", "+", "Good answer"), ("down", "−", "Bad answer")))
    kinds = [("json", "JSON", ".json"), ("markdown", "Markdown", ".md"), ("otlp", "OpenTelemetry", "-otlp.json")]
    if judged:
        kinds.append(("gold", "Gold draft", "-gold.jsonl"))
    files = "".join(
        f'<button type="button" class="gb-tool" data-act="export-trace" data-id="{esc(trace.id)}" data-kind="{kind}" '
        f'data-name="trace-{esc(trace.id[:24])}{end}">{icon("export")}{label}</button>' for kind, label, end in kinds)
    error = f'<p class="gb-note gb-bad">{esc(trace.error, 400)}</p>' if trace.error else ""
    words = esc(changed[:1].upper() + changed[1:], 600)
    note = f'<p class="gb-note gb-drift" role="status">{words}.</p>' if changed else ""
    words = f'Searched: <q>{esc(trace.query, 400)}</q>' if trace.query != trace.question else ""
    why = trace.query_reason if words else trace.query_reason[:1].upper() + trace.query_reason[1:]
    why = f" ({esc(why, 400)})" if words and why else esc(why, 400)
    searched = f'<p class="gb-note">{words}{why}</p>' if words or why else ""
    back = '<button type="button" class="gb-tool gb-back" data-event="select" data-id="">← All traces</button>'
    return (f'{back}<header class="gb-dochead" data-opened="{esc(trace.id)}"><h2>{esc(trace.question, 400)}</h2>'
            f'<p>{" · ".join(facts)}</p></header>{searched}{error}{note}<div class="gb-tools">{thumbs}{files}</div>')


def answer_part(trace: Trace) -> str:
    """The answer, and each sentence of the draft with what became of it."""
    checks = "".join(f'<li class="{"gb-passed" if c.supported else "gb-refused"}">'
                     f'<b>{"supported" if c.supported else "not supported"}</b> {esc(c.sentence)}'
                     f'{f" <i>{esc(c.why)}</i>" if c.why else ""}</li>' for c in trace.checks)
    drafted = ""
    if checks:
        drafted = f'<h4 class="gb-caps">Sentences of the model\'s draft</h4><ul class="gb-checks">{checks}</ul>'
    kind = "gb-answer gb-declined" if trace.answer.abstained else "gb-answer"
    body = answer_html(trace.answer) or '<p class="gb-empty">There is no answer.</p>'
    return f'<div class="{kind}"><div class="gb-body">{body}</div></div>{drafted}'


def funnel_html(trace: Trace) -> str:
    """How many went into each stage and came out of it, as bars on one scale."""
    spans = {span.stage: span for span in trace.spans}
    over = sum(1 for hit in trace.hits if hit.rerank and trace.threshold is not None
               and hit.rerank.value >= trace.threshold)
    steps = [("dense", "found by vectors", spans["dense"].n_out if "dense" in spans else None),
             ("lexical", "found by words", spans["lexical"].n_out if "lexical" in spans else None),
             ("fused", "candidates after fusion", spans["fuse"].n_out if "fuse" in spans else None),
             ("rerank", f"reach the threshold {trace.threshold:.2f}", over) if trace.threshold is not None else None,
             ("select", "chunks kept", sum(hit.kept for hit in trace.hits)),
             ("evidence", "evidence sentences", len(trace.evidence)),
             ("cited", "cited in the answer", len({c.marker for c in trace.answer.citations}))]
    known = [step for step in steps if step and step[2] is not None]
    if not spans:
        return '<p class="gb-empty">Nothing was searched for this reply.</p>'
    most = max([count for _, _, count in known] + [1])
    return '<div class="gb-funnel" role="list" aria-label="How many came through each stage">' + "".join(
        f'<div role="listitem"><span>{esc(words)}</span><span class="gb-track"><span class="gb-fill" '
        f'style="width:{100 * count / most:.1f}%"></span></span><b class="gb-value">{count}</b></div>'
        for _, words, count in known) + "</div>"


def whole_html(trace: Trace) -> str:
    """That no chunk was cut before it became a vector: a larger one is refused at ingest (ingest/chunk.py)."""
    longest = max((hit.chunk.n_tokens for hit in trace.hits), default=0)
    return (f'<p class="gb-note">The embedder saw each of these chunks whole: the longest has {longest} word pieces, '
            "and none is made that goes beyond the embedder's limit.</p>") if longest else ""


def compare_html(before: Trace, after: Trace, found: Comparison) -> str:
    """Two traces side by side: settings, what moved and why, the answers' words, the timings."""
    heads = "".join(f'<div><h4 class="gb-caps">{name}</h4><p class="gb-note">{esc(trace.id[:12])} · '
                    f'{esc(trace.created[:19].replace("T", " "))} UTC · {took(total_ms(trace.spans))}</p>'
                    f'<div class="gb-body">{answer_html(trace.answer)}</div></div>'
                    for name, trace in (("Before", before), ("After", after)))
    changed = ", ".join(f"<code>{esc(name)}: {esc(setting(a))} → {esc(setting(b))}</code>"
                        for name, a, b in found.settings)
    notes = [f"Settings: {changed}." if changed else "The settings are the same."]
    if before.question != after.question:
        notes.append("The questions differ.")
    if found.query[0] != found.query[1]:
        notes.append(f"Searched: “{esc(found.query[0])}” → “{esc(found.query[1])}”.")
    if found.index_changed:
        notes.append("The index is another one, or changed between the two.")
    if found.models_changed:
        notes.append("A model of the same name holds other weights.")
    if any(found.gates):
        notes.append(f"Gate {esc(found.gates[0])} → {esc(found.gates[1])}.")
    parts = [f'<p class="gb-note">{" ".join(notes)}</p><div class="gb-sides">{heads}</div>',
             '<h4 class="gb-caps">Words of the answer</h4>' + _words(found)]
    for name, changes in (("Entered", found.entered), ("Left", found.left), ("Moved", found.moved)):
        if changes:
            parts.append(f'<h4 class="gb-caps">{name}: {len(changes)}</h4><table class="gb-docs gb-moves"><tbody>'
                         + "".join(map(_change, changes)) + "</tbody></table>")
    parts.append(f'<p class="gb-note">{found.same} candidates stand as before.</p>')
    rows = "".join(f'<tr><th scope="row">{esc(stage)}</th><td class="gb-value">{_ms(a)}</td>'
                   f'<td class="gb-value">{_ms(b)}</td></tr>' for stage, a, b in found.timings)
    parts.append('<h4 class="gb-caps">Timings</h4><table class="gb-docs"><thead><tr><th>Stage</th>'
                 '<th class="gb-value">Before</th><th class="gb-value">After</th></tr></thead>'
                 f"<tbody>{rows}</tbody></table>")
    return "".join(parts)


def _words(found: Comparison) -> str:
    if all(kind == "same" for kind, _ in found.words):
        return '<p class="gb-note">Word for word the same.</p>'
    tags = {"same": "span", "gone": "del", "new": "ins"}
    runs = "".join(f"<{tags[kind]}>{esc(text)}</{tags[kind]}>" for kind, text in found.words)
    return f'<p class="gb-worddiff">{runs}</p>'


def _change(change: Change) -> str:
    kept = {(True, True): "kept", (True, False): "dropped", (False, True): "now kept", (False, False): ""}[change.kept]
    return (f'<tr class="{"gb-kept" if change.kept[1] else ""}"><td class="gb-value">{change.before or "–"} → '
            f'{change.after or "–"}</td><td>{place_html(change.document, change.chunk.heading)}<span class="gb-source">'
            f"<b>{esc(change.stage)}</b>: {esc(change.why)}</span></td><td>{kept}</td></tr>")


def _ms(value: float | None) -> str:
    return milliseconds(value) if value is not None else "–"


def why_not_html(found: WhyNot) -> str:
    """The stages as a table, the verdict above it."""
    where = place_html(found.document, found.chunk.heading) if found.chunk else "not in the index"
    where += f" ({esc(found.place)})" if found.place else ""
    changed = "The index is another one than when this was asked: these are its ranks now."
    note = f'<p class="gb-note gb-drift">{changed}</p>' if found.index_changed else ""
    remedy = f" {esc(found.remedy[:1].upper() + found.remedy[1:])}." if found.remedy else ""
    signs = {True: "passed", False: "stopped here", None: ""}
    rows = "".join(
        f'<tr class="{"gb-stopped" if step.passed is False else ""}"><th scope="row">{esc(step.stage)}</th>'
        f'<td class="gb-value">{_score(step)}</td><td class="gb-value">'
        f'{f"{step.rank} of {step.of}" if step.rank else "–"}</td><td>{esc(step.words)}<span class="gb-sr"> '
        f"{signs[step.passed]}</span></td></tr>" for step in found.steps)
    text = ""
    if found.chunk:
        text = ('<details class="gb-more-text"><summary>Text</summary><div class="gb-text">'
                f"<p>{esc(found.chunk.text, 4000)}</p></div></details>")
    verdict = esc(found.verdict[:1].upper() + found.verdict[1:])
    return (f'{note}<p class="gb-verdict" role="status"><b>{verdict}.</b>{remedy}</p>'
            f'<p class="gb-note">{where}</p>{text}<table class="gb-docs gb-steps"><thead><tr>'
            '<th>Stage</th><th class="gb-value">Score</th><th class="gb-value">Rank</th><th>What happened</th></tr>'
            f"</thead><tbody>{rows}</tbody></table>")


def _score(step: Step) -> str:
    return f"{step.value:.{DIGITS.get(step.stage, 3)}f}" if step.value is not None else "–"
