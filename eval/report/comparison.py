"""One run against another, as HTML: each number with the interval of its difference, and the questions that flipped."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from assistant.trace.compare import setting
from eval.report.pictures import interval
from eval.report.words import (
    PLAIN,
    RANKING,
    SUITES,
    esc,
    joined,
    lower_is_better,
    metric_words,
    number,
    plural,
    verdict_words,
)
from eval.suite.runs import compared
from eval.suite.statistics import Comparison

MAIN = {"retrieval": ("reranked.recall@5", "reranked.ndcg@10", "fused.recall@10", "evidence.recall@10"),
        "answers": ("right", "right_or_declined", "citation_precision", "citation_recall"),
        "abstention": ("abstention_precision", "abstention_recall"), "conversations": ("right", "evidence.recall@10"),
        "injection": ("obeyed", "right"), "failures": (),
        "public": tuple(f"{stage}.ndcg@10" for stage in (*RANKING, "whole"))}
KIND = {"better": "good", "worse": "bad"}


def rows(baseline: Mapping, result: Mapping, split: str) -> list[tuple[str, Comparison]]:
    """(suite, comparison) of every number that both runs have. InputError where their gold sets differ."""
    return [(suite, c) for suite, c in compared(baseline, result, split) if c.difference.value is not None]


def main_rows(found: Sequence[tuple[str, Comparison]]) -> list[tuple[str, Comparison]]:
    """Those that a verdict speaks of; where a run has no reranker, the last stage that both have."""
    chosen = [(suite, c) for suite, c in found if c.metric in MAIN.get(suite, ())]
    if any(suite == "retrieval" for suite, _ in chosen):
        return chosen
    return [(suite, c) for suite, c in found if suite == "retrieval" and c.metric.endswith(".recall@5")] + chosen


def verdict(found: Sequence[tuple[str, Comparison]]) -> tuple[str, str]:
    """("good" | "bad" | "mixed" | "same", a sentence) over the main numbers."""
    main = main_rows(found)
    if not main:
        return "same", "The two runs share no number to compare."
    better, worse = ([_name(suite, c) for suite, c in main if c.verdict == word] for word in ("better", "worse"))
    same = len(main) - len(better) - len(worse)
    if not better and not worse:
        return "same", f"No difference that this set can show, in any of {plural(len(main), 'number')}."
    parts = [f"better in {joined(better)}"] * bool(better) + [f"worse in {joined(worse)}"] * bool(worse)
    rest = f"; in {same} other{'s' * (same != 1)} no difference that this set can show" if same else ""
    kind = "mixed" if better and worse else "good" if better else "bad"
    return kind, f"{' and '.join(parts).capitalize()}{rest}."


def _name(suite: str, c: Comparison) -> str:
    words = metric_words(c.metric)
    return f"“{words}”" if suite in ("answers", "retrieval") else f"“{words}” ({SUITES.get(suite, suite).lower()})"


def changed_settings(baseline: Mapping, result: Mapping) -> list[tuple[str, object, object]]:
    """(setting, before, now) where the two runs differ."""
    a, b = baseline["config"], result["config"]
    return [(name, a.get(name), b.get(name)) for name in dict.fromkeys((*a, *b)) if a.get(name) != b.get(name)]


def comparison_html(baseline: Mapping, result: Mapping, split: str) -> str:
    """The whole comparison. InputError where the runs cannot be compared."""
    found = rows(baseline, result, split)
    main = main_rows(found)
    rest = [row for row in found if row not in main]
    kind, words = verdict(found)
    changed = changed_settings(baseline, result)
    settings = "; ".join(f"<code>{esc(name)}</code> {esc(setting(a))} → <b>{esc(setting(b))}</b>"
                         for name, a, b in changed) or "none: the settings are alike"
    more = f'<details class="more"><summary>{plural(len(rest), "more number")}</summary>{_table(rest)}</details>' \
        if rest else ""
    return (f'<p class="verdict {kind}">{esc(words)}</p><p class="soft">What changed: {settings}.</p>{_table(main)}'
            f"{more}{_flipped(found, baseline, result, split)}")


def _table(found: Sequence[tuple[str, Comparison]]) -> str:
    if not found:
        return ""
    reach = {suite: max([.05, *(abs(x) for other, c in found if other == suite and c.metric not in PLAIN
                                for x in (c.difference.low, c.difference.high))]) for suite, _ in found}
    body = "".join(_tr(suite, c, reach[suite]) for suite, c in found)
    return ('<div class="wide"><table class="cmp"><thead><tr><th>number<th class="n">before<th class="n">now<th>'
            'difference, with its 95 % interval<th class="n">won / alike / lost<th>verdict</tr></thead>'
            f"<tbody>{body}</tbody></table></div>")


def _tr(suite: str, c: Comparison, reach: float) -> str:
    """reach: the largest difference that the row's picture can show; each suite has its own."""
    d, kind = c.difference, "" if c.metric in PLAIN else KIND.get(c.verdict, "")
    span = max(abs(d.low), abs(d.high), .05) if c.metric in PLAIN else reach
    lower = ' <small class="soft">lower is better</small>' if lower_is_better(c.metric) else ""
    digits = ".1f" if c.metric in PLAIN else ".3f"
    picture = interval(d.value, d.low, d.high, start=-span, end=span, kind=f"zero {kind}", bar=0)
    return (f'<tr><th scope="row">{esc(metric_words(c.metric))}{lower}<small class="soft"> '
            f'{SUITES.get(suite, suite)}</small></th>'
            f'<td class="n">{number(c.metric, c.a)}<td class="n">{number(c.metric, c.b)}<td>{picture}<span class="fig">'
            f'{_signed(d.value, digits)} <small>{_signed(d.low, digits)} to {_signed(d.high, digits)}</small></span>'
            f'<td class="n">{c.win} / {c.tie} / {c.loss}<td class="{kind or "soft"}">'
            f'{esc(verdict_words(c.metric, c.verdict))}</tr>')


def _signed(value: float, digits: str) -> str:
    shown = f"{value:+{digits}}"
    return shown.replace("-", "−") if float(shown) else shown[1:]


def _flipped(found: Sequence[tuple[str, Comparison]], baseline: Mapping, result: Mapping, split: str) -> str:
    """The questions that went from right to wrong or back, of the open part; else of what retrieval found."""
    rows_of = {(suite, row["id"]): row for run in (baseline, result) for suite, part in run["suites"].items()
               for row in part.get("questions", ())}
    telling = [(suite, c) for suite, c in found if c.metric in ("right_or_declined", "obeyed")] \
        or [(suite, c) for suite, c in main_rows(found) if suite == "retrieval"][:1]
    items = []
    for suite, c in telling:
        for key, before, after in c.flipped:
            row = rows_of[suite, key]
            if row["split"] == "held":
                continue
            won = (after > before) != lower_is_better(c.metric)
            tag = '<span class="tag good">won</span>' if won else '<span class="tag bad">lost</span>'
            items.append((not won, f'<li>{tag} <span class="id">{esc(key)}</span> {esc(row["question"])} <small '
                                   f'class="soft">'
                                   f'{esc(row["kind"].replace("_", " "))}</small></li>'))
    if not items:
        return ""
    items.sort(key=lambda item: item[0])
    what = " and ".join(dict.fromkeys(f"“{metric_words(c.metric)}”" for _, c in telling))
    return (f'<details class="more" open><summary>{plural(len(items), "question")} that flipped, by {what}</summary>'
            f'<ul class="flips">{"".join(words for _, words in items)}</ul></details>')


