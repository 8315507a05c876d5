"""Training: LoRA in every linear layer, cross-entropy over ALL texts of a family, their vectors fixed.

As the texts' vectors never change, a step reads short questions only, and every text of the family is a negative.
Public questions are also held near what the embedder said of them (KL divergence of the two distributions over the
texts): they are the kind that it was made for, and there is little to win and much to forget.
"""
from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model
from transformers import AutoTokenizer, BertModel

from assistant.backends.query_encoder import FILE, NOTES
from eval.query_encoder.pairs import Pairs
from eval.reranker.vectors import model_folder

LAYERS = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]
SCALE = 25.0  # cosines to logits
LONGEST = 64  # word pieces of a question
KEEP = 50     # steps from one checkpoint to the next


@dataclass(frozen=True)
class Recipe:
    """What shapes the weights. batch: questions of a step from (public, written passages, written lines)."""

    steps: int = 700
    rate: float = 6e-4
    warmup: int = 30
    decay: float = 0.5  # the last part of the run, over which the rate falls to zero
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    batch: tuple[int, int, int] = (20, 26, 18)
    near: float = 1.0   # weight of the divergence from the embedder, on public questions
    seed: int = 0


def encode(model, tokenizer, queries: list[str]) -> torch.Tensor:
    """(n, dim) unit vectors as the embedder makes them: the mean of the last states, normalised."""
    inside = tokenizer(queries, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
    states, mask = model(**inside).last_hidden_state, inside["attention_mask"][..., None].float()
    return F.normalize((states * mask).sum(1) / mask.sum(1), dim=1)


def train(public: Pairs, passages: Pairs, lines: Pairs, recipe: Recipe, work: Path) -> Path:
    """Train and return work/adapter. Continues from work/state.pt; a step's batch depends on the seed and its number.

    passages and lines ask the same questions of other texts; public and passages share one space of texts.
    """
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(1)
    work.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(model_folder())
    stock = BertModel.from_pretrained(model_folder()).eval()
    model = get_peft_model(BertModel.from_pretrained(model_folder()), LoraConfig(
        r=recipe.rank, lora_alpha=recipe.alpha, lora_dropout=recipe.dropout, target_modules=LAYERS))
    weights = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=recipe.rate, weight_decay=0.0)
    step = 0
    if (work / "state.pt").is_file():
        state = torch.load(work / "state.pt", weights_only=False)
        for p, saved in zip(weights, state["weights"], strict=True):
            p.data.copy_(saved)
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]
        print(f"continues at step {step}", flush=True)
    space = torch.from_numpy(np.concatenate([public.vectors, passages.vectors]).astype(np.float32))
    of_lines = torch.from_numpy(lines.vectors.astype(np.float32))
    families, began = (public, passages, lines), time.monotonic()
    model.train()
    for at in range(step, recipe.steps):
        rng = np.random.default_rng([recipe.seed, at])
        torch.manual_seed(int(rng.integers(2**31)))  # of the dropout, alike in a run that goes on
        drawn = [rng.integers(0, len(p.queries), n) for p, n in zip(families, recipe.batch, strict=True)]
        scale = min(1.0, (at + 1) / recipe.warmup, max(0.02, (1 - at / recipe.steps) / recipe.decay))
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * scale
        queries = [p.queries[i] for p, which in zip(families, drawn, strict=True) for i in which]
        found, split = encode(model, tokenizer, queries), len(drawn[0]) + len(drawn[1])
        gold = np.concatenate([public.gold[drawn[0]], passages.gold[drawn[1]] + len(public.vectors)])
        over = SCALE * found[:split] @ space.T
        loss = F.cross_entropy(over, torch.from_numpy(gold), reduction="sum") + F.cross_entropy(
            SCALE * found[split:] @ of_lines.T, torch.from_numpy(lines.gold[drawn[2]]), reduction="sum")
        with torch.no_grad():
            before = SCALE * encode(stock, tokenizer, queries[:len(drawn[0])]) @ space.T
        loss = loss + recipe.near * F.kl_div(
            F.log_softmax(over[:len(drawn[0])], 1), F.softmax(before, 1), reduction="sum")
        optimizer.zero_grad()
        (loss / len(queries)).backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        if (at + 1) % KEEP == 0 or at + 1 == recipe.steps:
            state = {"weights": [p.detach() for p in weights], "optimizer": optimizer.state_dict(), "step": at + 1}
            torch.save(state, work / "state.part")
            os.replace(work / "state.part", work / "state.pt")
            print(f"step {at + 1} loss {loss.item() / len(queries):.3f} {time.monotonic() - began:.0f} s", flush=True)
    return export(model.state_dict(), recipe, work / "adapter")


def export(state: dict[str, torch.Tensor], recipe: Recipe, folder: Path) -> Path:
    """peft's weights as assistant.backends.query_encoder reads them: two float16 matrices a layer, and their scale."""
    from safetensors.torch import save_file

    from assistant.backends.files import content_hash
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for name, weight in state.items():
        for mark, ours in (("lora_A", "down"), ("lora_B", "up")):
            if f".{mark}." in name:
                layer = name.partition(f".{mark}.")[0].removeprefix("base_model.model.")
                found[f"{layer}.{ours}"] = weight.detach().to(torch.float16).contiguous()
    save_file(found, folder / FILE)
    notes = {"scale": recipe.alpha / recipe.rank, "embedder": content_hash(model_folder()), "recipe": asdict(recipe)}
    (folder / NOTES).write_text(json.dumps(notes, indent=1) + "\n", encoding="utf-8")
    return folder


def averaged(one: Path, other: Path, folder: Path) -> Path:
    """The mean of two adapters of one scale, exactly: the matrices of both side by side, each "up" half as large. What
    was trained for one field and what was trained for many give both most of what either gives (Wortsman et al., Model
    soups, ICML 2022)."""
    from safetensors.numpy import load_file, save_file

    notes = [json.loads((made / NOTES).read_text(encoding="utf-8")) for made in (one, other)]
    if any(notes[0][key] != notes[1][key] for key in ("scale", "embedder")):
        raise ValueError(f"{one} and {other} differ in scale or embedder: expected two adapters of one recipe")
    a, b = (load_file(made / FILE) for made in (one, other))
    joined = {name: np.concatenate([a[name], b[name]], 0) if name.endswith(".down") else
              (np.concatenate([a[name], b[name]], 1).astype(np.float32) / 2).astype(np.float16) for name in a}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(joined, folder / FILE)
    (folder / NOTES).write_text(json.dumps(notes[0] | {"recipe": [note["recipe"] for note in notes]}, indent=1) + "\n",
                                encoding="utf-8")
    return folder
