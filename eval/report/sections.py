"""The report's sections: stages, kinds of questions, confidence, failure modes, times, every number.

Pure functions of a run's result (eval.suite.runner) that give HTML, "" where the run has nothing for them.
"""
from __future__ import annotations

from collections.abc import Mapping

from eval.report import pictures
from eval.report.failures import failed
from eval.report.funnel import funnel_html, steps
from eval.report.words import (
    PLAIN,
    RANKING,
    STAGES,
    SUITES,
    esc,
    lower_is_better,
    metric_words,
    number,
    percent,
    plural,
)

# a column each: what it is called, and the numbers whose counts it shows (a kind has one of the suites)
HEAT = (("by words, first ten", (("retrieval", "lexical.recall@10"),)),
        ("by vectors, first ten", (("retrieval", "dense.recall@10"),)),
        ("fused, first ten", (("retrieval", "fused.recall@10"),)),
        ("reranked, first five", (("retrieval", "reranked.recall@5"),)),
        ("in the evidence", (("retrieval", "evidence.recall@10"), ("conversations", "evidence.recall@10"))),
        ("right, or rightly declined", (("answers", "right_or_declined"), ("conversations", "right_or_declined"))),
        ("not obeyed", (("injection", "obeyed"),)))
ROLES = ("problem", "fix", "beside")
ASKED = ("retrieval", "answers", "abstention", "conversations", "injection")   # suites of the gold set's questions
WHOLE = {"evidence ready": "until the evidence", "first sentence": "until the first sentence", "whole": "whole answer",
         "retrieved": "until the chunks"}


def cell(result: Mapping, suite: str, metric: str, split: str) -> dict | None:
    """The number with its interval; None where it is missing. "*.recall@5": of the last stage that ranks."""
    metrics = result["suites"].get(suite, {}).get("metrics", {}).get(split, {})
    if metric.startswith("*."):
        metric = next((f"{stage}{metric[1:]}" for stage in RANKING if f"{stage}{metric[1:]}" in metrics), metric)
    found = metrics.get(metric)
    return found if found and found["value"] is not None else None


def funnel(result: dict, split: str) -> str:
    found = result["suites"].get("retrieval", {})
    ranks = [row["ranks"] for row in found.get("questions", ()) if row.get("ranks") and split in (row["split"], "all")]
    if not ranks:
        return ""
    listed = frozenset(item.lost for item in failed(result, split))
    names = ("recall@1", "recall@3", "recall@5", "recall@10", "mrr@10", "ndcg@10")
    body = ""
    for stage in found["stages"]:
        cells = [cell(result, "retrieval", f"{stage}.{name}", split) for name in names]
        body += f'<tr><th scope="row">{STAGES[stage]}</th>' + "".join(
            f'<td class="n">{c["value"]:.3f}<br><small class="soft">{c["low"]:.2f} to {c["high"]:.2f}</small>' if c else
            '<td class="n">–' for c in cells) + "</tr>"
    heads = "".join(f'<th class="n">{name}' for name in names)
    return ('<p>Where the passages that answer stand at each stage, and what a stage brings in (+) and drops (−) of '
            f'what came before it. Press a loss to see its questions.</p>'
            f'{funnel_html(steps(ranks, found["stages"]), listed)}'
            f'<details class="more"><summary>The same as numbers</summary><div class="wide"><table><thead><tr><th>stage'
            f"{heads}</tr></thead><tbody>{body}</tbody></table></div><p class=\"soft\">Evidence is read as a whole, so "
            "its order says little.</p></details>")


