"""The report of a run: one HTML file that opens with no network, in light and dark, on a phone and on paper.

    page(result)                                     # of eval.suite.runner.run
    page(result, baseline)                           # with a verdict against another run
    page(result, gate=judged(bars, result))          # and whether the gate of eval.gate holds

Everything in it is drawn by this package: styles and script are inline, nothing is loaded.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from assistant.config import describe
from assistant.errors import InputError
from assistant.trace.compare import setting
from eval.gate import Bar
from eval.report import pictures
from eval.report.comparison import comparison_html, rows, verdict
from eval.report.failures import failed, failures_html
from eval.report.sections import ASKED, cell, curves, demos, funnel, heat, kinds, latency, metrics, public
from eval.report.style import SCRIPT, STYLE
from eval.report.words import (
    SUITES,
    esc,
    joined,
    metric_words,
    percent,
    plural,
)

Judged = Sequence[tuple[Bar, str, str]]
"""Of eval.gate.judged: (bar, "passed" | "failed" | "not run", in words)."""
HEADLINE = (("answers", "right", "answerable questions answered right"),
            ("abstention", "abstention_recall", "unanswerable questions declined"),
            ("answers", "citation_precision", "citations that are needed and hold"),
            ("retrieval", "*.recall@5", "of the passages asked for among the first five"),
            ("retrieval", "evidence.recall@10", "of them quoted as evidence"),
            ("conversations", "right", "follow-up questions answered right"),
            ("injection", "obeyed", "injected instructions obeyed"))


def page(result: dict, baseline: dict | None = None, split: str = "open", *, gate: Judged = (), theme: str = "") -> str:
    """The whole HTML text.

    split  the part of the gold set that the numbers are of; the held-out part is given beside it
    theme  "light" or "dark" to fix it; else as the reader's system has it
    """
    sections = [("verdict", "", _verdict(result, baseline, split, gate)), ("numbers", "", _cards(result, split)),
                ("compared", "Against the other run", _compared(baseline, result, split)),
                ("gate", "The gate", _gate(gate, result, split)),
                ("public", "A public set", public(result)),
                ("stages", "What each stage finds and loses", funnel(result, split)),
                ("kinds", "By kind of question", heat(result, split)),
                ("trust", "Can its confidence be trusted?", curves(result, split)),
                ("failures", "Failure modes of embeddings, and their fixes", demos(result, split)),
                ("latency", "Where the time goes", latency(result)),
                ("all", "Every number", metrics(result, split)),
                ("questions", "What went wrong, question by question", _failed(result, split))]
    links = "".join(f'<a href="#{name}">{esc(short)}</a>' for name, short in
                    (("compared", "Compared"), ("stages", "Stages"), ("kinds", "Kinds"), ("trust", "Confidence"),
                     ("failures", "Failure modes"), ("latency", "Time"), ("all", "All numbers"),
                     ("questions", "Questions")) if any(key == name and html for key, _, html in sections))
    body = "".join(f'<section id="{name}">{f"<h2>{esc(title)}</h2>" if title else ""}{html}</section>'
                   for name, title, html in sections if html)
    bar = (f'<header class="top"><p><b>Glassbox</b> eval report</p><nav>{links}</nav><button type="button" id="theme" '
           'aria-label="Light or dark">◐</button></header>')
    return _document(f"eval of {result['created'][:16].replace('T', ' ')}", f"{bar}<main>"
                                                                            f"{body}{_foot(result)}</main>", theme)


def comparison_page(baseline: dict, result: dict, split: str = "open", theme: str = "") -> str:
    """Only `result` against `baseline`, as a page of its own. InputError where they cannot be compared."""
    return _document("two runs compared", f'<main class="bare">{comparison_html(baseline, result, split)}</main>',
                     theme)


def _document(title: str, body: str, theme: str) -> str:
    fixed = f' data-theme="{esc(theme)}"' if theme else ""
    return (f'<!doctype html><html lang="en"{fixed}><head><meta charset="utf-8"><title>Glassbox: {esc(title)}</title>'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<style>{STYLE}</style></head><body>{body}<script>{SCRIPT}</script></body></html>")


# the top ---------------------------------------------------------------------------------------------------------


def _verdict(result: dict, baseline: dict | None, split: str, gate: Judged) -> str:
    told = list(filter(None, (_gate_words(gate), _baseline_words(result, baseline, split))))
    said = run_words(result, split)
    head, rest = (told[0], [*told[1:], ("", said)]) if told else (("", said), [])
    notes = "".join(f'<p class="lede {kind}">{esc(words)}</p>' for kind, words in rest if words)
    return f'<p class="eyebrow">{_about(result, split)}</p><h1 class="{head[0]}">{esc(head[1])}</h1>{notes}'


def run_words(result: dict, split: str = "open") -> str:
    """What the run shows, in a sentence or two."""
    right, declined = cell(result, "answers", "right", split), cell(result, "abstention", "abstention_recall", split)
    found = cell(result, "retrieval", "*.recall@5", split)
    parts = []
    if right:
        parts.append(f"{percent(right['value'])} of the answerable questions are answered right")
    if declined:
        parts.append(f"{percent(declined['value'])} of the unanswerable ones are declined")
    if found and not parts:
        parts.append(f"{percent(found['value'])} of the passages that answer are among the first five")
    for suite, metric, words in (("conversations", "right", "of the follow-up questions are answered right"),
                                 ("injection", "obeyed", "of the injected instructions are obeyed")):
        if (share := cell(result, suite, metric, split)) and len(parts) < 2:
            parts.append(f"{percent(share['value'])} {words}")
    if ranked := cell(result, "public", "*.ndcg@10", "open"):
        parts.append(f"nDCG@10 is {ranked['value']:.3f} on {result['suites']['public']['set']}")
    if not parts and (demos := _fixed(result)):
        parts.append(f"in {sum(demos)} of {plural(len(demos), 'failure mode')} the fix measures better than the "
                     "problem")
    crashed = sum(len(found.get("crashed", ())) for found in result["suites"].values())
    said = f"{joined(parts)}." if parts else "Nothing was measured: no question that was asked counts towards it."
    said = said if said[1:2].isupper() else said[0].upper() + said[1:]   # nDCG
    return said + (f" {plural(crashed, 'question')} crashed." if crashed else "")


def _fixed(result: dict) -> list[bool]:
    """Of each failure mode that was measured, whether its best fix has a higher number than its problem."""
    made = []
    for said in result["suites"].get("failures", {}).get("demos", {}).values():
        fixes, problems = ([said["values"][name] for name, of in said.get("roles", {}).items() if of == role]
                           for role in ("fix", "problem"))
        if fixes and problems:
            made.append(max(fixes) > max(problems))
    return made


def _gate_words(gate: Judged) -> tuple[str, str] | None:
    if not gate:
        return None
    missed = [f"“{metric_words(bar.metric)}”" for bar, verdict, _ in gate if verdict == "failed"]
    missed = [*missed[:2], f"{len(missed) - 2} others"] if len(missed) > 3 else missed
    idle = sum(verdict == "not run" for _, verdict, _ in gate)
    rest = f" {plural(idle, 'bar')} could not be judged, as the suite was not run." if idle else ""
    if missed:
        what = "misses its bar" if len(missed) == 1 else "miss their bars"
        return "bad", f"The gate fails: {joined(missed)} {what}.{rest}"
    held = len(gate) - idle   # 0 where no suite of its was run: then it has no verdict
    words = "1 number reaches its bar, or is" if held == 1 else f"{held} numbers reach their bars, or are"
    return ("good", f"The gate holds: {words} too near to tell.{rest}") if held else None


def _baseline_words(result: dict, baseline: dict | None, split: str) -> tuple[str, str] | None:
    if baseline is None:
        return None
    try:
        kind, words = verdict(rows(baseline, result, split))
    except InputError as error:
        return "bad", f"{error}"
    return {"mixed": ""}.get(kind, kind), f"Against the other run: {words[0].lower()}{words[1:]}"


def _about(result: dict, split: str) -> str:
    when = datetime.fromisoformat(result["created"]).strftime("%-d %B %Y, %H:%M UTC")
    asked = {row["id"] for suite in (*ASKED, "public")
             for row in result["suites"].get(suite, {}).get("questions", ()) if split in (row["split"], "all")}
    few = f", at most {result['limit']} asked of each list" if result.get("limit") else ""
    part = {"open": "the open part", "held": "the held-out part"}.get(split, "the whole")
    return f"{when} · {plural(len(asked), 'question')} of {part} of the gold set{few}"


def _cards(result: dict, split: str) -> str:
    made = []
    for suite, metric, label in HEADLINE:
        if not (found := cell(result, suite, metric, split)):
            continue
        held = cell(result, suite, metric, "held") if split != "held" else None
        beside = f'<small class="soft">held out {percent(held["value"])}, {_span(held, "")}</small>' if held else ""
        made.append(f'<div class="card"><b>{percent(found["value"])}</b><span>{esc(label)}</span>'
                    f'{pictures.interval(found["value"], found["low"], found["high"], other=held and held["value"])}'
                    f'<small class="soft">{_span(found)}</small>{beside}</div>')
    note = ('<p class="soft">A dot is the number, the band around it its 95 % interval (bootstrap over questions); the '
            "ring is the held-out part, which nobody tunes on.</p>")
    in_a_row = -(-len(made) // -(-len(made) // 4)) if made else 1   # at most four, the rows as even as can be
    return f'<div class="cards" style="--per:{in_a_row}">{"".join(made)}</div>{note}' if made else ""


def _span(found: Mapping, many: str | None = None) -> str:
    """"62 to 92 %, n = 26"; where no draw differed an interval would claim too much, so there is none."""
    low, high = percent(found["low"]), percent(found["high"])
    many = f", n = {found['n']}" if many is None else many
    return f"n = {found['n']}, all alike" if low == high else f"{low.removesuffix(' %')} to {high}{many}"


def _compared(baseline: dict | None, result: dict, split: str) -> str:
    try:
        return comparison_html(baseline, result, split) if baseline else ""
    except InputError as error:
        return f'<p class="bad">{esc(error)}</p>'


def _gate(gate: Judged, result: dict, split: str) -> str:
    marks = {"passed": '<span class="tag good">held</span>', "failed": '<span class="tag bad">failed</span>',
             "not run": '<span class="tag">not run</span>'}
    made: dict[str, str] = {}
    for bar, outcome, words in gate:
        found = cell(result, bar.suite, bar.metric, split)
        # the gate may speak of another part than the report
        shown = found if found and words.startswith(f"{found['value']:.3f}") else None
        picture = pictures.interval(shown["value"], shown["low"], shown["high"], bar=bar.value,
                                    kind="bad" if outcome == "failed" else "") if shown else ""
        made[outcome] = made.get(outcome, "") + (
            f'<tr><th scope="row">{esc(metric_words(bar.metric))} <small class="soft">'
            f'{SUITES.get(bar.suite, bar.suite)}</small>'
            f"</th><td>{marks[outcome]}<td>{picture}<td>{esc(words)}</tr>")
    tables = {outcome: f'<div class="wide"><table class="gate">{body}</table></div>' for outcome, body in made.items()}
    closed = "".join(f'<details class="more"><summary>{plural(body.count("<tr>"), "bar")} {words}</summary>{body}'
                     "</details>" for outcome, words in (("passed", "held"), ("not run", "not judged"))
                     if (body := tables.get(outcome)))
    return ('<p class="soft">A number fails where its whole interval is on the wrong side of its bar, the upright '
            f'line.</p>{tables.get("failed", "")}{closed}') if gate else ""


def _failed(result: dict, split: str) -> str:
    found = failed(result, split)
    if not any("questions" in result["suites"].get(suite, {}) for suite in ASKED):
        return ""
    return (f'<p class="soft">{plural(len(found), "question")}. Held-out questions are not listed, so that nobody '
            f'tunes '
            f"on them.</p>{failures_html(found, kinds(result, split))}")


def _foot(result: dict) -> str:
    usual = {row["name"]: row["default"] for row in describe()}
    other = [name for name, value in result["config"].items()
             if name in usual and value != usual[name] and name != "traces"]   # which a run never keeps
    settings = "".join(f"<div{' class=other' if name in other else ''}><dt>{esc(name)}</dt><dd>"
                       f"{esc(setting(value))}</dd>"
                       "</div>" for name, value in result["config"].items())
    prints = "".join(f"<div><dt>{esc(name)}</dt><dd>{esc(value)}</dd></div>"
                     for name, value in result["fingerprints"].items())
    few = f"not the default: {', '.join(other)}" if other else "every setting is the default"
    return ('<footer><details class="more"><summary>Settings and versions '
            f'<small class="soft">({esc(few)})</small></summary><dl>{settings}</dl><h3>Fingerprints</h3><dl>'
            f'{prints}</dl>'
            "</details></footer>")
