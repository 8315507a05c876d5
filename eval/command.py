"""`assistant eval` and `python -m eval`: run suites, compare runs, gate. Results on standard output, progress on
standard error. Exit 0, 1 where the gate fails, 2 on bad input, which is all named at once before anything is run."""
from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from assistant import Config
from assistant.config import assigned, describe
from assistant.errors import GlassboxError, InputError
from eval import gate
from eval.public import command as beir_command
from eval.report import tables
from eval.suite import runs
from eval.suite.cases import NO_DOCUMENT
from eval.suite.runner import CORPUS, GOLD, SUITES, Bench, Plan
from eval.sweeps import pictures as sweep_pictures
from eval.sweeps import sweep

T = TypeVar("T")


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
    parser.add_argument("--gold", metavar="FILE", help="a gold set of your own, a .jsonl file or a folder of them; "
                                                   "name its documents with --corpus")
    parser.add_argument("--limit", type=int, metavar="N", help="ask N questions of each list, evenly spread")
    parser.add_argument("--split", metavar="PART", help="which part is shown: open (by default), held or all; with "
                                                        "--beir which file of qrels/ is read")
    parser.add_argument("--json", metavar="FILE", help="write the whole result (- for standard output)")
    parser.add_argument("--html", metavar="FILE", help="write the report, one file that opens with no network")
    parser.add_argument("--gate", metavar="FILE", help="exit 1 where a number is below its bar in this TOML file")
    parser.add_argument("--compare", nargs=2, metavar=("A", "B"),
                        help="two kept runs, B against A; nothing is run. Part of a name, a file, last, previous; "
                             "--html writes it as a page")
    parser.add_argument("--runs", action="store_true", help=f"list the runs that are kept, the latest {runs.KEPT}")
    beir_command.add_arguments(parser)
    return parser


def execute(options: argparse.Namespace) -> int:
    """The exit code. GlassboxErrors leave as they are."""
    if options.beir:
        return beir_command.execute(options, configs, _progress)
    beir_command.without(options)
    if options.runs or options.compare:
        return _kept(options)
    bench, settings, bars = _inputs(options)
    results = []
    for at, config in enumerate(settings):
        if len(settings) > 1:
            print(f"{at + 1} of {len(settings)}: {tables.changed({'config': config.public()}) or 'default settings'}",
                  file=sys.stderr)
        results.append(sweep.noted(bench.run, config, _progress))
        print(f"kept as {runs.keep(results[-1])}", file=sys.stderr)
    _show(results, options, bars)
    return 0 if bars is None or all([_passes(bars, result) for result in results]) else 1


def _kept(options: argparse.Namespace) -> int:
    """Kept runs listed, or two of them compared. InputError for an option that only a new run could heed."""
    mode = "--runs" if options.runs else "--compare"
    idle = [name for name in ("suite", "set", "corpus", "gold", "limit", "json", "gate", *(
        ("compare", "html") if options.runs else ())) if getattr(options, name) not in (None, [])]
    wrong = [f"--{name} does not go with {mode}, which runs nothing: leave one of them away" for name in idle]
    wrong += _unwritable(options, ("html",))
    if wrong:
        raise InputError("\n".join(wrong))
    if options.runs:
        print(tables.runs_table(_readable()) if runs.files() else "no run is kept yet: assistant eval makes one")
        return 0
    a, b = (runs.kept(name) for name in options.compare)
    print(tables.comparison_table(a, b, options.split))
    if options.html:
        from eval.report import page as report
        Path(options.html).write_text(report.comparison_page(a, b, options.split), encoding="utf-8")
    return 0


def _unwritable(options: argparse.Namespace, names: Sequence[str]) -> list[str]:
    """A line for each of these options that names a file which cannot be written."""
    given = [(name, getattr(options, name)) for name in names if getattr(options, name) not in (None, "-")]
    return [f"--{name} {file}: there is no folder {Path(file).parent}" for name, file in given
            if not Path(file).absolute().parent.is_dir()] + [
        f"--{name} {file}: that is a folder; expected a file" for name, file in given if Path(file).is_dir()]


