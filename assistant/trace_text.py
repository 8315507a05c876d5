"""Traces for a terminal, in at most 80 columns: the list, one trace, two side by side, why-not. Pure functions."""
from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from assistant.catalog.feedback import Judgement
from assistant.catalog.traces import Summary
from assistant.records import Hit, Span, Trace
from assistant.trace.compare import SCORED, Change, Comparison, setting
from assistant.trace.markdown import place
from assistant.trace.stopwatch import total_ms
from assistant.trace.terminal import clean
from assistant.trace.versions import Drift
from assistant.why_not import WhyNot

WIDTH = 80
BAR = 30       # characters of the waterfall
SHORT = 8      # characters of a chunk's id, which a command takes as well as the whole
DIGITS = {"dense": 3, "lexical": 2, "fused": 4, "rerank": 3}


def list_text(summaries: Sequence[Summary], total: int) -> str:
    """A line a trace. Marks: + and - thumbs, u an unsupported sentence in the draft, r a replay."""
    if not summaries:
        return "no such traces" if total else "no traces yet: ask something"
    lines = [f"{'ID':12} {'ASKED (UTC)':16} {'TIME':>7} {'RESULT':8} {'':3} QUESTION"]
    for s in summaries:
        result = s.status if s.status != "complete" else "declined" if s.abstained else "answered"
        marks = {"up": "+", "down": "-"}.get(s.thumb, "") + ("u" if s.unsupported else "") + ("r" if s.parent else "")
        lines.append(f"{clean(s.id)[:12]:12} {clean(s.created)[:16].replace('T', ' '):16} {seconds(s.milliseconds):>7} "
                     f"{result:8} {marks:3} {cut(s.question, WIDTH - 51)}")
    lines.append(f"{len(summaries)} of {total}; + - thumbs, u unsupported sentence in the draft, r replay")
    return "\n".join(lines)


def show_text(trace: Trace, changed: Drift, judged: Judgement | None, replays: Sequence[str], whole: bool) -> str:
    """Everything of one trace. whole: with the texts of all candidates, and the prompt."""
    answer = "answer (declined)" if trace.answer.abstained else "answer"
    parts = [_head(trace, changed, judged, replays), _section(answer, wrapped(trace.answer.text or "none"))]
    if trace.evidence:
        heads = [f"[{e.marker}] " + (f"{e.score:.2f}  " if e.score is not None else "") + place(e.document, e.heading)
                 for e in trace.evidence]
        parts.append(_section("evidence", "\n".join(f"{wrapped(head, '    ', first='')}\n{wrapped(e.text, '    ')}"
                                                    for head, e in zip(heads, trace.evidence, strict=True))))
    gate = f"gate {trace.gate}" + (f": {trace.gate_reason}" if trace.gate_reason else "")
    parts.append(_section("candidates", wrapped(gate) + "\n" + _hits(trace.hits, whole)))
    if trace.checks:
        checks = [f"{'ok' if c.supported else 'no'}  {c.sentence}" + (f" ({c.why})" if c.why else "")
                  for c in trace.checks]
        parts.append(_section("sentences of the draft", "\n".join(wrapped(c, "    ", first="") for c in checks)))
    parts.append(_section(f"timings, {seconds(total_ms(trace.spans))}", waterfall(trace.spans)))
    parts.append(_section("settings", wrapped(", ".join(f"{k}={setting(v)}" for k, v in trace.config.items()))))
    if whole:
        parts += [_section(f"prompt, {m.get('role', '')}", wrapped(m.get("content", ""))) for m in trace.prompt]
        parts.append(_section("draft", wrapped(trace.draft or "none")))
    return "\n\n".join(part for part in parts if part)


