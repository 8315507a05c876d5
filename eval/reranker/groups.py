"""The value that training consumes: a query with texts of which some are gold."""

from __future__ import annotations

from dataclasses import dataclass

# Kinds made of a person's question with cased text; sentence_squad2 is lower-cased, so its names are lost.
ASKED = (
    "passage_qed",
    "passage_squad",
    "passage_policy",
    "passage_pubmed",
    "sentence_qed",
    "sentence_squad",
    "sentence_policy",
)


@dataclass(frozen=True)
class Group:
    """One query and its texts.

    gold: 1 satisfies the query, 0 does not, -1 unknown (distilled only), one for each text.
    lift: how far, in logits, the gold's target stands above 20 x cosine.
    asks: where one text is asked several questions, the question of each text; the group is then ranked by its gold
        alone, for the bi-encoder cannot tell a question that the text answers from one that is only near it.
    """

    query: str
    texts: tuple[str, ...]
    gold: tuple[int, ...]
    kind: str
    lift: float
    asks: tuple[str, ...] = ()

    @property
    def queries(self) -> tuple[str, ...]:
        """The question of each text."""
        return self.asks or (self.query,) * len(self.texts)
