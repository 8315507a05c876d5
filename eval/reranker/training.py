"""The training loop: micro-batches of whole groups, one torch thread each, two at a time; resumable.

The layers run in bfloat16 from float32 masters, the head in float32 (measured on one core: 49 ms a pair of 128
pieces, against 67 under autocast and about 130 in float32).

Two Python threads with one torch thread each beat two torch threads wherever somebody else uses the machine: a
thread that is kept waiting delays its own micro-batch, not every matrix product. The sum of the gradients is the same.
"""

from __future__ import annotations

import json
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from eval.reranker.groups import Group
from eval.reranker.model import group_loss, half, network, parameter_groups, save
from eval.reranker.vectors import Teacher

# Groups of each kind in a step, on average. The shares were set by hand: half passages and sentences of questions,
# a quarter twins, the rest what the assistant meets besides (tables, code, acronyms, titles) and distillation. A kind
# that is not here is not drawn: those of the default corpus's own field ("search_written" and so on) were for one run,
# which found nothing better (eval/EXPERIMENTS.md).
SHARES = {
    "passage_qed": 3.0,
    "passage_squad": 1.0,
    "passage_policy": 0.8,
    "passage_pubmed": 0.6,
    "multihop": 0.2,
    "sentence_qed": 2.0,
    "sentence_squad": 1.2,
    "sentence_policy": 0.7,
    "sentence_squad2": 1.5,
    "mixed": 0.8,
    "reworded": 3.0,
    "title": 1.2,
    "distil": 3.0,
    "none": 1.0,
    "swapped": 0.8,
    "twin_cad_nli": 1.2,
    "twin_scone": 0.6,
    "twin_condaqa": 0.4,
    "twin_negation_nli": 0.2,
    "negation_rule": 1.6,
    "number": 0.4,
    "acronym": 0.6,
    "table": 0.8,
    "code": 0.8,
    "written": 8.0,
    "written_line": 8.0,
    "written_none": 3.0,
    "near": 6.0,
    "asked": 10.0,
    "asked_line": 8.0,
    "asked_squad": 4.0,
}
TWINS = ("twin_cad_nli", "twin_scone", "twin_condaqa", "twin_negation_nli", "negation_rule", "number")
PAIRED = ("negation_rule", "swapped")  # made in pairs that stay in one batch, asked both ways round
PAIRS_A_MICRO_BATCH = 24


@dataclass(frozen=True)
class Recipe:
    """What shapes the weights. `minutes` bounds the wall clock; `steps`, where given, bounds instead."""

    minutes: float = 70.0
    steps: int = 0
    groups: int = 12
    rate: float = 6e-5
    warmup: int = 50
    decay: float = 0.3  # the last part of the run, over which the rate falls to zero
    average: float = 0.995  # of the running mean of the weights
    max_length: int = 160
    loss: str = "distil"
    lift: float = 1.0  # times each group's own: how far the gold stands above the bi-encoder's opinion
    bce: float = 0.2  # weight of the pointwise loss beside the group's
    twins: bool = True
    layers: int = 6
    seed: int = 0
    workers: int = 2


