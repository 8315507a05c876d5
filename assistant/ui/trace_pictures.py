"""Pictures of a trace as SVG, in the page's own colours: the flow of ranks, the map of the vectors. Pure functions."""
from __future__ import annotations

from collections import Counter

from assistant.records import Hit, Trace
from assistant.trace.compare import SCORED
from assistant.ui.prose import esc
from assistant.vector_map import NEIGHBOURS, Point, VectorMap

NAMES = {"dense": "dense", "lexical": "lexical", "fused": "fused", "rerank": "reranked"}
LAST_RANK = 24  # of the picture; worse ranks share the line below
WIDE, ROW, TOP, LEFT = 640, 17, 34, 62  # of the picture, in pixels of its own


def flow_html(trace: Trace) -> str:
    """The flow of ranks: a line a chunk from dense and lexical over fused to reranked; kept ones stand out."""
    stages = [name for name in SCORED if any(getattr(hit, name) for hit in trace.hits)]
    scored = [(n, hit) for n, hit in enumerate(trace.hits, 1) if any(getattr(hit, name) for name in SCORED)]
    if len(stages) < 2:
        return ""
    at = {name: LEFT + n * (WIDE - 250 - LEFT) / (len(stages) - 1) for n, name in enumerate(stages)}
    ranks = [score.rank for _, hit in scored for name in stages if (score := getattr(hit, name))]
    lowest = min(max(ranks), LAST_RANK + 1)
    high = TOP + ROW * lowest + 8
    axis = "".join(f'<text x="{x:.0f}" y="16" text-anchor="middle">{NAMES[name]}</text>'
                   f'<line class="gb-axis" x1="{x:.0f}" x2="{x:.0f}" y1="24" y2="{high - 6}"/>'
                   for name, x in at.items())
    ticks = "".join(f'<text class="gb-tickname" x="{LEFT - 14}" y="{_y(rank) + 4}" text-anchor="end">{words}</text>'
                    for rank, words in _ticks(lowest))
    twins = Counter(_heading(hit) for _, hit in scored if hit.kept)
    lines = "".join(_flow(n, hit, at, twins[_heading(hit)] > 1)
                    for n, hit in sorted(scored, key=lambda pair: pair[1].kept))
    return (f'<div class="gb-picture"><div class="gb-scroll"><svg class="gb-flowpicture" viewBox="0 0 {WIDE} {high}" '
            'role="img" aria-label="Rank of each candidate at each stage, best at the top; the cards below say the '
            f'same in words">{axis}{ticks}{lines}</svg></div>{_caption("line")}</div>')


def _caption(thing: str) -> str:
    """Where page.js names what the pointer is on."""
    return f'<p class="gb-note gb-caption" role="status">Point at a {thing}, or tap it, to see which chunk it is.</p>'


def _heading(hit: Hit) -> str:
    return hit.chunk.heading.split(" > ")[-1] or hit.document


def _ticks(lowest: int) -> list[tuple[int, str]]:
    shown = [(rank, str(rank)) for rank in (1, 5, 10, 15, 20) if rank <= min(lowest, LAST_RANK)]
    return [*shown, (LAST_RANK + 1, f"over {LAST_RANK}")] if lowest > LAST_RANK else shown


def _y(rank: int) -> int:
    return TOP + ROW * (min(rank, LAST_RANK + 1) - 1) + 6


