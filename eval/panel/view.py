"""The Eval tab as HTML: the kept runs, a report in its frame, drafts to review. Pure functions."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from assistant.ui.icons import icon
from assistant.ui.prose import esc

EMPTY = ('<p class="gb-empty">No run is kept yet. Choose what to measure on the left and press Run: retrieval alone '
         "takes a minute or two.</p>")
GATE = {"passed": '<span class="gb-tag gb-tag-up">gate held</span>',
        "failed": '<span class="gb-tag gb-tag-failed">gate failed</span>', "": ""}


@dataclass(frozen=True)
class Kept:
    """A kept run as the list shows it. gate: "passed", "failed" or "" where it was not judged; changed: its settings
    that are not the default, in words."""

    name: str
    created: str
    suites: tuple[str, ...]
    limit: int | None
    questions: int
    words: str
    gate: str
    changed: str

    @property
    def when(self) -> str:
        return datetime.fromisoformat(self.created).astimezone().strftime("%-d %b %Y, %H:%M")

    @property
    def label(self) -> str:
        """One line, for lists to choose from."""
        return f"{self.when} · {', '.join(self.suites)} · {self.changed or 'default settings'}"


def runs_html(runs: Sequence[Kept], opened: str = "") -> str:
    if not runs:
        return EMPTY
    return f'<ul class="gb-evalruns">{"".join(_run(run, run.name == opened) for run in runs)}</ul>'


def _run(run: Kept, here: bool) -> str:
    few = f", {run.limit} of each list" if run.limit else ""
    settings = f'<span class="gb-source">{esc(run.changed, 120)}</span>' if run.changed else ""
    return (f'<li{" class=gb-here" if here else ""}><button type="button" class="gb-open" data-event="select" '
            f'data-id="{esc(run.name)}"><b>{esc(run.when)}</b> {GATE[run.gate]}<span class="gb-evalwords">'
            f'{esc(run.words)}</span><span class="gb-source">{esc(", ".join(run.suites))} · '
            f'{run.questions:,} questions{few}</span>{settings}</button><button type="button" class="gb-tool" '
            f'data-event="delete" data-id="{esc(run.name)}" data-confirm="Delete?" '
            f'aria-label="Delete the run of {esc(run.when)}">{icon("delete")}</button></li>')


def frame_html(page: str, name: str, what: str) -> str:
    """A report shut into a frame that may run its own script and nothing else, with a way to keep it."""
    return (f'<div class="gb-evalbar"><button type="button" class="gb-tool" data-keep="{esc(name)}.html">'
            f'{icon("export")}Download the report</button></div>'
            f'<iframe class="gb-evalframe" sandbox="allow-scripts allow-modals" title="{esc(what)}" '
            f'srcdoc="{esc(page)}"></iframe>')


def progress_html(share: float | None, what: str, seconds: float) -> str:
    percent = round(100 * (share or 0))
    passed = f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.1f} min"
    left = f", about {_left(seconds * (1 - share) / share)} to go" if share and .05 < share < 1 else ""
    return (f'<div class="gb-progress{"" if share else " gb-wait"}" role="progressbar" aria-valuemin="0" '
            f'aria-valuemax="100" aria-valuenow="{percent}" aria-label="The run"><span '
            f'style="width:{max(percent, 2)}%"></span></div><p class="gb-note" role="status">'
            f'{esc(what[:1].upper() + what[1:], 160)}… {passed}{left}</p>')


def _left(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def note_html(text: str, bad: bool = False) -> str:
    """A line for each line of the text."""
    lines = "".join(f'<p class="gb-note{" gb-bad" if bad else ""}">{esc(line, 400)}</p>'
                    for line in text.split("\n")[:20] if line.strip())
    return f'<div role="{"alert" if bad else "status"}">{lines}</div>'


def drafts_html(rows: Sequence[Mapping]) -> str:
    """Drafts as a table to review; the page's script keeps what is written in it until it is saved."""
    if not rows:
        return ('<p class="gb-empty">Nothing was found to ask about: the documents hold no definition, table, '
                "number or list that makes a question by itself.</p>")
    body = "".join(_draft(row) for row in rows)
    return (f'<p class="gb-note" id="gb-draftcount" role="status">{len(rows)} drafts. Accept those that someone '
            f'would ask; every word can be changed.</p><div class="gb-drafts">{body}</div>')


def saved_html(name: str, count: int, text: str) -> str:
    """What was saved, with the set to download."""
    questions = "question" if count == 1 else "questions"
    return (f'<p class="gb-note" role="status">“{esc(name)}” holds {count} {questions} now; choose it under '
            f'Questions and press Run. <button type="button" class="gb-link" data-keepset="{esc(name)}.jsonl">'
            f"Download it</button><textarea hidden>{esc(text)}</textarea></p>")


def _draft(row: Mapping) -> str:
    quotes = "".join(f'<p class="gb-draftquote">{esc(item["quote"], 500)} <span class="gb-source">'
                     f'{esc(item["document"])}</span></p>' for item in row["evidence"])
    facts = "\n".join(" | ".join(fact) for fact in row["facts"])
    return (f'<article class="gb-draft" data-draft="{esc(row["id"])}"><div class="gb-draftparts"><label>Question'
            f'<textarea rows="1" name="question">{esc(row["question"])}</textarea></label>{quotes}<label>An answer '
            f'must say <i>one fact a line; other wordings behind |</i>'
            f'<textarea rows="{max(1, len(row["facts"]))}" name="facts">{esc(facts)}</textarea></label></div>'
            f'<div class="gb-draftacts"><span class="gb-tag">{esc(row["kind"])}</span>'
            f'<button type="button" class="gb-tool" data-judge="yes" aria-pressed="false">Accept</button>'
            f'<button type="button" class="gb-tool" data-judge="no" aria-pressed="false">Reject</button>'
            f'</div></article>')
