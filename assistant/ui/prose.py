"""Text as HTML: everything escaped, a little Markdown and mathematics made readable, spans marked.

All text from documents, models and users passes through here, so that none of it can become markup.
Not covered: Markdown links and images, which stay as they are written, and TeX beyond one line.
"""
from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.text.blocks import blocks, is_code
from assistant.text.tables import has_header, is_markdown_rule

# `$…$` as pandoc reads it (no space inside the dollars, no digit behind), so that prices stay prices
_INLINE = re.compile(r"(?P<code>`[^`\n]+`)|(?P<math>\$(?=\S)[^$\n]+(?<=\S)\$(?!\d))"
                     r"|(?P<strong>\*\*(?=\S)[^*\n]+\*\*)|(?P<em>(?<![\w*])\*(?=\S)[^*\n]+(?<=\S)\*(?![\w*]))")
_SYMBOLS = {"cdot": "·", "times": "×", "approx": "≈", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠",
            "neq": "≠",
            "in": "∈", "sum": "∑", "prod": "∏", "sqrt": "√", "infty": "∞", "to": "→", "pm": "±", "dots": "…",
            "ldots": "…",
            "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "theta": "θ", "lambda": "λ",
            "mu": "μ", "sigma": "σ", "tau": "τ", "phi": "φ", "pi": "π", "mid": "|", "quad": " ", "_": "_", "%": "%",
            ",": " ", ";": " ", " ": " ", "{": "{", "}": "}", "|": "‖", "left": "", "right": ""}


@dataclass(frozen=True)
class Mark:
    """A span of the document to highlight, `start` to `end`, printed with its marker.

    cited  the answer cites it; others stand back
    main   the passage itself; False for what only helps to read it, such as the header row of its table
    """

    start: int
    end: int
    marker: int
    cited: bool = True
    main: bool = True


def esc(text: object, limit: int | None = None) -> str:
    """HTML-escaped, control characters shown as one sign, cut to `limit` characters with a count of what is left.

    It holds no markup, so that it may stand in an attribute too.
    """
    text = str(text)
    rest = len(text) - limit if limit is not None and len(text) > limit else 0
    shown = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "\N{REPLACEMENT CHARACTER}", text[:limit] if rest else text)
    more = f" … {rest:,} more characters" if rest else ""
    return html.escape(shown.encode("utf-8", "replace").decode("utf-8"), quote=True) + more


def inline(text: str) -> str:
    """One run of prose: escaped, with code, emphasis and formulas set."""
    parts, at = [], 0
    for found in _INLINE.finditer(text):
        parts += [esc(text[at:found.start()]), _set(found)]
        at = found.end()
    return "".join(parts) + esc(text[at:])


def marked(text: str, base: int = 0, marks: Sequence[Mark] = (), ids: str = "", header: str = "") -> str:
    """A chunk's text as HTML blocks. `base` is where the text starts in its document, marks are in the document.
    `header` is the header row of a table that begins before the text: its first rows are no header of their own.

    Each piece of a mark carries data-start and data-end (document offsets); the first has id `{ids}{marker}`.
    """
    named: set[int] = set()

    def cut(start: int, end: int, render: Callable[[str], str]) -> str:
        edges = {start, end}
        for mark in marks:
            edges |= {edge - base for edge in (mark.start, mark.end) if start < edge - base < end}
        points = sorted(edges)
        return "".join(_piece(text, a, b, base, marks, ids, named, render) for a, b in pairwise(points))

    parts = []
    for block in blocks(text):
        if block.kind == "table":
            parts.append(_table(text, block.start, block.end, cut, "" if parts else header))
        elif block.kind in ("code", "glued") or all(map(is_code, text[block.start:block.end].split("\n"))):
            start, end = block.start, block.end
            if block.kind == "code":
                start, end = _without_fences(text, start, end)
            if not text[start:end].strip(" `~"):  # the fence that ends a code which began in the chunk before
                continue
            parts.append(f'<pre class="gb-code" tabindex="0">{cut(start, end, esc)}</pre>')
        else:
            parts.append(f'<p class="gb-prose">{cut(block.start, block.end, inline)}</p>')
    return "".join(parts)


