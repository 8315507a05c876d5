"""The training loop: the adapter's weights in float32 beside a bfloat16 network; resumable, one torch thread.

Every prompt begins with the same instructions and examples. They are read once a batch, and each example's own part
attends to them: the same gradient as from whole prompts at little more than half of the arithmetic. Only the reply's
tokens count for the loss, each alike, so that the share of declined questions in the data is the share that is learnt.
"""
from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from eval.phrasing.adapter import write
from eval.phrasing.chat import Chat, common_start, messages
from eval.phrasing.examples import Example
from eval.phrasing.model import adapter_weights, base, with_adapter

KEEP_SECONDS = 120.0  # between two states on disk
BUCKET = 16           # batches among which examples are sorted by length


@dataclass(frozen=True)
class Recipe:
    """What shapes the weights. `minutes` bounds the time of training, all sessions together; `steps` instead of it."""

    minutes: float = 40.0
    steps: int = 0
    batch: int = 8
    rate: float = 1e-3
    warmup: int = 15
    decay: float = 0.5  # the last part of the run, over which the rate falls to almost zero
    average: float = 0.98  # of the running mean of the weights, which is what is exported
    rank: int = 8
    alpha: float = 16.0
    longest: int = 420  # tokens of an example's own part; longer ones are left out
    seed: int = 0


@dataclass(frozen=True)
class Lesson:
    """Token ids of an example's own part (evidence and question), and of its reply."""

    asked: tuple[int, ...]
    reply: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.asked) + len(self.reply)


def lessons(chat: Chat, examples: Sequence[Example], longest: int) -> tuple[list[int], list[Lesson]]:
    """(ids of the common beginning, the examples' own parts); ValueError where a prompt begins otherwise."""
    one, other = (chat.text(messages(q, (text,))) for q, text in (("Who?", "A b."), ("When?", "It was so.")))
    start = common_start(one, other)
    made = []
    for example in examples:
        text = chat.text(messages(example.question, example.readings))
        if not text.startswith(start):
            raise ValueError(f"the prompt of {example.question!r} does not begin like the others: expected "
                             f"{start[-40:]!r} at its character {len(start) - 40}")
        lesson = Lesson(tuple(chat.ids_of(text[len(start):])), tuple(chat.reply(example.reply)))
        if len(lesson) <= longest:
            made.append(lesson)
    return chat.ids_of(start), made


def batch_at(found: Sequence[Lesson], recipe: Recipe, step: int) -> list[Lesson]:
    """The examples of a step, of like length; each pass over the data in another order; made of seed and step alone."""
    size = len(found) // recipe.batch
    if size == 0:
        raise ValueError(f"{len(found)} examples are fewer than a batch of {recipe.batch}")
    turn, at = divmod(step, size)
    rng = random.Random(f"{recipe.seed} {turn}")
    order = rng.sample(range(len(found)), len(found))
    wide = recipe.batch * BUCKET
    batches = []
    for low in range(0, size * recipe.batch, wide):
        part = sorted(order[low:low + wide], key=lambda n: len(found[n]))
        batches += [part[n:n + recipe.batch] for n in range(0, len(part) - recipe.batch + 1, recipe.batch)]
    rng.shuffle(batches)
    return [found[n] for n in batches[at]]


def loss_of(model, start: Sequence[int], batch: Sequence[Lesson]) -> tuple[torch.Tensor, int]:
    """(sum of the reply tokens' cross-entropies, their number). model: a PeftModel of LlamaForCausalLM."""
    llama = model.get_base_model()
    cache = llama.model(torch.tensor([start]), use_cache=True).past_key_values
    cache.batch_repeat_interleave(len(batch))
    width = max(map(len, batch)) - 1  # the last token is foretold, never read
    ids = torch.zeros(len(batch), width, dtype=torch.long)
    seen = torch.zeros(len(batch), len(start) + width, dtype=torch.long)
    rows, columns, wanted = [], [], []
    for row, lesson in enumerate(batch):
        whole = [*lesson.asked, *lesson.reply]
        ids[row, :len(whole) - 1] = torch.tensor(whole[:-1])
        seen[row, :len(start) + len(whole) - 1] = 1
        rows += [row] * len(lesson.reply)
        columns += range(len(lesson.asked) - 1, len(whole) - 1)
        wanted += lesson.reply
    hidden = llama.model(ids, attention_mask=seen, past_key_values=cache, use_cache=True).last_hidden_state
    logits = llama.lm_head(hidden[rows, columns]).float()
    return F.cross_entropy(logits, torch.tensor(wanted), reduction="sum"), len(wanted)


