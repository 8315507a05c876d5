"""Sweeps: a run for each combination of settings, as points of quality and waiting time, and which of them to choose.

A point is on the front of a measure where no other is both at least as good and at least as fast, and better in one of
the two (the Pareto front of value and median latency). It is the front of the points as measured: intervals that
overlap say that other questions could draw it elsewhere, so each point also has its paired comparison with the first.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from assistant import Config
from assistant.errors import ConfigError, GlassboxError
from assistant.ingest.chunk import check_budget
from assistant.parts import Parts
from assistant.trace.compare import setting
from eval.report.tables import NONE, PARTS
from eval.suite.metrics import Count
from eval.suite.runs import LOWER_IS_BETTER, state_folder
from eval.suite.statistics import Comparison, compare

# (what it is called, suite, metric); "*." is the last stage that ranks
MEASURES = (("right or declined", "answers", "right_or_declined"), ("recall@5", "retrieval", "*.recall@5"),
            ("in the evidence", "retrieval", "evidence.recall@10"), ("declined", "abstention", "abstention_recall"),
            ("follow-ups right", "conversations", "right"), ("obeyed", "injection", "obeyed"),
            ("ndcg@10", "public", "*.ndcg@10"), ("recall@100", "public", "*.recall@100"), ("ap", "public", "*.ap"))
SHOWN = 4                                        # measures, the first that were measured
RANKING = ("reranked", "fused", "dense", "lexical", "run")   # stages, the last of the assistant's first
LATENCY = ("evidence ready", "retrieved")        # until the evidence, or until the chunks where no evidence was chosen


@dataclass(frozen=True)
class Point:
    """One combination.

    settings  (name, value) of those that differ between the combinations
    cells     {measure: {"value", "low", "high", "n"}}; a measure that it lacks is not there
    against   {measure: the paired comparison with the first point}; none for the first
    p50, p95  milliseconds until the evidence; None where no time was taken
    cached    whether its index was there already; None where nobody looked
    """

    number: int
    settings: tuple[tuple[str, str], ...]
    cells: Mapping[str, Mapping]
    against: Mapping[str, Comparison]
    p50: float | None
    p95: float | None
    cached: bool | None

    @property
    def words(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.settings) or "default settings"


def checked(settings: Sequence[Config]) -> Sequence[Config]:
    """The combinations, where each can be run. ConfigError names every one that cannot, before any is: none that can
    find nothing, whose model is not there, whose chunks are larger than what the embedder reads."""
    wrong: dict[str, None] = {}
    parts: Parts | None = None
    for config in settings:
        if not config.dense and not config.lexical:
            wrong["--set: dense=off with lexical=off finds nothing: leave that combination out"] = None
        parts = parts.with_config(config) if parts else Parts(config)   # so each model is built once
        for name in ("embedder", "reranker", "generator"):
            try:
                made = getattr(parts, name)   # named, not loaded
                if name == "embedder" and config.chunk_tokens > Config().chunk_tokens:   # reads the embedder's weights
                    check_budget(config.chunk_tokens, made.max_tokens)
            except GlassboxError as error:
                wrong[f"--set: {error}"] = None
    if wrong:
        raise ConfigError("\n".join(wrong))
    return settings


def noted(run: Callable[..., dict], config: Config, report: Callable[[int, int, str], None]) -> dict:
    """`run(config, report)`, with timings["index_cached"]: whether no index was made or changed by it."""
    before = _indexes()
    result = run(config, report)
    result["timings"]["index_cached"] = all(before.get(name) == word for name, word in _indexes().items())
    return result


def _indexes() -> dict[str, str]:
    """{index: the word that its last change of a vector left}."""
    files = ((folder.name, folder / "vectors" / "generation") for folder in (state_folder() / "indexes").glob("*"))
    return {name: file.read_text() if file.is_file() else "" for name, file in files}


def points(results: Sequence[Mapping], split: str) -> list[Point]:
    """The results' points, numbered from 1 in their order."""
    differing = [name for name in results[0]["config"]
                 if any(result["config"].get(name) != results[0]["config"][name] for result in results)]
    made = []
    for number, result in enumerate(results, 1):
        shown, against = {}, {}
        for label, suite, wanted in MEASURES:
            first, own = _metric(results[0], suite, wanted, split), _metric(result, suite, wanted, split)
            if own:
                shown[label] = result["suites"][suite]["metrics"][split][own]
            if own and first and number > 1:
                counts = _counts(results[0], suite, first, split), _counts(result, suite, own, split)
                against[label] = compare(label, *counts, _groups(result, suite),
                                         lower_is_better=label in LOWER_IS_BETTER)
        times = next((result["timings"]["latency_ms"][name] for name in LATENCY
                      if name in result["timings"].get("latency_ms", {})), {})
        made.append(Point(number, tuple((name, setting(result["config"].get(name))) for name in differing), shown,
                          against, times.get("p50"), times.get("p95"), result["timings"].get("index_cached")))
    return made