def _flow(number: int, hit: Hit, at: dict[str, float], twin: bool) -> str:
    """twin: another kept chunk has the same heading, so the chunk's own words tell it apart."""
    points = {name: (x, _y(score.rank)) for name, x in at.items() if (score := getattr(hit, name))}
    steps = (("dense", "fused"), ("lexical", "fused"), ("fused", "rerank"))
    joined = [(a, b) for a, b in steps if a in points and b in points]
    if not joined and len(points) > 1:  # without fusion
        joined = [(next(iter(points)), list(points)[-1])]
    path = " ".join(f"M{points[a][0]:.0f} {points[a][1]} C{(points[a][0] + points[b][0]) / 2:.0f} {points[a][1]} "
                    f"{(points[a][0] + points[b][0]) / 2:.0f} {points[b][1]} {points[b][0]:.0f} {points[b][1]}"
                    for a, b in joined)
    dots = "".join(f'<circle cx="{x:.0f}" cy="{y}" r="3"/>' for x, y in points.values())
    ranks = ", ".join(f"{NAMES[name]} {getattr(hit, name).rank}" for name in points)
    end = points[list(points)[-1]]
    words = short(hit.chunk.text if twin else _heading(hit), 34)
    label = f'<text x="{end[0] + 9:.0f}" y="{end[1] + 4}">{words}</text>' if hit.kept else ""
    return (f'<g class="gb-flowline{" gb-kept" if hit.kept else ""}" data-chunk="{esc(hit.chunk.id)}"><title>{number}. '
            f"{short(_heading(hit), 120)}: {esc(ranks)}. {short(hit.reason, 200)}"
            f"{f'. “{short(hit.chunk.text, 120)}”' if hit.chunk.text else ''}</title>"
            f'<path class="gb-hit" d="{path}"/><path d="{path}"/>{dots}{label}</g>')


def map_html(found: VectorMap, kept: frozenset[str]) -> str:
    """The map with what it can be trusted for. kept: ids of the chunks that the trace kept."""
    size = 600

    def at(x: float, y: float) -> tuple[float, float]:
        return round(14 + x * (size - 28), 1), round(14 + y * (size - 28), 1)

    here = at(found.x, found.y)
    near = found.points[:NEIGHBOURS]
    ends = [at(point.x, point.y) for point in near]
    lines = "".join(f'<line class="gb-near" x1="{here[0]}" y1="{here[1]}" x2="{x}" y2="{y}"/>' for x, y in ends)
    dots = "".join(_dot(point, *at(point.x, point.y), point.chunk.id in kept) for point in reversed(found.points))
    mark = f'<path class="gb-query" d="M{here[0]} {here[1] - 8}l8 8l-8 8l-8 -8z"><title>The question</title></path>'
    note = (f"The map keeps {found.kept:.0%} of the true neighbours ({NEIGHBOURS} nearest of each point), "
            f"{found.kept_of_query:.0%} of the question's own. Lines lead to its {len(near)} nearest, by the cosine "
            "with the whole chunk; the search looks at each chunk's sentences too, so its ranks may differ.")
    parts = [f'<p class="gb-note">{note}</p>']
    if not found.faithful:
        parts.append('<p class="gb-note gb-drift">That is little: near on the map need not be near in the vectors.</p>')
    if found.total > len(found.points):
        parts.append(f'<p class="gb-note">The {len(found.points):,} chunks of {found.total:,} that are nearest to the '
                     "question.</p>")
    if found.index_changed:
        parts.append('<p class="gb-note gb-drift">The index is another one than when this was asked.</p>')
    legend = "".join(f'<span><i class="gb-dot gb-{kind}"></i>{words}</span>' for kind, words in (
        ("query", "the question"), ("kept", "kept"), ("nearby", f"among its {len(near)} nearest"), ("other", "other")))
    return "".join(parts) + (f'<p class="gb-note gb-maplegend">{legend}</p><div class="gb-picture"><svg class="gb-map" '
                             f'viewBox="0 0 {size} {size}" role="img" aria-label="Chunks and question in two '
                             f'dimensions">{lines}{dots}{mark}</svg>{_caption("dot")}</div>')


def _dot(point: Point, x: float, y: float, kept: bool) -> str:
    kind = "gb-kept" if kept else "gb-nearby" if point.rank <= NEIGHBOURS else ""
    heading, text = short(point.chunk.heading.split(" > ")[-1], 80), short(point.chunk.text, 160)
    return (f'<circle class="{kind}" cx="{x}" cy="{y}" r="{5 if kind else 3}"><title>{heading}: {text} '
            f"(cosine {point.cosine:.2f}, rank {point.rank}{', kept' if kept else ''})</title></circle>")


def short(text: str, limit: int) -> str:
    """Escaped, in one line of at most `limit` characters, without markup: for attributes and pictures."""
    line = " ".join(text.split())
    return esc(line if len(line) <= limit else line[:limit - 1] + "…")