def _head(trace: Trace, changed: Drift, judged: Judgement | None, replays: Sequence[str]) -> str:
    rows = [("trace", f"{trace.id}, {trace.status}" + (f": {trace.error}" if trace.error else "")),
            ("asked", trace.created[:19].replace("T", " ") + " UTC"),
            ("question", trace.question)]
    if trace.history:
        rows.append(("after", f"{len(trace.history)} earlier turns" + (", redacted" if trace.redacted else "")))
    if trace.query != trace.question or trace.query_reason:
        rows.append(("searched", trace.query + (f" ({trace.query_reason})" if trace.query_reason else "")))
    rows += [("replay of", trace.parent or ""), ("replays", ", ".join(replays)),
             ("made with", f"configuration {trace.config_fingerprint or 'none'}, index "
                           f"{trace.index_fingerprint or 'none'}"), ("note", str(changed))]
    if judged:
        rows.append(("feedback", " ".join(part for part in (f"thumb {judged.thumb}" if judged.thumb else "",
                                                            judged.note) if part)))
    return "\n".join(wrapped(f"{name:10} {value}", " " * 11, first="") for name, value in rows if value)


def _hits(hits: Sequence[Hit], whole: bool) -> str:
    if not hits:
        return "none"
    lines = [f"{'':5}{'dense':>11}{'lexical':>11}{'fused':>12}{'rerank':>11}   * kept"]
    for number, hit in enumerate(hits, 1):
        scores = [f"{s.value:.{DIGITS[name]}f} #{s.rank}" if (s := getattr(hit, name)) else "-" for name in SCORED]
        heading = hit.chunk.heading.split(" > ")[-1] or hit.document
        marked = f"{number:3} {'*' if hit.kept else ' '}"
        lines.append(f"{marked}{scores[0]:>11}{scores[1]:>11}{scores[2]:>12}{scores[3]:>11}")
        said = " " + cut(f"· {hit.reason} · {hit.chunk.id[:SHORT]}", WIDTH - 26)
        lines.append("     " + cut(heading, WIDTH - 5 - len(said)) + said)
        if whole:
            lines.append(wrapped(hit.chunk.text, "     "))
    return "\n".join(lines)


def waterfall(spans: Iterable[Span]) -> str:
    """A bar a stage on one time axis."""
    spans = tuple(spans)
    total = total_ms(spans)
    if not total:
        return "no stage was timed"
    lines = []
    for span in spans:
        at = min(BAR - 1, int(BAR * span.start_ms / total))
        long = max(1, min(BAR - at, round(BAR * span.duration_ms / total)))
        lines.append(f"{cut(span.stage, 14):14} {' ' * at}{'#' * long}{' ' * (BAR - at - long)} "
                     f"{span.duration_ms:9.1f} ms  {span.n_in} to {span.n_out}")
    return "\n".join(lines)


def diff_text(before: Trace, after: Trace, found: Comparison) -> str:
    """Two traces: A is the first, B the second."""
    lines = [f"{name}  {trace.id}  {trace.created[:19].replace('T', ' ')} UTC  {seconds(total_ms(trace.spans))}  "
             + ("declined" if trace.answer.abstained else trace.status)
             for name, trace in (("A", before), ("B", after))]
    if before.question != after.question:
        lines += [wrapped(f"question   A: {before.question}", " " * 11, first=""),
                  wrapped(f"           B: {after.question}", " " * 11, first="")]
    else:
        lines.append(wrapped(f"question   {before.question}", " " * 11, first=""))
    changed = ", ".join(f"{name}: {setting(a)} → {setting(b)}" for name, a, b in found.settings)
    lines.append(wrapped(f"settings   {changed or 'the same'}", " " * 11, first=""))
    if found.query[0] != found.query[1]:
        lines.append(wrapped(f"searched   {found.query[0]} → {found.query[1]}", " " * 11, first=""))
    if found.index_changed:
        lines.append("index      another one, or changed between the two")
    if found.models_changed:
        lines.append("models     one of the same name holds other weights")
    if any(found.gates):
        lines += [wrapped(f"{name}   {said}", " " * 11, first="") for name, said in
                  zip(("gate    ", "     now"), found.gates, strict=True)]
    lines.append(f"candidates {len(found.entered)} entered, {len(found.left)} left, {len(found.moved)} moved, "
                 f"{found.same} as before")
    parts = ["\n".join(clean(line) for line in lines)]
    parts += [_section(name, "\n".join(_change(c) for c in changes)) for name, changes in
              (("entered", found.entered), ("left", found.left), ("moved", found.moved)) if changes]
    marks = {"same": ("", ""), "gone": ("[-", "-]"), "new": ("{+", "+}")}
    if before.answer.text == after.answer.text:
        parts.append(_section("answer, the same", wrapped(before.answer.text or "none")))
    else:
        words = "".join(marks[kind][0] + text + marks[kind][1] for kind, text in found.words)
        parts.append(_section("answer", wrapped(words), "[-gone-] {+new+}"))
    parts.append(_section("timings in ms", "\n".join(
        [f"{'stage':16}{'A':>10}{'B':>10}{'change':>10}", *(_timing(*row) for row in found.timings)])))
    return "\n\n".join(parts)


