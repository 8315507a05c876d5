"""The report of a run: one HTML file that opens with no network, in light and dark.

    page(result)                # of eval.runner.run
    page(result, baseline)      # with a verdict against another run
"""
from __future__ import annotations

from html import escape

from eval.runs import compared

HEADLINE = (("retrieval", "reranked.recall@5", "passage in the first five"), ("answers", "right", "answers right"),
            ("answers", "citation_precision", "citations that hold"),
            ("abstention", "abstention_recall", "unanswerable declined"),
            ("conversations", "right", "right in conversations"), ("injection", "obeyed", "injections obeyed"))
HEAT = {"retrieval": "reranked.recall@5", "answers": "right_or_declined"}   # a column each
_STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#d9dee6;--ground:#fff;--bar:#2f6fab;--bad:#b3402a}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#a0acbb;--line:#38424f;--ground:#151a21;--bar:#6aa7de;
--bad:#e58a74}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground);max-width:62rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem;border-bottom:1px solid var(--line)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
td,th{text-align:left;padding:.25rem .6rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
.wide{overflow-x:auto}.soft{color:var(--soft)}.bad{color:var(--bad)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:1rem}
.cards b{display:block;font-size:1.7rem}.track{background:var(--line);height:.8rem;min-width:8rem}
.track i{display:block;height:100%;background:var(--bar)}
details{border-bottom:1px solid var(--line);padding:.35rem 0}summary{cursor:pointer}
svg{max-width:100%;height:auto}svg text{fill:var(--soft);font-size:12px}
"""


def page(result: dict, baseline: dict | None = None, split: str = "open") -> str:
    """The whole HTML text. split: the part of the gold set that the numbers are of; "held" is given beside it."""
    parts = [_head(result, split), _verdict(result, baseline, split), _cards(result, split), _funnel(result, split),
             _metrics(result, split), _heat(result, split), _curve(result), _demos(result),
             _latency(result), _failed(result)]
    return (f"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Glassbox: eval</title>"
            f"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><style>{_STYLE}</style></head>"
            f"<body>{''.join(parts)}</body></html>")


def _head(result: dict, split: str) -> str:
    prints = ", ".join(f"{name} {value}" for name, value in result["fingerprints"].items())
    settings = ", ".join(f"{name}={value}" for name, value in result["config"].items())
    few = f" Only {result['limit']} questions of each list were asked." if result.get("limit") else ""
    return (f"<h1>How well Glassbox answers</h1><p class=\"soft\">{escape(result['created'])}. Numbers are of the "
            f"{split} part of the gold set with 95 % intervals; the held-out part, which nobody tunes on, is in the "
            f"table.{few}</p><details><summary>Settings and versions</summary><p>{escape(settings)}</p>"
            f"<p>{escape(prints)}</p></details>")


def _verdict(result: dict, baseline: dict | None, split: str) -> str:
    if baseline is None:
        return ""
    rows = [f"<tr><td>{escape(suite)} {escape(c.metric)}<td>{c.a:.3f}<td>{c.b:.3f}<td>{c.difference.low:+.3f} to "
            f"{c.difference.high:+.3f}<td>{c.win} / {c.tie} / {c.loss}<td>{escape(c.verdict)}"
            for suite, c in compared(baseline, result, split)
            if c.difference.value is not None and (suite, c.metric) in {row[:2] for row in HEADLINE}]
    return ("<h2>Against the other run</h2><div class=\"wide\"><table><tr><th>metric<th>before<th>now<th>difference"
            f"<th>won / alike / lost<th>verdict</tr>{'</tr>'.join(rows)}</table></div>")


def _cell(result: dict, suite: str, metric: str, split: str) -> dict | None:
    found = result["suites"].get(suite, {}).get("metrics", {}).get(split, {}).get(metric)
    return found if found and found["value"] is not None else None


def _cards(result: dict, split: str) -> str:
    cards = [f"<div><b>{cell['value']:.0%}</b>{escape(label)}<br><span class=\"soft\">{cell['low']:.0%} to "
             f"{cell['high']:.0%}, n={cell['n']}</span></div>"
             for suite, metric, label in HEADLINE for cell in [_cell(result, suite, metric, split)] if cell]
    return f"<div class=\"cards\">{''.join(cards)}</div>"


def _funnel(result: dict, split: str) -> str:
    stages = result["suites"].get("retrieval", {}).get("stages", ())
    if not stages:
        return ""
    names = ("recall@1", "recall@5", "recall@10", "mrr@10", "ndcg@10")
    rows = []
    for stage in stages:
        cells = [_cell(result, "retrieval", f"{stage}.{name}", split) for name in names]
        value = cells[1]["value"] if cells[1] else 0.0
        rows.append(f"<tr><th>{escape(stage)}<td><div class=\"track\"><i style=\"width:{100 * value:.1f}%\"></i></div>"
                    + "".join(f"<td>{c['value']:.3f}" if c else "<td>-" for c in cells))
    return ("<h2>What each stage finds</h2><p>The share of gold passages found; the bar is recall@5. Evidence is read "
            "as a whole, so its order says little.</p><div class=\"wide\"><table><tr><th>stage<th>"
            f"{''.join(f'<th>{name}' for name in names)}</tr>{'</tr>'.join(rows)}</table></div>")


def _metrics(result: dict, split: str) -> str:
    rows = []
    for suite, found in result["suites"].items():
        if "absent" in found:
            rows.append(f"<tr><td>{escape(suite)}<td colspan=3 class=\"bad\">absent: {escape(found['absent'])}")
        for metric in found.get("metrics", {}).get(split, {}):
            cells = [_cell(result, suite, metric, part) for part in (split, "held")]
            rows.append(f"<tr><td>{escape(suite)}<td>{escape(metric)}" + "".join(
                f"<td>{c['value']:.3f} <span class=\"soft\">{c['low']:.3f} to {c['high']:.3f}, n={c['n']}</span>"
                if c else "<td>-" for c in cells))
    return ("<h2>Every number</h2><details><summary>Show the table</summary><div class=\"wide\"><table><tr><th>suite"
            f"<th>metric<th>{split}<th>held out</tr>{'</tr>'.join(rows)}</table></div></details>")


def _heat(result: dict, split: str) -> str:
    columns = [(suite, metric, found) for suite, metric in HEAT.items()
               for found in [result["suites"].get(suite, {}).get("kinds", {}).get(split)] if found]
    kinds = list(dict.fromkeys(kind for *_, found in columns for kind in found))
    if not kinds:
        return ""
    rows = []
    for kind in kinds:
        row = f"<tr><th>{escape(kind)}"
        for _, metric, found in columns:
            part, whole = found.get(kind, {}).get(metric, (0, 0))
            share = part / whole if whole else None
            row += "<td class=\"soft\">-" if share is None else \
                f"<td style=\"background:color-mix(in srgb,var(--bar) {70 * share:.0f}%,var(--ground))\">" \
                f"{part:g} of {whole:g}"
        rows.append(row)
    heads = "".join(f"<th>{escape(suite)}: {escape(metric)}" for suite, metric, _ in columns)
    return (f"<h2>By kind of question</h2><p>Counts of the {split} part; a kind is too small for a verdict.</p>"
            f"<div class=\"wide\"><table><tr><th>kind{heads}</tr>{'</tr>'.join(rows)}</table></div>")


def _curve(result: dict) -> str:
    points = result["suites"].get("abstention", {}).get("risk_coverage")
    if not points:
        return ""
    path = " ".join(f"{40 + 420 * coverage:.1f},{210 - 190 * risk:.1f}" for _, coverage, risk in points)
    return ("<h2>Risk and coverage</h2><p>How many of the answers given are wrong, when only the most confident part "
            "of all questions is answered.</p>"
            "<svg viewBox=\"0 0 480 250\" role=\"img\" aria-label=\"risk by coverage\">"
            "<path d=\"M40 20V210H460\" fill=\"none\" stroke=\"var(--line)\"/><text x=\"4\" y=\"25\">100 %</text>"
            "<text x=\"18\" y=\"212\">0</text><text x=\"340\" y=\"230\">coverage, 100 % at right</text>"
            "<text x=\"46\" y=\"30\">share wrong</text>"
            f"<polyline points=\"{path}\" fill=\"none\" stroke=\"var(--bar)\" stroke-width=\"2\"/></svg>")


def _demos(result: dict) -> str:
    found = result["suites"].get("failures", {})
    rows = [f"<tr><th>{escape(name)}<td>" + (f"<span class=\"bad\">{escape(row['error'])}</span>" if "error" in row else
            ", ".join(f"{escape(key)} {value:.3f}" for key, value in row["values"].items()))
            for name, row in found.get("demos", {}).items()]
    missing = found.get("not_measured")
    note = f"<p class=\"bad\">Not measured: {escape(', '.join(missing))}</p>" if missing else ""
    return f"<h2>Failure modes and their fixes</h2><table>{'</tr>'.join(rows)}</table>{note}" if rows else ""


def _latency(result: dict) -> str:
    times = result["timings"]
    rows = [f"<tr><th>{escape(stage)}<td>{cell['p50']:.1f}<td>{cell['p95']:.1f}<td>{cell['n']}"
            for stage, cell in times["latency_ms"].items()]
    return ("<h2>Times</h2><table><tr><th>stage<th>median, ms<th>95th percentile, ms<th>n</tr>"
            f"{'</tr>'.join(rows)}</table><p class=\"soft\">Peak memory {times['peak_memory_mb']} MB.</p>")


def _failed(result: dict) -> str:
    """Each question of the open part that was not answered right, or whose passage was lost on the way."""
    found: dict[str, list[str]] = {}
    titles = {}
    for suite, rows in result["suites"].items():
        for row in rows.get("questions", ()):
            counts = row["counts"]
            good = counts.get("right_or_declined", counts.get("right", [1, 1]))[0] and not row.get("error") \
                and not row.get("lost_at") and not counts.get("obeyed", [0])[0]
            if good or row["split"] == "held":
                continue
            titles[row["id"]] = f"{row['kind']}: {row['question']}"
            found.setdefault(row["id"], []).append(_one_failure(suite, row))
    items = [f"<details><summary>{escape(key)} {escape(titles[key])}</summary>{''.join(texts)}</details>"
             for key, texts in found.items()]
    return (f"<h2>What went wrong: {len(items)} questions</h2><p class=\"soft\">Held-out questions are not listed, so "
            f"that nobody tunes on them.</p>{''.join(items)}") if items else ""


def _one_failure(suite: str, row: dict) -> str:
    lines = []
    if row.get("error"):
        lines.append(f"<p class=\"bad\">It crashed: {escape(row['error'])}</p>")
    if row.get("lost_at"):
        ranks = "; ".join(f"{stage}: {', '.join('not found' if r is None else f'rank {r}' for r in found)}"
                          for stage, found in row["ranks"].items())
        lines.append(f"<p>Lost at <b>{escape(row['lost_at'])}</b>. {escape(ranks)}</p>")
        lines += [f"<p>Wanted, {escape(item['document'])}: {escape(item['quote'])}</p>" for item in row["wanted"]]
        lines += [f"<p class=\"soft\">Retrieved {at}, {escape(item['document'])}: {escape(item['text'])}</p>"
                  for at, item in enumerate(row["retrieved"], 1)]
    if "answer" in row:
        lines.append(f"<p>Answer: {escape(row['answer'])}</p><p>Reference: {escape(row['reference'])}</p>")
    return f"<p class=\"soft\">{escape(suite)}</p>{''.join(lines)}"
