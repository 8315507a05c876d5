"""Two traces side by side: which chunks entered, left and moved and by which stage; answers as a word diff; timings.

A chunk's change is laid to the first stage, in the pipeline's order, at which the two traces differ for it; a changed
query or document comes before all stages. A stage's settings are named where they differ.
"""
from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from assistant.config import KEEPING
from assistant.records import Chunk, Hit, Trace

SCORED = ("dense", "lexical", "fused", "rerank")
SETTINGS_OF = {"dense": ("dense", "embedder", "query_encoder", "vectors", "candidates"),
               "lexical": ("lexical", "candidates"), "fused": ("candidates", "dense", "lexical"),
               "rerank": ("rerank", "reranker"), "select": ("k", "threshold", "rerank")}


@dataclass(frozen=True)
class Change:
    """One chunk in the two traces.

    before, after  its place in the list of hits, from 1; None where it is not in it
    kept           whether it was kept, (before, after)
    ranks          {stage: (rank before, rank after)}, None without one
    stage          "query", "index", "dense", "lexical", "fused", "rerank" or "select"; `why` says it in words
    """

    chunk: Chunk
    document: str
    before: int | None
    after: int | None
    kept: tuple[bool, bool]
    ranks: dict[str, tuple[int | None, int | None]]
    stage: str
    why: str


@dataclass(frozen=True)
class Comparison:
    """settings: (name, before, after) of those that differ. words: ("same" | "gone" | "new", text) of the answers.
    timings: (stage, ms before, ms after), None where it did not run. `same`: hits that stand as they did.
    models_changed: a model of the same name holds other weights, which no setting says. gates: what each gate said, in
    words, where one passed and the other did not; ("", "") else."""

    settings: tuple[tuple[str, object, object], ...]
    query: tuple[str, str]
    index_changed: bool
    entered: tuple[Change, ...]
    left: tuple[Change, ...]
    moved: tuple[Change, ...]
    same: int
    words: tuple[tuple[str, str], ...]
    timings: tuple[tuple[str, float | None, float | None], ...]
    models_changed: bool = False
    gates: tuple[str, str] = ("", "")


def compare(before: Trace, after: Trace) -> Comparison:
    """What differs, from the one to the other."""
    one, two = _places(before), _places(after)
    entered = tuple(_change(before, after, None, two[name]) for name in two if name not in one)
    left = tuple(_change(before, after, one[name], None) for name in one if name not in two)
    both = [(one[name], two[name]) for name in two if name in one]
    moved = tuple(_change(before, after, a, b) for a, b in both if a[0] != b[0] or a[1].kept != b[1].kept)
    return Comparison(_settings(before, after), (before.query, after.query),
                      before.index_fingerprint != after.index_fingerprint, entered, left, moved,
                      len(both) - len(moved), word_diff(before.answer.text, after.answer.text), _timings(before, after),
                      _models_changed(before, after), _gates(before, after))


def word_diff(before: str, after: str) -> tuple[tuple[str, str], ...]:
    """("same" | "gone" | "new", text) runs: those not new join to `before`, those not gone to `after`."""
    a, b = (re.findall(r"\[\d+\]\s*|\w+\s*|[^\w\s]\s*|\s+", text) for text in (before, after))
    runs: list[tuple[str, str]] = []
    gone, new = "", ""
    codes = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    for at, (kind, i, j, k, m) in enumerate(codes):
        # a single word that stays between two changes reads as part of one change
        if kind == "equal" and (j - i > 1 or at in (0, len(codes) - 1)):
            runs += [run for run in (("gone", gone), ("new", new), ("same", "".join(a[i:j]))) if run[1]]
            gone, new = "", ""
        else:
            gone, new = gone + "".join(a[i:j]), new + "".join(b[k:m])
    return tuple(runs + [run for run in (("gone", gone), ("new", new)) if run[1]])


def _places(trace: Trace) -> dict[str, tuple[int, Hit]]:
    return {hit.chunk.id: (place, hit) for place, hit in enumerate(trace.hits, 1)}


def _settings(before: Trace, after: Trace) -> tuple[tuple[str, object, object], ...]:
    names = [*before.config, *(name for name in after.config if name not in before.config)]
    return tuple((name, before.config.get(name), after.config.get(name)) for name in names
                 if before.config.get(name) != after.config.get(name))


