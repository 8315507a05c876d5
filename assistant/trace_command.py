"""`assistant trace ...`: list, show, compare, replay, export, import, explain, judge and delete traces.

Results go to standard output, readable in 80 columns, or as JSON with --json; an error leaves as a GlassboxError.
A trace is named by its id, the beginning of it, or "last".
"""
from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

from assistant import exchange, trace_text
from assistant.catalog.traces import Wanted
from assistant.config import assigned
from assistant.errors import InputError
from assistant.exchange import print_json
from assistant.records import Trace
from assistant.trace import to_json
from assistant.trace.terminal import clean

SLOW_SECONDS = 5.0


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Add `trace` with its own commands to the subparsers of `assistant`; what to run is left to `run`."""
    parser = subparsers.add_parser("trace", help="what happened between a question and its answer",
                                   description="What happened between a question and its answer.")
    commands = parser.add_subparsers(required=True, metavar="WHAT", dest="action")

    def command(name: str, help: str, *traces: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
        for trace in traces:
            sub.add_argument(trace.lower(), metavar=trace, help="a trace's id, the beginning of it, or \"last\"")
        sub.add_argument("--index", metavar="DIR", help="folder of the index")
        sub.add_argument("--json", action="store_true", help="JSON instead of text")
        sub.set_defaults(set=[])
        return sub

    def settable(sub: argparse.ArgumentParser, help: str) -> None:
        sub.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=help)

    _list_options(command("list", "the traces that are kept, latest first"))
    command("show", "everything of one trace", "ID").add_argument(
        "--all", action="store_true", help="with the candidates' texts, the prompt and the draft")
    command("diff", "what differs between two traces, and which stage made it differ", "A", "B")
    settable(command("replay", "ask a trace's question again, with the settings changed by --set", "ID"),
             "change a setting")
    sub = command("export", "write traces out")
    sub.add_argument("ids", nargs="*", metavar="ID")
    sub.add_argument("--all", action="store_true", help="all that are kept")
    sub.add_argument("--format", choices=exchange.FORMATS, default="json",
                     help="json (one a line, can be imported), markdown (for a bug report), otlp (OpenTelemetry), gold "
                          "(drafts for the eval suite; without ID, of all with feedback)")
    sub.add_argument("--out", metavar="FILE", help="instead of standard output")
    command("import", "keep traces that were exported as json").add_argument("file", metavar="FILE")
    sub = command("why-not", "where a chunk stands at every stage, and what kept it out", "ID")
    sub.add_argument("chunk", nargs="?", metavar="CHUNK", help="a chunk's id, or the beginning of it")
    sub.add_argument("--passage", metavar="TEXT", help="the passage that should have been found")
    settable(sub, "where a model or the vectors of the trace are; its other settings are its own")
    sub = command("feedback", "a thumb and a note on an answer", "ID")
    sub.add_argument("thumb", nargs="?", choices=("up", "down", "none"), help="\"none\" takes it back")
    sub.add_argument("--note", metavar="TEXT")
    sub = command("delete", "remove traces for good")
    sub.add_argument("ids", nargs="*", metavar="ID")
    sub.add_argument("--all", action="store_true", help="all that are kept")
    return parser


def _list_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--search", default="", metavar="TEXT", help="in question, answer or note")
    sub.add_argument("--declined", action="store_true")
    sub.add_argument("--unsupported", action="store_true", help="a sentence of the draft failed its check")
    sub.add_argument("--slow", nargs="?", type=float, const=SLOW_SECONDS, metavar="SECONDS",
                     help=f"took at least this long ({SLOW_SECONDS:g})")
    sub.add_argument("--thumb", choices=("up", "down"), default="")
    sub.add_argument("--status", choices=("complete", "stopped", "failed"), default="")
    sub.add_argument("--replays-of", default="", metavar="ID")
    sub.add_argument("--limit", type=int, default=20, metavar="N", help="at most so many; 0 for all")


def run(options: argparse.Namespace, rag) -> int:
    """The exit status of one command over an Assistant's traces."""
    return {"list": _list, "show": _show, "diff": _diff, "replay": _replay, "export": _export, "import": _import,
            "why-not": _why_not, "feedback": _feedback, "delete": _delete}[options.action](options, rag)


def _list(options: argparse.Namespace, rag) -> int:
    if options.limit < 0:
        raise InputError(f"--limit is {options.limit}: expected 0 (all) or more")
    wanted = Wanted(options.search, options.declined, options.unsupported,
                    None if options.slow is None else options.slow * 1000, options.thumb, options.status,
                    rag.traces.resolve(options.replays_of) if options.replays_of else "")
    found, total = rag.traces.list(wanted, options.limit or -1), rag.traces.count(wanted)
    if options.json:
        print_json({"traces": [dataclasses.asdict(summary) for summary in found], "total": total})
    else:
        print(trace_text.list_text(found, total or rag.traces.count()))
    return 0


