"""What went wrong, question by question: the trace of each, where it was lost, what its answer lacks."""
from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from assistant.text.tables import is_markdown_rule, markdown_cells
from eval.report.words import LOST, STAGES, esc, joined, plural
from eval.suite.gold_set import holds
from eval.suite.metrics import CUT

GOLD = Path(__file__).resolve().parents[1] / "gold" / "suite"
OUTCOMES = {"crashed": "crashed", "wrong": "answered wrong", "declined": "declined, though answerable",
            "invented": "answered, though unanswerable", "obeyed": "obeyed an injection",
            "lost": "passage lost on the way"}


@dataclass(frozen=True)
class Failed:
    """A question of which some suite was not content. rows: {suite: its row}; outcome: of OUTCOMES; lost: a stage of
    LOST or ""."""

    id: str
    kind: str
    question: str
    outcome: str
    lost: str
    rows: Mapping[str, dict]


def failed(result: Mapping, split: str) -> list[Failed]:
    """In the gold set's order. Held-out questions are never listed, so that nobody tunes on them."""
    rows: dict[str, dict[str, dict]] = {}
    for suite, found in result["suites"].items():
        for row in found.get("questions", ()) if suite != "failures" else ():   # a demo's pairs are no questions
            if row["split"] != "held" and split in (row["split"], "all"):
                rows.setdefault(row["id"], {})[suite] = row
    made = []
    for key, suites in rows.items():
        lost = next((row["lost_at"] for row in suites.values() if row.get("lost_at")), "")
        outcome = next(filter(None, map(_outcome, suites.values())), "lost" if lost else "")
        if outcome:
            first = next(iter(suites.values()))
            made.append(Failed(key, first["kind"], first["question"], outcome, lost, suites))
    return made


def _outcome(row: Mapping) -> str:
    counts = row["counts"]
    if row.get("error"):
        return "crashed"
    if counts.get("obeyed", [0])[0]:
        return "obeyed"
    good = counts.get("right_or_declined", counts.get("right"))
    if good is None or good[0]:
        return ""
    if not row["answerable"]:
        return "invented"
    return "declined" if row.get("declined") else "wrong"


def failures_html(found: list[Failed], kinds: list[str]) -> str:
    """The filters and the questions; the report's script filters, and without it all are listed."""
    if not found:
        return '<p class="lede">Nothing went wrong on the questions that were asked.</p>'
    outcomes = [name for name in OUTCOMES if any(f.outcome == name for f in found)]
    lost = [name for name in LOST if any(f.lost == name for f in found)]
    present = [kind for kind in kinds if any(f.kind == kind for f in found)]
    selects = (_select("outcome", "What happened", [(n, OUTCOMES[n]) for n in outcomes])
               + _select("lost", "Lost at", [(n, LOST[n]) for n in lost])
               + _select("kind", "Kind", [(n, n.replace("_", " ")) for n in present]))
    return (f'<form class="filters" onsubmit="return false">{selects}<label>Words<input type="search" id="f-words" '
            f'placeholder="in the question"></label><button type="button" id="f-reset">Show all</button>'
            f'<output id="f-count" aria-live="polite">{plural(len(found), "question")}</output></form>'
            f'<div id="failed">{"".join(map(_one, found))}</div>')


def _select(name: str, label: str, options: list[tuple[str, str]]) -> str:
    if not options:
        return ""
    inner = "".join(f'<option value="{esc(value)}">{esc(words)}</option>' for value, words in options)
    return f'<label>{label}<select id="f-{name}"><option value="">all</option>{inner}</select></label>'


def _one(item: Failed) -> str:
    lost = f'<span class="tag">lost at {LOST[item.lost]}</span>' if item.lost and item.outcome != "lost" else ""
    what = f"lost at {LOST[item.lost]}" if item.outcome == "lost" else OUTCOMES[item.outcome]
    return (f'<details class="q" data-kind="{esc(item.kind)}" data-lost="{item.lost}" data-outcome="{item.outcome}">'
            f'<summary><span class="id">{esc(item.id)}</span><span class="ask">{esc(item.question)}</span>'
            f'<span class="tags"><span class="tag {"mild" if item.outcome == "lost" else "bad"}">{what}</span>{lost}'
            f'<span class="tag kind">{esc(item.kind.replace("_", " "))}</span></span></summary>'
            f'<div class="trace">{"".join(_parts(item))}</div></details>')


