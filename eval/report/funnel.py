"""The stage funnel: where the gold passages stand at each stage, and what each stage adds and loses.

A passage is in a stage when its rank there is at most CUT (of the evidence: any rank). Each stage is compared with what
fed it: fusion with both searches together, the reranker with fusion, the evidence with the last of these.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.report.words import STAGES, esc, plural
from eval.suite.metrics import CUT

BANDS = ((1, 1, "first"), (2, 3, "2nd or 3rd"), (4, 5, "4th or 5th"), (6, CUT, f"6th to {CUT}th"))
SEARCHES = ("lexical", "dense")


@dataclass(frozen=True)
class Step:
    """One stage over all gold passages.

    bands   how many passages stand in each of BANDS (evidence: all found ones in the first)
    found   their sum; total: passages that were asked for
    gained  found here, not in what fed the stage; lost: the other way round; both None for a search
    only    for a search: found by it and not by the other one; else None
    """

    stage: str
    bands: tuple[int, ...]
    found: int
    total: int
    gained: int | None = None
    lost: int | None = None
    only: int | None = None


def steps(ranks: Sequence[Mapping[str, Sequence[int | None]]], stages: Sequence[str]) -> list[Step]:
    """ranks: of each question {stage: the first rank of each gold passage, None where it is not found}."""
    flat = [{stage: row[stage][at] for stage in stages if stage in row}
            for row in ranks for at in range(len(next(iter(row.values()), ())))]
    made: list[Step] = []
    fed: set[int] = set()
    inside = {stage: {n for n, row in enumerate(flat) if _inside(stage, row.get(stage))} for stage in stages}
    searches = [stage for stage in SEARCHES if stage in stages]
    for stage in stages:
        here = inside[stage]
        bands = tuple(sum(low <= (flat[n][stage] or 0) <= high for n in here) for low, high, _ in BANDS)
        if stage == "evidence":
            bands = (len(here), *(0 for _ in BANDS[1:]))
        if stage in searches:
            others = set().union(*(inside[other] for other in searches if other != stage))
            only = len(here - others) if len(searches) > 1 else None
            made.append(Step(stage, bands, len(here), len(flat), only=only))
            fed |= here
            continue
        made.append(Step(stage, bands, len(here), len(flat), len(here - fed), len(fed - here)))
        fed = here
    return made


def _inside(stage: str, rank: int | None) -> bool:
    return rank is not None and (stage == "evidence" or rank <= CUT)


def funnel_html(found: Sequence[Step], listed: frozenset[str] = frozenset()) -> str:
    """The steps as stacked bars with what each gained and lost; a loss leads to its questions, where stage is in
    `listed`: a passage that one stage drops may be brought back by a later one, and is no failure then."""
    if not found or not found[0].total:
        return ""
    key = "".join(f'<li><i class="band b{n}"></i>{name}</li>' for n, (*_, name) in enumerate(BANDS))
    rows = "".join(_row(step, step.stage in listed) for step in found)
    return (f'<ul class="key">{key}<li><i class="band none"></i>not in the first {CUT}</li></ul>'
            f'<div class="funnel">{rows}</div>')


def _row(step: Step, listed: bool) -> str:
    parts = [f'<i class="band {"ev" if step.stage == "evidence" else f"b{n}"}" style="flex-grow:{count}" '
             f'title="{esc(f"{name}: {count}" if step.stage != "evidence" else plural(count, "passage"))}">'
             f"{count if count >= step.total * .05 else ''}</i>"
             for n, ((*_, name), count) in enumerate(zip(BANDS, step.bands, strict=True)) if count]
    rest = step.total - step.found
    if rest:
        parts.append(f'<i class="band none" style="flex-grow:{rest}" title="not found: {rest}">'
                     f"{rest if rest >= step.total * .05 else ''}</i>")
    return (f'<div class="frow"><b>{STAGES[step.stage]}</b><div class="stack" role="img" aria-label="'
            f'{esc(_words(step))}">{"".join(parts)}</div><span class="moves">{_moves(step, listed)}</span></div>')


def _moves(step: Step, listed: bool) -> str:
    if step.gained is None:
        return f'<span class="soft">{step.only} only here</span>' if step.only is not None else ""
    lost = f'<button type="button" class="neg" data-lost="{step.stage}">−{step.lost}</button>' if step.lost and listed \
        else f'<span class="{"lost" if step.lost else "soft"}">−{step.lost}</span>'
    return f'<span class="pos">+{step.gained}</span> {lost}'


def _words(step: Step) -> str:
    bands = ", ".join(f"{count} {name}" for (*_, name), count in zip(BANDS, step.bands, strict=True) if count)
    return f"{step.found} of {step.total} found" + (f": {bands}" if step.stage != "evidence" and bands else "")