class Stream:
    """Draws groups by kind; each kind in a shuffled order of its own, without end; a function of seed and step."""

    def __init__(self, groups: list[Group], recipe: Recipe) -> None:
        self._by_kind: dict[str, list] = {}
        for g in groups:
            if g.kind in SHARES and (recipe.twins or g.kind not in TWINS):
                self._by_kind.setdefault(g.kind, []).append(g)
        self._kinds = sorted(self._by_kind)
        shares = np.array([SHARES[k] for k in self._kinds])
        self._shares, self._recipe = shares / shares.sum(), recipe
        self.drawn = {k: 0 for k in self._kinds}

    def step(self, at: int) -> list[Group]:
        rng = np.random.default_rng([self._recipe.seed, at])
        batch = []
        while len(batch) < self._recipe.groups:
            kind = self._kinds[int(rng.choice(len(self._kinds), p=self._shares))]
            for _ in range(2 if kind in PAIRED else 1):
                batch.append(self._pick(kind))
        return batch

    def _pick(self, kind: str):
        found, at = self._by_kind[kind], self.drawn[kind]
        self.drawn[kind] += 1
        block = 2 if kind in PAIRED else 1
        size = len(found) // block
        order = random.Random(f"{self._recipe.seed}{kind}{at // (size * block)}").sample(range(size), size)
        return found[order[at // block % size] * block + at % block]


def begin_from(other: Path, work: Path) -> None:
    """Let a run begin with the averaged weights of another run's state.pt; its clock and its rate start anew."""
    state = torch.load(other / "state.pt", weights_only=False)
    work.mkdir(parents=True, exist_ok=True)
    torch.save({**state, "weights": [p.clone() for p in state["mean"]], "step": 0, "seconds": 0.0}, work / "state.pt")


def begin_from_shipped(folder: Path, recipe: Recipe, work: Path) -> None:
    """Let a run begin with the weights of a shipped graph (folder/model.onnx), to its int8 steps exact."""
    from eval.reranker.shipped import shipped_network

    model, _ = shipped_network(folder)
    weights = [p.detach().clone() for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameter_groups(model, weights, recipe.rate), betas=(0.9, 0.98))
    work.mkdir(parents=True, exist_ok=True)
    torch.save({"weights": weights, "mean": weights, "optimizer": optimizer.state_dict(), "step": 0, "seconds": 0.0,
                "drawn": {}}, work / "state.pt")


def train(groups: list[Group], recipe: Recipe, work: Path) -> Path:
    """Train and return work/model, a transformers folder with the averaged weights. Continues from work/state.pt."""
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(1)
    work.mkdir(parents=True, exist_ok=True)
    (work / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1))
    model, tokenizer = network(recipe.layers)
    masters = [p.detach().clone() for p in model.parameters() if p.requires_grad]
    mean = [p.clone() for p in masters]
    optimizer = torch.optim.AdamW(parameter_groups(model, masters, recipe.rate), betas=(0.9, 0.98))
    weights, forward = half(model)
    teacher = Teacher(recipe.max_length)
    stream, step, before = Stream(groups, recipe), 0, 0.0
    if (work / "state.pt").is_file():
        state = torch.load(work / "state.pt", weights_only=False)
        for p, saved in zip(masters, state["weights"], strict=True):
            p.copy_(saved)
        for p, master in zip(weights, masters, strict=True):
            p.data.copy_(master)
        optimizer.load_state_dict(state["optimizer"])
        mean, step, before = state["mean"], state["step"], state["seconds"]
        stream.drawn.update(state["drawn"])
        print(f"continues at step {step}, {before / 60:.1f} min", flush=True)

    def keep(seconds: float) -> None:
        torch.save(
            {
                "weights": masters,
                "mean": mean,
                "optimizer": optimizer.state_dict(),
                "step": step,
                "seconds": seconds,
                "drawn": stream.drawn,
            },
            work / "state.part",
        )
        os.replace(work / "state.part", work / "state.pt")

    def run(part: list[Group]) -> tuple[float, int]:
        queries = [query for g in part for query in g.queries]
        texts = [t for g in part for t in g.texts]
        cosines = teacher.cosines(part)
        inside = tokenizer(
            queries,
            texts,
            padding=True,
            truncation="longest_first",
            max_length=recipe.max_length,
            return_tensors="pt",
        )
        loss = group_loss(forward(inside), list(zip(part, cosines, strict=True)), kind=recipe.loss,
                          bce=recipe.bce, lift=recipe.lift)
        (loss / recipe.groups).backward()
        return float(loss.detach()), len(texts)

    start, losses, pairs = time.monotonic(), [], 0
    with ThreadPoolExecutor(recipe.workers) as pool:
        while True:
            seconds = before + time.monotonic() - start
            done = step / recipe.steps if recipe.steps else seconds / 60 / recipe.minutes
            if done >= 1:
                break
            batch = sorted(stream.step(step), key=lambda g: -max(map(len, g.texts)))
            scale = min(1.0, (step + 1) / recipe.warmup, max(0.02, (1 - done) / recipe.decay))
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * scale
            results = list(pool.map(run, _micro_batches(batch)))
            losses.append(sum(r[0] for r in results) / len(batch))
            pairs += sum(r[1] for r in results)
            for p, master in zip(weights, masters, strict=True):
                master.grad, p.grad = (None if p.grad is None else p.grad.float()), None
            torch.nn.utils.clip_grad_norm_(masters, 1.0)
            optimizer.step()
            for p, master in zip(weights, masters, strict=True):
                p.data.copy_(master)
            step += 1
            rate = min(recipe.average, step / (step + 20))
            torch._foreach_lerp_(mean, masters, 1 - rate)
            if step % 20 == 0:
                print(
                    f"step {step} {seconds / 60:.1f} min loss {np.mean(losses[-20:]):.4f} lr {scale:.2f} "
                    f"pairs {pairs} {pairs / (time.monotonic() - start):.1f}/s",
                    flush=True,
                )
            if step % 50 == 0:
                keep(seconds)
    keep(before + time.monotonic() - start)
    return export_mean(recipe, work)


def export_mean(recipe: Recipe, work: Path) -> Path:
    """The averaged weights of work/state.pt as a transformers folder; safe while training goes on."""
    model, tokenizer = network(recipe.layers)
    state = torch.load(work / "state.pt", weights_only=False)
    for p, value in zip([p for p in model.parameters() if p.requires_grad], state["mean"], strict=True):
        p.data.copy_(value)
    save(model.eval(), tokenizer, work / "model")
    return work / "model"


def _micro_batches(batch: list[Group]) -> list[list[Group]]:
    """Whole groups of like length together, about 24 pairs each."""
    parts: list[list] = [[]]
    for group in batch:
        if parts[-1] and sum(len(g.texts) for g in parts[-1]) + len(group.texts) > PAIRS_A_MICRO_BATCH:
            parts.append([])
        parts[-1].append(group)
    return parts