def _piece(text: str, a: int, b: int, base: int, marks: Sequence[Mark], ids: str, named: set[int],
           render: Callable[[str], str]) -> str:
    over = [mark for mark in marks if mark.start <= base + a and base + b <= mark.end]
    if not over or not text[a:b].strip():
        return render(text[a:b])
    mark = max(over, key=lambda m: (m.main, m.cited))
    first = mark.main and mark.marker not in named
    if first:
        named.add(mark.marker)
    label = f'<sup class="gb-no" aria-hidden="true">{mark.marker}</sup>' if first else ""
    name = f' id="{esc(ids)}{mark.marker}"' if first and ids else ""
    kind = "helps" if not mark.main else "cited" if mark.cited else "uncited"
    return (f'<mark class="{kind}" data-marker="{mark.marker}" data-start="{base + a}" data-end="{base + b}"{name}>'
            f"{label}{render(text[a:b])}</mark>")


def _table(text: str, start: int, end: int, cut: Callable[[int, int, Callable[[str], str]], str],
           header: str = "") -> str:
    names = "".join(f"<th>{inline(header[a:b])}</th>" for a, b in _cells(header)) if header else ""
    lines = text[start:end].split("\n")
    rows, at, head = [f"<tr>{names}</tr>"] if names else [], start, has_header(lines)
    for line in lines:
        if is_markdown_rule(line):
            head = False
        elif line.strip():
            tag = "th" if head and not rows else "td"
            cells = "".join(f"<{tag}>{cut(at + a, at + b, inline)}</{tag}>" for a, b in _cells(line))
            rows.append(f"<tr>{cells}</tr>")
        at += len(line) + 1
    return f'<div class="gb-scroll" tabindex="0" role="group" aria-label="table"><table>{"".join(rows)}</table></div>'


def _cells(line: str) -> list[tuple[int, int]]:
    bounds = [m.start() for m in re.finditer(r"(?<!\\)\|", line)]
    edges = [-1, *bounds, len(line)]
    cells = []
    for a, b in pairwise(edges):
        inner = line[a + 1:b]
        if inner.strip() or (a != -1 and b != len(line)):
            lead = len(inner) - len(inner.lstrip())
            cells.append((a + 1 + lead, max(a + 1 + lead, a + 1 + len(inner.rstrip()))))
    return cells


def _without_fences(text: str, start: int, end: int) -> tuple[int, int]:
    lines = text[start:end].split("\n")
    if lines[0].lstrip().startswith(("```", "~~~")):
        start = min(end, start + len(lines[0]) + 1)
        if len(lines) > 1 and lines[-1].strip().startswith(("```", "~~~")):
            end = max(start, end - len(lines[-1]) - 1)
    return start, end


def _set(found: re.Match) -> str:
    body = found.group()
    if found["code"]:
        return f"<code>{esc(body[1:-1])}</code>"
    if found["math"]:
        return f'<span class="gb-math">{math(body[1:-1])}</span>'
    return f"<strong>{inline(body[2:-2])}</strong>" if found["strong"] else f"<em>{inline(body[1:-1])}</em>"


def math(tex: str) -> str:
    """One line of TeX as HTML: fractions, roots, sub- and superscripts, common symbols; the rest as written."""
    tokens = re.findall(r"\\[A-Za-z]+|\\.|[{}_^]|[A-Za-z]+|[^\\{}_^A-Za-z]", tex)
    return _run(tokens, [0], stop=None)


def _run(tokens: list[str], at: list[int], stop: str | None) -> str:
    parts = []
    while at[0] < len(tokens):
        if tokens[at[0]] == stop:
            at[0] += 1
            break
        parts.append(_atom(tokens, at))
    return "".join(parts)


def _atom(tokens: list[str], at: list[int]) -> str:
    token = tokens[at[0]]
    at[0] += 1
    if token == "{":
        return _run(tokens, at, stop="}")
    if token in "_^":
        tag = "sub" if token == "_" else "sup"
        return f"<{tag}>{_argument(tokens, at)}</{tag}>"
    if token == r"\frac":
        over, under = _argument(tokens, at), _argument(tokens, at)
        return f'<span class="gb-frac"><span>{over}</span><span class="gb-over"> / </span><span>{under}</span></span>'
    if token == r"\sqrt":
        return f'√<span class="gb-root">{_argument(tokens, at)}</span>'
    if token in (r"\text", r"\mathrm", r"\operatorname", r"\mathbf"):
        return f'<span class="gb-rm">{_argument(tokens, at)}</span>'
    if token.startswith("\\"):
        return esc(_SYMBOLS[token[1:]]) if token[1:] in _SYMBOLS else f'<span class="gb-rm">{esc(token[1:])}</span>'
    return f"<i>{esc(token)}</i>" if token.isalpha() else esc(token)


def _argument(tokens: list[str], at: list[int]) -> str:
    while at[0] < len(tokens) and not tokens[at[0]].strip():
        at[0] += 1
    return _atom(tokens, at) if at[0] < len(tokens) else ""
