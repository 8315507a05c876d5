"""The stages of retrieval in their order: contextualise, dense and lexical, fuse, rerank, gate, select.

What is timed is handed in as a stopwatch, and what a stage needs as parts, so that no stage knows of traces.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from assistant.catalog.documents import Documents
from assistant.catalog.lexical import Lexical
from assistant.config import Config
from assistant.protocols import Embedder
from assistant.records import Chunk, Hit, Message, Retrieval, Score
from assistant.retrieve import search, select
from assistant.retrieve.contextualise import contextualise, together
from assistant.retrieve.expand import expand
from assistant.retrieve.fuse import candidates, fuse, ranked
from assistant.retrieve.manner import without
from assistant.retrieve.rerank import rerank
from assistant.retrieve.spelling import repair
from assistant.retrieve.split import Ask, questions
from assistant.text.chapters import narrowed, within
from assistant.text.forms import form
from assistant.text.readable import passage

WHOLE_WORD = 3     # word pieces of a word that the embedder's vocabulary has: itself and the two special tokens
PROBE = 8          # candidates that are reranked to choose between two readings of a question
CLEARLY = 2.0      # times higher odds that another reading than the plain one must have
FLOOR_SHARE = 0.5  # of the gate's threshold: under it a chunk beside the best is noise


def retrieve(question: str, history: Sequence[Message], config: Config, parts, documents: Documents, lexical: Lexical,
             watch) -> tuple[Retrieval, tuple[Ask, ...]]:
    """(all candidates with every stage's score, the questions that are asked at once: one, or two).

    A question that names a chapter ("in chapter 9") is searched in that chapter alone. Two questions in one are
    searched as one and reranked one by one: a passage's probability is that for the one which it answers better, and
    each has its own best passages among the kept ones.
    """
    with watch.stage("contextualise", n_in=len(history)) as out:
        asked, only, why = read(question, history, parts.embedder, documents, lexical)
        query = narrowed(asked) if only else asked
        if not why and (other := together(query, history)) and _better(other, query, parts, lexical, documents):
            query, why = other, f"read together with \"{_last_question(history)}\", for which there is a better passage"
        reranker = parts.reranker
        texts = questions(query) if reranker is not None and config.k > 1 else (query,)
        if len(texts) > 1:
            why = "; ".join([*filter(None, [why]), "asked as two: " + " and ".join(f"\"{t}\"" for t in texts)])
        out.n = len(texts)
    with watch.stage("embed", n_in=len(texts)) as out:
        vector, *others = parts.embedder.embed_query([query] if len(texts) == 1 else [query, *texts])
        asks = tuple(map(Ask, texts, others or [vector]))
        out.n = len(texts)
    by_dense: dict[str, Score] = {}
    by_words: dict[str, Score] = {}
    if config.dense:
        with watch.stage("dense", n_in=1) as out:
            by_dense = search.dense(vector, parts.store, config.candidates) if only is None else \
                search.dense_within(vector, parts.store, config.candidates, only)
            out.n = len(by_dense)
    if config.lexical:
        with watch.stage("lexical", n_in=1) as out:
            more, expanded = expand(query, lexical, parts.embedder)
            by_words = search.lexical(" ".join([query, *more]), lexical, config.candidates, only)
            why = "; ".join(reason for reason in (why, expanded) if reason)
            out.n = len(by_words)
    with watch.stage("fuse", n_in=len(by_dense.keys() | by_words.keys())) as out:
        by_fusion = candidates(fuse([r for r in (by_dense, by_words) if r]), by_dense, config.candidates)
        chunks = documents.chunks_by_id(list(by_fusion))
        by_fusion = {name: score for name, score in by_fusion.items() if name in chunks}
        out.n = len(by_fusion)
    by_rerank: dict[str, Score] = {}
    rankings: list[dict[str, Score]] = []
    if reranker is not None and by_fusion:
        with watch.stage("rerank", n_in=len(by_fusion)) as out:
            passages = {name: passage(chunks[name]) for name in by_fusion}
            for ask in asks:
                near = by_dense if len(asks) == 1 or not config.dense else \
                    search.dense(ask.vector, parts.store, config.candidates)
                cosines = _cosines(ask.vector, list(by_fusion), near, parts.store)
                rankings.append(rerank(ask.text, passages, cosines, reranker))
            asks = tuple(replace(ask, best=max(score.value for score in ranking.values()))
                         for ask, ranking in zip(asks, rankings, strict=True))
            by_rerank = ranked({name: max(ranking[name].value for ranking in rankings) for name in by_fusion})
            out.n = len(by_rerank)
    with watch.stage("select", n_in=len(by_fusion)) as out:
        found = _hits(list(by_rerank or (by_dense if not by_words else by_fusion)), chunks, documents,
                      (by_dense, by_words, by_fusion, by_rerank))
        passed = select.gate(found, _threshold(config, reranker), _why_no_gate(reranker), query)
        floor = (passed.threshold or 0.0) * FLOOR_SHARE
        found = select.with_form(select.select(found, config.k, passed, floor, rankings), form(query), floor)
        kept = [hit for hit in found if hit.kept]
        others = [hit for hit in found if not hit.kept]
        siblings = {hit.chunk.document_id: documents.chunks(hit.chunk.document_id) for hit in kept}
        beside = _titled(select.neighbours(kept, siblings), documents)
        out.n = len(kept) + len(beside)
    completed = {hit.chunk.id for hit in beside}
    hits = [*kept, *[hit for hit in others if hit.chunk.id not in completed], *beside]
    calibrated = reranker is not None and reranker.calibrated
    return Retrieval(question, query, why, tuple(hits), passed.state, passed.reason, calibrated, passed.threshold,
                     tuple(watch.spans)), asks


def _better(other: str, query: str, parts, lexical: Lexical, documents: Documents) -> bool:
    """Whether the documents answer the other reading of a question better: by the best probability among its few
    best candidates, `CLEARLY` higher in log-odds. Never without a calibrated reranker."""
    if parts.reranker is None or not parts.reranker.calibrated:
        return False
    best = []
    for text in (other, query):
        vector = parts.embedder.embed_query([text])[0]
        by_dense, by_words = search.dense(vector, parts.store, PROBE), search.lexical(text, lexical, PROBE)
        few = list(candidates(fuse([by_dense, by_words]), by_dense, PROBE))
        chunks = documents.chunks_by_id(few)
        chances = rerank(text, {name: passage(chunks[name]) for name in few if name in chunks},
                         _cosines(vector, [name for name in few if name in chunks], by_dense, parts.store),
                         parts.reranker)
        best.append(min(max((score.value for score in chances.values()), default=0.0), 0.999))
    odds = [chance / (1 - chance) for chance in best]
    return odds[0] > CLEARLY * odds[1]


def _last_question(history: Sequence[Message]) -> str:
    return next(turn["content"] for turn in reversed(history) if turn.get("role") == "user")


def read(question: str, history: Sequence[Message], embedder: Embedder, documents: Documents,
         lexical: Lexical) -> tuple[str, frozenset[str] | None, str]:
    """(the question mended and made whole, ids of the chunks that alone are searched or None for all, why in words)."""
    query, manner = without(question)

    def mend(text: str) -> tuple[str, str]:
        return repair(text, lambda word: embedder.count_tokens([word])[0] == WHOLE_WORD, lexical.words_from)

    query, mended = mend(query)
    history = [{**turn, "content": mend(turn["content"])[0]} if turn.get("role") == "user" else turn
               for turn in history]
    query, why = contextualise(query, history)
    only = within(query, documents.all, documents.chunks)
    narrow = "only the chapter that it names" if only else ""
    return query, only, "; ".join(reason for reason in (manner, mended, why, narrow) if reason)


def _cosines(vector: np.ndarray, names: list[str], by_dense: Mapping[str, Score], store) -> np.ndarray:
    """float32 (n,): the mean of the cosines with the whole chunk and with the nearest of its vectors.

    The whole says what a passage is about, its nearest sentence whether the very thing stands in it; the mean puts the
    right passage first more often than either. A chunk that only the words found counts as a whole.
    """
    whole = store.vectors(names) @ vector
    nearest = [by_dense[name].value if name in by_dense else own for name, own in zip(names, whole, strict=True)]
    return (whole + np.array(nearest, np.float32)) / 2


def _hits(order: list[str], chunks: Mapping[str, Chunk], documents: Documents,
          stages: tuple[Mapping[str, Score], ...]) -> list[Hit]:
    titles: dict[str, str] = {}
    hits = []
    for name in order:
        if name not in chunks:
            continue
        document_id = chunks[name].document_id
        titles.setdefault(document_id, documents.title(document_id))
        hits.append(Hit(chunks[name], titles[document_id], *(stage.get(name) for stage in stages)))
    return hits


def _titled(hits: list[Hit], documents: Documents) -> list[Hit]:
    return [replace(hit, document=documents.title(hit.chunk.document_id)) for hit in hits]


def _threshold(config: Config, reranker) -> float | None:
    """The gate's probability; None where nothing calibrated says one."""
    if reranker is None or not reranker.calibrated:
        return None
    return reranker.threshold if config.threshold is None else config.threshold


def _why_no_gate(reranker) -> str:
    if reranker is None:
        return "no gate: rerank is off, so nothing is declined and evidence is chosen by cosine"
    return "no gate: this reranker's scores are not calibrated with this embedder (`assistant calibrate` does it)"
