"""Train the Lab's small CLIP: pictures of one shape and their captions, by contrast, on the processor, in minutes.

    python -m eval.train_shapes_clip [--steps 3000] [--out assistant/lab/data/shapes_clip.npz]

Each batch's pictures must find their captions among all captions of the batch, and captions their pictures (Radford
and others 2021). Several captions may be true of a picture ("a red circle" of every red circle), so the target is
even over all that are true. Combinations in `shapes.HELD_OUT` are never drawn; the report is made on them alone.
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
POOL, BATCH, RATE = 24_000, 192, 2e-3
TEMPLATES = ("a {size} {colour} {shape} {place}", "a {colour} {shape}", "a picture of a {colour} {shape}",
             "the {shape} {place} is {colour}", "a {size} {shape}", "a {shape}", "a {colour} {shape} {place}",
             "a photo of a {size} {colour} {shape}", "a {shape} {place}", "a drawing of a {shape}")
PARTS = ("colour", "shape", "size", "place")


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
    texts = [TEMPLATES[t].format(**vars(scene)) for t, scene in zip(chosen, scenes, strict=True)]
    true = np.ones((len(scenes), len(scenes)), bool)
    for part in PARTS:
        values = np.array([getattr(scene, part) for scene in scenes])
        said = np.array([f"{{{part}}}" in TEMPLATES[t] for t in chosen])
        true &= ~said[None] | (values[:, None] == values[None])
    return texts, true


def train(steps: int, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    known = shapes.scenes(held_out=False)
    drawn = [known[at] for at in rng.integers(0, len(known), POOL)]
    pictures = torch.from_numpy(np.stack([shapes.draw(scene, rng) for scene in drawn]))
    network = Network()
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps)
    began = time.perf_counter()
    for step in range(1, steps + 1):
        at = rng.integers(0, POOL, BATCH)
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
    """Zero-shot accuracy on combinations that training never saw, and on known ones; new drawings of each."""
    rng = np.random.default_rng(seed)
    prompts = [(colour, shape) for colour in shapes.NAMES for shape in shapes.SHAPES]
    vectors = model.texts([f"a {colour} {shape}" for colour, shape in prompts])
    found: dict[str, float] = {}
    for name, held_out in (("held_out", True), ("known", False)):
        scenes = shapes.scenes(held_out)
        scenes = [scenes[at] for at in rng.integers(0, len(scenes), 400)]
        best = (model.images(np.stack([shapes.draw(scene, rng) for scene in scenes])) @ vectors.T).argmax(axis=1)
        right = [(prompts[at][0] == scene.colour, prompts[at][1] == scene.shape)
                 for at, scene in zip(best, scenes, strict=True)]
        found |= {f"{name}_colour": float(np.mean([a for a, _ in right])),
                  f"{name}_shape": float(np.mean([b for _, b in right])),
                  f"{name}_both": float(np.mean([a and b for a, b in right]))}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--out", default=str(FILE))
    options = parser.parse_args()
    trained = train(options.steps).state_dict()
    state = {name: value.numpy().astype(np.float16) for name, value in trained.items()}
    np.savez_compressed(options.out, **state)
    print(json.dumps(report(TinyClip(state))))


if __name__ == "__main__":
    main()
