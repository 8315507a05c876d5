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
        shown = [None if value is None else f"{value:.2f}" for value in values]
        ends = {"x": list(values), "y": list(labels), "orientation": "h"} if lying else \
            {"x": list(labels), "y": list(values)}
        made.add_bar(name=name, text=shown, textangle=0, textposition="outside", cliponaxis=False, **ends,
                     marker={"color": PALETTE[at % 8], "pattern": {"shape": PATTERNS[at % 8]}})
    if lying:
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
                         marker={"color": PALETTE[at % 8], "symbol": SYMBOLS[at % 8], "size": 11 if labels else 8})
    return made


def arrows(title: str, vectors: Mapping[str, tuple[Sequence[float], Sequence[float]]], **layout):
    """Arrows {name: (from, to)} in a plane, with equal scales."""
    made = figure(title, "", "", **layout)
    for at, (name, (start, end)) in enumerate(vectors.items()):
        colour = PALETTE[at % 8]
        made.add_scatter(name=name, x=[start[0], end[0]], y=[start[1], end[1]], mode="lines+markers+text",
                         text=["", name], textposition="top center", cliponaxis=False,
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
