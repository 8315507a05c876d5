"""What a candidate's probability would have to be, and which threshold would keep it: the gate read backwards."""
from __future__ import annotations

import math

from assistant.records import Retrieval
from assistant.retrieve.select import ABSENT
from assistant.retrieve.stages import FLOOR_SHARE


def least(found: Retrieval) -> float:
    """The probability under which nothing is kept: the gate's where it is closed, a share of it where it is open, 0.0
    without one."""
    threshold = found.threshold or 0.0
    return {"declined": threshold, "passed": threshold * FLOOR_SHARE}.get(found.gate, 0.0)


def threshold_for(value: float, found: Retrieval, base: float) -> float:
    """The highest setting, to three digits, with which the gate opens and a candidate of probability `value` is kept.

    base: the setting that the search was made with. Where a question names something it is measured by more than the
    setting, by a factor on its odds (retrieve/select.py), and so would be the new one.
    """
    factor = _odds(found.threshold) / _odds(base) if 0 < base < 1 else ABSENT
    best = max(hit.rerank.value for hit in found.hits if hit.rerank)
    odds = _odds(min(best, value / FLOOR_SHARE)) / factor
    return math.floor(1000 * odds / (1 + odds)) / 1000 if math.isfinite(odds) else 1.0


def _odds(probability: float) -> float:
    return probability / (1 - probability) if probability < 1 else math.inf
