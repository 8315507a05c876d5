"""Why a passage is not in an answer: where it stands at every stage among all chunks, and what kept it out.

Unlike everything else that is shown of a trace this is computed now, over the index as it is: where that has changed
since, `index_changed` says so. The trace's question, earlier turns and settings are used, not today's.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assistant.errors import InputError
from assistant.pipeline import Assistant
from assistant.protocols import chunk_of
from assistant.records import Chunk, Hit, Retrieval, Score, Trace
from assistant.replay import check_askable, settings
from assistant.retrieve import search
from assistant.retrieve.expand import expand
from assistant.retrieve.fuse import candidates, fuse, ranked
from assistant.retrieve.needed import least, threshold_for
from assistant.retrieve.split import questions
from assistant.retrieve.stages import read
from assistant.text.chapters import named
from assistant.text.pasted import chunk_with
from assistant.text.readable import passage as reading

BATCH = 4096   # vectors held at a time beside the best of each chunk
MOST = 200     # candidates that the setting allows
MOST_KEPT = 20  # and k


@dataclass(frozen=True)
class Step:
    """One stage's word on the chunk.

    stage   "dense", "lexical", "fused", "rerank", "select" or "evidence"
    value   its score there, in the stage's own unit; None without one
    rank    from 1, among `of` chunks: all that were searched (for one that was not, all), for rerank the candidates
    passed  whether it got through; None where the stage was off or was not reached
    words   what happened, for a person
    """

    stage: str
    value: float | None
    rank: int | None
    of: int
    passed: bool | None
    words: str


@dataclass(frozen=True)
class WhyNot:
    """chunk: None where a pasted passage is in no chunk; `place` says how it was found, "" by its id. kept: it was in
    after all.

    verdict  what kept it out (or that it was in), in words
    remedy   which setting or step would let it in, as far as can be said; "" for none
    """

    query: str
    chunk: Chunk | None
    document: str
    place: str
    steps: tuple[Step, ...]
    kept: bool
    verdict: str
    remedy: str
    index_changed: bool


def why_not(rag: Assistant, trace: Trace, chunk_id: str | None = None, passage: str | None = None) -> WhyNot:
    """Give the id of a chunk (its beginning is enough) or the text of a passage, one of the two.

    Raises InputError for an unknown chunk, for neither or both, and what `retrieve` raises for an empty index.
    """
    if bool(chunk_id) == bool(passage and passage.strip()):
        raise InputError("give either a chunk's id or a passage's text")
    if trace.status == "complete" and not trace.hits and not any(s.stage in ("dense", "lexical") for s in trace.spans):
        raise InputError("nothing was searched for this reply, so nothing was kept out: ask something of the documents")
    check_askable(trace)
    rag = rag.with_config(settings(rag.config, trace, {}))
    chunks = rag.chunks()
    look = _Look(rag, rag.retrieve(trace.question, trace.history), len(chunks), _narrowing(rag, trace))
    chunk, place = _by_id(chunks, chunk_id) if chunk_id else chunk_with(chunks, passage)
    changed = trace.index_fingerprint != rag.index_fingerprint()
    if chunk is None:
        steps = look.steps_of_text(passage)
        return WhyNot(look.query, None, "", place, steps, False,
                      "no chunk of the index holds this passage, so no search can find it",
                      "ingest the document that it stands in", changed)
    title = rag.document(chunk.document_id).title
    return WhyNot(look.query, chunk, title, place, *look.steps(chunk, trace), changed)


def _narrowing(rag: Assistant, trace: Trace) -> tuple[frozenset[str], str] | None:
    """(ids of the chunks that are searched alone, the chapters that the question names)."""
    query, only, _ = read(trace.question, trace.history, rag.parts.embedder, rag.catalog, rag.lexical)
    numbers = " and ".join(map(str, named(query)))
    name = f"chapter{'s' if ' ' in numbers else ''} {numbers}" if numbers else "the chapter that it names"
    return (only, name) if only else None


class _Look:
    """Every chunk's place in the two searches for one query, and the candidates that came of it."""

    def __init__(self, rag: Assistant, found: Retrieval, total: int,
                 narrowing: tuple[frozenset[str], str] | None) -> None:
        self._rag, self._found, self._total, self._config = rag, found, total, rag.config
        self.query, store, depth = found.query, rag.parts.store, rag.config.candidates
        self._only, self._chapters = narrowing or (None, "")
        self._vector = vector = rag.parts.embedder.embed_query([found.query])[0]
        self._asks = questions(found.query) if rag.config.k > 1 else (found.query,)
        more = expand(found.query, rag.lexical, rag.parts.embedder)[0] if self._config.lexical else []
        words = " ".join([found.query, *more])
        self._everywhere = (_all_dense(store, vector), ranked(rag.lexical.search(words, total)))
        by_dense = {} if not self._config.dense else search.dense(vector, store, depth) if self._only is None else \
            search.dense_within(vector, store, depth, self._only)
        by_words = search.lexical(words, rag.lexical, depth, self._only) if self._config.lexical else {}
        self._reached = (by_dense, by_words)
        # in a named chapter every chunk is looked at, so what was reached is the whole ranking
        self._dense, self._lexical = self._everywhere if self._only is None else self._reached
        self._fused = fuse([ranking for ranking in self._reached if ranking])
        self._chosen = candidates(self._fused, by_dense, depth)
        self._hits = {hit.chunk.id: hit for hit in found.hits}

    def steps(self, chunk: Chunk, trace: Trace) -> tuple[tuple[Step, ...], bool, str, str]:
        """(the stages, kept, verdict, remedy)."""
        hit = self._hits.get(chunk.id)
        rerank = self._rerank(reading(chunk), hit, self._cosine(chunk.id))
        fused, last = self._fuse(chunk.id), self._evidence(chunk.id, trace)
        kept = hit is not None and hit.kept
        select = Step("select", None, None, len(self._found.hits), kept if hit else None,
                      hit.reason if hit else "not reached")
        steps = (*self._searches(chunk.id), fused, rerank, select, last)
        if kept:
            return steps, True, f"it was kept ({hit.reason}); {last.words}", ""
        if last.rank is not None:  # a question about the documents themselves takes its evidence past the searches
            return steps, True, f"it is in the answer's evidence all the same: {last.words}", ""
        if self._outside(chunk.id):
            gives = f"; the reranker gives it {rerank.value:.2f}, rank {rerank.rank} among the candidates" \
                if rerank.value is not None else ""
            return steps, False, (f"it was never searched: the question names {self._chapters}, so only the "
                                  f"{len(self._only)} chunks there were looked at, and this one stands elsewhere"), \
                f"ask without naming the chapter{gives}"
        if hit is not None:
            return steps, False, f"it was a candidate, and was dropped: {hit.reason}", self._after_rerank(rerank, hit)
        return steps, False, self._before_rerank(chunk.id, fused), self._if_reached(rerank, chunk.id)

    def _outside(self, name: str) -> bool:
        return self._only is not None and name not in self._only

    def steps_of_text(self, text: str) -> tuple[Step, ...]:
        """What the models would say of a text that is in no chunk."""
        cosine = float(self._rag.parts.embedder.embed([text])[0] @ self._vector)
        rank = 1 + sum(score.value > cosine for score in self._everywhere[0].values())
        return (Step("dense", cosine, rank, self._total + 1, False, "where it would stand if it were a chunk"),
                Step("lexical", None, None, self._total, False, "not in the index"),
                self._rerank(text, None, cosine))

    def _searches(self, name: str) -> tuple[Step, Step]:
        missing = ("it has no vector: run `assistant ingest` again", "it shares no word with the query")
        rankings = self._everywhere if self._outside(name) else (self._dense, self._lexical)
        return tuple(self._search(stage, ranking.get(name), name, reached, words) for stage, ranking, reached, words
                     in zip(("dense", "lexical"), rankings, self._reached, missing, strict=True))

    def _search(self, stage: str, score: Score | None, name: str, reached: dict[str, Score], missing: str) -> Step:
        on, outside = bool(getattr(self._config, stage)), self._outside(name)
        among = self._total if outside or self._only is None else len(self._only)
        words = "off in the settings" if not on else \
            f"not searched: outside {self._chapters}; its place among all" if outside and score else \
            f"not searched: outside {self._chapters}" if outside else missing if score is None else \
            "found" if name in reached else f"beyond the first {len(reached)} that were looked at"
        return Step(stage, score.value if score else None, score.rank if score else None, among,
                    (name in reached) if on else None, words)

    def _fuse(self, name: str) -> Step:
        score, limit = self._fused.get(name), self._config.candidates
        if score is None:
            return Step("fused", None, None, len(self._fused), False,
                        "not searched" if self._outside(name) else "neither search reached it")
        inside = name in self._chosen
        return Step("fused", score.value, score.rank, len(self._fused), inside,
                    "a candidate" if inside else f"only {limit} are candidates" +
                    (f", {limit // 2} of them the nearest by meaning" if limit > 1 else ""))

    def _rerank(self, text: str, hit: Hit | None, cosine: float) -> Step:
        reranker = self._rag.parts.reranker
        others = [h.rerank.value for h in self._found.hits if h.rerank]
        if reranker is None:
            return Step("rerank", None, None, len(others), None, "off in the settings")
        if hit is not None and hit.rerank is not None:
            value, rank, words = hit.rerank.value, hit.rerank.rank, "reranked"
        else:
            value = max(self._chance(ask, text, cosine) for ask in self._asks)
            rank, words = 1 + sum(other > value for other in others), "where it would stand if it were a candidate" \
                if hit is None else "not ranked, as it only completes a passage; where it would stand"
            others.append(value)
        enough, needed = value >= least(self._found), f"{least(self._found):.2f}"
        if not enough:
            words += f"; below the threshold {needed}" if self._found.gate == "declined" else \
                f"; below {needed}, under which nothing is kept beside the best"
        return Step("rerank", value, rank, len(others), None if hit is None or hit.rerank is None else enough, words)

    def _chance(self, ask: str, text: str, cosine: float) -> float:
        """The probability for one of the questions; `cosine` is that of the whole question, and so of the only one."""
        parts = self._rag.parts
        if len(self._asks) > 1:
            cosine = float(parts.embedder.embed([text])[0] @ parts.embedder.embed_query([ask])[0])
        logits = parts.reranker.logits(ask, [text])
        return float(parts.reranker.probabilities(logits, np.array([cosine], np.float32))[0])

    def _evidence(self, name: str, trace: Trace) -> Step:
        """What the trace's own answer made of it. `rank` is the lowest of its markers."""
        markers = sorted({e.marker for e in trace.evidence if e.chunk_id == name})
        cited = sorted({c.marker for c in trace.answer.citations if c.chunk_id == name})
        if cited:
            words = "cited as " + ", ".join(f"[{n}]" for n in cited)
        elif markers:
            words = f"evidence [{markers[0]}], " + ("but the model declined" if trace.answer.abstained else
                                                    "not needed for the answer")
        elif trace.answer.abstained:
            words = "the question was declined" + (f": {trace.gate_reason}" if trace.gate == "declined" else "")
        else:
            words = "none of its sentences became evidence"
        return Step("evidence", None, min(cited or markers, default=None), len(trace.evidence), bool(cited), words)

    def _cosine(self, name: str) -> float:
        """What the reranker is given: the mean of the whole chunk's cosine and its nearest vector's."""
        whole = float(self._rag.parts.store.vectors([name])[0] @ self._vector)
        nearest = self._reached[0].get(name) or (self._everywhere[0].get(name) if self._outside(name) else None)
        return (whole + nearest.value) / 2 if nearest else whole

    def _before_rerank(self, name: str, fused: Step) -> str:
        if fused.rank is not None:
            return f"fusion put it at rank {fused.rank}, and {fused.words}"
        parts = [f"{step.stage}: {step.words}" + (f" (rank {step.rank} of {step.of})" if step.rank else "")
                 for step in self._searches(name)]
        return "no search reached it (" + "; ".join(parts) + ")"

    def _after_rerank(self, rerank: Step, hit: Hit) -> str:
        """What a dropped candidate would need."""
        if rerank.passed is False:
            base = self._rag.parts.reranker.threshold if self._config.threshold is None else self._config.threshold
            lower = f"threshold={threshold_for(rerank.value, self._found, base):g}"
            return "" if rerank.rank > self._config.k else \
                f"it would be kept with {lower}" if len(self._asks) == 1 else f"it would pass with {lower}"
        if len(self._asks) > 1:  # they choose by turns, so its rank alone does not say how many are needed
            return "a larger k, or one of the two questions asked alone" if hit.reason.endswith("are kept") else ""
        within = rerank.rank and rerank.rank <= MOST_KEPT
        return f"it would be kept with k={rerank.rank}" if within and hit.reason.endswith("are kept") else ""

    def _if_reached(self, rerank: Step, name: str) -> str:
        """Whether more candidates would have helped."""
        if rerank.value is None:
            wanted = self._enough(name)
            return f"it would be let in with candidates={wanted}" if wanted else ""
        if rerank.rank > self._config.k or rerank.value < least(self._found):
            return (f"more candidates would not help: the reranker gives it {rerank.value:.2f}, which is rank "
                    f"{rerank.rank} among them")
        wanted = self._enough(name)
        wish = f"candidates={wanted}" if wanted else "a question in the passage's own words"
        return f"it would be let in with {wish}: the reranker gives it {rerank.value:.2f}, rank {rerank.rank}"

    def _enough(self, name: str) -> int | None:
        """The smallest number of candidates with which it is one, if the searches looked at every chunk."""
        both = ((self._dense, self._config.dense), (self._lexical, self._config.lexical))
        everything, by_dense = fuse([ranking for ranking, on in both if on]), self._dense if self._config.dense else {}
        return next((n for n in range(1, MOST + 1) if name in candidates(everything, by_dense, n)), None)


def _all_dense(store, vector: np.ndarray) -> dict[str, Score]:
    """{chunk id: cosine of its nearest vector, its own or a sentence's}, exact, over the whole index."""
    ids, best = sorted(store.ids()), {}
    for at in range(0, len(ids), BATCH):
        part = ids[at:at + BATCH]
        for name, cosine in zip(part, (store.vectors(part) @ vector).tolist(), strict=True):
            owner = chunk_of(name)
            best[owner] = max(cosine, best.get(owner, -1.0))
    return ranked(best)


def _by_id(chunks: list[Chunk], name: str) -> tuple[Chunk, str]:
    fits = [chunk for chunk in chunks if chunk.id.startswith(name)]
    exact = [chunk for chunk in fits if chunk.id == name] or fits
    if len(exact) == 1:
        return exact[0], ""
    if fits:
        raise InputError(f"{name!r} begins the ids of {len(fits)} chunks: write more of it")
    raise InputError(f"no chunk {name!r} in this index: it was changed or removed; paste its text as a passage instead")
