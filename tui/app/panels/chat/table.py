"""Lays out tables: columns shrink and their text wraps until the table fits; no word that fits and no number is cut.

Where even that is impossible, each row becomes a small list of "header: value" lines, so that a table of any number of
columns can be read in any terminal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from rich.cells import cell_len

from tui.app.panels.chat.glyphs import Glyphs
from tui.app.panels.chat.lines import FRAME, Line, Run, line
from tui.app.panels.chat.wrap import wrap

Align = Literal["left", "center", "right"]
Cell = list[Run]

_BETWEEN = "  "
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_NUMBER = re.compile(r"\d")
_SHORTEST_WORD = 12
"""Words longer than this may be cut when there is no room, numbers never."""


@dataclass(slots=True)
class Table:
    """A parsed table; cells are runs."""

    header: list[Cell]
    aligns: list[Align]
    rows: list[list[Cell]] = field(default_factory=list)
    headless: bool = False
    """The header stands in the piece before; it is not shown again."""


def layout_table(table: Table, width: int, glyphs: Glyphs) -> list[Line]:
    """The lines of a table, none wider than `width` cells."""
    cells = [*([] if table.headless and table.rows else [table.header]), *table.rows]
    wanted = [max((_wanted(row[column]) for row in cells), default=1) for column in range(len(table.header))]
    least = [max((_least(row[column]) for row in cells), default=1) for column in range(len(table.header))]
    room = width - len(_BETWEEN) * (len(wanted) - 1)
    widths = _share(wanted, least, room)
    if widths is None:
        return _as_list(table, width, glyphs)
    made: list[Line] = []
    if not (table.headless and table.rows):
        made.extend(_row(table.header, widths, table.aligns))
        made.append(_rule(widths, glyphs))
    bodies = [_row(row, widths, table.aligns) for row in table.rows]
    spaced = any(len(body) > 1 for body in bodies)
    for index, body in enumerate(bodies):
        if index and spaced:
            made.append(Line(()))
        made.extend(body)
    return made


def _wanted(cell: Cell) -> int:
    """Cells that the text takes without wrapping."""
    text = "".join([text for text, _ in cell])
    return max([cell_len(part) for part in text.split("\n")])


def _least(cell: Cell) -> int:
    """Cells below which a number or a word of usual length would have to be cut."""
    least = 1
    for word in "".join([text for text, _ in cell]).split():
        size = cell_len(word) if word.isascii() else min(cell_len(word), 4)
        least = max(
            least, size if _NUMBER.search(word) and len(word) <= 2 * _SHORTEST_WORD else min(size, _SHORTEST_WORD)
        )
    return least


def _share(wanted: Sequence[int], least: Sequence[int], room: int) -> list[int] | None:
    """Widths of the columns within `room`; None when their least widths do not fit.

    Each column gets its least; what is left goes to the narrowest wishes first, so that short columns are never wrapped
    for the sake of a long one.
    """
    if sum(wanted) <= room:
        return list(wanted)
    if sum(least) > room:
        return None
    widths = list(least)
    left = room - sum(least)
    pending = sorted(
        (index for index in range(len(wanted)) if wanted[index] > least[index]),
        key=lambda index: wanted[index] - least[index],
    )
    while pending:
        index = pending.pop(0)
        more = min(wanted[index] - least[index], left // (len(pending) + 1))
        widths[index] += more
        left -= more
    return widths


def _row(cells: Sequence[Cell], widths: Sequence[int], aligns: Sequence[Align]) -> list[Line]:
    columns = [wrap(cell, max(size, 1)) for cell, size in zip(cells, widths, strict=True)]
    made: list[Line] = []
    for at in range(max(len(column) for column in columns)):
        runs: list[Run] = []
        for index, column in enumerate(columns):
            if index:
                runs.append((_BETWEEN, ""))
            piece = column[at].runs if at < len(column) else ()
            runs.extend(_aligned(piece, widths[index], aligns[index], last=index == len(columns) - 1))
        made.append(line(*runs))
    return made


def _aligned(runs: Sequence[Run], width: int, align: Align, *, last: bool) -> list[Run]:
    free = max(0, width - sum([cell_len(text) for text, _ in runs]))
    before = {"left": 0, "right": free, "center": free // 2}[align]
    after = 0 if last else free - before
    return [(" " * before, ""), *runs, (" " * after, "")]


def _rule(widths: Sequence[int], glyphs: Glyphs) -> Line:
    runs: list[Run] = []
    for index, width in enumerate(widths):
        if index:
            runs.append((_BETWEEN, FRAME))
        runs.append((glyphs.horizontal * width, FRAME))
    return line(*runs)


def _as_list(table: Table, width: int, glyphs: Glyphs) -> list[Line]:
    """Each row as lines of "header: value", for tables that cannot stand side by side."""
    made: list[Line] = []
    empty: list[Cell] = [[] for _ in table.header]
    for index, row in enumerate(table.rows or [empty]):
        if index:
            made.append(line((glyphs.horizontal * min(width, 12), FRAME)))
        for title, cell in zip(table.header, row, strict=True):
            mark = [(": ", "")] if title and cell else []
            made.extend(wrap([*title, *mark, *cell], width))
    return made


def break_cell(cell: Sequence[Run]) -> Cell:
    """A cell with `<br>` as a line break, the one piece of HTML that tables cannot do without."""
    return [(_BREAK.sub("\n", text), style) for text, style in cell]
