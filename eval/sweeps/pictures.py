"""A sweep as a page: quality against waiting time, with the front marked, and every combination in a table.

One HTML file that opens with no network, in light and dark, on a phone and on paper. What the picture shows is also in
its description and in the table, and nothing is told by colour alone: on the front a mark is filled and joined by a
line, elsewhere it is a ring.
"""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from eval.report import pictures
from eval.report.style import SCRIPT, STYLE
from eval.report.tables import NONE, PARTS
from eval.report.words import esc, joined, plural
from eval.sweeps.sweep import Point, front, index_words, measures, points

WIDE, HIGH, LEFT, TOP, RIGHT, LOW = 460, 330, 58, 18, 22, 48   # of a plot and its margins, in units of its own
LEAST = 0.1       # span of quality that an axis shows at least: a difference of a hundredth must not look like a gulf
NEAR = 15         # two labels nearer than this would touch
PLACES = ((10, 4, "start"), (-10, 4, "end"), (0, -11, "middle"), (0, 20, "middle"), (10, -9, "start"),
          (-10, -9, "end"), (10, 18, "start"), (-10, 18, "end"))   # of a label beside its mark, the best first
LOOK = """.front{fill:none;stroke:var(--accent);stroke-width:2;stroke-dasharray:6 3}.mark.on{fill:var(--accent);
stroke:var(--surface);stroke-width:2}.mark.off{fill:var(--surface);stroke:var(--soft);stroke-width:2}
.spread{stroke:var(--soft);stroke-width:1.2;opacity:.75}.spread.on{stroke:var(--accent)}
.curve .number{fill:var(--ink);font-size:13px;font-weight:600;paint-order:stroke;stroke:var(--paper);stroke-width:3px}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(25rem,100%),1fr));gap:1.6rem 2.4rem}
.plots .curve{max-width:32rem}.plots figcaption{min-height:0}.sweep td,.sweep th{vertical-align:middle}
.sweep .interval{min-width:5rem}.sweep td{white-space:nowrap}.sweep thead th{vertical-align:bottom}
.legend{display:inline-flex;align-items:center;vertical-align:bottom;gap:.4rem;margin-right:1.2rem}
.legend svg{width:1.1rem;height:1.1rem}"""


def page(results: Sequence[Mapping], split: str = "open", theme: str = "") -> str:
    """The whole HTML text. results: of suite.runner or public.run, a combination each; theme: "light" or "dark"."""
    found = points(results, split)
    shown = measures(found)
    until = _until(results)
    plots = "".join(f"<figure><figcaption><b>{esc(label)}</b></figcaption>{plot(found, label, until)}</figure>"
                    for label in shown if sum(_there(point, label) for point in found) > 1)
    key = ('<p class="soft"><span class="legend"><svg viewBox="0 0 20 20" aria-hidden="true"><circle class="mark on" '
           'cx="10" cy="10" r="7"/></svg>on the front: no other is as good and as fast</span><span class="legend">'
           '<svg viewBox="0 0 20 20" aria-hidden="true"><circle class="mark off" cx="10" cy="10" r="6"/></svg>beaten '
           'by another</span> Upright lines are 95 % intervals (bootstrap over questions); the numbers are the '
           "table's.</p>")
    title = "a sweep" if len(found) > 1 else "a run"
    body = (f'<section id="verdict"><p class="eyebrow">{esc(_about(results, split))}</p><h1>'
            f"{esc(lede(found, shown))}</h1>"
            + "".join(f'<p class="lede">{esc(line)}</p>' for line in notes(found, shown)) + "</section>"
            + (f'<section id="plots"><h2>Quality against waiting time</h2>{key}<div class="plots">{plots}</div>'
               "</section>" if plots else "")
            + f'<section id="table"><h2>Every combination</h2>{_table(found, shown)}</section>')
    fixed = f' data-theme="{esc(theme)}"' if theme else ""
    return (f'<!doctype html><html lang="en"{fixed}><head><meta charset="utf-8"><title>Glassbox: {title}</title>'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f'<style>{STYLE}{LOOK}</style></head><body><header class="top"><p><b>Glassbox</b> {title}</p><nav>'
            f'{"<a href=#plots>Plots</a>" if plots else ""}<a href="#table">Table</a></nav><button type="button" '
            f'id="theme" aria-label="Light or dark">◐</button></header><main>{body}</main><script>{SCRIPT}</script>'
            "</body></html>")


