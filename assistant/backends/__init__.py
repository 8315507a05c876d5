"""Adapters to models and stores, one a file: the only importers of torch, chromadb, onnxruntime and llama_cpp.

What they import is heavy, so they import inside functions. A part's `build(config)` is in the file of its kind:

embedder.py       sentence-transformers; build: the embedder   embedding_server.py  one behind a URL
query_encoder.py  reads questions; build: it, or the embedder  calibration.py       a logit as a probability
cross_encoder.py  build: the reranker                          chroma.py            build: the vector store
generator.py      build: the language model                    llama.py             a GGUF file
chat_server.py    a language model behind a URL                keys.py, files.py    servers' keys, models' files
"""
from __future__ import annotations

import os

from assistant.config import past_proxy

# Read by the libraries when they are imported: nothing looks for a hub, nothing reports home.
for _name, _value in {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
                      "ANONYMIZED_TELEMETRY": "False", "DO_NOT_TRACK": "1", "TOKENIZERS_PARALLELISM": "false",
                      "TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}.items():
    os.environ.setdefault(_name, _value)
past_proxy(os.environ)  # a model or a store served on this machine
