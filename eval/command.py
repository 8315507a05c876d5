"""`assistant eval` and `python -m eval`: run suites, compare runs, gate. Results on standard output, progress on
standard error. Exit 0, 1 where the gate fails, 2 on bad input."""
from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from assistant import Config
from assistant.config import describe
from assistant.errors import ConfigError, GlassboxError, InputError
from eval import gate, runs
from eval.runner import CORPUS, GOLD, SUITES, Plan, run

SHOWN = {"retrieval": ("recall@5", "found@5", "mrr@10", "ndcg@10")}   # of each stage; of other suites all are shown


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Add `eval` to the subparsers of `assistant`; what to run is left to `execute`."""
    parser = subparsers.add_parser("eval", help="measure a configuration: intervals, comparison, report, gate",
                                   description="Measure a configuration on the gold set, offline.")
    return add_arguments(parser)


def add_arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--suite", action="append", default=[], metavar="NAME[,NAME]",
                        help=f"of {', '.join(SUITES)}; all by default")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE[,VALUE]",
                        help="change a setting; several values make a sweep: "
                             + ", ".join(str(s["name"]) for s in describe()))
    parser.add_argument("--corpus", action="append", default=[], metavar="PATH", help="documents; the chapters if none")
    parser.add_argument("--gold", metavar="FILE", help="a gold set of your own: a .jsonl file or a folder of them")
    parser.add_argument("--limit", type=int, metavar="N", help="ask N questions of each list, evenly spread")
    parser.add_argument("--split", choices=("open", "held", "all"), default="open", help="which part is shown")
    parser.add_argument("--json", metavar="FILE", help="write the whole result (- for standard output)")
    parser.add_argument("--html", metavar="FILE", help="write the report, one file that opens with no network")
    parser.add_argument("--gate", metavar="FILE", help="exit 1 where a number is below its bar in this TOML file")
    parser.add_argument("--compare", nargs=2, metavar=("A", "B"), help="two kept runs, B against A; nothing is run")
    return parser


def execute(options: argparse.Namespace) -> int:
    """The exit code. GlassboxErrors leave as they are."""
    if options.compare:
        a, b = (runs.kept(name) for name in options.compare)
        print(comparison_table(a, b, options.split))
        return 0
    if options.limit is not None and options.limit < 1:
        raise InputError(f"--limit {options.limit}: expected at least 1")
    names = tuple(name.strip() for item in options.suite for name in item.split(","))
    plan = Plan(names or SUITES, tuple(map(Path, options.corpus)) or (CORPUS,), Path(options.gold or GOLD),
                options.limit)
    bars = gate.load(Path(options.gate)) if options.gate else None
    results = [_one(plan, config) for config in list(configs(options.set))]  # a wrong setting shows before any run
    if options.json == "-":
        print(json.dumps(results if len(results) > 1 else results[0], ensure_ascii=False))
    else:
        for at, result in enumerate(results):
            print(table(result, options.split))
            if at:
                print("\nagainst the first:\n" + comparison_table(results[0], result, options.split))
    if options.json not in (None, "-"):
        Path(options.json).write_text(json.dumps(results if len(results) > 1 else results[0], indent=1,
                                                 ensure_ascii=False), encoding="utf-8")
    if options.html:
        from eval import report
        Path(options.html).write_text(report.page(results[-1], results[0] if len(results) > 1 else None),
                                      encoding="utf-8")
    return 0 if bars is None or all([_passes(bars, result) for result in results]) else 1


def _passes(bars: gate.Gate, result: dict) -> bool:
    """Say each bar on standard error; whether none failed."""
    judged = gate.judged(bars, result)
    for bar, verdict, words in judged:
        print(f"gate {verdict}: {bar.suite}.{bar.metric}: {words}", file=sys.stderr)
    return all(verdict != "failed" for _, verdict, _ in judged)


def configs(settings: Sequence[str]) -> Iterator[Config]:
    """A Config for each combination of the values. ConfigError for an unknown setting or value."""
    values: dict[str, list[str]] = {}
    for item in settings:
        name, equals, given = item.partition("=")
        if not equals:
            raise ConfigError(f"--set {item!r}: expected NAME=VALUE, such as --set k=3")
        values[name.strip()] = given.split(",")
    for chosen in itertools.product(*values.values()):
        yield Config.load(dict(zip(values, chosen, strict=True)))


def _one(plan: Plan, config: Config) -> dict:
    result = run(plan, config, _progress)
    print(f"\nkept as {runs.keep(result)}", file=sys.stderr)
    return result


def _progress(done: int, total: int, label: str) -> None:
    end = "\r" if sys.stderr.isatty() else "\n"
    if sys.stderr.isatty() or done % 25 == 0 or done == total:
        print(f"[{'#' * (24 * done // max(total, 1)):24}] {done}/{total} {label:14}", end=end, file=sys.stderr,
              flush=True)


def table(result: dict, split: str) -> str:
    """The metrics of a run as lines of text."""
    lines = []
    for suite, found in result["suites"].items():
        lines.append(f"\n{suite}" + (f": absent, {found['absent']}" if "absent" in found else ""))
        for name, cell in found.get("metrics", {}).get(split, {}).items():
            if name.split(".")[-1] in SHOWN.get(suite, (name.split(".")[-1],)):
                lines.append(f"  {name:24} {_shown(cell)}")
        for demo, outcome in found.get("demos", {}).items():
            lines.append(f"  {demo:24} " + (outcome.get("error") or
                                            ", ".join(f"{k} {v:.3f}" for k, v in outcome["values"].items())))
        if found.get("crashed"):
            lines.append(f"  crashed: {', '.join(found['crashed'])}")
    times = result["timings"]
    lines += ["", f"{'latency, ms':26} {'p50':>8} {'p95':>8}"]
    lines += [f"  {stage:24} {cell['p50']:8.1f} {cell['p95']:8.1f}" for stage, cell in times["latency_ms"].items()]
    lines.append(f"seconds: {', '.join(f'{k} {v:.0f}' for k, v in times['suites_s'].items())}; peak memory "
                 f"{times['peak_memory_mb']} MB; split {split}; index {result['fingerprints']['index']}")
    return "\n".join(lines)


def _shown(cell: dict) -> str:
    if cell["value"] is None:
        return "      -"
    return f"{cell['value']:7.3f}  {cell['low']:.3f} to {cell['high']:.3f}  n={cell['n']}"


def comparison_table(a: dict, b: dict, split: str) -> str:
    """B against A, a line a metric; then what flipped in the answers."""
    lines = [f"{'':38} {'A':>7} {'B':>7} {'B-A':>7}  95 % interval     win/tie/loss"]
    for suite, found in runs.compared(a, b, split):
        if found.difference.value is None or found.metric.split(".")[-1] not in SHOWN.get(
                suite, (found.metric.split(".")[-1],)):
            continue
        d = found.difference
        lines.append(f"{suite + '.' + found.metric:38} {found.a:7.3f} {found.b:7.3f} {d.value:+7.3f}  {d.low:+.3f} to "
                     f"{d.high:+.3f}  {found.win}/{found.tie}/{found.loss}  {found.verdict}")
        if found.metric == "right_or_declined" and found.flipped:
            lines.append("    flipped: " + ", ".join(f"{key} {'won' if after > before else 'lost'}"
                                                     for key, before, after in found.flipped))
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """`python -m eval`: the exit code; an error is said on standard error, 2 for bad input."""
    parser = add_arguments(argparse.ArgumentParser(prog="python -m eval", description="The eval suite, offline."))
    options = parser.parse_args(arguments)
    try:
        return execute(options)
    except GlassboxError as error:
        print("\n".join(f"eval: {line}" for line in str(error).split("\n")), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("eval: stopped", file=sys.stderr)
        return 130