def lede(found: Sequence[Point], shown: Sequence[str]) -> str:
    """What the sweep says of its first measure, in a sentence."""
    if not shown:
        return f"{plural(len(found), 'combination')}, of which nothing was measured that a sweep compares."
    label = shown[0]
    there = [point for point in found if label in point.cells]
    best = front(found, label)
    if len(there) < 2 or not best:
        cell = there[0].cells[label]
        return f"{label}: {cell['value']:.3f}, {cell['low']:.3f} to {cell['high']:.3f}."
    top, fast = best[-1], best[0]
    said = f"Number {top.number} has the best “{label}”: {top.cells[label]['value']:.3f} in {ms(top.p50)}"
    if top == fast:
        return f"{said}, and no other is faster."
    return f"{said}. Number {fast.number} is the fastest: {fast.cells[label]['value']:.3f} in {ms(fast.p50)}."


def notes(found: Sequence[Point], shown: Sequence[str]) -> list[str]:
    """Which settings the headline speaks of, and the verdict: the others against the first, question by question."""
    if len(found) < 2 or not shown:
        return []
    label = shown[0]
    best = front(found, label)
    named = {point.number: point.words for point in (best[-1], best[0])} if best else {}
    said = [f"Number {'; number '.join(f'{number} is {words}' for number, words in named.items())}."] if named else []
    groups: dict[str, list[str]] = {}
    for point in found[1:]:
        if label in point.against:
            groups.setdefault(point.against[label].verdict, []).append(str(point.number))
    parts = [f"{joined(numbers)} {'is' if len(numbers) == 1 else 'are'} {verdict}" if verdict != NONE else
             f"of {joined(numbers)} this set can show no difference" for verdict, numbers in groups.items()]
    return [*said, *([f"Question by question against number 1, in “{label}”: {'; '.join(parts)}."] if parts else [])]


def plot(found: Sequence[Point], label: str, until: str) -> str:
    """An SVG of the points that have the measure and a time; until: what the time is taken to."""
    there = [point for point in found if _there(point, label)]
    best = front(found, label)
    on = {point.number for point in best}
    last, step_x = _nice(max(point.p50 for point in there) * 1.08)
    low, high, step_y = _span([point.cells[label] for point in there])

    def x(time: float) -> float:
        return round(LEFT + (WIDE - LEFT - RIGHT) * time / last, 1)

    def y(value: float) -> float:
        return round(HIGH - LOW - (HIGH - LOW - TOP) * (value - low) / (high - low), 1)
    inner = []
    for value in _ticks(low, high, step_y):
        inner.append(f'<path class="grid" d="M{x(0)} {y(value)}H{x(last)}"/><text x="{LEFT - 8}" y="{y(value) + 4}" '
                     f'text-anchor="end">{value:.2f}</text>')
    for time in _ticks(0, last, step_x):
        inner.append(f'<path class="grid" d="M{x(time)} {y(low)}V{y(high)}"/><text x="{x(time)}" y="{HIGH - LOW + 18}" '
                     f'text-anchor="middle">{time:,.0f}</text>')
    steps = [f"{x(best[0].p50)},{y(best[0].cells[label]['value'])}"] if best else []
    for before, after in pairwise(best):  # what can be had in a given time: steps, no slope
        steps += [f"{x(after.p50)},{y(point.cells[label]['value'])}" for point in (before, after)]
    inner.append(f'<polyline class="front" points="{" ".join(steps)}"/>' if len(best) > 1 else "")
    for point in there:
        cell, kind = point.cells[label], "on" if point.number in on else "off"
        inner.append(f'<path class="spread {kind}" d="M{x(point.p50)} {y(cell["low"])}V{y(cell["high"])}"/>')
    marks = [(x(point.p50), y(point.cells[label]["value"])) for point in there]
    placed = zip(there, marks, _labels(marks), strict=True)
    for point, (at, height), (dx, dy, anchor) in sorted(placed, key=lambda item: item[0].number in on):  # those on top
        kind = "on" if point.number in on else "off"
        inner.append(f'<circle class="mark {kind}" cx="{at}" cy="{height}" r="6"><title>{esc(_said(point, label))}'
                     f'</title></circle><text class="number" x="{at + dx}" y="{height + dy}" text-anchor="{anchor}">'
                     f"{point.number}</text>")
    words = f"{label} against the median time until {until}. " + " ".join(
        f"{_said(point, label)}{', on the front' if point.number in on else ''}." for point in there)
    return (f'<svg class="curve" viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{esc(words)}">{"".join(inner)}'
            f'<text class="axis" x="{(LEFT + WIDE - RIGHT) / 2}" y="{HIGH - 8}" text-anchor="middle">median ms '
            f'until {until}'
            f'</text><text class="axis" transform="translate(13 {(TOP + HIGH - LOW) / 2}) rotate(-90)" '
            f'text-anchor="middle">{esc(label)}</text></svg>')


def ms(value: float) -> str:
    return f"{value / 1000:.1f} s" if value >= 1000 else f"{value:.0f} ms"


def _there(point: Point, label: str) -> bool:
    return label in point.cells and point.p50 is not None


