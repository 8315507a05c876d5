"""The value that training consumes: a query with texts of which some are gold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """One query and its texts.

    gold: 1 satisfies the query, 0 does not, -1 unknown (distilled only), one for each text.
    lift: how far, in logits, the gold's target stands above 20 x cosine.
    """

    query: str
    texts: tuple[str, ...]
    gold: tuple[int, ...]
    kind: str
    lift: float
