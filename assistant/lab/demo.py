"""What a demo is: a claim, inputs with defaults, and a run that measures the claim on what the user typed.

A demo computes with the models of an Assistant and loads none itself. A Result says in numbers what was seen, and in
words whether the claim held for this input. Nothing here knows of a page or of a command line.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from assistant.errors import InputError
from assistant.pipeline import Assistant

MAX_TEXT = 4000     # characters of one text
MAX_LINES = 500     # lines of a list, where a demo sets no limit of its own
MAX_TOTAL = 20_000  # characters of a list: what the embedder reads in about two seconds on two cores
ENGLISH = "all-MiniLM-L6-v2"  # the embedded embedder, which was trained on English
LATIN = 0x24F       # the last code point of Latin Extended-B
FOREIGN = 0.3       # share of letters outside the Latin alphabet from which a result says so
SHORTEST_CUT = 100  # characters: no embedder reads fewer pieces, and a piece has one character or more
Report = Callable[[float, str], None]
"""Progress: called with (share done 0..1, what is at work)."""
Values = Mapping[str, Any]
"""{input's name: its value, parsed and checked}."""


@dataclass(frozen=True)
class Input:
    """One value that the user may change.

    kind     "text": one text; "lines": a list of texts, typed one a line; "number": whole where the default is;
             "choice": one of `options`; "file" and "picture": a path, "" for none
    low, high   a number's range, or how many lines a list must and may have; both included
    longest     characters of a text, or of one line; total: of a list's lines together
    optional    a text may be left empty
    local       names something of the machine that runs Glassbox: the command line's alone, for a page has visitors
    """

    name: str
    label: str
    default: Any
    kind: Literal["text", "lines", "number", "choice", "file", "picture"] = "text"
    help: str = ""
    low: float | None = None
    high: float | None = None
    options: tuple[str, ...] = ()
    optional: bool = False
    local: bool = False
    longest: int = MAX_TEXT
    total: int = MAX_TOTAL

    def parse(self, value: object) -> Any:
        """The value in its own type. InputError says what was found and what was expected."""
        if self.kind == "number":
            return self._number(value)
        if self.kind == "choice":
            if value not in self.options:
                raise InputError(f"{self.name} is {quoted(value)}: expected one of {', '.join(self.options)}")
            return value
        if self.kind in ("file", "picture"):
            return str(value or "").strip()
        if self.kind == "lines":
            return self._lines(value)
        return self._text(value)

    def _number(self, value: object) -> float | int:
        whole = isinstance(self.default, int)
        try:
            number = float(value)  # type: ignore[arg-type]
            if isinstance(value, bool) or (whole and number != int(number)):
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            raise InputError(f"{self.name} is {quoted(value)}: expected a {'whole ' if whole else ''}number, "
                             f"{self.low:g} to {self.high:g}") from None
        if not self.low <= number <= self.high:  # written so that nan is refused too
            raise InputError(f"{self.name} is {value}: expected {self.low:g} to {self.high:g}")
        return int(number) if whole else number

    def _lines(self, value: object) -> tuple[str, ...]:
        given = value.split("\n") if isinstance(value, str) else list(value)  # type: ignore[call-overload]
        lines = tuple(str(line).strip() for line in given if str(line).strip())
        low, high = int(self.low or 1), int(self.high or MAX_LINES)
        if not lines and self.optional:
            return ()
        if not low <= len(lines) <= high:
            few = "one" if len(lines) == 1 else f"{len(lines):,}" if lines else "no"
            raise InputError(f"{self.name} has {few} line{'s' if len(lines) != 1 else ''}: expected {low} to {high:,}, "
                             "one text a line")
        for number, line in enumerate(lines, 1):
            self._check(line, f"line {number} of {self.name}")
        if (found := sum(map(len, lines))) > self.total:
            raise InputError(f"{self.name} has {found:,} characters in all: expected at most {self.total:,}; shorten "
                             "it, or run with fewer lines")
        return lines

    def _text(self, value: object) -> str:
        text = str(value).strip()
        if not text and self.optional:
            return ""
        self._check(text, self.name)
        return text

    def _check(self, text: str, where: str) -> None:
        if not text:
            raise InputError(f"{where} is empty: type some words")
        if half := next((c for c in text if "\ud800" <= c <= "\udfff"), ""):  # what a shell makes of other encodings
            raise InputError(f"{where} holds {half!r}, which is no character: expected text in UTF-8; type it again")
        if len(text) > self.longest:
            raise InputError(f"{where} has {len(text):,} characters: expected at most {self.longest:,}; shorten it")
        if not any(c.isalnum() for c in text):
            raise InputError(f"{where} holds no letter or digit, only {text[:12]!r}: type some words")


class Link(str):
    """A table's cell that leads on: text everywhere, a button on the page. A picture's point with the same `pick` in
    its customdata does what the button does.

    pick   "input=value": runs the demo again with that input; or "stage=NAME": opens the trace at that stage
    trace  id of the trace that a stage belongs to
    """

    pick: str
    trace: str

    def __new__(cls, text: str, pick: str, trace: str = "") -> Link:
        made = super().__new__(cls, text)
        made.pick, made.trace = pick, trace
        return made


@dataclass(frozen=True)
class Table:
    """Rows of a table; cells are text, links or numbers, in the columns' order."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True)
class Result:
    """What a run saw.

    numbers      {name: value}; the claim rests on them
    holds        whether the claim held for this input; None where the input does not put it to the test
    verdict      the same in words, with the numbers
    explanation  why it is so, at most 60 words
    alt          the picture in words, for a screen reader
    draw         makes the picture, a plotly Figure; plotly is imported then and not before
    """

    numbers: Mapping[str, float | int | str]
    holds: bool | None
    verdict: str
    explanation: str
    alt: str
    draw: Callable[[], Any] = field(repr=False, compare=False)
    table: Table = Table((), ())

    def __post_init__(self) -> None:
        """numpy's own numbers and truths become Python's, which JSON knows."""
        object.__setattr__(self, "numbers", {name: _plain(value) for name, value in self.numbers.items()})
        object.__setattr__(self, "holds", _plain(self.holds))
        rows = tuple(tuple(_plain(cell) for cell in row) for row in self.table.rows)
        object.__setattr__(self, "table", Table(self.table.columns, rows))

    @property
    def figure(self) -> Any:
        return self.draw()

    def as_json(self) -> dict[str, object]:
        """Everything but the picture, as JSON values."""
        return {"numbers": dict(self.numbers), "holds": self.holds, "verdict": self.verdict,
                "explanation": self.explanation, "alt": self.alt,
                "table": {"columns": list(self.table.columns), "rows": [list(row) for row in self.table.rows]}}


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def no_report(done: float, what: str) -> None:
    """A Report that tells nobody."""


@dataclass(frozen=True)
class Demo:
    """One simulation or failure mode of the lesson.

    name     what `assistant lab NAME` takes; title is what a card shows
    chapter  number of the chapter that it belongs to, 0 to 9; None for all of them
    claim    one sentence, of which `run` says whether it holds
    work     the run itself, over checked values
    presets  ((label, {input: value}), ...) worth a try
    terms    words whose mention in an answer makes the demo worth a link, lower case
    measure  failure demos only, for the eval suite: {number's name: outcomes, one for each fixed pair}; the number is
             their mean, so that it can be given an interval and two runs be compared pair by pair
    roles    {number's name: "problem", "fix" or "beside"}: what each number of `measure` shows
    trains   it may take up to 30 s and reports progress; the others answer in 2 s when warm
    embeds   what is typed is read by the embedder, so its language matters
    """

    name: str
    title: str
    chapter: int | None
    claim: str
    inputs: tuple[Input, ...]
    work: Callable[[Values, Assistant, Report], Result]
    presets: tuple[tuple[str, Mapping[str, object]], ...] = ()
    terms: tuple[str, ...] = ()
    measure: Callable[[Assistant], dict[str, list[float]]] | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    trains: bool = False
    embeds: bool = True

    @property
    def shown(self) -> tuple[Input, ...]:
        """The inputs that a page offers."""
        return tuple(spec for spec in self.inputs if not spec.local)

    def defaults(self) -> dict[str, Any]:
        return {spec.name: spec.default for spec in self.inputs}

    def parse(self, given: Mapping[str, object]) -> dict[str, Any]:
        """All inputs, checked, defaults where none was given. An unknown name raises InputError."""
        names = [spec.name for spec in self.inputs]
        if unknown := [name for name in given if name not in names]:
            raise InputError(f"{self.name} has no input {quoted(unknown[0])}: expected one of {', '.join(names)}")
        return {spec.name: spec.parse(given.get(spec.name, spec.default)) for spec in self.inputs}

    def run(self, given: Mapping[str, object], rag: Assistant, progress: Report | None = None) -> Result:
        """Check the inputs, then measure. Bad input raises InputError before a model is touched."""
        values = self.parse(given)
        result = self.work(values, rag, progress or no_report)
        if self.embeds and (said := cut_off(values, rag)):
            result = replace(result, verdict=f"{result.verdict} {said}")
        if self.embeds and foreign(values) >= FOREIGN and rag.config.embedder == "embedded":
            result = replace(result, verdict=f"{result.verdict} But much of this text is in another script than the "
                             f"Latin one, and {ENGLISH} was trained on English: its vectors say little here.")
        return result


def foreign(values: Values) -> float:
    """The largest share of letters outside the Latin alphabet in any of the texts among the values, 0..1.

    One or two letters, such as the Greek ones of a formula, are no other language: then it is 0.
    """
    shares = [0.0]
    for value in values.values():
        text = value if isinstance(value, str) else " ".join(value) if isinstance(value, tuple) else ""
        letters = [c for c in text if c.isalpha()]
        others = sum(ord(c) > LATIN for c in letters)
        shares.append(others / len(letters) if others >= 3 else 0.0)
    return max(shares)


def cut_off(values: Values, rag: Assistant) -> str:
    """A sentence on the texts among the values that are longer than the embedder reads; "" where none is."""
    from assistant.lab.inside import count_tokens, max_tokens  # which imports this module
    texts = [text for value in values.values() for text in ([value] if isinstance(value, str) else
                                                            value if isinstance(value, tuple) else [])]
    if not (long := [text for text in texts if len(text) > SHORTEST_CUT]):
        return ""
    limit = max_tokens(rag)
    over = [count for count in count_tokens(rag, long) if count > limit]
    if not over:
        return ""
    what = f"one text has {over[0]:,}" if len(over) == 1 else f"{len(over)} texts have more, up to {max(over):,}"
    return f"The embedder reads the first {limit} word pieces of a text; {what}, and what lies beyond is not read."


def lines(*texts: str) -> str:
    """A default for an input of lines."""
    return "\n".join(texts)


def short(text: str, limit: int = 48) -> str:
    """A text's beginning on one line, for a label; what no terminal prints is a question mark in a diamond."""
    flat = " ".join(text.split())
    cut = flat if len(flat) <= limit else flat[:limit - 1].rstrip() + "…"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cut)


def quoted(value: object, limit: int = 60) -> str:
    """A value as an error shows it: in quotes where it is text, and no longer than a line takes."""
    return repr(value if len(value) <= limit else short(value, limit)) if isinstance(value, str) else \
        short(repr(value), limit)


def means(measured: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """{number: mean} of what a demo's `measure` gives."""
    return {name: sum(outcomes) / len(outcomes) for name, outcomes in measured.items()}


def rounded(values: Sequence[float], digits: int = 3) -> tuple[float, ...]:
    return tuple(round(float(value), digits) for value in values)