def _said(point: Point, label: str) -> str:
    cell = point.cells[label]
    return (f"{point.number}: {point.words}, {cell['value']:.3f} ({cell['low']:.3f} to {cell['high']:.3f}) in "
            f"{ms(point.p50)}")


def _labels(marks: Sequence[tuple[float, float]]) -> list[tuple[float, float, str]]:
    """For each mark where its label stands beside it: the first place that is near no mark and no earlier label."""
    taken, out = list(marks), []
    for at, height in marks:
        def room(place: tuple[float, float, str], at: float = at, height: float = height) -> float:
            left = place[0] + {"start": 5, "end": -5, "middle": 0}[place[2]]
            spot = (at + left, height + place[1] - 4)
            inside = LEFT < spot[0] < WIDE - 8 and TOP - 8 < spot[1] < HIGH - LOW
            return min((math.dist(spot, other) for other in taken if other != (at, height)), default=NEAR) * inside
        place = next((place for place in PLACES if room(place) >= NEAR), max(PLACES, key=room))
        taken.append((at + place[0], height + place[1] - 4))
        out.append(place)
    return out


def _span(cells: Sequence[Mapping]) -> tuple[float, float, float]:
    """(low, high, step) of an axis that holds the intervals, at least LEAST wide, within 0..1 where they are."""
    low, high = min(cell["low"] for cell in cells), max(cell["high"] for cell in cells)
    short = max(0.0, LEAST - (high - low)) / 2
    low, high = max(0.0, low - short) if low >= 0 else low - short, min(1.0, high + short) if high <= 1 else high
    step = next(step for step in (.01, .02, .05, .1, .2, .5, 1, 10 ** 9) if (high - low) / step <= 6)
    return round(math.floor(low / step + 1e-9) * step, 6), round(math.ceil(high / step - 1e-9) * step, 6), step


def _nice(top: float) -> tuple[float, float]:
    """(end, step) of an axis from 0: a step of 1, 2 or 5 times a power of ten, at most six of them."""
    power = 10 ** math.floor(math.log10(max(top, 1e-9)))
    step = next(power * part for part in (.1, .2, .5, 1, 2, 5) if top / (power * part) <= 6)
    return math.ceil(top / step) * step, step


def _ticks(low: float, high: float, step: float) -> list[float]:
    return [low + at * step for at in range(round((high - low) / step) + 1)]


def _until(results: Sequence[Mapping]) -> str:
    return "the evidence" if any("evidence ready" in result["timings"].get("latency_ms", {}) for result in results) \
        else "the passages are found"


def _about(results: Sequence[Mapping], split: str) -> str:
    limit = results[0].get("limit")
    few = f" · {limit} of each list asked" if limit else ""
    return f"{results[0]['created'][:16].replace('T', ' ')} UTC · {plural(len(results), 'combination')} · " \
           f"{PARTS[split]}{few}"


def _table(found: Sequence[Point], shown: Sequence[str]) -> str:
    names = [name for name, _ in found[0].settings]
    best = {label: {point.number for point in front(found, label)} for label in shown}
    heads = "".join(f'<th scope="col">{esc(name)}</th>' for name in ("#", *names, "median", "95th", "index", *shown))
    body = ""
    for point in found:
        body += f'<tr><th scope="row">{point.number}</th>' + "".join(f"<td>{esc(value)}</td>"
                                                                     for _, value in point.settings)
        times = "".join(f'<td class="n">{"–" if time is None else ms(time)}</td>' for time in (point.p50, point.p95))
        body += f"{times}<td>{index_words(point)}</td>"
        for label in shown:
            cell = point.cells.get(label)
            crown = ' <span class="tag good">front</span>' if len(found) > 1 and point.number in best[label] else ""
            body += (f'<td><b>{cell["value"]:.3f}</b>{crown}{_against(point, label)}'
                     f"{pictures.interval(cell['value'], cell['low'], cell['high'])}"
                     f'<small class="soft">{cell["low"]:.3f} to {cell["high"]:.3f}</small></td>'
                     if cell else "<td>–</td>")
        body += "</tr>"
    note = "" if len(found) < 2 else (
        '<p class="soft">“Better” and “worse” are against number 1, question by question; where neither stands, this '
        "set can show no difference. Times are of one question at a time. An index is made once for a chunk size and "
        "an embedder.</p>")
    return (f'{note}<div class="wide"><table class="sweep"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
            "</div>")


def _against(point: Point, label: str) -> str:
    """A tag where the paired comparison with the first shows a difference."""
    found = point.against.get(label)
    if not found or found.verdict not in ("better", "worse"):
        return ""
    d = found.difference
    kind = {"better": "good", "worse": "bad"}[found.verdict]
    return (f' <span class="tag {kind}" title="{d.low:+.3f} to {d.high:+.3f}, 95 %">{found.verdict} {d.value:+.3f}'
            "</span>")
