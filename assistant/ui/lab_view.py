"""The Lab as HTML: cards by chapter, a demo's head, what a run saw. Pure functions."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from assistant.lab import Demo, Link, Result, Table, demos, lesson_name
from assistant.lab.quiz import Review
from assistant.records import Document
from assistant.text.sections import front_matter
from assistant.ui.icons import icon
from assistant.ui.prose import esc

ROWS = 100  # of a table; more are counted, not shown
HOLDS = {True: ("holds", "Holds for this input"), False: ("fails", "Does not hold for this input"),
         None: ("unsure", "Cannot say for this input")}
_MOST = 10 ** 15


@dataclass(frozen=True)
class Chapter:
    """A chapter of the lesson in the index: its title, and the id of its document."""

    title: str
    document_id: str


def chapters(documents: Iterable[Document]) -> dict[int, Chapter]:
    """{number: chapter} of the documents whose front matter numbers them."""
    found = {}
    for document in documents:
        head, _ = front_matter(document.text)
        if head.get("number", "").isdigit():
            found[int(head["number"])] = Chapter(head.get("title", document.title), document.id)
    return found


def cards_html(known: Mapping[int, Chapter]) -> str:
    """Every demo as a card, under its chapter."""
    groups: dict[int | None, list[Demo]] = {}
    for demo in demos():
        groups.setdefault(demo.chapter, []).append(demo)
    return ('<header class="gb-labintro"><h2>The Lab</h2><p>The lesson’s simulations and failure modes, live: each '
            "demo states a claim, measures it on what you type with the models of this machine, and says so when the "
            "claim does not hold.</p></header>" + "".join(
                f'<section class="gb-labchapter"><h3 class="gb-caps">{_chapter(number, known)}</h3>'
                f'<div class="gb-labgrid">{"".join(map(_card, group))}</div></section>'
                for number, group in groups.items()))


def _chapter(number: int | None, known: Mapping[int, Chapter]) -> str:
    if number is None:
        return "All chapters"
    title = f" · {esc(known[number].title)}" if number in known else ""
    return f"Chapter {number}{title}"


def _card(demo: Demo) -> str:
    return (f'<button type="button" class="gb-labcard" data-event="select" data-id="{esc(demo.name)}">'
            f"<b>{esc(demo.title)}</b><span>{esc(demo.claim)}</span>{_small(demo)}</button>")


def _small(demo: Demo) -> str:
    """What else is to be known before it is opened: its name in the lesson, that it takes its time."""
    facts = [f"in the lesson: {name}" if (name := lesson_name(demo)) else "",
             "takes up to 30 s" if demo.trains else ""]
    words = " · ".join(filter(None, facts))
    return f"<i>{esc(words)}</i>" if words else ""


def head_html(demo: Demo, known: Mapping[int, Chapter]) -> str:
    """The opened demo: the way back, its chapter, title and claim."""
    chapter = known.get(demo.chapter) if demo.chapter is not None else None
    words = _chapter(demo.chapter, known)
    where = (f'<button type="button" class="gb-link" data-chapter="{esc(chapter.document_id)}" '
             f'title="Read it under Corpus">{words}</button>' if chapter else words)
    return (f'<header class="gb-labhead" data-demo="{esc(demo.name)}">'
            f'<button type="button" class="gb-tool gb-labback" data-event="delete">{icon("list")}All demos</button>'
            f'<p class="gb-labwhere">{where}</p><h2 tabindex="-1">{esc(demo.title)}</h2>{_small(demo)}'
            f'<p class="gb-labclaim"><span>Claim</span> {esc(demo.claim)}</p></header>')


def question_html(review: Review | None) -> str:
    """What the quiz asks for a chapter."""
    return f'<p class="gb-labquestion">{esc(review.question)}</p>' if review else note_html(
        "This chapter is not in the index, or has no review question.")


def progress_html(share: float, what: str) -> str:
    percent = round(100 * share)
    return (f'<div class="gb-progress" role="progressbar" aria-valuemin="0" aria-valuemax="100" '
            f'aria-valuenow="{percent}" aria-label="The demo at work"><span style="width:{max(percent, 2)}%"></span>'
            f'</div><p class="gb-note" role="status">{esc(what[:1].upper() + what[1:], 160)}…</p>')


def verdict_html(result: Result, seconds: float) -> str:
    """Whether the claim held, in words, and why."""
    kind, words = HOLDS[result.holds]
    return (f'<section class="gb-labverdict gb-{kind}" role="status"><h3>{words}</h3><p>{esc(result.verdict)}</p>'
            f'<p class="gb-labwhy">{esc(result.explanation)}</p>'
            f'<p class="gb-note">Measured in {_seconds(seconds)}, here and now.</p></section>')


def numbers_html(result: Result) -> str:
    """The numbers that the claim rests on; a trace's id among them leads to the trace."""
    rows = "".join(f"<tr><th scope='row'>{esc(name.replace('_', ' '))}</th><td class='gb-value'>"
                   f"{_linked(name, value)}</td></tr>" for name, value in result.numbers.items() if value != "")
    return (f'<div class="gb-scroll gb-labnumbers" tabindex="0"><table><caption class="gb-sr">Numbers of this run'
            f"</caption><tbody>{rows}</tbody></table></div>") if rows else ""


