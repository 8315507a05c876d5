"""Pictures for the demos: plotly, in colours that the colour-blind can tell apart, on any background.

Colours are those of Okabe and Ito (2008), without black, which a dark page would swallow. Colour never speaks alone:
bars have patterns, lines have dashes, points have symbols and labels.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

BLUE, ORANGE, GREEN, RED, SKY, PINK, YELLOW, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442", "#8C8C8C")
PALETTE = (BLUE, ORANGE, GREEN, RED, SKY, PINK, YELLOW, GREY)
PATTERNS = ("", "/", "x", ".", "-", "\\", "+", "|")
LONG = 13  # characters of a label from which bars lie
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "diamond", "square", "cross", "triangle-up", "star", "x", "hexagon")
INK = "#7F7F7F"  # readable on white and on near-black alike (contrast about 4 to both)


def figure(title: str, x: str = "", y: str = "", **layout):
    """An empty figure with a title and named axes, on a clear ground."""
    import plotly.graph_objects as go
    grid = {"gridcolor": "rgba(127,127,127,0.25)", "zerolinecolor": "rgba(127,127,127,0.5)"}
    return go.Figure(layout={
        "title": {"text": title, "font": {"size": 15}}, "font": {"color": INK}, "height": 380,
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 60, "r": 20, "t": 56, "b": 56}, "legend": {"orientation": "h", "y": -0.2},
        "xaxis": {"title": {"text": x}, **grid}, "yaxis": {"title": {"text": y}, **grid}, **layout})


def bars(title: str, labels: Sequence[str], groups: Mapping[str, Sequence[float | None]], y: str, **layout):
    """Grouped bars: for each group one bar a label. Long labels lie beside bars that lie too, the first on top."""
    lying = max((len(label) for label in labels), default=0) > LONG
    tall = max(380, 150 + 22 * len(labels) * len(groups))
    made = figure(title, y if lying else "", "" if lying else y, barmode="group",
                  **({"height": tall} if lying else {}), **layout)
    for at, (name, values) in enumerate(groups.items()):
        shown = [None if value is None else f"{value:z.2f}" for value in values]  # z: no −0.00
        ends = {"x": list(values), "y": list(labels), "orientation": "h"} if lying else \
            {"x": list(labels), "y": list(values)}
        made.add_bar(name=name, text=shown, textangle=0, textposition="outside", cliponaxis=False, **ends,
                     marker={"color": PALETTE[at % 8], "pattern": {"shape": PATTERNS[at % 8]}})
    if lying:
        known = [value for values in groups.values() for value in values if value is not None]
        low, high = min([0, *known]), max([0, *known])
        room = (high - low) * 0.22  # for the number at a bar's end, also on a phone
        made.update_xaxes(range=[low - (room if low < 0 else 0), high + room] if high > low else None)
        made.update_yaxes(autorange="reversed", automargin=True)
        made.update_layout(legend={"y": -60 / tall - 0.08})
    return made


def curves(title: str, x: str, y: str, series: Mapping[str, tuple[Sequence[float], Sequence[float]]], **layout):
    """Lines with points: {name: (xs, ys)}."""
    made = figure(title, x, y, **layout)
    for at, (name, (xs, ys)) in enumerate(series.items()):
        made.add_scatter(name=name, x=list(xs), y=list(ys), mode="lines+markers",
                         line={"color": PALETTE[at % 8], "dash": DASHES[at % 6]},
                         marker={"symbol": SYMBOLS[at % 8], "size": 7})
    return made


def points(title: str, groups: Mapping[str, tuple[np.ndarray, Sequence[str]]], labels: bool = True,
           marks: Mapping[str, Sequence[str]] | None = None, **layout):
    """A map: {group: (positions (n, 2), texts)}. A text shows on hovering, and beside its point where `labels` is on;
    marks {group: short labels} stand there in its place."""
    made = figure(title, "", "", **layout)
    for at, (name, (xy, texts)) in enumerate(groups.items()):
        if not len(xy):
            continue
        beside = list((marks or {}).get(name, texts))
        made.add_scatter(name=name, x=xy[:, 0].tolist(), y=xy[:, 1].tolist(), text=beside, hovertext=list(texts),
                         hoverinfo="text", textposition="top center", cliponaxis=False,
                         mode="markers+text" if labels else "markers",
                         marker={"color": PALETTE[at % 8], "symbol": SYMBOLS[(at + at // 8) % 8],  # no pair twice in 64
                                 "size": 11 if labels else 8})
    return made


def arrows(title: str, vectors: Mapping[str, tuple[Sequence[float], Sequence[float]]], **layout):
    """Arrows {name: (from, to)} in a plane, with equal scales."""
    made = figure(title, "", "", **layout)
    rightmost = max((end[0] for _, end in vectors.values()), default=0)
    for at, (name, (start, end)) in enumerate(vectors.items()):
        colour = PALETTE[at % 8]
        beside = "left" if start[0] < end[0] == rightmost else "center"  # a long name must not leave the picture
        made.add_scatter(name=name, x=[start[0], end[0]], y=[start[1], end[1]], mode="lines+markers+text",
                         text=["", name], textposition=f"top {beside}", cliponaxis=False,
                         line={"color": colour, "dash": DASHES[at % 6]},
                         marker={"color": colour, "symbol": "arrow", "size": [0, 13], "angleref": "previous"})
    made.update_yaxes(scaleanchor="x", scaleratio=1)
    return made


def heatmap(title: str, rows: Sequence[str], columns: Sequence[str], matrix: np.ndarray, unit: str, **layout):
    """A matrix as coloured cells with their numbers written in; Cividis, which the colour-blind read as others do."""
    made = figure(title, **layout)
    cells = np.asarray(matrix, float)
    made.add_heatmap(x=[f"{n}. {c}" for n, c in enumerate(columns, 1)], y=[f"{n}. {r}" for n, r in enumerate(rows, 1)],
                     z=cells.tolist(), colorscale="Cividis", colorbar={"title": {"text": unit}},
                     texttemplate="%{z:.2f}" if cells.size <= 400 else None)
    made.update_yaxes(autorange="reversed")
    return made


def flow(title: str, boxes: Mapping[str, tuple[tuple[float, float], Sequence[str]]],
         edges: Sequence[tuple[str, str]], marked: str = "", **layout):
    """Boxes {name: ((column, row), lines of text)} with arrows between them; the marked one stands out by its frame."""
    rows = max(row for (_, row), _ in boxes.values()) + 1
    made = figure(title, height=int(60 + 92 * rows), showlegend=False, **layout)
    wide, high = 0.46, 0.34
    for name, ((x, y), lines) in boxes.items():
        colour = ORANGE if name == marked else BLUE
        made.add_shape(type="rect", x0=x - wide, x1=x + wide, y0=y - high, y1=y + high, layer="below",
                       line={"color": colour, "width": 4 if name == marked else 1.5},
                       fillcolor="rgba(0,114,178,0.08)")
        made.add_annotation(x=x, y=y, text=f"<b>{name}</b><br>" + "<br>".join(lines), showarrow=False,
                            font={"size": 11})
    for start, end in edges:
        (x0, y0), (x1, y1) = boxes[start][0], boxes[end][0]
        across, down = np.sign(x1 - x0), np.sign(y1 - y0)
        made.add_annotation(x=x1 - across * wide, y=y1 - (0 if across else down * high), ax=x0 + across * wide,
                            ay=y0 + (0 if across else down * high), xref="x", yref="y", axref="x", ayref="y", text="",
                            arrowhead=2, arrowwidth=1.5, arrowcolor=INK)
    made.add_scatter(x=[x for (x, _), _ in boxes.values()], y=[y for (_, y), _ in boxes.values()], mode="markers",
                     marker={"symbol": "square", "size": 62, "opacity": 0}, hoverinfo="text",
                     hovertext=[f"{name}: {', '.join(lines)}" for name, (_, lines) in boxes.items()])
    made.update_xaxes(visible=False, range=[-0.5, 2.5], fixedrange=True)
    return made.update_yaxes(visible=False, range=[rows - 0.5, -0.5], fixedrange=True)


def grid(title: str, pictures: Sequence[tuple[str, np.ndarray]], **layout):
    """Small pictures uint8 (s, s, 3) in one row, the caption of each below it."""
    side = max(picture.shape[0] for _, picture in pictures)
    gap = side // 8
    sheet = np.full((side, len(pictures) * (side + gap) - gap, 4), 0, np.uint8)  # see-through between them
    for at, (_, picture) in enumerate(pictures):
        left = at * (side + gap)
        sheet[:len(picture), left:left + picture.shape[1]] = np.dstack(
            [picture, np.full(picture.shape[:2], 255, np.uint8)])
    made = figure(title, height=260, **layout)
    made.add_image(z=sheet.tolist(), colormodel="rgba", hoverinfo="skip")
    made.update_xaxes(tickvals=[at * (side + gap) + side / 2 for at in range(len(pictures))], showgrid=False,
                      ticktext=["<br>".join(_wrapped(caption)) for caption, _ in pictures], zeroline=False)
    return made.update_yaxes(visible=False)


def _wrapped(text: str, width: int = 12) -> list[str]:
    import textwrap
    return textwrap.wrap(text, width)


def plane(vectors: np.ndarray) -> tuple[np.ndarray, float]:
    """(positions (n, 2), share of the variance kept 0..1): principal components, signs fixed so that runs agree."""
    centred = np.asarray(vectors, np.float64) - np.mean(vectors, axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    total = float((sizes ** 2).sum())
    if total < 1e-12:
        return np.zeros((len(centred), 2)), 1.0
    xy = np.zeros((len(centred), 2))
    keep = min(2, len(sizes))
    xy[:, :keep] = left[:, :keep] * sizes[:keep]
    for axis in range(keep):
        if xy[np.argmax(np.abs(xy[:, axis])), axis] < 0:
            xy[:, axis] *= -1
    return xy, float((sizes[:2] ** 2).sum()) / total


def pair_plane(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two vectors drawn without loss: lengths and angle are true; the first lies along x."""
    a, b = float(np.linalg.norm(first)), float(np.linalg.norm(second))
    if not a or not b:
        return np.array([a, 0.0]), np.array([b, 0.0])
    cosine = float(np.clip(first @ second / (a * b), -1, 1))
    return np.array([a, 0.0]), np.array([b * cosine, b * np.sqrt(1 - cosine ** 2)])
