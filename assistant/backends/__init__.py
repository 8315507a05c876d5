"""Adapters to models and stores, one a file: the only importers of torch, chromadb, onnxruntime and llama_cpp.

Each file has `build(config)`; what it imports is heavy, so it imports inside functions.
"""
from __future__ import annotations

import os

# Read by the libraries when they are imported: nothing looks for a hub, nothing reports home.
for _name, _value in {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
                      "ANONYMIZED_TELEMETRY": "False", "DO_NOT_TRACK": "1", "TOKENIZERS_PARALLELISM": "false",
                      "TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}.items():
    os.environ.setdefault(_name, _value)
