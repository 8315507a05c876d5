"""Writes a LoRA adapter as the GGUF file that llama.cpp loads on top of the model it was trained for.

llama.cpp turns pairs of neighbouring rows of q and k by the position, transformers the first half of a head's rows
with the second; so transformers reorders these rows when it reads a GGUF, and here lora_B's rows are put back.
Layout: general.type "adapter", adapter.type "lora", adapter.lora.alpha, and for each matrix
blk.N.<name>.weight.lora_a (rank, in) and .lora_b (out, rank), in halves.
"""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from eval.phrasing.model import MATRICES

NAME = "Glassbox phrasing adapter for SmolLM2-135M-Instruct"


def write(weights: Mapping[str, np.ndarray], path: Path, *, alpha: float, heads: int, key_heads: int) -> int:
    """Write `weights` (named as by model.adapter_weights, float) to `path`; bytes written.

    heads, key_heads: of the model's attention, for the order of the rows of q and k. ValueError where a name or a
    shape is not an adapter's.
    """
    import gguf
    writer = gguf.GGUFWriter(path, arch="llama")
    writer.add_type("adapter")
    writer.add_name(NAME)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    for name, weight in weights.items():
        layer, matrix, side = _parts(name)
        if weight.ndim != 2:
            raise ValueError(f"{name} has shape {weight.shape}: expected two dimensions")
        if side == "lora_B" and matrix in ("attn_q", "attn_k"):
            weight = interleaved(weight, heads if matrix == "attn_q" else key_heads)
        writer.add_tensor(f"blk.{layer}.{matrix}.weight.{side.lower()}",
                          np.ascontiguousarray(weight, dtype=np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.stat().st_size


def interleaved(rows: np.ndarray, heads: int) -> np.ndarray:
    """Each head's rows in llama.cpp's order: row i of its first half, row i of its second, row i + 1 of its first ...

    rows: (heads * size, n), size even.

    >>> interleaved(np.arange(4).reshape(4, 1), 1).ravel().tolist()
    [0, 2, 1, 3]
    """
    return rows.reshape(heads, 2, -1, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


def _parts(name: str) -> tuple[int, str, str]:
    """("layers.3.self_attn.q_proj.lora_A") -> (3, "attn_q", "lora_A")."""
    pieces = name.split(".")
    if len(pieces) != 5 or pieces[0] != "layers" or ".".join(pieces[2:4]) not in MATRICES \
            or pieces[4] not in ("lora_A", "lora_B"):
        raise ValueError(f"{name} is no adapter's weight: expected layers.N.MATRIX.lora_A or .lora_B, MATRIX one of "
                         f"{', '.join(MATRICES)}")
    return int(pieces[1]), MATRICES[".".join(pieces[2:4])], pieces[4]
