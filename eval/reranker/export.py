"""A trained folder to what ships: one int8 ONNX graph and the tokenizer.

Every matrix product with a weight is int8, one scale for each output channel, with activations quantised as they
come; the word embeddings are int8 with one scale for each row (one scale for the whole table would cost accuracy:
the rows' sizes differ). What is left is float32. The graph takes input_ids, attention_mask, token_type_ids, int64
(n, length), and gives `logit`, float32 (n,).
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

OPSET = 18


def _wrapped(folder: Path):
    import torch
    from transformers import BertForSequenceClassification

    # "eager" attention is plain matrix products, which the fusion below and the quantiser know.
    model = BertForSequenceClassification.from_pretrained(folder, attn_implementation="eager").eval()
    table = model.bert.embeddings.word_embeddings.weight.data
    scale = table.abs().amax(dim=1, keepdim=True).clamp(min=1e-8) / 127
    rows = (table / scale).round().to(torch.int8)

    class Rows(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("rows", rows)
            self.register_buffer("scale", scale)

        def forward(self, ids):
            picked = ids.reshape(-1)
            found = self.rows.index_select(0, picked).to(torch.float32) * self.scale.index_select(0, picked)
            return found.reshape(*ids.shape, -1)

    class Wrapped(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.embeddings = Rows(), model.bert.embeddings
            self.layers, self.pooler, self.head = (
                model.bert.encoder.layer,
                model.bert.pooler,
                model.classifier,
            )
            self.heads = model.config.num_attention_heads

        def forward(self, input_ids, attention_mask, token_type_ids):
            length = input_ids.shape[1]
            e = self.embeddings
            x = self.words(input_ids) + e.token_type_embeddings(token_type_ids)
            x = e.LayerNorm(x + e.position_embeddings(torch.arange(length)[None]))
            shut = (1.0 - attention_mask[:, None, None, :].to(torch.float32)) * -10000.0
            for layer in self.layers:
                a = layer.attention
                n, _, width = x.shape

                def split(t, n=n, width=width):
                    return t.reshape(n, length, self.heads, width // self.heads).transpose(1, 2)

                q, k, v = split(a.self.query(x)), split(a.self.key(x)), split(a.self.value(x))
                weights = torch.softmax(q @ k.transpose(2, 3) * (width // self.heads) ** -0.5 + shut, dim=-1)
                mixed = (weights @ v).transpose(1, 2).reshape(n, length, width)
                x = a.output.LayerNorm(a.output.dense(mixed) + x)
                x = layer.output.LayerNorm(
                    layer.output.dense(torch.nn.functional.gelu(layer.intermediate.dense(x))) + x
                )
            return self.head(torch.tanh(self.pooler.dense(x[:, 0])))[:, 0]

    return Wrapped().eval()


def export(folder: Path, out: Path) -> Path:
    """Write out/model.onnx and out/tokenizer.json from a transformers folder. Returns the graph's path."""
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    out.mkdir(parents=True, exist_ok=True)
    ids = torch.randint(1000, 20000, (3, 17))
    inputs = (ids, torch.ones_like(ids), torch.zeros_like(ids))
    rows, length = torch.export.Dim("rows", min=1, max=4096), torch.export.Dim("length", min=2, max=512)
    shape = {0: rows, 1: length}
    with tempfile.TemporaryDirectory() as scratch:
        plain, clean, quantised = (Path(scratch) / f"{n}.onnx" for n in ("plain", "clean", "quantised"))
        torch.onnx.export(
            _wrapped(folder),
            inputs,
            plain,
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            input_names=["input_ids", "attention_mask", "token_type_ids"],
            output_names=["logit"],
            dynamic_shapes={"input_ids": shape, "attention_mask": shape, "token_type_ids": shape},
        )
        quant_pre_process(plain, clean, skip_symbolic_shape=True)
        quantize_dynamic(
            clean, quantised, weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["MatMul"]
        )
        (out / "model.onnx").write_bytes(_bare(quantised))
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["padding"] = tokenizer["truncation"] = None  # the adapter sets both
    (out / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
    return out / "model.onnx"


def _bare(graph: Path) -> bytes:
    """The graph without what the exporter notes of each node: where in which file it comes from."""
    import onnx

    model = onnx.load(graph)
    for part in (model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input,
                 *model.graph.output, *model.functions):
        del part.metadata_props[:]
        part.doc_string = ""
    return model.SerializeToString()
