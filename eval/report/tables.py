"""What `assistant eval` prints: a run's numbers, two runs compared, the runs that are kept. Plain text, 100 columns."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from assistant import Config
from eval.report.words import PLAIN, verdict_words
from eval.report.words import RANKING as STAGES
from eval.suite.metrics import CUT, FIRST
from eval.suite.runs import LOWER_IS_BETTER, compared

RANKING = ("recall@1", f"recall@{FIRST}", "recall@10", f"mrr@{CUT}", f"ndcg@{CUT}")   # of each stage
ROLES = ("problem", "fix", "beside")
FLIPPED = {"right_or_declined", "right", "obeyed"}   # metrics whose changed questions are named
FEW = 10   # questions; an interval of fewer is too narrow to say "by more than chance"
NONE = "no difference that this set can show"
PARTS = {"open": "open part", "held": "held-out part", "all": "all questions"}


def table(result: Mapping, split: str) -> str:
    """The metrics of a run: value, 95 % interval, n."""
    limit = f", {result['limit']} questions of each list" if result.get("limit") else ""
    lines = [f"{PARTS[split]}{limit}; each number with its 95 % interval"]
    for suite, found in result["suites"].items():
        cells = found.get("metrics", {}).get(split, {})
        held = found.get("metrics", {}).get("held", {}) if split == "open" else {}
        lines.append(f"\n{suite}" + (f": absent, {found['absent']}" if "absent" in found else ""))
        if suite == "retrieval":
            lines += _stages(found, cells, split)
            if any(cell["n"] for cell in held.values()):
                lines += ["  the held-out part", *_ranking(found, held)]
        elif suite == "failures" and "absent" not in found:
            lines += _failures(found, cells)
        else:
            shown = [name for name in cells if not name.startswith("evidence.") or name.split(".")[-1] in RANKING]
            lines += [_line(name, cells[name]) + _beside(held.get(name)) for name in shown]
        if worse := [name for name, cell in held.items() if _worse(name, cell, cells[name])
                     and name.split(".")[-1] not in ("recall@3", f"found@{FIRST}")]:
            lines.append(f"  ! worse where nobody tunes, by more than chance: {', '.join(worse)}")
        if "checker" in found:
            lines.append(f"  the sentence checker itself, on {found['checker']['n']} labelled sentences:")
            lines += [_line(f"  {name}", cell) for name, cell in found["checker"]["metrics"].items()]
        errors = {row["id"]: row["error"] for row in found.get("questions", ()) if "error" in row}
        lines += [f"  crashed: {key}: {errors.get(key, found.get('demos', {}).get(key, {}).get('error', ''))}"
                  for key in found.get("crashed", ())]
    return "\n".join([*lines, "", *_times(result)])


def _stages(found: Mapping, cells: Mapping[str, Mapping], split: str) -> list[str]:
    """A line a stage, and where passages were lost."""
    lines = ["  " + " " * 9 + "".join(f"{name:17}" for name in RANKING).rstrip()]
    lines += _ranking(found, cells)
    rows = [row for row in found["questions"] if "lost_at" in row and split in (row["split"], "all")]
    lost = Counter(row["lost_at"] for row in rows if row["lost_at"])
    said = ", ".join(f"{number} at {stage}" for stage, number in lost.most_common())
    lines.append(f"  {len(rows)} questions have a passage to find; {sum(lost.values())} lose one"
                 + (f": {said}" if lost else ""))
    return lines


def _ranking(found: Mapping, cells: Mapping[str, Mapping]) -> list[str]:
    return [f"  {stage:9}" + "  ".join(_short(cells.get(f"{stage}.{name}")) for name in RANKING).rstrip()
            for stage in found.get("stages", ())]


def _failures(found: Mapping, cells: Mapping[str, Mapping]) -> list[str]:
    lines = []
    for demo, said in found["demos"].items():
        named = sorted(said.get("roles", {}).items(), key=lambda item: ROLES.index(item[1]))
        lines += [_line(f"{demo + ': ' if not at else '':12}{role if role != 'beside' else '':8}{number}",
                        cells.get(f"{demo}.{number}"), 40) for at, (number, role) in enumerate(named)]
    return [*lines, *([f"  not measured: {', '.join(found['not_measured'])}"] if found["not_measured"] else [])]


def _beside(held: Mapping | None) -> str:
    """The held-out part's number, behind the open one's."""
    return f"   held out {_short(held)}" if held and held["value"] is not None else ""


def _worse(name: str, held: Mapping, shown: Mapping) -> bool:
    """Whether the held-out interval lies wholly on the bad side of the open one: a sign of tuning on the open part.

    That the two do not even touch is stricter than 95 %; the parts hold other questions, so they cannot be paired.
    """
    if min(held["n"], shown["n"]) < FEW or name in PLAIN or held["value"] is None or shown["value"] is None:
        return False
    return held["low"] > shown["high"] if name in LOWER_IS_BETTER else held["high"] < shown["low"]


def _line(name: str, cell: Mapping | None, width: int = 24) -> str:
    if not cell or cell["value"] is None:
        return f"  {name:{width}}      -"
    return f"  {name:{width}} {cell['value']:7.3f}  {cell['low']:6.3f} to {cell['high']:.3f}  n={cell['n']}"


def _short(cell: Mapping | None) -> str:
    if not cell or cell["value"] is None:
        return f"{'-':15}"
    return f"{cell['value']:.3f} {cell['low']:.2f}–{cell['high']:.2f}"


def _times(result: Mapping) -> list[str]:
    times = result["timings"]
    lines = [f"{'latency, ms (one question at a time)':40} {'p50':>8} {'p95':>8}"] if times["latency_ms"] else []
    lines += [f"  {stage:38} {cell['p50']:8.1f} {cell['p95']:8.1f}" for stage, cell in times["latency_ms"].items()]
    spent = ", ".join(f"{suite} {seconds:.0f}" for suite, seconds in times["suites_s"].items())
    memory = f"; peak memory {times['peak_memory_mb']:.0f} MB" if times.get("peak_memory_mb") else ""
    whole = f", {times['whole_s']:.0f} in all" if "whole_s" in times else ""
    return [*lines, f"seconds: {spent}{whole}{memory}; index {result['fingerprints']['index']}"]


def comparison_table(a: Mapping, b: Mapping, split: str) -> str:
    """B against A: the verdict, then a line a metric with what flipped."""
    lines: list[str] = []
    unnamed = {row["id"] for part in b["suites"].values() for row in part.get("questions", ())
               if row["split"] == "held"}   # nobody tunes on them
    verdicts: dict[str, list[str]] = {"better": [], "worse": [], NONE: []}
    for suite, found in compared(a, b, split):  # type: ignore[arg-type]
        if found.difference.value is None or (suite == "retrieval" and found.metric.split(".")[-1] not in RANKING):
            continue
        d = found.difference
        label = found.metric if suite in ("retrieval", "failures") else f"{suite}.{found.metric}"
        if found.metric not in PLAIN:
            verdicts[found.verdict].append(label)
        lines.append(f"{label:34} {found.a:7.3f} {found.b:7.3f} {d.value:+7.3f}  {d.low:+.3f} to {d.high:+.3f}  "
                     f"{f'{found.win}/{found.tie}/{found.loss}':14} "
                     f"{verdict_words(found.metric, found.verdict) if found.verdict != NONE else ''}".rstrip())
        if found.metric in FLIPPED and found.flipped:
            named = [f"{key} {_way(before, after)}" for key, before, after in found.flipped if key not in unnamed]
            hidden = len(found.flipped) - len(named)
            lines.append("    flipped: " + ", ".join([*named, *([f"{hidden} held out"] if hidden else [])]))
    missing = sorted(set(a["suites"]) ^ set(b["suites"]))
    head = [f"A: {_named(a)}", f"B: {_named(b)}", f"the same questions, paired; {PARTS[split]}", "",
            f"B against A: {_verdict(verdicts)}", "",
            f"{'':34} {'A':>7} {'B':>7} {'B-A':>7}  95 % interval     won/alike/lost"]
    return "\n".join([*head, *lines, *([f"in one of the two only: {', '.join(missing)}"] if missing else [])])


def _verdict(verdicts: Mapping[str, list[str]]) -> str:
    """In words, with what it is of; one number in twenty differs by chance at this level."""
    said = [f"{verdict} in {', '.join(names)}" for verdict, names in verdicts.items() if names and verdict != NONE]
    same = len(verdicts[NONE])
    if not said:
        return NONE
    return "; ".join([*said, f"{NONE} in the other {same}"] if same else said) + (
        f" (of {sum(map(len, verdicts.values()))} numbers about one in twenty differs by chance)")


def _way(before: float, after: float) -> str:
    return f"{before:g}>{after:g}"


def _named(run: Mapping) -> str:
    limit = f", limit {run['limit']}" if run.get("limit") else ""
    return f"{run['created']} {run['fingerprints']['config']}{limit}; {changed(run) or 'default settings'}"


def changed(run: Mapping) -> str:
    """The settings of a run that are not the defaults, as `--set` takes them. Where things are stored is left out."""
    default = Config().public()
    return " ".join(f"{name}={_value(value)}" for name, value in run["config"].items()
                    if name not in ("index", "traces") and value != default.get(name))


def _value(value: object) -> str:
    return {True: "on", False: "off", None: "auto"}.get(value, str(value)) if not isinstance(value, (int, float)) \
        or isinstance(value, bool) else f"{value:g}"


def runs_table(runs: Iterable[tuple[str, Mapping]]) -> str:
    """(name, run) as lines, in the given order: what was run, two headline numbers of the open part, the settings."""
    lines = [f"{'name':30} {'suites':34} {'limit':>5} {'recall@5':>8} {'right':>6}  settings"]
    ranked = [f"{stage}.recall@{FIRST}" for stage in STAGES]
    for name, run in runs:
        suites = "all" if len(run["suites"]) == 6 else ",".join(run["suites"])
        lines.append(f"{name:30} {suites:34} {run.get('limit') or '-':>5} "
                     f"{_head(run, 'retrieval', *ranked):>8} {_head(run, 'answers', 'right'):>6}  "
                     f"{changed(run) or 'default'}")
    return "\n".join(lines)


def _head(run: Mapping, suite: str, *metrics: str) -> str:
    """The first of the metrics that the run has."""
    cells = run["suites"].get(suite, {}).get("metrics", {}).get("open", {})
    value = next((cells[name]["value"] for name in metrics if name in cells), None)
    return f"{value:.3f}" if value is not None else "-"