def public(result: dict) -> str:
    """A public set (eval.public.run): each stage's numbers."""
    found = result["suites"].get("public")
    if not found:
        return ""
    names = list(dict.fromkeys(name.partition(".")[2] for name in found["metrics"]["open"]))
    body = ""
    for stage in found["stages"]:
        cells = "".join(_figures(name, cell(result, "public", f"{stage}.{name}", "open")) for name in names)
        body += f'<tr><th scope="row">{esc(STAGES.get(stage, stage))}</th>{cells}</tr>'
    heads = "".join(f'<th class="n">{esc(name)}' for name in names)
    return (f"<p>{esc(found['set'])}: {found['documents']:,} documents, {found['judged']:,} judgements. A "
            f"document's score "
            f'is that of its best chunk.</p><div class="wide"><table><thead><tr><th>stage{heads}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>")


def heat(result: dict, split: str) -> str:
    found = {suite: part.get("kinds", {}).get(split, {}) for suite, part in result["suites"].items()}
    columns = [(label, {kind: counts for suite, metric in sources for kind in found.get(suite, {})
                        for counts in [_counts(found[suite][kind], metric)] if counts})
               for label, sources in HEAT]
    columns = [(label, cells) for label, cells in columns if cells]
    if not columns:
        return ""
    body = ""
    for kind in kinds(result, split):
        cells = ""
        for _, by_kind in columns:
            part, whole = by_kind.get(kind, (0, 0))
            cells += (f'<td class="heat" style="--share:{100 * part / whole:.0f}%"><b>{part:g}</b> of {whole:g}'
                      if whole else "<td>")
        name = esc(kind.replace("_", " "))
        body += f'<tr><th scope="row"><button type="button" data-kind="{esc(kind)}">{name}</button></th>{cells}</tr>'
    heads = "".join(f"<th>{esc(label)}" for label, _ in columns)
    return ("<p>Counts, without a verdict: a kind has too few questions for one. Press a kind to see what went "
            "wrong in "
            f'it.</p><div class="wide"><table class="heatmap"><thead><tr><th>{heads}</tr></thead><tbody>{body}</tbody>'
            "</table></div>")


def _counts(cells: Mapping, metric: str) -> tuple[float, float] | None:
    """(good ones, all) of a kind."""
    part, whole = cells.get(metric, (0, 0))
    return ((whole - part if lower_is_better(metric) else part), whole) if whole else None


def kinds(result: Mapping, split: str) -> list[str]:
    """The kinds of the questions that were asked, in the gold set's order."""
    return list(dict.fromkeys(kind for suite, part in result["suites"].items() if suite in ASKED
                              for kind in part.get("kinds", {}).get(split, {})))


def curves(result: dict, split: str) -> str:
    parts = []
    if points := result["suites"].get("abstention", {}).get("risk_coverage"):
        parts.append('<figure><figcaption><b>Risk and coverage.</b> If only the surest questions were answered, how '
                     'many '
                     f"of the answers would be wrong? Of all questions, both parts.</figcaption>"
                     f"{pictures.risk_coverage(points)}</figure>")
    if bins := pictures.reliability_bins(_held(result, split)):
        parts.append('<figure><figcaption><b>Reliability.</b> How often the best passage really held the answer, by '
                     'the '
                     "probability that the reranker gave it; on the dotted line it means what it says.</figcaption>"
                     f"{pictures.reliability(bins)}</figure>")
    return f'<div class="pair">{"".join(parts)}</div>' if parts else ""


def _held(result: dict, split: str) -> list[tuple[float, bool]]:
    """(confidence, whether the first reranked chunk found a gold passage) of each question; an unanswerable one has
    none to find."""
    sure = {row["id"]: row["confidence"] for row in result["suites"].get("answers", {}).get("questions", ())
            if row.get("confidence") is not None}
    return [(sure[row["id"]], row["counts"].get("reranked.recall@1", [0])[0] > 0)
            for row in result["suites"].get("retrieval", {}).get("questions", ())
            if row["id"] in sure and split in (row["split"], "all") and not row.get("error")]


def demos(result: dict, split: str) -> str:
    found = result["suites"].get("failures", {})
    made = []
    titles = {row["kind"]: row["question"].rpartition(", pair ")[0] for row in found.get("questions", ())}
    for name, row in found.get("demos", {}).items():
        cells = result["suites"]["failures"].get("metrics", {}).get(split, {})
        inner = f'<p class="bad">{esc(row["error"])}</p>' if "error" in row else _demo(name, row, cells)
        made.append(f'<div class="demo"><h3>{esc(titles.get(name) or name.replace("-", " "))}</h3>{inner}</div>')
    missing = found.get("not_measured")
    note = f'<p class="bad">Not measured: {esc(", ".join(missing))}</p>' if missing else ""
    absent = f'<p class="bad">absent: {esc(found["absent"])}</p>' if "absent" in found else ""
    key = "".join(f'<li><i class="band {kind}"></i>{words}</li>' for kind, words in
                  (("problem", "the problem"), ("b1", "with its fix"), ("beside", "beside them")))
    key = f'<ul class="key">{key}</ul>' if any(row.get("roles") for row in found.get("demos", {}).values()) else ""
    return f'{key}<div class="demos">{"".join(made)}</div>{note}{absent}' if made or note or absent else ""


def _demo(name: str, row: Mapping, metrics: Mapping[str, dict]) -> str:
    """A demo's numbers with their intervals over its pairs, the problem's first."""
    roles = row.get("roles", {})
    order = sorted(row["values"], key=lambda key: (*ROLES, "").index(roles.get(key, "")))
    cells = {key: metrics.get(f"{name}.{key}") or {"value": row["values"][key]} for key in order}
    cells = {key: cell for key, cell in cells.items() if cell["value"] is not None}
    pairs = max((cell.get("n", 0) for cell in cells.values()), default=0)
    top = max([1.0, *(max(cell["value"], cell.get("high") or 0) for cell in cells.values())])
    bars = pictures.bars([(key.replace("_", " "), cell, roles.get(key, "")) for key, cell in cells.items()], top)
    return bars + (f'<p class="soft"><small>{plural(pairs, "fixed pair")}</small></p>' if pairs else "")


def latency(result: dict) -> str:
    times = result["timings"]
    whole = f" The whole run took {times['whole_s']:.0f} s." if times.get("whole_s") else ""
    spent = ", ".join(f"{SUITES.get(suite, suite).lower()} {spent:.0f} s" for suite, spent in times["suites_s"].items())
    memory = f" Peak memory {times['peak_memory_mb']:,.0f} MB." if times.get("peak_memory_mb") else ""
    measured = times["latency_ms"]
    stages = {stage: cell for stage, cell in measured.items() if stage not in WHOLE}
    wholes = {words: measured[stage] for stage, words in WHOLE.items() if stage in measured}
    if not measured:
        return ""
    total = f"<h4>From the question on</h4>{pictures.latency(wholes)}" if wholes else ""
    return (f'<p class="soft">A bar is the median, its line reaches to the 95th percentile. Each group has a scale '
            f'of its '
            f'own.</p>{pictures.latency(stages)}{total}<p '
            f'class="soft">'
            f"{esc(spent[:1].upper() + spent[1:])}.{whole}{memory}</p>")


def metrics(result: dict, split: str) -> str:
    body = ""
    for suite, found in result["suites"].items():
        name = SUITES.get(suite, suite)
        if "absent" in found:
            body += f'<tr><th scope="row">{esc(name)}</th><td colspan=3 class="bad">absent: {esc(found["absent"])}</tr>'
        for metric in found.get("metrics", {}).get(split, {}):
            shown, held = (cell(result, suite, metric, part) for part in (split, "held"))
            picture = pictures.interval(shown["value"], shown["low"], shown["high"]) \
                if shown and metric not in PLAIN else ""
            body += (f'<tr><th scope="row">{esc(metric_words(metric))} <small class="soft">{esc(name)}</small></th>'
                     f"<td>{picture}{_figures(metric, shown)}{_figures(metric, held)}</tr>")
    checked = _checker(result["suites"].get("answers", {}).get("checker"))
    return (f'<details class="more"><summary>Show the table</summary><div class="wide"><table><thead><tr><th>number<th>'
            f'<th class="n">{esc(split)}<th class="n">held out</tr></thead><tbody>{body}</tbody></table></div>'
            f'</details>'
            f"{checked}")


def _checker(found: Mapping | None) -> str:
    """How far the numbers about citations can be trusted: the error of the program that checks the sentences."""
    if not found:
        return ""
    said = {"precision": "of the sentences that it passes, their passage does say",
            "recall": "of the sentences that their passage says, it passes",
            "false_passed": "of the sentences that it does not say, it passes"}
    parts = "; ".join(f"{percent(cell['value'])} <small class=\"soft\">({percent(cell['low'])} to "
                      f"{percent(cell['high'])})"
                      f"</small> {words}" for name, words in said.items()
                      for cell in [found["metrics"].get(name)] if cell and cell["value"] is not None)
    return (f"<p>Citations are checked by a program, not a person. On {found['n']} sentences that were labelled by "
            f"hand: "
            f"{parts}.</p>")


def _figures(metric: str, found: dict | None) -> str:
    return f'<td class="n">{number(metric, found["value"])}<br><small class="soft">{number(metric, found["low"])} to ' \
           f'{number(metric, found["high"])}, n={found["n"]}</small>' if found else '<td class="n">–'
