"""The answer, sentence by sentence: the model's where it is supported, else the quotation; nothing essential left out.

The evidence is the floor. Which passages are essential is decided before the model speaks; its sentences may stand in
for them, and what they leave out is added as quotations at the end.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from assistant.answer.evidence import asks_for_table
from assistant.answer.verify import check, content, declines, holds
from assistant.records import Answer, Check, Citation, Evidence, Sentence, Support
from assistant.text.blocks import is_code
from assistant.text.compared import compared
from assistant.text.names import mentioned
from assistant.text.segment import split_sentences

# Measured on eval/gold/dev.jsonl and the suite's open part (eval/EXPERIMENTS.md). Odds, so that an answer that is sure
# of itself is short and one that is not shows more; the share, so that a sure one is not cut short.
CLOSE = 0.27       # of the best passage's odds, from which on a passage is essential
SHARE = 0.65       # of its probability, from which on it is essential as well
MAX_WORDS = 120    # of essential passages together; the best one is essential however long it is
MAX_PASSAGES = 6
BESIDE = "left out: true, but none of the passages that answer the question says it"
_BEGINNING = 5  # letters of a word that make it the same word here: "prediction" says no more than "predicting"
_YES_OR_NO = re.compile(r"\W*(do|does|did|is|are|was|were|can|could|will|would|should|has|have|must)\b", re.I)
MAX_SENTENCES = 3  # of the model's: more is where a small model begins to wander


def essential(question: str, evidence: Sequence[Evidence], asks: int = 1) -> list[Evidence]:
    """The passages that the answer must not leave out, best first; a table asked for as a whole comes in its order.

    asks: how many questions are asked at once; the evidence opens with the best passage for each.
    """
    if not evidence:
        return []
    best = evidence[0]
    rows = [e for e in evidence if e.spans[1:] == best.spans[1:]] if len(best.spans) > 1 else []
    if len(rows) > 2 and asks_for_table(question, [e.text for e in rows]):
        return sorted(rows, key=lambda e: e.spans[0])
    chosen = list(evidence[:asks])
    if asks == 1 and len(evidence) > 1 and _restates(best, question):
        best = evidence[1]  # what only says the question again is no answer
        chosen.append(best)
    words = sum(len(e.text.split()) for e in chosen)
    for other in evidence[len(chosen):]:
        length = len(other.text.split())
        close = other.score is None or best.score is None or other.score >= SHARE * best.score \
            or _odds(other.score) >= CLOSE * _odds(best.score)
        if not close or words + length > MAX_WORDS or len(chosen) == MAX_PASSAGES:
            break
        if _adds(other, chosen):
            chosen.append(other)
            words += length
    return chosen + _other_sides(question, evidence, chosen)


def _restates(passage: Evidence, question: str) -> bool:
    """Whether it has no content word that the question lacks; where yes or no is asked, that is an answer."""
    said, asked = ({word[:_BEGINNING] for word in content(text)} for text in (passage.text, question))
    return not _YES_OR_NO.match(question) and said <= asked


def _other_sides(question: str, evidence: Sequence[Evidence], chosen: Sequence[Evidence]) -> list[Evidence]:
    """The best passage on each thing that the question compares and that the chosen ones do not speak of."""
    found: list[Evidence] = []
    for thing in compared(question):
        if not any(_speaks_of(e, thing) for e in [*chosen, *found]):
            found += [e for e in evidence if _speaks_of(e, thing)][:1]
    return found


def _speaks_of(passage: Evidence, thing: str) -> bool:
    return mentioned(thing, passage.text.lower()) if thing != thing.lower() or re.search(r"\d", thing) \
        else content(thing) <= content(passage.text)


def _odds(score: float) -> float:
    """Of a probability, or of a cosine where no reranker ran; those under 0 and over 1 have none."""
    return min(max(score, 1e-6), 1 - 1e-6) / (1 - min(max(score, 1e-6), 1 - 1e-6))


def _adds(passage: Evidence, chosen: Sequence[Evidence]) -> bool:
    """Whether it says something that the chosen ones do not."""
    known = set().union(*(content(e.text) for e in chosen))
    return not content(passage.text) <= known


class Assembly:
    """Grows an answer one checked sentence at a time; `answer` is what has been shown so far."""

    def __init__(self, question: str, evidence: Sequence[Evidence], quotes: dict[int, tuple[int, int, str]],
                 owed: Sequence[Evidence] | None = None) -> None:
        """quotes: {marker: (start, end, verbatim slice of the document)}
        owed: what must not be left out, in its order; `essential` where it is not given.
        """
        self._question, self._evidence, self._quotes = question, tuple(evidence), quotes
        self._owed = essential(question, evidence) if owed is None else list(owed)
        self._essential = {e.marker for e in self._owed}
        headers = {e.spans[1:] for e in self._owed}
        self.is_table = len(self._owed) > 2 and len(headers) == 1 and headers != {()}
        self._text, self._support, self._citations = "", [], []
        self.draft = ""
        self.checks: tuple[Check, ...] = ()

    def from_draft(self, pieces: Iterable[str]) -> Iterator[Sentence]:
        """Check the model's sentences as they come, until it repeats itself, wanders off or has said enough."""
        seen: set[frozenset[str]] = set()
        for done, sentence in enumerate(self._complete(pieces)):
            words = frozenset(content(sentence))
            if words in seen or done == MAX_SENTENCES or declines(sentence):
                return
            seen.add(words)
            checked = check(sentence, self._question, self._evidence)
            beside = checked.supported and not set(checked.markers) & self._essential
            self.checks += (Check(checked.text, checked.supported, checked.markers, BESIDE if beside else checked.why),)
            if beside:
                continue
            if checked.supported and not self._citations and self._owed and self._owed[0].marker not in checked.markers:
                yield self._quote(self._owed[0])  # an answer opens with its best passage, in whosever words
            if checked.supported and not self._said(checked.text):
                self._owed = [e for e in self._owed if not (e.marker in checked.markers and holds(checked.text, e))]
                score = next((e.score for e in self._evidence if e.marker == checked.markers[0]), None)
                yield self._add(checked.text, checked.markers, score, "model")
            elif not checked.supported:
                owed = next((e for e in self._owed if e.marker in checked.markers), None)
                if owed:
                    yield self._quote(owed)

    def _complete(self, pieces: Iterable[str]) -> Iterator[str]:
        """Whole sentences of the growing draft; the last one only when the model has stopped."""
        given = 0
        for piece in pieces:
            self.draft += piece
            spans = split_sentences(self.draft)
            ready = [self.draft[a:b] for a, b in spans[:-1]]
            # a marker alone after a full stop belongs to the sentence before it
            for sentence in ready[given:]:
                given += 1
                if re.search(r"\w", re.sub(r"\[\d+\]", "", sentence)):
                    yield sentence
        spans = split_sentences(self.draft)
        for a, b in spans[given:]:
            if re.search(r"\w", re.sub(r"\[\d+\]", "", self.draft[a:b])):
                yield self.draft[a:b]

    def rest(self) -> Iterator[Sentence]:
        """The essential passages that the model left out, as quotations."""
        while self._owed:
            yield self._quote(self._owed[0])

    def note(self, text: str) -> Sentence:
        """A sentence of Glassbox's own, as a paragraph of its own."""
        separator = "\n\n" if self._text else ""
        support = Support(len(self._text) + len(separator), len(self._text) + len(separator + text), True, (), None,
                          "fixed")
        self._text += separator + text
        self._support.append(support)
        self._after_row = True
        return Sentence(separator + text, support)

    def _quote(self, evidence: Evidence) -> Sentence:
        self._owed = [e for e in self._owed if e.marker != evidence.marker]
        return self._add(evidence.text, (evidence.marker,), evidence.score, "quoted")

    def _said(self, text: str) -> bool:
        return bool(content(text)) and content(text) <= content(self._text)

    def _add(self, text: str, markers: tuple[int, ...], score: float | None, origin: str) -> Sentence:
        code = "\n" in text or is_code(text)
        block = code or _is_row(text, self._evidence, markers)
        separator = ("\n\n" if block or self._text.endswith("```") or self._after_row else " ") if self._text else ""
        self._after_row = block
        body = f"```\n{text}\n```" if code else text
        end = body[-1] if body[-1] in ".!?" else ""
        shown = (body[:-1] if end else body) + " "
        start = len(self._text) + len(separator)
        addition = separator + shown
        for marker in markers:
            at = len(self._text) + len(addition)
            tag = f"[{marker}]"
            addition += tag
            a, b, quote = self._quotes[marker]
            evidence = next(e for e in self._evidence if e.marker == marker)
            self._citations.append(Citation(marker, evidence.chunk_id, evidence.document, evidence.heading, a, b,
                                            quote, at, at + len(tag)))
        addition += end
        self._text += addition
        support = Support(start, len(self._text), True, markers, score, origin)
        self._support.append(support)
        return Sentence(addition, support)

    _after_row = False

    def answer(self, abstained: bool = False) -> Answer:
        return Answer(self._text, tuple(self._citations), abstained, tuple(self._support))


def _is_row(text: str, evidence: Sequence[Evidence], markers: tuple[int, ...]) -> bool:
    return any(e.marker in markers and len(e.spans) > 1 and e.text == text for e in evidence)


def fixed(text: str, abstained: bool) -> Answer:
    """An answer in Glassbox's own words: a decline, a greeting."""
    return Answer(text, (), abstained, (Support(0, len(text), True, (), None, "fixed"),))