def _gates(before: Trace, after: Trace) -> tuple[str, str]:
    said = [trace.gate + (f": {trace.gate_reason}" if trace.gate_reason else "") for trace in (before, after)]
    return ("", "") if before.gate == after.gate else (said[0], said[1])


def _models_changed(before: Trace, after: Trace) -> bool:
    """The fingerprint of a configuration hashes the models' weights; one of a failed question is empty."""
    prints = (before.config_fingerprint, after.config_fingerprint)
    shaping = [name for name, _, _ in _settings(before, after) if name not in KEEPING]
    return all(prints) and prints[0] != prints[1] and not shaping


def _timings(before: Trace, after: Trace) -> tuple[tuple[str, float | None, float | None], ...]:
    one, two = ({span.stage: span.duration_ms for span in trace.spans} for trace in (before, after))
    return tuple((stage, one.get(stage), two.get(stage)) for stage in dict.fromkeys([*one, *two]))


def _change(before: Trace, after: Trace, one: tuple[int, Hit] | None, two: tuple[int, Hit] | None) -> Change:
    hit = (two or one)[1]
    ranks = {stage: (_rank(one, stage), _rank(two, stage)) for stage in SCORED}
    ranks = {stage: pair for stage, pair in ranks.items() if pair != (None, None)}
    stage, why = _cause(before, after, one, two, ranks)
    return Change(hit.chunk, hit.document, one and one[0], two and two[0],
                  (bool(one and one[1].kept), bool(two and two[1].kept)), ranks, stage, why)


def _rank(place: tuple[int, Hit] | None, stage: str) -> int | None:
    score = getattr(place[1], stage) if place else None
    return score.rank if score else None


def _cause(before: Trace, after: Trace, one, two, ranks) -> tuple[str, str]:
    """(stage, in words)."""
    if before.query != after.query:
        return "query", "another query was searched"
    hit = (two or one)[1]
    if one and two and (one[1].fused is None) != (two[1].fused is None):
        return "select", f"{one[1].reason or 'no reason'} → {two[1].reason or 'no reason'}; a neighbour is not ranked"
    versions = [{d.id: d.sha256 for d in trace.documents}.get(hit.chunk.document_id) for trace in (before, after)]
    if (one is None or two is None) and all(versions) and versions[0] != versions[1]:
        return "index", "its document was changed between the two"
    if hit.fused is None and (one is None or two is None):
        return "select", f"it only completes a passage: {hit.reason}"
    if one is None or two is None:
        return _found_once(before, after, hit)
    for stage in SCORED:
        a, b = ranks.get(stage, (None, None))
        if a != b:
            return stage, f"{stage} rank {a or 'none'} → {b or 'none'}" + _named(before, after, stage)
    return "select", f"{one[1].reason or 'no reason'} → {two[1].reason or 'no reason'}"


def _found_once(before: Trace, after: Trace, hit: Hit) -> tuple[str, str]:
    """Why only one of two searches for the same query gave this chunk: a search switched, a cut moved."""
    for stage in ("dense", "lexical"):
        switched = before.config.get(stage) != after.config.get(stage)
        if switched and getattr(hit, stage) is not None:
            return stage, f"{stage} rank {getattr(hit, stage).rank}" + _named(before, after, stage)
    if before.config.get("embedder") != after.config.get("embedder"):
        return "dense", "other vectors" + _named(before, after, "dense")
    rank = f"fused rank {hit.fused.rank}" if hit.fused else "no fused rank"
    changed = _named(before, after, "fused")
    if not changed and before.index_fingerprint != after.index_fingerprint:
        return "index", f"{rank}; the two searched different indexes"
    return "fused", rank + (changed or "; others stand before it in the other")


def _named(before: Trace, after: Trace, stage: str) -> str:
    """The stage's settings that differ: " (candidates: 20 → 10)"; "" where none does."""
    differ = [f"{name}: {setting(before.config.get(name))} → {setting(after.config.get(name))}"
              for name in SETTINGS_OF[stage] if before.config.get(name) != after.config.get(name)]
    return f" ({', '.join(differ)})" if differ else ""


def setting(value: object) -> str:
    """A setting's value as it is written on the command line."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "auto" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