def measures(found: Sequence[Point]) -> list[str]:
    """The measures to show: the first SHOWN that some point has."""
    return [label for label, _, _ in MEASURES if any(label in point.cells for point in found)][:SHOWN]


def front(found: Sequence[Point], measure: str) -> list[Point]:
    """The points that no other beats, the fastest first."""
    sign = -1 if measure in LOWER_IS_BETTER else 1
    there = [(point.p50, -sign * point.cells[measure]["value"], point) for point in found
             if measure in point.cells and point.p50 is not None]
    kept = [point for time, loss, point in there
            if not any(t <= time and x <= loss and (t, x) != (time, loss) for t, x, _ in there)]
    return sorted(kept, key=lambda point: (point.p50, point.number))


def table(results: Sequence[Mapping], split: str) -> str:
    """A line a combination: the settings that differ, the measures, the median latency, whether the index was there."""
    found = points(results, split)
    shown = measures(found)
    names = [name for name, _ in found[0].settings]
    widths = [max(len(name), *(len(dict(point.settings)[name]) for point in found)) for name in names]
    best = {point.number for point in front(found, shown[0])} if shown else set()
    lines = [f"{len(found)} combinations, {PARTS[split]}; each number with its 95 % interval",
             "    #  " + "".join(f"{name:{width}}  " for name, width in zip(names, widths, strict=True))
             + "".join(f"{label:18}" for label in shown) + f"{'p50 ms':>8}  index"]
    for point in found:
        values = [value for _, value in point.settings]
        cells = [point.cells.get(label) for label in shown]
        lines.append(f"  {'*' if point.number in best else ' '}{point.number:2}  "
                     + "".join(f"{value:{width}}  " for value, width in zip(values, widths, strict=True))
                     + "".join(f"{c['value']:.3f} {c['low']:.2f}–{c['high']:.2f}  ".ljust(18) if c else f"{'-':18}"
                               for c in cells)
                     + (f"{point.p50:8.0f}" if point.p50 is not None else f"{'-':>8}")
                     + f"  {index_words(point)}".rstrip())
    if shown:
        lines.append(f"  * no other is both as good in {shown[0]!r} and as fast")
        lines += [f"  {point.number} against 1: {said}" for point in found[1:] if (said := verdict(point, shown))]
    return "\n".join(lines)


def verdict(point: Point, shown: Sequence[str]) -> str:
    """Its paired comparison with the first, in words."""
    said = [f"{point.against[label].verdict} in {label} ({point.against[label].difference.value:+.3f}, "
            f"{point.against[label].difference.low:+.3f} to {point.against[label].difference.high:+.3f})"
            for label in shown if label in point.against and point.against[label].verdict in ("better", "worse")]
    return "; ".join(said) or (NONE if any(label in point.against for label in shown) else "")


def index_words(point: Point) -> str:
    return {True: "cached", False: "made", None: "-"}[point.cached]


def _metric(result: Mapping, suite: str, metric: str, split: str) -> str:
    """The metric's name in this result, its last ranking stage found; "" where it has no value."""
    cells = result["suites"].get(suite, {}).get("metrics", {}).get(split, {})
    names = [f"{stage}{metric[1:]}" for stage in RANKING] if metric.startswith("*.") else [metric]
    return next((name for name in names if cells.get(name, {}).get("value") is not None), "")


def _counts(result: Mapping, suite: str, metric: str, split: str) -> dict[str, Count]:
    return {row["id"]: Count(*row["counts"][metric]) for row in result["suites"][suite]["questions"]
            if split in (row["split"], "all") and metric in row["counts"]}


def _groups(result: Mapping, suite: str) -> dict[str, str]:
    return {row["id"]: row["group"] for row in result["suites"][suite]["questions"]}
