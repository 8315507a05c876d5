"""Rerankers: Glassbox's own cross-encoder (int8 ONNX in assistant/weights/reranker), or any other CrossEncoder.

A cross-encoder reads question and text together and gives one logit; the calibration turns the logit and the
embedder's cosine of the same question and text into the probability that the text answers the question. Both are
functions of question and text alone: what else is scored with them, and in which order, changes nothing.
A calibration counts only with the embedder that it names; the parts see to that (calibration.Calibrated).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import numpy as np

from assistant.backends.calibration import Calibration, sigmoid
from assistant.backends.files import content_hash
from assistant.config import Config, shown
from assistant.errors import ModelError

EMBEDDED = Path(__file__).resolve().parent.parent / "weights" / "reranker"
MAX_PIECES = 384  # word pieces of question and text together; the longest that training saw is 256
THREADS = 2  # pairs scored at a time, one thread each: see logits
BATCH = 16  # of a sentence-transformers CrossEncoder


class EmbeddedCrossEncoder:
    """assistant.protocols.Reranker over the shipped int8 graph; it loads at the first use."""

    def __init__(self, folder: Path = EMBEDDED) -> None:
        missing = [
            n for n in ("model.onnx", "tokenizer.json", "calibration.json") if not (folder / n).is_file()
        ]
        if missing:
            raise ModelError(
                f"{folder} lacks {', '.join(missing)}: expected the reranker that comes with Glassbox; "
                "install it again, or make it with eval/train_reranker.py"
            )
        self.name = "glassbox-reranker"
        self._folder = folder
        self.calibration = Calibration.load(folder / "calibration.json")
        self.calibrated, self.threshold = True, self.calibration.threshold
        self._lock = threading.Lock()
        self._made: tuple | None = None

    @cached_property
    def fingerprint(self) -> str:
        """Of graph, word pieces and calibration: another threshold makes another reranker."""
        return content_hash(self._folder)

    @property
    def _loaded(self) -> tuple:
        with self._lock:  # not a cached_property: from Python 3.12 on two threads would both load
            if self._made is None:
                self._made = self._load()
            return self._made

    def _load(self) -> tuple:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(
                str(self._folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
            tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        except Exception as error:  # both libraries raise bare exceptions for a damaged file
            raise ModelError(
                f"cannot load the reranker in {self._folder} ({type(error).__name__}): expected "
                "model.onnx and tokenizer.json as shipped; install Glassbox again"
            ) from error
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_PIECES, strategy="longest_first")
        return session, tokenizer, ThreadPoolExecutor(THREADS, thread_name_prefix="rerank")

    def logits(self, question: str, texts: Sequence[str]) -> np.ndarray:
        """float32 (n,), one for each text in its order, higher is better.

        One pair a run, `THREADS` runs at a time: nothing is padded, and as activations are quantised over the whole
        input of a run, a pair's logit is the same whatever it is scored with.
        """
        if not len(texts):
            return np.zeros(0, np.float32)
        session, tokenizer, pool = self._loaded
        encoded = tokenizer.encode_batch([(question, text) for text in texts])

        def score(encoding) -> float:
            inputs = {
                "input_ids": encoding.ids,
                "attention_mask": encoding.attention_mask,
                "token_type_ids": encoding.type_ids,
            }
            return float(session.run(None, {k: np.array([v], np.int64) for k, v in inputs.items()})[0][0])

        # Longest first, so that the threads end together.
        order = sorted(range(len(encoded)), key=lambda i: -len(encoded[i].ids))
        result = np.empty(len(encoded), np.float32)
        result[order] = list(pool.map(score, [encoded[i] for i in order]))
        return result

    def probabilities(self, logits: np.ndarray, cosines: np.ndarray) -> np.ndarray:
        return self.calibration.probabilities(logits, cosines)


class SentenceTransformersCrossEncoder:
    """assistant.protocols.Reranker over any CrossEncoder by name or folder.

    Uncalibrated unless `calibration` is given: then probabilities are the sigmoid of the logit, and the gate is off.
    """

    def __init__(self, name: str, folder: Path | None = None, calibration: Calibration | None = None) -> None:
        self.name, self._folder, self.calibration = name, folder, calibration
        self.calibrated = calibration is not None
        self.threshold = calibration.threshold if calibration else 0.0
        self._lock = threading.RLock()
        self._made = None

    @cached_property
    def fingerprint(self) -> str:
        if self._folder:
            return content_hash(self._folder)
        import hashlib

        digest = hashlib.sha256()
        for key, tensor in sorted(self._model.model.state_dict().items()):
            digest.update(key.encode() + tensor.cpu().contiguous().view(-1).float().numpy().tobytes())
        return digest.hexdigest()[:16]

    @property
    def _model(self):
        with self._lock:
            if self._made is None:
                self._made = self._load()
            return self._made

    def _load(self):
        from sentence_transformers import CrossEncoder

        try:
            return CrossEncoder(str(self._folder or self.name))
        except Exception as error:  # the library raises many kinds for one cause: the model is not readable
            raise ModelError(
                f"cannot load the reranker {shown(self.name)!r} ({type(error).__name__}): expected a "
                "CrossEncoder folder or a model already in the local cache; set reranker=embedded for "
                "the one that comes with Glassbox"
            ) from error

    def logits(self, question: str, texts: Sequence[str]) -> np.ndarray:
        """float32 (n,), input order. A model with several outputs raises ModelError: it ranks nothing."""
        if not len(texts):
            return np.zeros(0, np.float32)
        import torch

        with self._lock:  # a tokenizer that pads cannot be used by two threads: "Already borrowed"
            scores = self._model.predict(
                [(question, text) for text in texts],
                batch_size=BATCH,
                activation_fn=torch.nn.Identity(),
                show_progress_bar=False,
            )
        scores = np.asarray(scores, np.float32)
        if scores.ndim != 1:
            raise ModelError(
                f"the reranker {shown(self.name)!r} gives {scores.shape[1]} numbers a pair: expected one, the "
                "relevance; choose a CrossEncoder made for ranking"
            )
        return scores

    def probabilities(self, logits: np.ndarray, cosines: np.ndarray) -> np.ndarray:
        if self.calibration:
            return self.calibration.probabilities(logits, cosines)
        return sigmoid(np.asarray(logits, np.float64))


def build(config: Config) -> EmbeddedCrossEncoder | SentenceTransformersCrossEncoder:
    """The reranker that the setting names. A folder's own calibration.json is used where there is one."""
    if config.reranker == "embedded":
        return EmbeddedCrossEncoder()
    if "://" in config.reranker:
        raise ModelError(
            f"reranker is {shown(config.reranker)}: a reranker cannot be served; expected \"embedded\", or a "
            "CrossEncoder name or folder"
        )
    folder = Path(config.reranker).expanduser()
    if folder.is_dir():
        file = folder / "calibration.json"
        return SentenceTransformersCrossEncoder(
            folder.name, folder, Calibration.load(file) if file.is_file() else None
        )
    if (
        folder.is_absolute()
        or config.reranker.startswith((".", "~"))
        or (os.sep in config.reranker.rstrip(os.sep)[1:-1]
        and folder.parent.is_dir())
    ):
        raise ModelError(
            f"no reranker at {shown(config.reranker)}: expected a CrossEncoder folder or a model's name; "
            "set reranker=embedded for the one that comes with Glassbox"
        )
    return SentenceTransformersCrossEncoder(config.reranker)