def _inputs(options: argparse.Namespace) -> tuple[Bench, list[Config], gate.Gate | None]:
    """Everything that the run needs, read and checked. InputError with all that is wrong with it."""
    wrong: list[str] = []

    def tried(make: Callable[[], T]) -> T | None:
        try:
            return make()
        except GlassboxError as error:
            wrong.extend(line for line in str(error).split("\n") if line not in wrong)
            return None
    if options.limit is not None and options.limit < 1:
        wrong.append(f"--limit {options.limit}: expected at least 1")
    wrong += _unwritable(options, ("json", "html"))
    names = tuple(name.strip() for item in options.suite for name in item.split(","))
    paths, gold = tuple(map(Path, options.corpus)) or (CORPUS,), Path(options.gold or GOLD)
    plan = tried(lambda: Plan(names or SUITES, paths, gold, options.limit))
    bars = tried(lambda: gate.load(Path(options.gate))) if options.gate else None
    if plan and bars and not {bar.suite for bar in bars.bars} & set(plan.suites):
        wrong.append(f"--gate {options.gate}: no bar of it is of a suite that is run ({', '.join(plan.suites)}), so it "
                     "could not fail")
    for item in options.set:
        tried(lambda item=item: configs([item]))  # each by itself, so that each is named
    settings = tried(lambda: sweep.checked(configs(options.set)))
    bench = tried(lambda: Bench(Plan(SUITES, paths, gold, options.limit)))
    wrong = _matched(wrong, options)
    if wrong or bench is None or settings is None or plan is None:
        raise InputError("\n".join(wrong))
    bench.plan = plan
    return bench, settings, bars


def _matched(wrong: list[str], options: argparse.Namespace) -> list[str]:
    """The lines, where questions and documents do not belong together said as what it is: an option that is missing."""
    strange = [line for line in wrong if NO_DOCUMENT in line]
    if strange and options.gold and not options.corpus:
        return [*wrong, f"--gold {options.gold} was read beside the ten chapters: name your documents with --corpus "
                        "PATH"]
    if strange and options.corpus and not options.gold:
        said = (f"--corpus {' '.join(options.corpus)}: the ten chapters, which the suite asks about, are not all in "
                "it: name your own questions with --gold FILE (python -m eval.make_gold drafts some), or leave "
                "--corpus away")
        return [*(line for line in wrong if line not in strange), said]
    return wrong


def _readable() -> list[tuple[str, dict]]:
    """(name, run) of the kept runs that this version reads, the latest first; a line on standard error of others."""
    made = []
    for file in reversed(runs.files()):
        try:
            made.append((file.stem, runs.read(file)))
        except InputError as error:
            print(f"eval: {error}", file=sys.stderr)
    return made


def configs(settings: Sequence[str]) -> list[Config]:
    """A Config for each combination of the values. ConfigError for an unknown setting or value."""
    values = {name: given.split(",") for name, given in assigned(settings).items()}
    return [Config.load(dict(zip(values, chosen, strict=True))) for chosen in itertools.product(*values.values())]


def _show(results: list[dict], options: argparse.Namespace, bars: gate.Gate | None) -> None:
    """Print what was measured, and write the files that were asked for."""
    whole = results if len(results) > 1 else results[0]
    if options.json == "-":
        print(json.dumps(whole, ensure_ascii=False))
    else:
        for at, result in enumerate(results):
            print(tables.table(result, options.split))
            if at:
                print("\nagainst the first:\n" + tables.comparison_table(results[0], result, options.split))
        if len(results) > 1:
            print("\n" + sweep.table(results, options.split))
    if options.json not in (None, "-"):
        Path(options.json).write_text(json.dumps(whole, indent=1, ensure_ascii=False), encoding="utf-8")
    if options.html and len(results) > 1:
        Path(options.html).write_text(sweep_pictures.page(results, options.split), encoding="utf-8")
    elif options.html:
        from eval.report import page as report
        judged = gate.judged(bars, results[0]) if bars else ()
        Path(options.html).write_text(report.page(results[0], None, options.split, gate=judged), encoding="utf-8")


def _passes(bars: gate.Gate, result: dict) -> bool:
    """Say each bar on standard error; whether none failed."""
    judged = gate.judged(bars, result)
    idle: dict[str, int] = {}
    for bar, verdict, words in judged:
        if verdict == "not run":
            idle[bar.suite] = idle.get(bar.suite, 0) + 1
        else:
            print(f"gate {verdict}: {bar.suite}.{bar.metric}: {words}", file=sys.stderr)
    if idle:
        print(f"gate not run: {', '.join(f'{suite} ({count})' for suite, count in idle.items())}", file=sys.stderr)
    failed, seen = sum(verdict == "failed" for _, verdict, _ in judged), len(judged) - sum(idle.values())
    print(f"the gate fails: {failed} of {seen} numbers miss their bar" if failed else
          f"the gate holds: none of {seen} numbers misses its bar by more than its interval allows", file=sys.stderr)
    return not failed


def _progress(done: int, total: int, label: str) -> None:
    end = "\r" if sys.stderr.isatty() and done < total else "\n"
    if sys.stderr.isatty() or done % 25 == 0 or done == total:
        print(f"[{'#' * (24 * done // max(total, 1)):24}] {done}/{total} {label:14}".rstrip(), end=end, file=sys.stderr,
              flush=True)


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