class Trainer:
    """The network, its adapter's float32 weights and the optimizer; `step` is how many are done."""

    def __init__(self, recipe: Recipe, work: Path, network=None) -> None:
        """network: another LlamaForCausalLM than the embedded one in bfloat16; it gets the adapter."""
        torch.manual_seed(recipe.seed)
        self.recipe, self.work, self.step, self.seconds = recipe, work, 0, 0.0
        work.mkdir(parents=True, exist_ok=True)
        self.model = with_adapter(network or base(torch.bfloat16), recipe.rank, recipe.alpha).train()
        named = adapter_weights(self.model)
        self._names, self._weights = list(named), list(named.values())
        self.masters = [w.detach().float().clone() for w in self._weights]
        self.mean = [w.clone() for w in self.masters]
        self._optimizer = torch.optim.AdamW(self.masters, lr=recipe.rate, betas=(0.9, 0.99), weight_decay=0.0)
        if (work / "state.pt").is_file():
            self._restore(torch.load(work / "state.pt", weights_only=True))

    def learn(self, start: Sequence[int], batch: Sequence[Lesson], scale: float) -> tuple[float, int]:
        """One step at `scale` times the rate; (mean loss of a reply token, tokens read, the beginning included)."""
        loss, count = loss_of(self.model, start, batch)
        (loss / count).backward()
        for weight, master in zip(self._weights, self.masters, strict=True):
            master.grad, weight.grad = weight.grad.float(), None
        torch.nn.utils.clip_grad_norm_(self.masters, 1.0)
        for group in self._optimizer.param_groups:
            group["lr"] = self.recipe.rate * scale
        self._optimizer.step()
        self._show(self.masters)
        self.step += 1
        torch._foreach_lerp_(self.mean, self.masters, 1 - min(self.recipe.average, self.step / (self.step + 20)))
        return loss.item() / count, len(start) + sum(map(len, batch))

    def keep(self) -> None:
        """Write work/state.pt; a crash leaves the one before."""
        state = {"masters": self.masters, "mean": self.mean, "optimizer": self._optimizer.state_dict(),
                 "step": self.step, "seconds": self.seconds, "recipe": asdict(self.recipe)}
        torch.save(state, self.work / "state.part")
        os.replace(self.work / "state.part", self.work / "state.pt")

    def export(self, path: Path) -> int:
        """The averaged adapter as GGUF; its size in bytes."""
        shape = self.model.get_base_model().config
        weights = {n: w.detach().numpy() for n, w in zip(self._names, self.mean, strict=True)}
        return write(weights, path, alpha=self.recipe.alpha, heads=shape.num_attention_heads,
                     key_heads=shape.num_key_value_heads)

    def _restore(self, state: dict) -> None:
        for name in ("rank", "alpha", "seed", "batch"):
            had, has = state["recipe"][name], getattr(self.recipe, name)
            if had != has:
                raise ValueError(f"{self.work / 'state.pt'} was trained with {name} {had}, not {has}: "
                                 f"expected the same; go on with {had}, or use another folder")
        for master, saved in zip([*self.masters, *self.mean], [*state["masters"], *state["mean"]], strict=True):
            master.copy_(saved)
        self._optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]
        self._show(self.masters)

    @torch.no_grad()
    def held_loss(self, start: Sequence[int], found: Sequence[Lesson]) -> float:
        """Mean cross-entropy of a reply token under the averaged adapter."""
        self._show(self.mean)
        size = self.recipe.batch
        parts = [loss_of(self.model, start, found[n:n + size]) for n in range(0, len(found), size)]
        self._show(self.masters)
        return sum(float(loss) for loss, _ in parts) / sum(count for _, count in parts)

    @torch.no_grad()
    def _show(self, masters: Sequence[torch.Tensor]) -> None:
        """Put these weights into the network."""
        for weight, master in zip(self._weights, masters, strict=True):
            weight.copy_(master)


def train(trainer: Trainer, start: Sequence[int], found: Sequence[Lesson], *, stop_after: float = 0.0) -> None:
    """Train until recipe.minutes (or steps) are done; stop_after: minutes of this session alone, 0 for no bound."""
    recipe, began, before = trainer.recipe, time.monotonic(), trainer.seconds
    (trainer.work / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1) + "\n")
    kept, tokens, losses = began, 0, []
    while True:
        now = time.monotonic()
        trainer.seconds = before + now - began
        done = trainer.step / recipe.steps if recipe.steps else trainer.seconds / 60 / recipe.minutes
        if done >= 1 or (stop_after and now - began >= 60 * stop_after):
            break
        if now - kept >= KEEP_SECONDS:
            trainer.keep()
            kept = now
        scale = min(1.0, (trainer.step + 1) / recipe.warmup, max(0.02, (1 - done) / recipe.decay))
        loss, count = trainer.learn(start, batch_at(found, recipe, trainer.step), scale)
        losses.append(loss)
        tokens += count
        if trainer.step % 10 == 0:
            print(f"step {trainer.step} {trainer.seconds / 60:.1f} min loss {np.mean(losses[-10:]):.4f} "
                  f"rate {scale:.2f} {tokens / (time.monotonic() - began):.0f} tokens/s", flush=True)
    trainer.keep()