def _show(options: argparse.Namespace, rag) -> int:
    trace = _trace(rag, options.id)
    changed, judged = exchange.drift_of(rag, trace), rag.feedback.get(trace.id)
    replays = [summary.id for summary in rag.traces.list(Wanted(parent=trace.id), -1)]
    if options.json:
        print_json({"trace": to_json(trace), "index_changed": dataclasses.asdict(changed),
               "feedback": dataclasses.asdict(judged) if judged else None, "replays": replays})
    else:
        print(trace_text.show_text(trace, changed, judged, replays, options.all))
    return 0


def _diff(options: argparse.Namespace, rag) -> int:
    _compare(options, _trace(rag, options.a), _trace(rag, options.b))
    return 0


def _compare(options: argparse.Namespace, before: Trace, after: Trace) -> None:
    from assistant.trace.compare import compare
    found = compare(before, after)
    if options.json:
        print_json({"before": before.id, "after": after.id, **to_json(found)})
    else:
        print(trace_text.diff_text(before, after, found))


def _replay(options: argparse.Namespace, rag) -> int:
    from assistant import present
    from assistant.replay import replay
    before = _trace(rag, options.id)
    after = rag.trace(replay(rag, before, assigned(options.set)).trace_id)
    if options.json:
        print_json(present.of_trace(after))
    else:
        _compare(options, before, after)
        print(f"trace {after.id}", file=sys.stderr)
    return 0


def _export(options: argparse.Namespace, rag) -> int:
    traces = [rag.trace(name) for name in _named(options, rag)]
    text = exchange.written(rag, traces, options.format)
    if not options.out:
        if options.json and options.format == "markdown":  # the other formats are JSON as they are
            text = exchange.line({"traces": [trace.id for trace in traces], "markdown": text}) + "\n"
        sys.stdout.write(text)
        return 0
    try:
        Path(options.out).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {options.out}: {error.strerror or error}; name a file that can be written"
                         ) from error
    if options.json:
        print_json({"exported": [trace.id for trace in traces], "file": options.out})
    print(f"{len(traces)} {'trace' if len(traces) == 1 else 'traces'} in {options.out}", file=sys.stderr)
    return 0


def _named(options: argparse.Namespace, rag) -> list[str]:
    if options.all:
        return [summary.id for summary in rag.traces.list(Wanted(), -1)]
    if options.action == "export" and options.format == "gold" and not options.ids:
        return [judgement.trace for judgement in rag.feedback.all()]
    if not options.ids:
        raise InputError("name a trace, or say --all: `assistant trace list` shows them")
    return list(dict.fromkeys(rag.traces.resolve(name) for name in options.ids))


def _import(options: argparse.Namespace, rag) -> int:
    try:
        raw = sys.stdin.buffer.read() if options.file == "-" else Path(options.file).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {options.file}: {error.strerror or error}; name a file that `assistant trace "
                         "export` wrote") from error
    added, known = exchange.keep(rag, exchange.read(raw, options.file))
    if options.json:
        print_json({"imported": added, "known": known})
    else:
        print(f"{len(added)} imported" + (f", {len(known)} were here already" if known else ""))
        for name in added:
            print(clean(name))
    return 0


def _why_not(options: argparse.Namespace, rag) -> int:
    from assistant.replay import PLACES
    from assistant.why_not import why_not
    if changed := [name for name in assigned(options.set) if name not in (*PLACES, "index")]:
        raise InputError(f"--set {changed[0]} changes nothing here: why-not takes the trace's settings, and --set says "
                         f"only where {', '.join(PLACES)} are; replay the trace with {changed[0]} changed, and ask "
                         "why-not of the replay")
    found = why_not(rag, _trace(rag, options.id), options.chunk, options.passage)
    if options.json:
        print_json(to_json(found))
    else:
        print(trace_text.why_not_text(found))
    return 0


def _feedback(options: argparse.Namespace, rag) -> int:
    name = rag.traces.resolve(options.id)
    before = rag.feedback.get(name)
    if options.thumb or options.note is not None:
        thumb = {"none": "", None: before.thumb if before else ""}.get(options.thumb, options.thumb)
        kept = before.note if before and options.thumb != "none" else ""
        note = kept if options.note is None else options.note
        rag.feedback.set(name, thumb, note)
    judged = rag.feedback.get(name)
    if options.json:
        print_json({"trace": name, "thumb": judged.thumb if judged else "", "note": judged.note if judged else ""})
    else:
        said = [judged.thumb and f"thumb {judged.thumb}", judged.note] if judged else ["nothing was said of it"]
        print(trace_text.wrapped(f"{name}: " + ", ".join(part for part in said if part)))
    return 0


def _delete(options: argparse.Namespace, rag) -> int:
    gone = rag.traces.delete(_named(options, rag))
    print_json({"deleted": gone}) if options.json else print(f"{gone} deleted")
    return 0


def _trace(rag, name: str) -> Trace:
    return rag.trace(rag.traces.resolve(name))
