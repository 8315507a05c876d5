"""What turns a reranker's logit and the embedder's cosine into a probability, and for which models it holds.

A calibration is made of the logits of one reranker and the cosines of one embedder (with one way to read questions),
and says nothing of others: E5's cosines lie between 0.7 and 1, MiniLM's around 0.3. So it counts where those
fingerprints are the ones it names, and elsewhere the probability is the sigmoid of the logit, shown as uncalibrated,
without a gate. `assistant calibrate` writes one into the index folder, where it goes before the reranker's own.

The embedded reranker's was fitted with the embedded query encoder, and names query_encoder=off beside it, for it was
found to hold as well there: on the development questions over the chapters (80 answerable, 36 not; 2,300 candidates)
calibration error 0.090 against 0.089 with the encoder, mean probability 0.123 against 0.122, questions told apart with
an AUC of 0.844 both, 0.975 against 0.963 kept, 0.556 declined both. Another folder of a query encoder is not named.
"""
from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from assistant.errors import ModelError
from assistant.protocols import Embedder

FOLDER = "calibrations"  # in the index folder; one file for each set of models


@dataclass(frozen=True)
class Calibration:
    """P = sigmoid(logit_weight x logit + cosine_weight x cosine + bias); both weights are >= 0, so P rises with both.

    threshold: probability in 0..1 under which the gate declines. embedder: the fingerprint of what gave the cosines.
    query_encoders: those of what may read the questions; "off" where nothing reads them in another way than texts.
    """

    logit_weight: float
    cosine_weight: float
    bias: float
    threshold: float
    embedder: str = ""
    query_encoders: tuple[str, ...] = ("off",)

    @classmethod
    def load(cls, file: Path) -> Calibration:
        """ModelError where the file is missing, is no JSON, or lacks a field but `query_encoders`."""
        try:
            stored = json.loads(file.read_text(encoding="utf-8"))
            numbers = (float(stored[name]) for name in ("logit_weight", "cosine_weight", "bias", "threshold"))
            return cls(*numbers, str(stored["embedder"]), tuple(stored.get("query_encoders", ("off",))))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"cannot read the calibration {file} ({type(error).__name__}: {error}): expected JSON "
                             f"with {', '.join(spec.name for spec in fields(cls))}; restore the file or calibrate again"
                             ) from error

    def save(self, file: Path, **notes: object) -> None:
        """Write the fields and, beside them, `notes` about where they come from; whole or not at all."""
        half = file.with_name(f"{file.name}.{os.getpid()}")
        half.write_text(json.dumps({**asdict(self), **notes}, indent=1) + "\n", encoding="utf-8")
        half.replace(file)

    def probabilities(self, logits: np.ndarray, cosines: np.ndarray) -> np.ndarray:
        """float32 (n,) in 0..1 from two (n,)."""
        return sigmoid(self.logit_weight * np.asarray(logits, np.float64)
                       + self.cosine_weight * np.asarray(cosines, np.float64) + self.bias)

    def holds_for(self, embedder: Embedder) -> bool:
        return self.embedder == embedder.fingerprint and embedder.query_fingerprint in self.query_encoders


def sigmoid(values: np.ndarray) -> np.ndarray:
    return (1.0 / (1.0 + np.exp(-np.clip(values, -60.0, 60.0)))).astype(np.float32)


def file_of(index: Path, reranker: str, embedder: Embedder) -> Path:
    """Where the index keeps the calibration of a reranker (its fingerprint) with an embedder."""
    key = "\n".join((reranker, embedder.fingerprint, embedder.query_fingerprint))
    return index / FOLDER / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"


class Calibrated:
    """assistant.protocols.Reranker: a cross-encoder's logits, the calibration that holds for the embedder beside it.

    The index's own calibration is looked for at each use, so that what `assistant calibrate` writes counts from the
    next question on. `fingerprint` tells it from the cross-encoder's own: another threshold is another configuration.
    """

    def __init__(self, scorer, embedder: Callable[[], Embedder], index: Path) -> None:
        """scorer: a cross-encoder of cross_encoder.py, with `calibration`. embedder: called when first needed."""
        self.scorer, self.name = scorer, scorer.name
        self._embedder, self._index = embedder, index
        self._read: tuple[tuple[str, int, int], Calibration] | None = None

    @property
    def fingerprint(self) -> str:
        own = self._of_index()
        return self.scorer.fingerprint if own is None else \
            hashlib.sha256(json.dumps([self.scorer.fingerprint, asdict(own)]).encode()).hexdigest()[:16]

    @property
    def calibration(self) -> Calibration | None:
        """The one in use; None where there is none for these models."""
        own, shipped = self._of_index(), self.scorer.calibration
        if own is None and shipped is not None and shipped.holds_for(self._embedder()):
            return shipped
        return own

    @property
    def calibrated(self) -> bool:
        return self.calibration is not None

    @property
    def threshold(self) -> float:
        found = self.calibration
        return found.threshold if found else 0.0

    def logits(self, question: str, texts: Sequence[str]) -> np.ndarray:
        return self.scorer.logits(question, texts)

    def probabilities(self, logits: np.ndarray, cosines: np.ndarray) -> np.ndarray:
        found = self.calibration
        return found.probabilities(logits, cosines) if found else sigmoid(np.asarray(logits, np.float64))

    def _of_index(self) -> Calibration | None:
        if not (self._index / FOLDER).is_dir():  # before the fingerprints, which may take a second to make
            return None
        file = file_of(self._index, self.scorer.fingerprint, self._embedder())
        try:
            stat = file.stat()
        except OSError:
            return None
        seen = str(file), stat.st_mtime_ns, stat.st_size
        if self._read is None or self._read[0] != seen:
            self._read = seen, Calibration.load(file)
        return self._read[1]
