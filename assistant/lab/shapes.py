"""Pictures of one shape with captions, for the small CLIP: drawn by formulas or as by hand, 32 x 32 pixels, no file."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assistant.lab import strokes

SIDE = 32     # pixels
FINE = 3      # each pixel is the mean of FINE x FINE points, so that edges are soft
SHAPES = ("circle", "square", "triangle", "cross", "ring", "star", "diamond", "arrow")
COLOURS = {"red": (214, 40, 40), "green": (44, 160, 60), "blue": (40, 80, 200), "yellow": (245, 215, 40),
           "orange": (245, 140, 20), "purple": (130, 60, 170), "pink": (245, 150, 190), "brown": (120, 75, 40)}
SIZES = {"small": (0.15, 0.28), "large": (0.30, 0.46)}  # radius as a share of the side, least and most
PLACES = {"in the middle": (0, 0), "on the left": (-1, 0), "on the right": (1, 0), "at the top": (0, -1),
          "at the bottom": (0, 1)}
STYLES = ("filled", "outlined")
BY_HAND = 0.3     # share of the filled pictures for training that are filled with a brush
LOOSE = 2.5       # pixels that a hand may miss its place by; formulas miss by 1
NAMES = tuple(COLOURS)
# one colour for each shape that training never sees together: the test of what was learnt as parts
HELD_OUT = frozenset((NAMES[(at + 3) % len(NAMES)], shape) for at, shape in enumerate(SHAPES))


@dataclass(frozen=True)
class Scene:
    """What a picture shows."""

    colour: str
    shape: str
    size: str = "large"
    place: str = "in the middle"
    style: str = "filled"

    @property
    def names(self) -> tuple[str, ...]:
        """The shapes that it may be called: the outline of a circle is a ring as well."""
        return ("circle", "ring") if (self.shape, self.style) == ("circle", "outlined") else (self.shape,)

    @property
    def caption(self) -> str:
        return f"a {self.size} {self.colour} {self.shape} {self.place}"

    @property
    def held_out(self) -> bool:
        return any((self.colour, name) in HELD_OUT for name in self.names)


def called(colour: str, shape: str) -> str:
    """Such as "a red star", "an orange ring"."""
    return f"{'an' if colour[0] in 'aeiou' else 'a'} {colour} {shape}"


def inside(shape: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether points lie in a shape of radius 1 about the origin; y points down."""
    away = np.hypot(x, y)
    if shape == "circle":
        return away < 0.95
    if shape == "ring":
        return (away < 1) & (away > 0.55)
    if shape == "square":
        return np.maximum(abs(x), abs(y)) < 0.82
    if shape == "diamond":
        return abs(x) * 1.6 + abs(y) < 1.1
    if shape == "triangle":
        return (y < 0.75) & (abs(x) * 1.7 < y + 0.95)
    if shape == "cross":
        return (np.minimum(abs(x), abs(y)) < 0.28) & (np.maximum(abs(x), abs(y)) < 0.95)
    if shape == "star":
        fifth = np.pi / 5  # a straight edge runs from each tip, 1.05 away, to the notch beside it, 0.45 away
        off = abs((np.arctan2(x, -y) + fifth) % (2 * fifth) - fifth)
        return away < 1.05 * 0.45 * np.sin(fifth) / (0.45 * np.sin(fifth - off) + 1.05 * np.sin(off))
    return ((x < 0.15) & (x > -1) & (abs(y) < 0.25)) | ((x >= 0.15) & (abs(y) < 0.95 * (1 - x) / 0.85))  # arrow


def draw(scene: Scene, rng: np.random.Generator, by_hand: bool = False) -> np.ndarray:
    """uint8 (32, 32, 3). Place, size, turn, tint, ground and noise vary a little from call to call.

    by_hand   filled with a brush, not by its formula; outlines always are drawn with one
    """
    outlined = scene.style == "outlined"
    off = LOOSE if outlined or by_hand else 1.0
    radius = rng.uniform(*SIZES[scene.size]) * SIDE
    room = SIDE / 2 - radius - 0.5
    shift = max(0.0, room) * np.array(PLACES[scene.place]) * rng.uniform(0.8, 1.0) + rng.uniform(-off, off, 2)
    if scene.size == "large":  # it fills the picture nearly, so its place shows by going over the edge
        shift = shift + np.array(PLACES[scene.place]) * SIDE * 0.16
    grid = (np.arange(SIDE * FINE) + 0.5) / FINE - SIDE / 2
    x, y = np.meshgrid(grid, grid)
    turn = rng.uniform(-0.2, 0.2) + (np.pi / 2 * rng.integers(4) if scene.shape == "arrow" else 0.0)
    dx, dy = (x - shift[0]) / radius, (y - shift[1]) / radius
    dx, dy = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    mask = strokes.drawn(scene.shape, dx, dy, rng, fill=not outlined) if outlined or by_hand else \
        inside(scene.shape, dx, dy)
    share = mask.reshape(SIDE, FINE, SIDE, FINE).mean(axis=(1, 3))[..., None]
    ground = rng.choice([rng.uniform(0, 60), rng.uniform(195, 255)]) + rng.uniform(-6, 6, 3)
    tint = np.array(COLOURS[scene.colour]) * rng.uniform(0.92, 1.06) + rng.uniform(-8, 8, 3)
    picture = share * tint + (1 - share) * ground + rng.normal(0, rng.uniform(0.1, 6), (SIDE, SIDE, 3))
    return np.clip(picture, 0, 255).astype(np.uint8)


def scenes(held_out: bool, style: str = "filled") -> list[Scene]:
    """All scenes of a style whose colour and shape were, or were not, kept from training."""
    drawable = SHAPES if style == "filled" else tuple(strokes.WAYS)
    return [scene for colour in NAMES for shape in drawable for size in SIZES for place in PLACES
            if (scene := Scene(colour, shape, size, place, style)).held_out is held_out]


def sample(style: str, by_hand: float, held_out: bool, n: int, rng: np.random.Generator) -> tuple[list[Scene],
                                                                                                np.ndarray]:
    """(n scenes of a style at random, their pictures uint8 (n, 32, 32, 3)), a share `by_hand` of them drawn so."""
    pool = scenes(held_out, style)
    chosen = [pool[at] for at in rng.integers(0, len(pool), n)]
    return chosen, np.stack([draw(scene, rng, scene.shape in strokes.WAYS and rng.random() < by_hand)
                             for scene in chosen])
