"""Rows and cells of tables: Markdown's, and those whose column separators were lost in copying.

A copied web table often becomes lines such as "BGE-large-en1024Open-source": cells glued to each other. The places
where a cell may end can be seen (a small letter before a capital, a word before a number, a closing bracket before a
letter); the header row says how many of them are real.
"""
from __future__ import annotations

import re

Span = tuple[int, int]

_MARKDOWN_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$")
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


def is_markdown_rule(line: str) -> bool:
    """Whether a line is the `|---|---|` under a Markdown table's header."""
    return "-" in line and bool(_MARKDOWN_RULE.match(line)) and "|" in line


def markdown_cells(row: str) -> list[str]:
    r"""The cells of `| a | b |`, without their padding; `\|` is a bar inside a cell."""
    inner = re.sub(r"^\s*\||(?<!\\)\|\s*$", "", row.strip())
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]


def seams(line: str) -> list[int]:
    """Offsets where a glued cell may end, the surest first."""
    inside = [match.span() for match in _NAMES.finditer(line)]
    brackets = [match.span() for match in re.finditer(r"\([^()]*\)", line)]
    found: list[int] = []
    for pattern in _GLUE:
        for match in pattern.finditer(line):
            at = match.start()
            quoted = line[:at].count('"') % 2 == 1 and line[at:at + 1] not in "\"“"
            if at and at not in found and not quoted and not any(a < at < b for a, b in inside + brackets):
                found.append(at)
    return found


def glued_table(lines: list[str]) -> int:
    """How many of the first lines are one glued table: 0, or at least a header and two rows."""
    if not lines or not _could_be_header(lines[0]):
        return 0
    columns = len(seams(lines[0])) + 1
    rows = 1
    while rows < len(lines) and len(lines[rows]) < 200 and len(seams(lines[rows])) >= columns - 1 \
            and not re.search(r"[=;{}]\s|[.!?]$", lines[rows]):
        rows += 1
    return rows if rows >= 3 else 0


def _could_be_header(line: str) -> bool:
    return bool(seams(line)) and len(line) < 120 and not re.search(r"[=.,;:(){}\[\]!?]", line) and line[:1].isupper()


def glued_cells(line: str, columns: int) -> list[str]:
    """The line cut into at most `columns` cells at its surest seams."""
    cuts = sorted(seams(line)[:columns - 1])
    return [line[a:b].strip() for a, b in zip([0, *cuts], [*cuts, len(line)], strict=True)]


def row_text(header: list[str], cells: list[str]) -> str:
    """A row as a sentence can be read: "BGE-large-en — Dimensions: 1024; Strengths: Open-source, ..."."""
    if len(header) != len(cells) or len(cells) < 2:
        return " | ".join(cells)
    rest = "; ".join(f"{name}: {cell}" for name, cell in zip(header[1:], cells[1:], strict=True) if cell)
    return f"{cells[0]} — {rest}" if rest else cells[0]
