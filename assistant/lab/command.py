"""The `lab` command: `assistant lab --list`, `assistant lab NAME [--set input=value ...] [--json]`.

`--set name=@FILE` takes the value from a file, and `\\n` in a value opens a new line, for the inputs that are lists.
"""
from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping

from assistant.errors import InputError
from assistant.lab import files
from assistant.lab.demo import Demo, Report, Result, quoted
from assistant.lab.registry import demos, get
from assistant.pipeline import Assistant

WIDTH = 60  # characters of a table's cell


def add_parser(subparsers) -> argparse.ArgumentParser:
    """The command's parser. `set` stays empty on purpose: here --set changes a demo's input, not a setting."""
    parser = subparsers.add_parser("lab", help="run the lesson's demos on the real models",
                                   description="Run the lesson's simulations and failure modes on the real models.")
    parser.add_argument("name", nargs="?", metavar="NAME", help="a demo; `assistant lab --list` names them")
    parser.add_argument("--list", action="store_true", help="all demos by chapter, with their inputs")
    parser.add_argument("--set", dest="inputs", action="append", default=[], metavar="INPUT=VALUE",
                        help="change an input; VALUE may be @FILE, and \\n opens a new line")
    parser.add_argument("--index", metavar="DIR", help="folder of the index")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(set=[])
    return parser


def run(args: argparse.Namespace, rag: Assistant) -> int:
    """List the demos or run one: 0. Bad input raises InputError."""
    if args.list or not args.name:
        if args.name:
            raise InputError("give either NAME or --list, not both")
        print(json.dumps([described(demo) for demo in demos()], ensure_ascii=False) if args.json else listed())
        return 0
    demo = get(args.name)
    result = demo.run(given(args.inputs), rag, _report(demo))
    if args.json:
        print(json.dumps({"demo": demo.name, "title": demo.title, "chapter": demo.chapter, "claim": demo.claim,
                          "inputs": demo.parse(given(args.inputs)), **result.as_json()}, ensure_ascii=False))
    else:
        print(shown(demo, result))
    return 0


def given(items: list[str]) -> dict[str, str]:
    """{input: value} of the --set options."""
    values = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or not name.strip():
            raise InputError(f"--set {quoted(item)}: expected INPUT=VALUE, such as --set "
                             "question=\"Which is not red?\"")
        value = files.read(value[1:], "a file with the value") if value.startswith("@") else value.replace("\\n", "\n")
        values[name.strip()] = value
    return values


def described(demo: Demo) -> dict[str, object]:
    """A demo as JSON values, without running it."""
    return {"name": demo.name, "title": demo.title, "chapter": demo.chapter, "claim": demo.claim,
            "trains": demo.trains, "measures": demo.measure is not None,
            "inputs": [{"name": spec.name, "kind": spec.kind, "default": spec.default, "label": spec.label,
                        "help": spec.help, "low": spec.low, "high": spec.high, "options": list(spec.options),
                        "optional": spec.optional} for spec in demo.inputs],
            "presets": [{"label": label, "values": dict(values)} for label, values in demo.presets]}


def listed() -> str:
    """One line a demo, by chapter, and its inputs below."""
    rows = []
    for demo in demos():
        chapter = "all chapters" if demo.chapter is None else f"chapter {demo.chapter}"
        rows += [f"{demo.name:16} {chapter:12}  {demo.claim}",
                 f"{'':16} inputs: {', '.join(spec.name for spec in demo.inputs)}"]
    return "\n".join(rows)


def shown(demo: Demo, result: Result) -> str:
    """A result as text."""
    parts = [f"{demo.title}: {demo.claim}", "", result.verdict, "", *_numbers(result.numbers)]
    if result.table.rows:
        parts += ["", *_table(result)]
    return "\n".join([*parts, "", result.explanation])


def _numbers(numbers: Mapping[str, object]) -> list[str]:
    width = max(map(len, numbers), default=0)
    return [f"{name:{width}}  {value}" for name, value in numbers.items()]


def _table(result: Result) -> list[str]:
    rows = [[_cell(cell) for cell in row] for row in (result.table.columns, *result.table.rows)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]


def _cell(value: object) -> str:
    text = " ".join(("" if value is None else str(value)).split())
    return text if len(text) <= WIDTH else text[:WIDTH - 1] + "…"


def _report(demo: Demo) -> Report:
    """Progress on standard error, for demos that take their time."""
    def report(done: float, what: str) -> None:
        if demo.trains:
            end = "\r" if sys.stderr.isatty() else "\n"
            print(f"{demo.name} {min(done, 1.0):4.0%} {what:50}", end=end, file=sys.stderr, flush=True)
    return report
