"""The network and its losses.

The network is BERT's cross-encoder head over the bi-encoder's six layers: [CLS] question [SEP] text [SEP] -> one
logit. Its word embeddings stay as they are: the trained pairs hold few of the 30,522 pieces, and what the others
mean is the knowledge that must not be lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from eval.reranker.groups import Group
from eval.reranker.vectors import model_folder

TEACHER_SCALE = 20.0  # all-MiniLM-L6-v2 was trained with its cosines times 20 (its model card)
LAYER_DECAY = 0.9  # a layer learns at 0.9 of the rate of the one above it


def network(layers: int = 6):
    """(BertForSequenceClassification, tokenizer), float32, from the package's weights; seeded by torch.

    layers: 6, or 3 to keep every second one.
    """
    from transformers import AutoTokenizer, BertForSequenceClassification

    # No dropout: no pair is seen often enough to be learnt by heart, and without it attention runs fused.
    model = BertForSequenceClassification.from_pretrained(
        model_folder(), num_labels=1, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    if layers < 6:
        keep = [round(i * 6 / layers) + 6 // layers - 1 for i in range(layers)]
        model.bert.encoder.layer = torch.nn.ModuleList([model.bert.encoder.layer[i] for i in keep])
        model.config.num_hidden_layers = layers
    model.bert.embeddings.word_embeddings.weight.requires_grad_(False)
    return model, AutoTokenizer.from_pretrained(model_folder())


def half(model):
    """(trainable weights, forward): the network turned to bfloat16 in place, its pooler and classifier kept float32.

    forward(tokenized) -> float32 (n,) logits. The weights come in the order of model.parameters().
    """
    weights = [p for p in model.parameters() if p.requires_grad]
    pooler, model.bert.pooler = model.bert.pooler, None
    model.bert.to(torch.bfloat16)
    model.train()

    def forward(inside) -> torch.Tensor:
        first = model.bert(**inside).last_hidden_state[:, 0].float()
        return model.classifier(torch.tanh(pooler.dense(first)))[:, 0]

    return weights, forward


def parameter_groups(model, masters: Sequence[torch.Tensor], rate: float) -> list[dict]:
    """AdamW's groups over `masters`, which stand for the model's trainable weights in their order.

    The head learns at twice the rate, a layer at less than the one above it; 1-d weights do not decay.
    """
    depth = model.config.num_hidden_layers
    groups: dict[tuple[float, float], list] = {}
    named = [name for name, weight in model.named_parameters() if weight.requires_grad]
    for name, weight in zip(named, masters, strict=True):
        if "encoder.layer." in name:
            scale = LAYER_DECAY ** (depth - 1 - int(name.split("encoder.layer.")[1].split(".")[0]))
        else:
            scale = LAYER_DECAY**depth if "embeddings" in name else 2.0
        groups.setdefault((scale, 0.01 if weight.ndim > 1 else 0.0), []).append(weight)
    return [
        {"params": weights, "lr": rate * scale, "peak": rate * scale, "weight_decay": decay}
        for (scale, decay), weights in groups.items()
    ]


def target(cosines: np.ndarray, gold: Sequence[int], lift: float, distil: bool) -> torch.Tensor:
    """float32 (n,) distribution over a group: softmax of 20 x cosine with the gold lifted.

    Without distillation: the gold alone, in equal parts. A group without labels is always distilled.
    """
    labels = torch.tensor([float(g == 1) for g in gold])
    if not distil and labels.sum() > 0:
        return labels / labels.sum()
    return F.softmax(TEACHER_SCALE * torch.from_numpy(np.asarray(cosines)) + lift * labels, dim=0)


def group_loss(
    logits: torch.Tensor,
    groups: Sequence[tuple[Group, np.ndarray]],
    *,
    kind: str = "distil",
    bce: float = 0.2,
    positive: float = 2.0,
    lift: float = 1.0,
) -> torch.Tensor:
    """Sum over the groups' losses. logits: float32 (pairs of all groups,), group after group.

    kind: "distil" (softmax over the group towards the lifted teacher), "softmax" (towards the gold alone),
    "margin" (MarginMSE towards the lifted teacher's differences), "bce" (pointwise alone, `positive` weight).
    lift: times each group's own. `bce` weighs the pointwise part that gives the logits their absolute level; unknown
    labels have none.
    """
    total, at = logits.new_zeros(()), 0
    for group, cosines in groups:
        mine = logits[at : at + len(group.texts)]
        at += len(group.texts)
        gold = torch.tensor(group.gold, dtype=torch.float32)
        if kind in ("distil", "softmax"):
            wanted = target(cosines, group.gold, lift * group.lift, kind == "distil" and not group.asks)
            total = total + F.kl_div(F.log_softmax(mine, 0), wanted, reduction="sum")
        elif kind == "margin":
            teacher = TEACHER_SCALE * torch.from_numpy(np.asarray(cosines)) + lift * group.lift * (gold == 1)
            total = total + 0.05 * F.mse_loss(mine - mine[0], teacher - teacher[0], reduction="mean")
        known = gold >= 0
        if known.any():
            weight = 1.0 if kind == "bce" else bce
            total = total + weight * F.binary_cross_entropy_with_logits(
                mine[known], gold[known], pos_weight=torch.tensor(positive), reduction="mean"
            )
    return total


def save(model, tokenizer, folder: Path) -> None:
    """A plain transformers folder, loadable by sentence_transformers.CrossEncoder."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
