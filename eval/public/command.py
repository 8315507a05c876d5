"""`assistant eval --beir DIR`: a public set indexed and scored at every stage; run files written, or scored as given.

Exit 2 on bad input, all of it named at once before anything is indexed.
"""
from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from assistant import Assistant, Config
from assistant.errors import GlassboxError, InputError
from eval.public import beir, trec
from eval.public import run as beir_run
from eval.report import tables
from eval.suite import runs
from eval.suite.metrics import CUT
from eval.sweeps import pictures as sweep_pictures
from eval.sweeps import sweep

NAMES = (f"ndcg@{CUT}", f"recall@{trec.DEEP}", f"mrr@{CUT}", "ap")
STAGES = ("lexical", "dense", "fused", "reranked", "whole")
ELSEWHERE = ("suite", "corpus", "gold", "gate")   # options that speak of the gold set


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of public sets, in a group of their own."""
    group = parser.add_argument_group("public sets")
    group.add_argument("--beir", metavar="DIR", help="a set in BEIR's layout: corpus.jsonl, queries.jsonl, qrels/*.tsv "
                                                     "or qrels.tsv; --split names one of qrels/, test by default")
    group.add_argument("--run-file", action="append", default=[], metavar="FILE",
                       help="with --beir: score this TREC run file; nothing is indexed. Again for more, each compared "
                            "with the first")
    group.add_argument("--write-run", metavar="[STAGE=]FILE",
                       help=f"with --beir: write a TREC run file of each stage (x.trec: x.STAGE.trec), or of one of "
                            f"{', '.join(STAGES)}")
    group.add_argument("--whole", action="store_true",
                       help="with --beir: also one vector a document, as an embedder's published numbers are made")
    group.add_argument("--not-itself", action="store_true",
                       help="with --beir: leave out the document that has the query's id (ArguAna, Quora)")


def execute(options: argparse.Namespace, configs: Callable[[Sequence[str]], list[Config]],
            progress: Callable[[int, int, str], None]) -> int:
    """The exit code. configs: the settings' combinations of --set. GlassboxErrors leave as they are."""
    wrong: list[str] = []

    def tried(make: Callable[[], object], default: object = None):
        try:
            return make()
        except GlassboxError as error:
            wrong.extend(line for line in str(error).split("\n") if line not in wrong)
            return default
    _options(options, wrong)
    for item in options.set:
        tried(lambda item=item: configs([item]))
    settings = tried(lambda: sweep.checked(configs(options.set)), [])
    public = tried(lambda: beir.load(Path(options.beir), options.split))
    documents = {entry.id for entry in public.corpus} if public else None
    files = [Path(name) for name in options.run_file]
    known = {*public.queries, *public.left_out} if public else None
    given = [tried(lambda file=file: trec.read(file, known, documents)) for file in files]
    if wrong:
        raise InputError("\n".join(wrong))
    if files:
        results = [beir_run.scored(public, file, run) for file, run in zip(files, given, strict=True)]
        for result in results:
            print(f"kept as {runs.keep(result)}", file=sys.stderr)
    else:
        results = list(_asked(options, public, settings, progress))
    _show(results, options)
    return 0


def without(options: argparse.Namespace) -> None:
    """Where no --beir is given: its other options are refused, and --split is a part of the gold set."""
    alone = [name for name in ("run_file", "write_run", "whole", "not_itself") if getattr(options, name)]
    wrong = [f"--{name.replace('_', '-')} needs --beir DIR" for name in alone]
    options.split = options.split or "open"
    if options.split not in tables.PARTS:
        wrong.append(f"--split {options.split}: expected {', '.join(tables.PARTS)}; with --beir, a file of its qrels/")
    if wrong:
        raise InputError("\n".join(wrong))


def _options(options: argparse.Namespace, wrong: list[str]) -> None:
    wrong += [f"--{name} does not go with --beir: a public set brings its own documents and judgements"
              for name in ELSEWHERE if getattr(options, name)]
    if options.limit is not None and options.limit < 1:
        wrong.append(f"--limit {options.limit}: expected at least 1")
    for name, given in (("json", options.json), ("html", options.html), ("write-run", _target(options)[1])):
        if given not in (None, "-") and not Path(given).absolute().parent.is_dir():
            wrong.append(f"--{name} {given}: there is no folder {Path(given).parent}")
    if options.run_file and (options.write_run or options.set or options.limit or options.whole or options.not_itself):
        wrong.append("--run-file is scored as it is: leave --set, --limit, --write-run, --whole and --not-itself away")
    stage = _target(options)[0]
    if stage == "whole" and not options.whole:
        wrong.append("--write-run whole=FILE needs --whole")


