"""Tables of HTML made plain: one header row, every row as wide, no cell over several places, so that Markdown can
write them. What only sets things in place, as old pages do with tables, becomes paragraphs.
"""
from __future__ import annotations

import copy
import re
from collections.abc import Iterable

from bs4 import Tag

HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]
MAX_SPAN = 50        # columns that one cell may fill
MAX_PLACES = 100_000  # of a table, unless its cells are as many; beyond it no cell fills more than one
PLACE = 100           # characters of a cell over several rows that count as one more place


def tag(name: str, contents: Iterable) -> Tag:
    made = Tag(name=name)
    made.extend(list(contents))
    return made


def plain_tables(content: Tag) -> None:
    """Write the tables anew in their places; a list of names and values becomes `- name: value`."""
    for table in content.find_all("table"):
        own = [part for part in table.find_all(["caption", "thead", "tbody", "tfoot", "tr", "td", "th"])
               if part.find_parent("table") is table]
        rows = [part for part in own if part.name == "tr"]
        grid = _grid(rows)
        titles = []
        while len(grid) > 1 and len(grid[0]) > 1 and len(set(map(id, grid[0]))) == 1:  # one cell across all columns
            titles.append(grid.pop(0)[0])
        if len(grid) < 2 or len(grid[0]) < 2 or table.find(["table", "pre", *HEADINGS]):  # it only sets things in place
            for part in (*own, table):
                part.name = "div"
            continue
        for title in [table.caption, *titles]:
            if title:
                table.insert_before(tag("p", copy.copy(title).contents))
        if len(grid[0]) == 2 and all(row[0].name == "th" and row[1].name == "td" for row in grid):
            pairs = [[*copy.copy(name).contents, ": ", *copy.copy(value).contents] for name, value in grid]
            made = tag("ul", [tag("li", pair) for pair in pairs])
        else:
            made = tag("table", _written(grid))
        table.replace_with(made)


def _grid(rows: list[Tag]) -> list[list[Tag]]:
    """The cell at each place: one that fills several stands at each of them; all rows are as wide as the widest.

    Empty where one or a few rows are so wide that most places would be held by no cell.
    """
    held: dict[tuple[int, int], Tag] = {}
    cells = [row.find_all(["td", "th"], recursive=False) for row in rows]
    spans = {id(cell): (max(1, min(_number(cell, "colspan"), MAX_SPAN)),
                        min(_number(cell, "rowspan") or len(rows), len(rows) - y))  # 0 means to the end
             for y, row in enumerate(cells) for cell in row}
    repeated = sum((spans[id(cell)][1] - 1) * len(cell.get_text()) // PLACE for row in cells for cell in row
                   if spans[id(cell)][1] > 1)  # a cell is written in each of its rows
    if sum(across * down for across, down in spans.values()) + repeated > MAX_PLACES:
        spans = dict.fromkeys(spans, (1, 1))
    for y, row in enumerate(cells):
        x = 0
        for cell in row:
            while (y, x) in held:
                x += 1
            across, down = spans[id(cell)]
            held |= {(b, a): cell for b in range(y, y + down) for a in range(x, x + across)}
            x += across
    width = 1 + max((x for _, x in held), default=-1)
    if width * len(rows) > max(MAX_PLACES, 2 * len(held)):
        return []
    empty = Tag(name="td")
    grid = [[held.get((y, x), empty) for x in range(width)] for y in range(len(rows))]
    return [row for row in grid if any(cell.get_text(strip=True) for cell in row)]


def _number(cell: Tag, name: str) -> int:
    return int(cell[name]) if re.fullmatch(r"\d{1,4}", cell.get(name, "")) else 1


def _written(grid: list[list[Tag]]) -> list[Tag]:
    """The rows of a table with one header row: several are made one, column by column; without one it is the first."""
    head = next((n for n, row in enumerate(grid) if not all(c.name == "th" or c.find_parent("thead") for c in row)), 0)
    head = min(max(head, 1), len(grid) - 1)
    top = []
    for column in zip(*grid[:head], strict=True):
        cells = {id(cell): cell for cell in column}.values()
        top.append(tag("th", [part for cell in cells for part in (*copy.copy(cell).contents, " ")]))
    below = []
    for row in grid[head:]:  # a cell across columns is written once
        below.append(tag("tr", [tag("td", copy.copy(cell).contents if not x or cell is not row[x - 1] else [])
                                 for x, cell in enumerate(row)]))
    return [tag("tr", top), *below]