def _linked(name: str, value: object) -> str:
    if name != "trace_id":
        return esc(cell(value), 200)
    return f'<button type="button" class="gb-link" data-opentrace="{esc(str(value))}">open the trace</button>'


def table_html(table: Table) -> str:
    """The rows behind the numbers, numbers to the right."""
    if not table.rows:
        return ""
    number = [any(_is_number(row[at]) for row in table.rows) and
              all(row[at] is None or _is_number(row[at]) for row in table.rows) for at in range(len(table.columns))]
    side = ['class="gb-value"' if right else 'class="gb-words"' for right in number]
    head = "".join(f"<th scope='col' {at}>{esc(name)}</th>" for name, at in zip(table.columns, side, strict=True))
    rows = "".join("<tr>" + "".join(f"<td {at}>{_cell(value)}</td>" for value, at in
                                    zip(row, side, strict=True)) + "</tr>" for row in table.rows[:ROWS])
    more = len(table.rows) - ROWS
    rest = f'<p class="gb-note">{more:,} more rows are not shown.</p>' if more > 0 else ""
    return (f'<div class="gb-scroll gb-labtable" tabindex="0"><table><caption class="gb-sr">Details of this run'
            f"</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{rest}")


def _cell(value: object) -> str:
    """A cell; one that leads on is a button, which a picture's point with the same data-pick presses too."""
    words = esc(cell(value), 400)
    if not isinstance(value, Link):
        return words
    kind, _, at = value.pick.partition("=")
    does = (f'data-opentrace="{esc(value.trace)}" data-stage="{esc(at)}"' if kind == "stage" else
            f'data-event="select" data-name="{esc(kind)}" data-value="{esc(at)}"')
    return f'<button type="button" class="gb-link" data-pick="{esc(value.pick)}" {does}>{words}</button>'


def caption_html(title: str, alt: str) -> str:
    """Over the picture: its title, and for screen readers what it shows."""
    shown = f'<h3 class="gb-labcaption">{esc(title)}</h3>' if title else ""
    return f'{shown}<p class="gb-sr" id="gb-labalt">The picture below in words: {esc(alt)}</p>'


def note_html(text: str, bad: bool = False) -> str:
    return f'<p class="gb-note{" gb-bad" if bad else ""}" role="{"alert" if bad else "status"}">{esc(text, 400)}</p>'


def cell(value: object) -> str:
    """A number with its thousands apart and at most four digits that matter; None as a dash."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    if isinstance(value, float):
        if value != value or abs(value) >= _MOST:
            return str(value)
        return (f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}").replace("-", "−")
    return " ".join(str(value).split())


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"