def _target(options: argparse.Namespace) -> tuple[str, str | None]:
    """(the one stage whose run is written or "" for each, the file)."""
    stage, equals, file = (options.write_run or "").partition("=")
    return (stage, file) if equals and stage in STAGES else ("", options.write_run)


def _asked(options: argparse.Namespace, public: beir.PublicSet, settings: Sequence[Config], progress):
    """Each combination's result, kept and its run files written, as it is made."""
    models: Assistant | None = None
    for at, config in enumerate(settings, 1):
        if len(settings) > 1:
            words = tables.changed({"config": config.public()}) or "default settings"
            print(f"{at} of {len(settings)}: {words}", file=sys.stderr)
        result, found, models = beir_run.run(public, config, models=models, whole=options.whole,
                                             not_itself=options.not_itself, limit=options.limit, report=progress)
        print(f"kept as {runs.keep(result)}", file=sys.stderr)
        _write(options, found, f"{at}." if len(settings) > 1 else "")
        yield result


def _write(options: argparse.Namespace, found: Mapping[str, trec.Run], mark: str) -> None:
    """mark: in front of the file's ending, where a sweep makes several."""
    stage, file = _target(options)
    if not file:
        return
    if stage and stage not in found:
        print(f"--write-run: this run has no stage {stage!r}, only {', '.join(found)}", file=sys.stderr)
        return
    for name, run in found.items():
        if stage in ("", name):
            # run.trec becomes run.dense.trec, and in a sweep run.2.dense.trec
            parts = f"{mark}{'' if stage else f'{name}.'}".rstrip(".")
            path = Path(file)
            path = path.with_name(f"{path.stem}.{parts}{path.suffix}") if parts else path
            trec.write(path, run, f"glassbox-{name}")
            print(f"wrote {path}", file=sys.stderr)


def table(result: Mapping) -> str:
    """A line a stage: each measure with its 95 % interval."""
    found = result["suites"][beir_run.SUITE]
    cells, n = found["metrics"]["open"], len(found["questions"])
    split = f", {found['split']}" if found["split"] else ""
    lines = [f"{found['set']}{split}: {found['documents']:,} documents, {n:,} queries, {found['judged']:,} judgements"
             + (f"; {found['run_file']}" if "run_file" in found else "") + "; each number with its 95 % interval"]
    if found["left_out"]:
        lines.append(f"{len(found['left_out'])} queries have no relevant document and are left out")
    lines.append("  " + " " * 9 + "".join(f"{name:19}" for name in NAMES) + "documents ranked")
    for stage in found["stages"]:
        row = [cells[f"{stage}.{name}"] for name in NAMES]
        lines.append(f"  {stage:9}" + "".join(f"{c['value']:.3f} {c['low']:.3f}–{c['high']:.3f}  " for c in row)
                     + f"{found['documents_ranked'][stage]:.0f}")
    errors = {row["id"]: row["error"] for row in found["questions"] if "error" in row}
    lines += [f"  crashed, so 0: {key}: {errors[key]}" for key in found["crashed"]]
    return "\n".join([*lines, *_times(result)])


def _times(result: Mapping) -> list[str]:
    times = result["timings"]
    lines = [f"  {stage:38} {cell['p50']:8.1f} {cell['p95']:8.1f}" for stage, cell in times["latency_ms"].items()]
    head = [f"{'latency, ms (one query at a time)':40} {'p50':>8} {'p95':>8}"] if lines else []
    spent = f"seconds: {times['suites_s'][beir_run.SUITE]:.0f}"
    if "index_s" in times:
        spent += f", {times['index_s']:.0f} of them for the index" + (" (cached)" if times["index_cached"] else "")
    return ["", *head, *lines, spent]


def _show(results: list[dict], options: argparse.Namespace) -> None:
    whole = results if len(results) > 1 else results[0]
    if options.json == "-":
        print(json.dumps(whole, ensure_ascii=False))
    else:
        for at, result in enumerate(results):
            print(("\n" if at else "") + table(result))
            if at:
                print("\nagainst the first:\n" + tables.comparison_table(results[0], result, "open"))
        if len(results) > 1 and not options.run_file:
            print("\n" + sweep.table(results, "open"))
    if options.json not in (None, "-"):
        Path(options.json).write_text(json.dumps(whole, indent=1, ensure_ascii=False), encoding="utf-8")
    if options.html:
        from eval.report import page as report
        sweeps = len(results) > 1 and not options.run_file
        Path(options.html).write_text(sweep_pictures.page(results) if sweeps else report.page(
            results[-1], results[0] if len(results) > 1 else None), encoding="utf-8")
