"""A small CLIP in numpy: a picture's encoder and a text's, trained by contrast into one space of 64 dimensions.

The weights come from eval/train_shapes_clip.py, which trains the same network in torch on pictures of one shape. It
knows nothing else: eight shapes, eight colours, two sizes, five places.
"""
from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from assistant.errors import InputError
from assistant.lab import counting
from assistant.lab.demo import quoted

FILE = Path(__file__).resolve().parent / "data" / "shapes_clip.npz"
WORDS = ("<other>", "a", "an", "the", "is", "of", "picture", "photo", "drawing", "small", "large", "in", "on", "at",
         "middle", "left", "right", "top", "bottom", "circle", "square", "triangle", "cross", "ring", "star", "diamond",
         "arrow", "red", "green", "blue", "yellow", "orange", "purple", "pink", "brown")
LONGEST = 16  # words of a text; the rest is cut off
STRIDE, KERNEL = 2, 3


def word_ids(texts: Sequence[str]) -> np.ndarray:
    """int64 (n, 16): places in WORDS; -1 where a text has ended."""
    ids = np.full((len(texts), LONGEST), -1, np.int64)
    index = {word: at for at, word in enumerate(WORDS)}
    index["an"] = index["a"]  # the captions of the training have "a" alone
    for at, text in enumerate(texts):
        for place, word in enumerate(counting.words(text)[:LONGEST]):
            ids[at, place] = index.get(word, 0)
    return ids


class TinyClip:
    """Pictures and texts to unit vectors (n, 64) in one space."""

    key = "embedded"    # names the weights, for results that are kept
    side = 32           # pixels of a picture

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self._w = {name: value.astype(np.float32) for name, value in weights.items()}

    @property
    def scale(self) -> float:
        """1 / temperature, learnt: cosines are multiplied by it before a softmax."""
        return float(np.exp(self._w["scale"]))

    def images(self, pictures: np.ndarray) -> np.ndarray:
        """float32 (n, 64) from uint8 (n, 32, 32, 3)."""
        x = pictures.astype(np.float32).transpose(0, 3, 1, 2) / 127.5 - 1  # (n, 3, 32, 32)
        for layer in range(3):
            x = np.maximum(_convolve(x, self._w[f"conv{layer}.weight"], self._w[f"conv{layer}.bias"]), 0)
        x = x.reshape(len(x), -1)
        x = np.maximum(x @ self._w["hidden.weight"].T + self._w["hidden.bias"], 0)
        return _unit(x @ self._w["image.weight"].T + self._w["image.bias"])

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (n, 64). InputError where a text has no word that the model knows."""
        ids = word_ids(texts)
        for text, row in zip(texts, ids, strict=True):
            if not (row >= WORDS.index("small")).any():
                raise InputError(f"the small CLIP knows no word of {quoted(text)}: expected a colour, shape, size "
                                 "or place, such as \"a small red circle\"")
        there = (ids >= 0)[..., None]
        x = self._w["words.weight"][np.maximum(ids, 0)] + self._w["places.weight"]
        x = np.maximum(x @ self._w["mix.weight"].T + self._w["mix.bias"], 0) * there
        x = x.sum(axis=1) / there.sum(axis=1)
        return _unit(x @ self._w["text.weight"].T + self._w["text.bias"])


def _convolve(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """3 x 3, stride 2, one pixel of zeros around: (n, c, s, s) to (n, out, s / 2, s / 2)."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (KERNEL, KERNEL), axis=(2, 3))[:, :, ::STRIDE, ::STRIDE]
    n, channels, high, wide = windows.shape[:4]
    flat = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * high * wide, channels * KERNEL * KERNEL)
    out = flat @ weight.reshape(len(weight), -1).T + bias
    return out.reshape(n, high, wide, -1).transpose(0, 3, 1, 2)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


@cache
def load() -> TinyClip:
    with np.load(FILE) as stored:
        return TinyClip(dict(stored))
