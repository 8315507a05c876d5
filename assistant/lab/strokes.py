"""Shapes as a hand draws them with a round brush: outlines, lines and fills that wobble and do not quite close.

A shape is a set of ways to draw it, a way a set of lines, a line its corners; radius 1 about the origin, y points down.
"""
from __future__ import annotations

from itertools import pairwise

import numpy as np

Line = tuple[tuple[float, float], ...]


def _round(corners: int, *radii: float) -> Line:
    """A closed line of corners at equal angles, the first at the top, at each of the radii in turn."""
    angles = np.arange(corners) * 2 * np.pi / corners - np.pi / 2
    points = [(radii[at % len(radii)] * float(np.cos(angle)), radii[at % len(radii)] * float(np.sin(angle)))
              for at, angle in enumerate(angles)]
    return (*points, points[0])


def _closed(*corners: tuple[float, float]) -> Line:
    return (*corners, corners[0])


_TIPS = _round(5, 1.05)
# the first way is the outline of assistant.lab.shapes.inside, to be filled as well; the others have lines alone
WAYS: dict[str, tuple[tuple[Line, ...], ...]] = {
    "circle": ((_round(20, 0.95),),),
    "square": ((_closed((-0.82, -0.82), (0.82, -0.82), (0.82, 0.82), (-0.82, 0.82)),),),
    "triangle": ((_closed((0, -0.95), (1, 0.75), (-1, 0.75)),),),
    "diamond": ((_closed((0, -1.1), (0.69, 0), (0, 1.1), (-0.69, 0)),),),
    "star": ((_round(10, 1.05, 0.45),),
             (tuple(_TIPS[at * 2 % 5] for at in range(6)),)),  # five strokes without lifting the pen
    "cross": ((_closed((-0.28, -0.95), (0.28, -0.95), (0.28, -0.28), (0.95, -0.28), (0.95, 0.28), (0.28, 0.28),
                       (0.28, 0.95), (-0.28, 0.95), (-0.28, 0.28), (-0.95, 0.28), (-0.95, -0.28), (-0.28, -0.28)),),
              (((-0.95, 0), (0.95, 0)), ((0, -0.95), (0, 0.95))),
              (((-0.75, -0.75), (0.75, 0.75)), ((-0.75, 0.75), (0.75, -0.75)))),
    "arrow": ((_closed((-1, -0.25), (0.15, -0.25), (0.15, -0.95), (1, 0), (0.15, 0.95), (0.15, 0.25), (-1, 0.25)),),
              (((-1, 0), (1, 0)), ((0.25, -0.75), (1, 0), (0.25, 0.75)))),
}
STRETCH = {"diamond": (0.85, 1.5), "circle": (0.88, 1.12)}  # width over height, times the shape's own
PEN = (0.2, 0.6)    # a brush's width as a share of the shape's radius, least and most


def drawn(shape: str, x: np.ndarray, y: np.ndarray, rng: np.random.Generator, fill: bool = False) -> np.ndarray:
    """Whether points lie under the brush that has drawn the shape, or has filled it; a new drawing at each call."""
    ways = WAYS[shape]
    lines = ways[0] if fill else ways[int(rng.integers(len(ways)))]
    width = np.sqrt(rng.uniform(*STRETCH.get(shape, (0.82, 1.22))))
    lean = rng.uniform(-0.6, 0.6) if shape == "triangle" else 0.0  # its tip need not stand over the middle
    trembling, half = rng.uniform(0.0, 0.07), rng.uniform(*PEN) / 2
    mask = np.zeros(x.shape, bool)
    for line in lines:
        corners = np.array(line) * (width, 1 / width) + np.array(line)[:, 1:] * (lean, 0)
        path = _by_hand(corners, trembling, rng)
        for a, b in pairwise(path):
            mask |= _near(x, y, a, b, half)
        if fill:
            mask |= _within(x, y, path)
    return mask


def _by_hand(corners: np.ndarray, trembling: float, rng: np.random.Generator) -> np.ndarray:
    """(n, 2): a line's corners with points between them, each a little off; a closed one may miss its start."""
    closed = bool((corners[0] == corners[-1]).all())
    if len(corners) < 15:  # a circle has points enough
        corners = np.concatenate([*(np.linspace(a, b, 3, endpoint=False) for a, b in pairwise(corners)), corners[-1:]])
    path = corners + rng.normal(0, trembling, corners.shape)
    if closed:
        path[-1] = path[0] + rng.normal(0, 2 * trembling, 2)
    return path


def _near(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray, half: float) -> np.ndarray:
    """Whether points are within `half` of the stretch from a to b."""
    along = b - a
    share = ((x - a[0]) * along[0] + (y - a[1]) * along[1]) / max(float(along @ along), 1e-9)
    share = np.clip(share, 0, 1)
    return (x - a[0] - share * along[0]) ** 2 + (y - a[1] - share * along[1]) ** 2 < half * half


def _within(x: np.ndarray, y: np.ndarray, path: np.ndarray) -> np.ndarray:
    """Whether points lie inside a closed line: one to the left crosses it an odd number of times."""
    odd = np.zeros(x.shape, bool)
    for (ax, ay), (bx, by) in zip(path, np.roll(path, -1, axis=0), strict=True):
        if ay != by:
            odd ^= ((ay > y) != (by > y)) & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
    return odd