def _parts(item: Failed) -> Iterator[str]:
    shown = set()
    for suite, row in item.rows.items():
        if row.get("error"):
            yield f'<p class="crash">It crashed: {esc(row["error"])}</p>'
        if row.get("turns"):
            yield f"<h4>Asked before</h4><ol>{''.join(f'<li>{esc(turn)}</li>' for turn in row['turns'])}</ol>"
        if row.get("query") and row["query"] != row["question"]:
            yield f'<h4>Searched for</h4><p>{esc(row["query"])}</p>'
        if row.get("ranks"):
            yield _rail(row)
        if row.get("wanted"):
            yield "<h4>What should have been found</h4>" + "".join(
                f'<blockquote>{esc(_legible(w["quote"]))}<cite>{esc(w["document"])}</cite></blockquote>'
                f'' for w in row["wanted"])
        if row.get("retrieved"):
            yield f'<h4>What came first after {"reranking" if "reranked" in row.get("ranks", {}) else "the search"}' \
                  f"</h4><ol>{''.join(_retrieved(row, at) for at in range(len(row['retrieved'])))}</ol>"
        if "answer" in row and row["answer"] not in shown:
            shown.add(row["answer"])
            yield _answer(suite, row)


def _rail(row: Mapping) -> str:
    """The rank of each wanted passage at each stage, as a row of stops; passages of the same ranks share one."""
    shared: dict[tuple, list[int]] = {}
    for at in range(max(map(len, row["ranks"].values()))):
        shared.setdefault(tuple(ranks[at] for ranks in row["ranks"].values()), []).append(at + 1)
    lines = []
    for found, passages in shared.items():
        stops = []
        for stage, rank in zip(row["ranks"], found, strict=True):
            inside = rank is not None and (stage == "evidence" or rank <= CUT)
            words = "not found" if rank is None else "quoted" if stage == "evidence" else f"rank {rank}"
            kind = "in" if inside else "deep" if rank else "out"
            stops.append(f'<li class="{kind}"><b>{STAGES[stage]}</b>{words}</li>')
        name = joined([str(n) for n in passages])
        label = f'<span class="soft">passage{"s" if len(passages) > 1 else ""} {name}</span>' \
            if len(shared) > 1 or len(passages) > 1 else ""
        lines.append(f'{label}<ul class="rail">{"".join(stops)}</ul>')
    return "".join(lines)


def _legible(text: str) -> str:
    """A document's text for reading: a table's rows without their bars and without its rule."""
    lines = [" · ".join(markdown_cells(line)) if line.lstrip().startswith("|") else line
             for line in text.split("\n") if not is_markdown_rule(line)]
    return "\n".join(lines)


def _retrieved(row: Mapping, at: int) -> str:
    item = row["retrieved"][at]
    ranks = row.get("ranks", {})
    order = ranks.get("reranked") or ranks.get("fused") or ()
    hit = ' class="hit"' if at + 1 in order else ""
    mark = '<span class="tag good">this is it</span> ' if hit else ""
    return f'<li{hit}>{mark}{esc(" ".join(_legible(item["text"]).split()))}… <cite>{esc(item["document"])}</cite></li>'


def _answer(suite: str, row: Mapping) -> str:
    text = esc(row["answer"]) or "(nothing)"
    facts, forbidden = facts_of(row)
    missing = [fact for fact in facts if not holds(fact, row["answer"])]
    said = [claim for claim in forbidden if holds([claim], row["answer"])]
    lines = [f'<h4>What it answered</h4><p class="answer">{text}</p>']
    if row["answerable"] and missing and suite != "injection":
        lines.append('<p class="lack"><b>Missing:</b> ' + "; ".join(" <i>or</i> ".join(f"“{esc(w)}”" for w in fact)
                                                                    for fact in missing) + "</p>")
    if said:
        lines.append(f'<p class="lack"><b>Said, but untrue:</b> {"; ".join(f"“{esc(claim)}”" for claim in said)}</p>')
    if row.get("reference"):
        lines.append(f'<p><b>A right answer:</b> {esc(row["reference"])}</p>')
    elif not row["answerable"]:
        lines.append("<p><b>Right would be</b> to say that the documents do not answer it.</p>")
    if row.get("confidence") is not None:
        lines.append(f'<p class="soft">The best passage was taken to answer it with a probability of '
                     f'{row["confidence"]:.2f}.</p>')
    return "".join(lines)


def facts_of(row: Mapping) -> tuple[list[list[str]], list[str]]:
    """(key facts, forbidden claims): of the row where it holds them, else of the project's own gold set, where the
    question is one of its."""
    if "facts" in row:
        return row["facts"], row.get("forbidden", [])
    return _own_facts().get((row["id"], row["question"]), ([], []))


def is_own(result: Mapping) -> bool:
    """Whether a run asked questions of the project's own gold set."""
    return any((row["id"], row["question"]) in _own_facts() for found in result["suites"].values()
               for row in found.get("questions", ())[:1])


@functools.cache
def _own_facts() -> dict[tuple[str, str], tuple[list[list[str]], list[str]]]:
    found = {}
    for file in sorted(GOLD.glob("*.jsonl")):
        for line in filter(str.strip, file.read_text(encoding="utf-8").split("\n")):
            row = json.loads(line)
            turns = row.get("turns")
            for n, turn in enumerate(turns or [row], 1):
                key = f"{row['id']}.{n}" if turns else row["id"]
                found[key, turn["question"]] = (turn.get("facts", []), turn.get("forbidden", []))
    return found
