"""The `assistant` command: the public verbs in the shell. Results go to standard output, progress to standard error.

Exit 0 on an answer or an abstention, 2 on bad input, 1 on a failure; an error is one line.
"""
from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from assistant.config import Config, assigned, describe
from assistant.errors import GlassboxError, InputError
from assistant.exchange import print_json
from assistant.text.askable import check_question
from assistant.trace.terminal import clean


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the process's exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # an answer must not fail for a terminal that knows fewer letters
            stream.reconfigure(errors="backslashreplace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = _parser(words[:1]).parse_args(words)
        return options.run(options)
    except GlassboxError as error:
        print(f"assistant: {_line(error)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("assistant: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # a defect: one line for the person, the rest on request
        if os.environ.get("GLASSBOX_DEBUG"):
            raise
        print(f"assistant: something failed inside Glassbox ({type(error).__name__}: {_line(error)}); "
              "set GLASSBOX_DEBUG=1 to see where", file=sys.stderr)
        return 1


def _line(error: Exception) -> str:
    return clean(str(error)).replace("\n", " ")


class _Parser(argparse.ArgumentParser):
    """argparse, with its errors in one line."""

    def error(self, message: str) -> NoReturn:
        print(f"assistant: {message}; `{self.prog} --help` shows how", file=sys.stderr)
        raise SystemExit(InputError.exit_code)


def _parser(asked: Sequence[str]) -> argparse.ArgumentParser:
    """asked: the command, where one was given. What it alone needs is imported for it alone."""
    parser = _Parser(prog="assistant", description="Glassbox: ask your documents, see through the answer.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable, help: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
        sub.add_argument("--index", metavar="DIR", help="folder of the index")
        sub.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                         help="change a setting: " + ", ".join(s["name"] for s in describe()))
        sub.set_defaults(run=run)
        return sub

    sub = command("ingest", _ingest, "add or update files and folders: Markdown, text, HTML, Word (.docx), PDF")
    sub.add_argument("paths", nargs="+", metavar="PATH")
    sub.add_argument("--rebuild", action="store_true", help="forget the index first; needed for another embedder")
    sub.add_argument("--json", action="store_true")
    sub = command("ask", _ask, "answer a question, with citations")
    _add_questions(sub)
    sub.add_argument("--no-llm", action="store_true", help="quotations only; the same as --set llm=off")
    sub = command("retrieve", _retrieve, "show the candidates of a question, with every stage's score")
    _add_questions(sub)
    sub = command("status", _status, "what the index holds")
    sub.add_argument("--json", action="store_true")
    sub = command("serve", _serve, "serve the page, and say its address")
    sub.add_argument("--host", default="127.0.0.1", help="another than this one lets other machines in: set "
                                                         "GLASSBOX_AUTH=user:password, and they have to log in")
    sub.add_argument("--port", type=int, default=7860)
    sub.add_argument("--corpus", metavar="DIR", help="ingest this folder first where something in it has changed")
    sub = command("calibrate", _calibrate, "fit a reranker's probabilities and threshold to gold questions")
    sub.add_argument("--gold", required=True, metavar="FILE", help="questions on the index's documents, as for `eval`")
    sub.add_argument("--json", action="store_true")
    command("doctor", _doctor, "check every part, and say what to do about what is wrong")
    from assistant import trace_command
    from assistant.lab import command as lab_command
    for module in (trace_command, lab_command):
        module.add_parser(commands).set_defaults(
            run=lambda options, module=module: module.run(options, _assistant(options)))
    if "eval" not in asked:
        commands.add_parser("eval", help="measure a configuration: intervals, comparison, report, gate")
    else:
        try:
            from eval import command as eval_command
        except ModuleNotFoundError as error:
            raise InputError(f"the eval suite cannot be imported ({error}): run it from Glassbox's source folder, or "
                             "install Glassbox anew") from error
        eval_command.add_parser(commands).set_defaults(run=eval_command.execute)
    return parser


def _add_questions(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("question", nargs="?", metavar="QUESTION")
    sub.add_argument("--questions", metavar="FILE", help="one a line: text, or JSON with \"question\" and \"history\"")
    sub.add_argument("--json", action="store_true", help="one JSON object a question")


def _assistant(options: argparse.Namespace, **more: object):
    from assistant.pipeline import Assistant
    overrides: dict[str, object] = {**more, **assigned(options.set)}
    if options.index:
        overrides["index"] = options.index
    return Assistant(Config.load(overrides))


def _ingest(options: argparse.Namespace) -> int:
    rag = _assistant(options)
    with _progress() as report:
        result = rag.ingest(options.paths, report, rebuild=options.rebuild)
    if options.json:
        from assistant.trace import to_json
        print_json(to_json(result))
    else:
        print(f"{len(result.added)} added, {len(result.updated)} updated, {len(result.unchanged)} unchanged, "
              f"{len(result.removed)} removed; {result.chunks} chunks in the index ({result.seconds:.1f} s)")
        for name, why in result.skipped:
            print(f"skipped {name}: {why}", file=sys.stderr)
    if result.skipped and not (result.added or result.updated or result.unchanged or result.removed):
        raise InputError("no file could be read; the reasons are above")
    return 0


def _ask(options: argparse.Namespace) -> int:
    from assistant import present
    rag = _assistant(options, **({"llm": "off"} if options.no_llm else {}))
    for question, history in _questions(options):
        if options.json:
            print_json(present.answered(rag, question, history))
        else:
            present.print_answer(rag, question, history)
    return 0


def _retrieve(options: argparse.Namespace) -> int:
    from assistant import present
    rag = _assistant(options)
    for question, history in _questions(options):
        found = rag.retrieve(question, history)
        if options.json:
            print_json(present.retrieved(found))
        else:
            print(present.hits_table(found))
    return 0


def _questions(options: argparse.Namespace) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """(question, history) from the command line or the file. Every bad line is named before anything is asked."""
    if bool(options.question is not None) == bool(options.questions):
        raise InputError("give either a QUESTION or --questions FILE")
    if options.question is not None:
        yield options.question, []
        return
    try:
        raw = sys.stdin.buffer.read() if options.questions == "-" else Path(options.questions).read_bytes()
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"cannot read {options.questions}: it is not UTF-8 ({error.reason} at byte {error.start}); "
                         "expected one question a line") from error
    except OSError as error:
        raise InputError(f"cannot read {options.questions}: {error.strerror or error}; name a file of questions, one "
                         "a line") from error
    asked, wrong = [], []
    for number, line in enumerate(text.split("\n"), 1):  # not splitlines: JSON may hold other line separators
        if not line.strip():
            continue
        try:
            asked.append(_question(line))
        except json.JSONDecodeError as error:
            wrong.append(f"line {number}: no JSON ({error.msg} at character {error.pos + 1})")
        except (ValueError, RecursionError, InputError) as error:
            wrong.append(f"line {number}: {error}")
    if wrong:
        raise InputError(f"{options.questions}: " + "; ".join(wrong) + '. Expected text, or {"question": "...", '
                         '"history": [{"role": "user", "content": "..."}]}')
    if not asked:
        raise InputError(f"{options.questions} holds no question")
    yield from asked


def _question(line: str) -> tuple[str, list[dict[str, str]]]:
    """A line's question and history; ValueError or InputError says what is wrong with it."""
    row = json.loads(line) if line.lstrip().startswith("{") else {"question": line.strip()}
    question, history = row.get("question"), row.get("history") or []
    if not isinstance(question, str):
        raise ValueError('no "question" text')
    check_question(question)
    if not isinstance(history, list) or not all(isinstance(turn, dict) and isinstance(turn.get("content"), str)
                                                and turn.get("role") in ("user", "assistant") for turn in history):
        raise ValueError('"history" is not a list of {"role", "content"}')
    if any("\ud800" <= sign <= "\udfff" for turn in history for sign in turn["content"]):
        raise ValueError('"history" holds characters that are not text')
    return question, history


def _status(options: argparse.Namespace) -> int:
    from assistant.trace.compare import setting
    status = _assistant(options).status()
    if options.json:
        print_json(status)
        return 0
    made = status["made_with"]
    print(f"index      {status['index']}\ndocuments  {status['documents']}\nchunks     {status['chunks']}\n"
          f"traces     {status['traces']}\n"
          f"made with  embedder {made['embedder']}, chunk_tokens {made['chunk_tokens']}\n"
          f"version    {status['index_fingerprint']}")
    for name, value in status["settings"].items():
        print(f"{name:12} {setting(value)}")
    return 0


def _serve(options: argparse.Namespace) -> int:
    from assistant.ui.page import check_port, login, serve
    check_port(options.host, options.port)  # before an ingest that may take long
    login(os.environ)
    rag = _assistant(options)
    if options.corpus:
        with _progress() as report:
            rag.ingest([options.corpus], report)
    serve(rag, options.host, options.port, panels=panels())
    return 0


def panels() -> list[tuple[str, Callable]]:
    """(name, panel) of the page's tabs that are not of `ui`: the Eval tab, or the line that says it is not there."""
    try:
        from eval.panel.tab import Panel
    except ModuleNotFoundError:
        from assistant.ui.evals import missing as Panel
    return [("Eval", Panel)]


def _calibrate(options: argparse.Namespace) -> int:
    from assistant import calibrate
    try:
        from eval.suite.cases import load
    except ModuleNotFoundError as error:
        raise InputError(f"the gold questions' reader cannot be imported ({error}): run it from Glassbox's source "
                         "folder, or install Glassbox anew") from error
    with _progress("calibrating") as report:
        made = calibrate.calibrate(_assistant(options), options.gold, load, report)
    if options.json:
        print_json(made)
    else:
        print(calibrate.told(made))
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from assistant import doctor
    return doctor.run(_assistant(options))


class _progress:
    """`with _progress() as report: report(done, total, label)` draws a bar on standard error."""

    def __init__(self, what: str = "indexing") -> None:
        self._what = what

    def __enter__(self) -> Callable[[int, int, str], None]:
        self._drawn = False

        def report(done: int, total: int, label: str) -> None:
            if not total:
                return
            self._drawn = True
            filled = round(24 * done / total)
            end = "\r" if sys.stderr.isatty() else "\n"
            print(f"{self._what} [{'#' * filled}{'.' * (24 - filled)}] {done}/{total} {label[:40]:40}", end=end,
                  file=sys.stderr, flush=True)
        return report

    def __exit__(self, *error: object) -> None:
        if self._drawn and sys.stderr.isatty():
            print(file=sys.stderr)
