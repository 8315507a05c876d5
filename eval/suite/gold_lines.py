"""What a line of a gold set must be: its keys and their shapes, looked at before anything is made of it.

A mistake of shape is easy to make and would not show: the fact "7:30" in the place of ["7:30"] would be read as four
wordings, "7", ":", "3" and "0", and nearly every answer would hold one. So each is named, all those of a line together.
"""
from __future__ import annotations

import json
import re
from collections.abc import Iterator

from eval.suite.gold_set import normal

SPLITS = ("open", "held")
TITLE = re.compile(r"[^./\\\0-\x1f][^/\\\0-\x1f]{0,99}")
PASSAGE = '{"document", "quote"}'


def problems(row: object) -> list[str]:
    """All that is wrong with a line's value, [] where it can be used. eval/gold/suite/README.md describes each key."""
    if not isinstance(row, dict):
        return [f"expected an object, found {type(row).__name__}"]
    return list(_problems(row))


def _problems(row: dict) -> Iterator[str]:
    for key in ("id", "kind"):
        if key not in row:
            yield f"{key!r} is missing"
        elif not _text(row[key]) and not (key == "id" and type(row[key]) is int):
            yield f"{key} is {_shown(row[key])}: expected text"
    if (split := row.get("split", "open")) not in SPLITS:
        yield f"split is {split!r}: expected one of {', '.join(SPLITS)}"
    if "turns" in row:
        turns = row["turns"]
        if not isinstance(turns, list) or not turns or not all(isinstance(turn, dict) for turn in turns):
            yield f"turns is {_shown(turns)}: expected a list of objects, one a turn"
            return
        for number, turn in enumerate(turns, 1):
            yield from (f"turn {number}: {problem}" for problem in _asked(turn))
            if turn.get("history"):
                yield f"turn {number}: history is what the turns before it say: take it out"
        return
    yield from _asked(row)
    history = row.get("history", [])
    if not isinstance(history, list) or not all(map(_message, history)):
        yield f'history is {_shown(history)}: expected a list of {{"role": "user" or "assistant", "content": text}}'
    if not _texts(row.get("canary", [])) or not all(map(_text, row.get("canary", []))):
        yield f"canary is {_shown(row['canary'])}: expected a list of texts"
    elif row.get("canary"):
        yield from _injection(row)


def _injection(row: dict) -> Iterator[str]:
    """Its document becomes a file of that name."""
    title = row.get("title")
    if not _text(title) or not TITLE.fullmatch(title):
        yield f"title is {_shown(title)}: expected an injection's title, at most 100 characters, without / or \\"
    if not _text(row.get("text")):
        yield f"text is {_shown(row.get('text'))}: expected the text of the injection's document"


def _asked(row: dict) -> Iterator[str]:
    """Of one question, or one turn of a conversation."""
    for key in ("question", "answerable"):
        if key not in row:
            yield f"{key!r} is missing"
    if "question" in row and not _text(row["question"]):
        yield f"question is {_shown(row['question'])}: expected text"
    answerable = row.get("answerable")
    if "answerable" in row and not isinstance(answerable, bool):
        yield f"answerable is {_shown(answerable)}: expected true or false"
    evidence, also, facts = (row.get(key, []) for key in ("evidence", "also", "facts"))
    for key, items in (("evidence", evidence), ("also", also)):
        if not isinstance(items, list) or not all(map(_passage, items)):
            yield f"{key} is {_shown(items)}: expected a list of {PASSAGE}"
    if not isinstance(facts, list) or not all(isinstance(fact, list) and fact and _texts(fact) for fact in facts):
        yield f"facts is {_shown(facts)}: expected a list of facts, each a list of its wordings, such as [[\"7:30\"]]"
    elif blank := [word for fact in facts for word in fact if not normal(word)]:
        yield f"facts holds the wording {blank[0]!r}, which says nothing: every answer would hold it"
    if answerable is True and not (evidence and facts):
        yield "an answerable question needs evidence and facts"
    if answerable is False and (evidence or also):
        yield "an unanswerable question has no evidence: take it out, or set answerable to true"
    if not _texts(row.get("forbidden", [])):
        yield f"forbidden is {_shown(row['forbidden'])}: expected a list of texts"
    if not isinstance(row.get("reference", ""), str):
        yield f"reference is {_shown(row['reference'])}: expected text"
    if isinstance(evidence, list) and isinstance(also, list):
        yield from _places(also, len(evidence))


def _places(also: list, places: int) -> Iterator[str]:
    for item in also:
        at = item.get("for") if isinstance(item, dict) else None
        if at is not None and not (type(at) is int and 0 <= at < places):
            yield f"also is for item {at}: expected 0 to {places - 1}"


def _passage(item: object) -> bool:
    return isinstance(item, dict) and _text(item.get("document")) and isinstance(item.get("quote"), str)


def _message(item: object) -> bool:
    return isinstance(item, dict) and item.get("role") in ("user", "assistant") and isinstance(item.get("content"), str)


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _shown(value: object) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
