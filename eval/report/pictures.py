"""The report's pictures: intervals and bars as HTML that flows with the page, curves as SVG. Pure functions.

Drawn here rather than by a chart library, which would put megabytes of script into every report.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from eval.report.words import esc, number, percent

WIDE, HIGH, LEFT, TOP, RIGHT, LOW = 420, 300, 46, 14, 14, 44   # of a curve and its margins, in units of its own
TICKS = (0, .25, .5, .75, 1)
BINS = 8          # of the reliability curve, with as many questions each
FEWEST = 5        # questions in a bin; fewer bins where there are not enough
Z95 = 1.959964    # of the normal distribution


def interval(value: float, low: float, high: float, *, start: float = 0.0, end: float = 1.0, kind: str = "",
             bar: float | None = None, other: float | None = None) -> str:
    """A dot on its 95 % interval, on a track from start to end. bar: an upright line that it is held against; other: a
    ring for a value beside it."""
    def at(x: float) -> float:
        return round(100 * min(max((x - start) / ((end - start) or 1), 0), 1), 2)
    marks = f'<u style="left:{at(bar)}%"></u>' if bar is not None else ""
    marks += f'<em style="left:{at(other)}%"></em>' if other is not None else ""
    return (f'<span class="interval {kind}" aria-hidden="true"><s style="left:{at(low)}%;'
            f'width:{at(high) - at(low):.2f}%"></s>{marks}<i style="left:{at(value)}%"></i></span>')


def bars(rows: Sequence[tuple[str, Mapping[str, float], str]], top: float = 1.0) -> str:
    """(label, {"value", "low"?, "high"?, "n"?}, class) as horizontal bars from 0 to `top`, with whiskers."""
    made = []
    for label, cell, kind in rows:
        def at(x: float) -> float:
            return round(100 * min(max(x / (top or 1), 0), 1), 2)
        low, high = cell.get("low"), cell.get("high")
        whisker = f'<s style="left:{at(low)}%;width:{at(high) - at(low):.2f}%"></s>' if low is not None \
            and high is not None else ""
        of = f" <small>{number('', low)} to {number('', high)}</small>" if whisker else ""
        made.append(f'<div class="brow {kind}"><span>{esc(label)}</span><span class="bar"><i style="width:'
                    f'{at(cell["value"])}%"></i>{whisker}</span><b>{number("", cell["value"])}{of}</b></div>')
    return f'<div class="bars">{"".join(made)}</div>'


def latency(rows: Mapping[str, Mapping[str, float]]) -> str:
    """{stage: {"p50", "p95", "n"}} in milliseconds: a bar to the median, a line to the 95th percentile."""
    top = max((cell["p95"] for cell in rows.values()), default=0.0) or 1.0
    made = []
    for stage, cell in rows.items():
        middle, high = 100 * cell["p50"] / top, 100 * cell["p95"] / top
        made.append(f'<div class="brow"><span>{esc(stage)}</span><span class="bar"><i style="width:{middle:.2f}%">'
                    f'</i><s '
                    f'style="left:{middle:.2f}%;width:{high - middle:.2f}%"></s></span><b>{_ms(cell["p50"])} <small>'
                    f'95th: '
                    f'{_ms(cell["p95"])}</small></b></div>')
    return f'<div class="bars">{"".join(made)}</div>'


def _ms(value: float) -> str:
    return f"{value / 1000:.1f} s" if value >= 1000 else f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


# curves ----------------------------------------------------------------------------------------------------------


def _x(share: float) -> float:
    return round(LEFT + (WIDE - LEFT - RIGHT) * share, 1)


def _y(share: float) -> float:
    return round(HIGH - LOW - (HIGH - LOW - TOP) * share, 1)


def _frame(x_label: str, y_label: str, words: str, inner: str) -> str:
    """A square of shares, 0 to 1 both ways, with its axes."""
    grid = "".join(f'<path class="grid" d="M{_x(0)} {_y(t)}H{_x(1)}M{_x(t)} {_y(0)}V{_y(1)}"/>'
                   f'<text x="{LEFT - 7}" y="{_y(t) + 4}" text-anchor="end">{100 * t:.0f}</text>'
                   f'<text x="{_x(t)}" y="{HIGH - LOW + 17}" text-anchor="middle">{100 * t:.0f}</text>' for t in TICKS)
    return (f'<svg class="curve" viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{esc(words)}">{grid}'
            f'<text class="axis" x="{_x(.5)}" y="{HIGH - 8}" text-anchor="middle">{esc(x_label)}</text>'
            f'<text class="axis" transform="translate(12 {_y(.5)}) rotate(-90)" text-anchor="middle">{esc(y_label)}'
            f"</text>{inner}</svg>")


def risk_coverage(points: Sequence[Sequence[float]]) -> str:
    """[confidence, coverage, risk] in falling confidence, as steps: risk of the answers given by how many are."""
    path = " ".join(f"{_x(coverage)},{_y(risk)}" for _, coverage, risk in points)
    _, coverage, risk = points[-1]
    dots = "".join(f'<circle class="hit" cx="{_x(c)}" cy="{_y(r)}" r="5"><title>at {p:.2f} and above: '
                   f'{percent(c)} answered, {percent(r)} of them wrong</title></circle>' for p, c, r in points)
    area = f'<path class="area" d="M{path.replace(" ", "L")}V{_y(0)}H{_x(points[0][1])}Z"/>' if len(points) > 1 else ""
    end = (f'<circle class="dot" cx="{_x(coverage)}" cy="{_y(risk)}" r="4.5"/><text class="note" '
           f'x="{_x(coverage) + (-8 if coverage > .7 else 9)}" y="{_y(risk) - 10}" '
           f'text-anchor="{"end" if coverage > .7 else "start"}">as it is: {percent(risk)} wrong</text>')
    words = f"answering {percent(coverage)} of all questions, {percent(risk)} of the answers are wrong"
    return _frame("questions answered, %", "of these, wrong, %", words,
                  f'{area}<polyline class="line" points="{path}"/>{dots}{end}')


@dataclass(frozen=True)
class Bin:
    """Questions of like confidence: their mean confidence, the share that held, its 95 % Wilson interval, how many."""

    confidence: float
    held: float
    low: float
    high: float
    n: int


def reliability_bins(outcomes: Sequence[tuple[float, bool]]) -> list[Bin]:
    """(confidence 0..1, whether it held), cut into at most BINS bins of as many questions each, at least FEWEST."""
    ordered = sorted(outcomes)
    count = min(BINS, len(ordered) // FEWEST)
    made = []
    for at in range(count):
        part = ordered[at * len(ordered) // count:(at + 1) * len(ordered) // count]
        held = sum(ok for _, ok in part)
        made.append(Bin(sum(p for p, _ in part) / len(part), held / len(part), *wilson(held, len(part)), len(part)))
    return made


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927), 0..1. whole > 0."""
    share, z2 = part / whole, Z95 * Z95
    middle, half = share + z2 / (2 * whole), Z95 * sqrt(share * (1 - share) / whole + z2 / (4 * whole * whole))
    return (max(0.0, (middle - half) / (1 + z2 / whole)), min(1.0, (middle + half) / (1 + z2 / whole)))


def reliability(found: Sequence[Bin]) -> str:
    """Bins against the diagonal on which a probability means what it says."""
    inner = [f'<path class="ideal" d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}"/>',
             f'<polyline class="line" points="{" ".join(f"{_x(b.confidence)},{_y(b.held)}" for b in found)}"/>']
    for b in found:
        inner.append(f'<path class="whisker" d="M{_x(b.confidence)} {_y(b.low)}V{_y(b.high)}"/>'
                     f'<circle class="dot" cx="{_x(b.confidence)}" cy="{_y(b.held)}" r="4.5"><title>{b.n} questions, '
                     f"{percent(b.confidence)} sure: {percent(b.held)} held ({percent(b.low)} to {percent(b.high)})"
                     "</title></circle>")
    words = "; ".join(f"{percent(b.confidence)} sure, {percent(b.held)} held" for b in found)
    return _frame("how sure the reranker is, %", "how often it held, %", words, "".join(inner))
