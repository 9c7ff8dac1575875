"""Columns that find their own widths: some grow, some shorten, and the least important ones leave when a terminal is
narrow. Nothing ever comes out wider than it may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tui.hardware.meter.marks import Line, Span
from tui.hardware.meter.words import cells, pad


class Column(NamedTuple):
    """How one column behaves when there is too little or too much room."""

    keep: int
    """Who stays longer: the column with the smallest number leaves first."""
    right: bool = False
    least: int = 0
    """Words may be shortened to this many cells; 0 for figures, which may not."""
    bend: int = 0
    """When words are shortened: before any column leaves whose `keep` is larger than this."""
    grow: int = 0
    """Part of the room that is left over."""


def arrange(columns: Sequence[Column], wanted: Sequence[int], width: int, gap: int) -> list[int]:
    """The width of each column, 0 for one that is left out; with the gaps between them at most `width`."""
    widths = list(wanted)
    excess = _total(widths, gap) - width
    for _when, index, leaves in _concessions(columns) if excess > 0 else ():
        if excess <= 0:
            break
        least = 0 if leaves else columns[index].least
        if widths[index] > least:
            alone = leaves and sum(map(bool, widths)) == 1 and columns[index].least
            widths[index] = max(0, width) if alone else max(least, widths[index] - excess) if least else 0
            excess = _total(widths, gap) - width
    _spread(columns, wanted, widths, width - _total(widths, gap))
    return widths


def _concessions(columns: Sequence[Column]) -> list[tuple[int, int, bool]]:
    """What is given up one after the other: when, which column, and whether it leaves."""
    bending = [(column.bend, index, False) for index, column in enumerate(columns) if column.least]
    return sorted([*bending, *((column.keep, index, True) for index, column in enumerate(columns))])


def _spread(columns: Sequence[Column], wanted: Sequence[int], widths: list[int], room: int) -> None:
    """Give `room` to the columns that were shortened, then to those that grow."""
    for index, cell in enumerate(widths):
        if cell and cell < wanted[index] and room > 0:
            more = min(room, wanted[index] - cell)
            widths[index] += more
            room -= more
    growing = [index for index, cell in enumerate(widths) if cell and columns[index].grow]
    shares = sum(columns[index].grow for index in growing)
    for index in growing if room > 0 else ():
        more = room * columns[index].grow // shares
        widths[index] += more
        room -= more
        shares -= columns[index].grow


def _total(widths: Sequence[int], gap: int) -> int:
    shown = [cell for cell in widths if cell]
    return sum(shown) + gap * (len(shown) - 1) if shown else 0


def laid_out(columns: Sequence[Column], rows: Sequence[Sequence[Span]], width: int, gap: int, mark: str) -> list[Line]:
    """Rows of one span a column as lines of at most `width` cells."""
    wanted = [max([cells(row[index][0]) for row in rows], default=0) for index in range(len(columns))]
    widths = arrange(columns, wanted, width, gap)
    return [_row_line(columns, row, widths, gap, mark) for row in rows]


def _row_line(columns: Sequence[Column], row: Sequence[Span], widths: Sequence[int], gap: int, mark: str) -> Line:
    """One row in columns of these widths."""
    line: Line = []
    space = (" " * gap, "")
    for column, (text, role), cell in zip(columns, row, widths, strict=True):
        if cell:
            if line:
                line.append(space)
            line.append((pad(text, cell, mark, column.right), role))
    return line
