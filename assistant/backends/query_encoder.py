"""The query encoder: a small correction of the embedded embedder (LoRA) that reads questions, and questions alone.

A question and the passage that answers it are two kinds of text, and one network reads both. Here the questions' side
has learnt, against the fixed vectors of passages, where the answer to a question lies; passages are embedded as before,
so an index needs no change (assistant/weights/query_encoder/README.md: data, recipe, numbers, limits).
Low-rank adaptation: Hu et al., ICLR 2022; two encoders, one for questions: Karpukhin et al., EMNLP 2020.
"""
from __future__ import annotations

import copy
import json
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from assistant.backends.embedder import SentenceTransformersEmbedder
from assistant.backends.files import content_hash
from assistant.config import Config
from assistant.errors import ModelError
from assistant.protocols import Embedder

EMBEDDED = Path(__file__).resolve().parent.parent / "weights" / "query_encoder"
FILE, NOTES = "adapter.safetensors", "adapter.json"


class TunedQueries:
    """assistant.protocols.Embedder: texts as `inner` embeds them, questions by a copy of it with the adapter added.

    folder: holds adapter.safetensors ("MODULE.down" (rank, in) and "MODULE.up" (out, rank), float16, of the
    transformer's linear modules) and adapter.json ("scale", and "embedder": the fingerprint of the one it
    was trained with).
    """

    def __init__(self, inner: SentenceTransformersEmbedder, folder: Path = EMBEDDED) -> None:
        missing = [name for name in (FILE, NOTES) if not (folder / name).is_file()]
        if missing:
            raise ModelError(f"{folder} lacks {', '.join(missing)}: expected the query encoder that comes with "
                             "Glassbox; install it again, make it with eval/train_query_encoder.py, or set "
                             "query_encoder=off")
        self._inner, self._folder, self._lock = inner, folder, threading.Lock()
        self._made: SentenceTransformersEmbedder | None = None

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)  # name, fingerprint, dim, max_tokens, embed, count_tokens

    @cached_property
    def query_fingerprint(self) -> str:
        return content_hash(self._folder)

    def embed_query(self, texts: Sequence[str]) -> np.ndarray:
        return self._tuned.embed(texts)

    @property
    def _tuned(self) -> SentenceTransformersEmbedder:
        with self._lock:
            if self._made is None:
                self._made = SentenceTransformersEmbedder(f"{self._inner.name}, for queries", None, self._load())
            return self._made

    def _load(self):
        """A copy of the inner model with the adapter added; the table of word embeddings is shared, not copied."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file
        inner = self._inner.model
        table = {id(weight): weight for name, weight in inner.named_parameters() if "word_embeddings" in name}
        model = copy.deepcopy(inner, memo=dict(table))
        try:
            notes = json.loads((self._folder / NOTES).read_text(encoding="utf-8"))
            adapter = load_file(self._folder / FILE)
            if notes["embedder"] != self._inner.fingerprint:
                raise ValueError(f"it was made for another embedder, {notes['embedder']}; "
                                 f"{self._inner.name} is {self._inner.fingerprint}")
            modules = dict(model.named_modules())
            for name in sorted({key.rpartition(".")[0] for key in adapter}):
                weight = next(modules[full] for full in modules if full.endswith(name)).weight
                change = adapter[f"{name}.up"].float() @ adapter[f"{name}.down"].float()
                weight.data += notes["scale"] * change.to(weight)
        except (OSError, ValueError, KeyError, StopIteration, RuntimeError, SafetensorError) as error:
            raise ModelError(f"cannot load the query encoder in {self._folder} ({type(error).__name__}: {error}): "
                             f"expected {FILE} and {NOTES} as shipped; install Glassbox again, or set "
                             "query_encoder=off") from error
        return model


def build(config: Config, embedder: SentenceTransformersEmbedder) -> Embedder:
    """The embedder with the query encoder that the config names. Another embedder than the embedded one has its own
    way to read a query, and is given back as it is."""
    if config.query_encoder == "off" or config.embedder != "embedded":
        return embedder
    folder = EMBEDDED if config.query_encoder == "embedded" else Path(config.query_encoder).expanduser()
    return TunedQueries(embedder, folder)
