"""Train the Lab's small CLIP: pictures of one shape and their captions, by contrast, on the processor, in minutes.

    python -m eval.train_shapes_clip [--steps 6000] [--out assistant/lab/data/shapes_clip.npz]

A part of the pictures is drawn by formula, a part filled or outlined as a hand does with a brush. Each batch's
pictures must find their captions among all captions of the batch, and captions their pictures (Radford and others
2021). Several captions may be true of a picture ("a red circle" of every red circle; "a circle" and "a ring" of a
circle's outline), so the target is even over all that are true. Combinations in `shapes.HELD_OUT` are never drawn; the
report is made on them and on known ones apart.
"""
from __future__ import annotations

import argparse
import json
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from assistant.lab import shapes
from assistant.lab.tiny_clip import FILE, LONGEST, WORDS, TinyClip, word_ids

DIM, WIDTHS, HIDDEN = 64, (24, 48, 96), 128
POOL, BATCH, RATE = {"filled": 24_000, "outlined": 24_000}, 192, 2e-3
TEMPLATES = ("a {size} {colour} {shape} {place}", "a {colour} {shape}", "a picture of a {colour} {shape}",
             "the {shape} {place} is {colour}", "a {size} {shape}", "a {shape}", "a {colour} {shape} {place}",
             "a photo of a {size} {colour} {shape}", "a {shape} {place}", "a drawing of a {shape}")
PARTS = ("colour", "shape", "size", "place")
KINDS = (("filled", "filled", 0.0), ("filled by hand", "filled", 1.0), ("outlined", "outlined", 1.0))
TESTED = 500    # drawings of each kind in the report


class Network(nn.Module):
    """The network of assistant.lab.tiny_clip, with its names."""

    def __init__(self) -> None:
        super().__init__()
        for at, (a, b) in enumerate(zip((3, *WIDTHS), WIDTHS, strict=False)):
            setattr(self, f"conv{at}", nn.Conv2d(a, b, 3, stride=2, padding=1))
        self.hidden, self.image = nn.Linear(WIDTHS[-1] * 16, HIDDEN), nn.Linear(HIDDEN, DIM)
        self.words, self.places = nn.Embedding(len(WORDS), DIM), nn.Embedding(LONGEST, DIM)
        self.mix, self.text = nn.Linear(DIM, HIDDEN), nn.Linear(HIDDEN, DIM)
        self.scale = nn.Parameter(torch.tensor(float(np.log(1 / 0.07))))  # CLIP's own start

    def images(self, pictures: torch.Tensor) -> torch.Tensor:
        x = pictures.permute(0, 3, 1, 2).float() / 127.5 - 1  # (n, 3, 32, 32)
        for at in range(3):
            x = functional.relu(getattr(self, f"conv{at}")(x))
        return functional.normalize(self.image(functional.relu(self.hidden(x.flatten(1)))), dim=1)

    def texts(self, ids: torch.Tensor) -> torch.Tensor:
        there = (ids >= 0).unsqueeze(-1)
        x = functional.relu(self.mix(self.words(ids.clamp(min=0)) + self.places.weight)) * there
        return functional.normalize(self.text(x.sum(1) / there.sum(1)), dim=1)


def captions(scenes: list[shapes.Scene], rng: np.random.Generator) -> tuple[list[str], np.ndarray]:
    """(one caption a scene, bool (n, n): whether caption j is true of scene i)."""
    chosen = rng.integers(0, len(TEMPLATES), len(scenes))
    names = [scene.names[int(rng.integers(len(scene.names)))] for scene in scenes]
    texts = [TEMPLATES[t].format(**{**vars(scene), "shape": name})
             for t, name, scene in zip(chosen, names, scenes, strict=True)]
    true = np.ones((len(scenes), len(scenes)), bool)
    for part in PARTS:
        values = np.array([getattr(scene, part) for scene in scenes])
        fits = np.array([[name in scene.names for name in names] for scene in scenes]) if part == "shape" else \
            values[:, None] == values[None]
        said = np.array([f"{{{part}}}" in TEMPLATES[t] for t in chosen])
        true &= ~said[None] | fits
    return texts, true


def train(steps: int, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    parts = [shapes.sample(style, shapes.BY_HAND, False, n, rng) for style, n in POOL.items()]
    drawn = [scene for scenes, _ in parts for scene in scenes]
    pictures = torch.from_numpy(np.concatenate([made for _, made in parts]))
    network = Network()
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps)
    began = time.perf_counter()
    for step in range(1, steps + 1):
        at = rng.integers(0, len(drawn), BATCH)
        texts, true = captions([drawn[n] for n in at], rng)
        target = torch.from_numpy(true).float()
        scores = network.images(pictures[at]) @ network.texts(torch.from_numpy(word_ids(texts))).T
        scores = scores * network.scale.exp().clamp(max=100)
        loss = sum(functional.cross_entropy(s, t / t.sum(1, keepdim=True)) for s, t in
                   ((scores, target), (scores.T, target.T))) / 2
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 200 == 0:
            print(f"step {step}: loss {loss.item():.3f}, {time.perf_counter() - began:.0f} s", flush=True)
    return network


def report(model: TinyClip, seed: int = 1) -> dict[str, float]:
    """Zero-shot accuracy among all 64 colours and shapes, by style and hand, on new drawings: of combinations that
    training never saw ("held out"), and of known ones."""
    rng = np.random.default_rng(seed)
    prompts = [(colour, shape) for colour in shapes.NAMES for shape in shapes.SHAPES]
    vectors = model.texts([f"a {colour} {shape}" for colour, shape in prompts])
    found: dict[str, float] = {}
    for kind, style, by_hand in KINDS:
        for name, held_out in (("held out", True), ("known", False)):
            scenes, pictures = shapes.sample(style, by_hand, held_out, TESTED, rng)
            best = [prompts[at] for at in (model.images(pictures) @ vectors.T).argmax(axis=1)]
            right = np.array([(colour == scene.colour, shape in scene.names)
                              for (colour, shape), scene in zip(best, scenes, strict=True)])
            found |= {f"{kind}, {name}": round(float(right.all(axis=1).mean()), 3),
                      f"{kind}, {name}, colour": round(float(right[:, 0].mean()), 3),
                      f"{kind}, {name}, shape": round(float(right[:, 1].mean()), 3)}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--out", default=str(FILE))
    options = parser.parse_args()
    trained = train(options.steps).state_dict()
    state = {name: value.numpy().astype(np.float16) for name, value in trained.items()}
    np.savez_compressed(options.out, **state)
    print(json.dumps(report(TinyClip(state))))


if __name__ == "__main__":
    main()