def _change(change: Change) -> str:
    places = f"{change.before or '-':>3} → {change.after or '-':<3}"
    kept = {(True, True): "kept", (True, False): "dropped", (False, True): "now kept", (False, False): ""}[change.kept]
    heading = change.chunk.heading.split(" > ")[-1] or change.document
    return (f"{places} {kept:9} {change.stage:8} {cut(heading, WIDTH - 29)}\n"
            + wrapped(change.why, " " * 29, first=" " * 20 + "because  "))


def _timing(stage: str, before: float | None, after: float | None) -> str:
    change = f"{after - before:+.1f}" if before is not None and after is not None else ""
    shown = [f"{value:.1f}" if value is not None else "-" for value in (before, after)]
    return f"{cut(stage, 15):16}{shown[0]:>10}{shown[1]:>10}{change:>10}".rstrip()


def why_not_text(found: WhyNot) -> str:
    """The stages one under the other, then what kept it out."""
    what = f"{found.chunk.id}  {place(found.document, found.chunk.heading)}" if found.chunk else "not in the index"
    what += f" ({found.place})" if found.place else ""
    lines = [wrapped(f"query      {found.query}", " " * 11, first=""),
             wrapped(f"chunk      {what}", " " * 11, first="")]
    if found.index_changed:
        lines.append(wrapped("note       the index is another one than when this was asked; these are its ranks now",
                             " " * 11, first=""))
    lines.append(f"\n{'stage':10}{'score':>9}{'rank':>6}{'of':>6}")
    for step in found.steps:
        value = f"{step.value:.{DIGITS.get(step.stage, 3)}f}" if step.value is not None else "-"
        mark = {True: "+", False: "x", None: " "}[step.passed]
        lines.append(wrapped(f"{step.stage:10}{value:>9}{step.rank or '-':>6}{step.of:>6}  {mark} {step.words}",
                             " " * 35, first=""))
    lines.append("\n" + wrapped(f"{found.verdict}."[:1].upper() + f"{found.verdict}."[1:]))
    if found.remedy:
        lines.append(wrapped(found.remedy[:1].upper() + found.remedy[1:] + "."))
    return "\n".join(lines)


def _section(title: str, body: str, key: str = "") -> str:
    """key: how marks in the body are to be read."""
    return f"{cut(title.upper(), WIDTH)}{f', {key}' if key else ''}\n{body}" if body else ""


def wrapped(text: str, indent: str = "", first: str | None = None) -> str:
    """Each line of the text in at most 80 columns."""
    lines = [textwrap.fill(line, WIDTH, initial_indent=indent if first is None or n else first,
                           subsequent_indent=indent, replace_whitespace=False, drop_whitespace=True)
             for n, line in enumerate(clean(text).split("\n"))]
    return "\n".join(lines)


def cut(text: str, width: int) -> str:
    """The text in one line of at most `width` characters."""
    line = clean(" ".join(text.split()))
    return line if len(line) <= width else line[:max(0, width - 1)] + "…"


def seconds(milliseconds: float) -> str:
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
