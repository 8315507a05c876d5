"""The shipped int8 graph read back as a network, so that training can go on from what ships.

A weight comes back as its int8 value times its channel's scale, within half a step of the one that was trained (the
logits of the network and of the graph agree as those of any network and its own export do). The word embeddings are
the package's own, which training never changed. Relies on the order in which eval/reranker/export.py writes a layer:
query, key, value, attention's output, intermediate, output.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

ORDER = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
         "intermediate.dense", "output.dense")
RENAMED = {"head": "classifier", "pooler.dense": "bert.pooler.dense"}


def shipped_weights(graph: Path) -> dict[str, np.ndarray]:
    """{name in a BertForSequenceClassification: float32 weights} of model.onnx, the word embeddings left out."""
    import onnx

    found = {i.name: onnx.numpy_helper.to_array(i) for i in onnx.load(graph).graph.initializer}
    plain = {name: value for name, value in found.items()
             if value.dtype == np.float32 and re.match(r"(embeddings|layers|pooler|head)\.", name)
             and not name.endswith("_scale")}
    weights = {_full(name): value for name, value in plain.items()}
    numbered = sorted((int(m[1]), name) for name in found if (m := re.fullmatch(r"val_(\d+)_quantized", name)))
    for at, (_, name) in enumerate(numbered):
        layer, part = divmod(at, len(ORDER))
        weights[_full(f"layers.{layer}.{ORDER[part]}.weight")] = _floats(found, name.removesuffix("_quantized"))
    for part in RENAMED:
        weights[f"{RENAMED[part]}.weight"] = _floats(found, f"{part}.weight_Transposed")
    return weights


def _full(name: str) -> str:
    for short, long in RENAMED.items():
        if name.startswith(short + "."):
            return long + name[len(short):]
    return name.replace("layers.", "bert.encoder.layer.") if name.startswith("layers.") else f"bert.{name}"


def _floats(found: dict[str, np.ndarray], name: str) -> np.ndarray:
    """float32 (out, in) from int8 (in, out) with a scale for each column."""
    values, scale, zero = (found[f"{name}_{part}"] for part in ("quantized", "scale", "zero_point"))
    return ((values.astype(np.float32) - zero.astype(np.float32)) * scale).T.copy()


def shipped_network(folder: Path):
    """(BertForSequenceClassification, tokenizer), float32, with the weights of folder/model.onnx."""
    import torch

    from eval.reranker.model import network

    model, tokenizer = network()
    weights = {name: torch.from_numpy(value.copy()) for name, value in shipped_weights(folder / "model.onnx").items()}
    missing, unknown = model.load_state_dict(weights, strict=False)
    left = [name for name in missing if "word_embeddings" not in name and "position_ids" not in name]
    if left or unknown:
        raise ValueError(f"{folder / 'model.onnx'} is not as eval/reranker/export.py writes it: without {left[:3]}, "
                         f"with {list(unknown)[:3]}")
    return model, tokenizer
