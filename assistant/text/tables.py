"""Rows and cells of tables: Markdown's, and those whose column separators were lost in copying.

A copied web table often becomes lines such as "BGE-large-en1024Open-source": cells glued to each other. The places
where a cell may end can be seen (a small letter before a capital, a word before a number, a closing bracket before a
letter); the header row says how many of them are real.
"""
from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

Span = tuple[int, int]

# the strongest signs first: these rarely stand inside one cell
_GLUE = (
    re.compile(r"(?<=[)\]\"”%])(?=[A-Za-z~$])"),          # (fake ordering)|Implies
    re.compile(r"(?<=[a-z][)\]])(?=\d)"),                 # (mild)|1536
    re.compile(r"(?<=[A-Za-z)])(?=[~$])"),                # small|$0.02
    re.compile(r"(?<=\d)(?=[~$])"),                       # 0.02|~200
    re.compile(r"(?<=[A-Za-z])(?=\d{3,4}(?!\d))"),        # small|1536
    re.compile(r"(?<=[A-Za-z]\d)(?=\d{4}(?!\d))"),        # v3|1024
    re.compile(r"(?<=\d{3})(?=[A-Z])"),                   # 1536|General
    re.compile(r"(?<=[a-z]{2})(?=[\"“][A-Za-z])"),        # blindness|"not good"
    re.compile(r"(?<=[a-z]{2})(?=[A-Z][a-z])"),           # mismatch|Jargon
    re.compile(r"(?<=[A-Z])(?=[A-Z][a-z]{2})"),           # TF-IDF|Distinctive
    re.compile(r"(?<=[a-z]{2})(?=[A-Z]{2})"),             # ordering|TF-IDF
)
# names that hold such a place themselves
_NAMES = re.compile(r"(OpenAI|ChatGPT|GitHub|GitLab|YouTube|LinkedIn|PowerPoint|JavaScript|TypeScript|PostgreSQL|"
                    r"MySQL|NoSQL|GraphQL|LangChain|LlamaIndex|PyTorch|TensorFlow|DeepMind|WhatsApp|PayPal|"
                    r"iPhone|macOS|DevOps|SaaS|LaTeX|ImageBind|RoBERTa|ColBERT|OpenCLIP)")
_BRACKETS = re.compile(r"\([^()]*\)")


def is_markdown_rule(line: str) -> bool:
    """Whether a line is the `|---|---|` under a Markdown table's header."""
    inner = line.strip().removeprefix("|").removesuffix("|")
    return "|" in line and all(re.fullmatch(":?-+:?", cell.strip()) for cell in inner.split("|"))


def has_header(lines: Sequence[str]) -> bool:
    """Whether the lines of a Markdown table begin with a header: its rule stands under it."""
    return len(lines) > 1 and is_markdown_rule(lines[1])


def markdown_cells(row: str) -> list[str]:
    r"""The cells of `| a | b |`, without their padding; `\|` is a bar inside a cell."""
    inner = re.sub(r"^\s*\||(?<!\\)\|\s*$", "", row.strip())
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]


def seams(line: str) -> list[int]:
    """Offsets where a glued cell may end, the surest first."""
    # a dict keeps the order and knows its keys; with what is inside counted once a line takes time as it is long
    inside = {at for part in (_NAMES, _BRACKETS) for match in part.finditer(line)
              for at in range(match.start() + 1, match.end())}
    quotes = [0, *itertools.accumulate(sign == '"' for sign in line)]
    found: dict[int, None] = {}
    for pattern in _GLUE:
        for match in pattern.finditer(line):
            at = match.start()
            quoted = quotes[at] % 2 == 1 and line[at:at + 1] not in "\"“"
            if at and not quoted and at not in inside:
                found[at] = None
    return list(found)


def glued_table(lines: list[str], at: int = 0) -> int:
    """How many lines from `at` on are one glued table: 0, or at least a header and two rows."""
    if at >= len(lines) or not _could_be_header(lines[at]) or _name_alike(lines[at:at + 2]):
        return 0
    columns = len(seams(lines[at])) + 1
    after = at + 1
    while after < len(lines) and len(lines[after]) < 200 and len(seams(lines[after])) >= columns - 1 \
            and not re.search(r"[=;{}]\s|[.!?]$", lines[after]):
        after += 1
    return after - at if after - at >= 3 else 0


def _could_be_header(line: str) -> bool:
    return len(line) < 120 and line[:1].isupper() and not re.search(r"[=.,;:(){}\[\]!?]", line) and \
        bool(cuts := seams(line)) and not any(line[cut].isdigit() for cut in cuts)  # "Flight LH400 Frankfurt"


def _name_alike(lines: list[str]) -> bool:
    """Whether two lines begin with names of one kind ("UserService handles", "OrderService handles"): no header says
    in its second cell what the row below it does."""
    ends = [line[min(cuts):].split(None, 1)[0] for line in lines if (cuts := seams(line))]
    return len(ends) == 2 and ends[0] == ends[1]


def glued_cells(line: str, columns: int) -> list[str]:
    """The line cut into at most `columns` cells at its surest seams."""
    cuts = sorted(seams(line)[:columns - 1])
    return [line[a:b].strip() for a, b in zip([0, *cuts], [*cuts, len(line)], strict=True)]


def row_text(header: list[str], cells: list[str]) -> str:
    """A row as a sentence can be read: "BGE-large-en — Dimensions: 1024; Strengths: Open-source, ...". Without a header
    two cells are a name and its value: "Price: 20 EUR"."""
    if not header and len(cells) == 2:
        return ": ".join(cell for cell in cells if cell)
    if len(header) != len(cells) or len(cells) < 2:
        return " | ".join(cells)
    rest = "; ".join(f"{name}: {cell}" if name else cell
                     for name, cell in zip(header[1:], cells[1:], strict=True) if cell)
    return f"{cells[0]} — {rest}" if rest else cells[0]
