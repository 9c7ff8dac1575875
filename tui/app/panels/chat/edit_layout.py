"""How the prompt's lines are wrapped and where its cursor is drawn. Only lines near the cursor are ever laid out, so a
prompt of a megabyte costs no more than a short one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len

from tui.app.panels.chat.edit_buffer import EditBuffer, Position
from tui.app.panels.chat.sanitize import TAB_COLUMNS, clean, steady
from tui.app.panels.chat.wrap import graphemes, spans

_LONG_LINE, _LONG_WIDE_LINE = 20_000, 4_000
"""Characters above which a line is cut at fixed places, which needs no look at its text."""


class Row(NamedTuple):
    """One row on the screen: a line, and which of the line's rows it is."""

    line: int
    row: int


def shown(text: str) -> str:
    """A part of a line as it is drawn: nothing of it moves the terminal's cursor."""
    return steady(clean(text.replace("\t", " " * TAB_COLUMNS)))


def starts(line: str, width: int) -> Sequence[int]:
    """Where the rows of a line begin, in characters. Each row goes up to the next; blanks at its end may hang over."""
    simple = line.isascii() and "\t" not in line
    if simple and len(line) <= width:
        return (0,)
    if len(line) > (_LONG_LINE if simple else _LONG_WIDE_LINE):
        return range(0, len(line), max(1, width if simple else width // TAB_COLUMNS))
    return _simple_starts(line, width) if simple else _wide_starts(line, width)


@lru_cache(maxsize=64)
def _simple_starts(line: str, width: int) -> tuple[int, ...]:
    return tuple([start for start, _, _ in spans(line, width)])


@lru_cache(maxsize=64)
def _wide_starts(line: str, width: int) -> tuple[int, ...]:
    found = [0]
    cells = 0
    word = 0  # where the word that is being read begins
    for first, last, size in graphemes(line):
        if last - first > 1 or line[first] == "\t":
            size = cell_len(shown(line[first:last]))
        blank = line[first:last].isspace()
        if cells + size > width and not blank and first > found[-1]:
            start = word if word > found[-1] else first
            found.append(start)
            cells = cell_len(shown(line[start:first]))
        cells += size
        if blank or size > 1:
            word = last
    return tuple(found)


class EditLayout:
    """The rows of a buffer at one width, and the window of them that is on screen."""

    def __init__(self, buffer: EditBuffer) -> None:
        self.width = 1
        self.top = Row(0, 0)
        """The first row on screen."""
        self._buffer = buffer

    def height(self, most: int) -> int:
        """Rows of the whole text, counted up to `most`."""
        rows = 0
        for line in self._buffer.lines:
            rows += len(starts(line, self.width))
            if rows >= most:
                return most
        return rows

    def row_of(self, position: Position) -> Row:
        """The row in which a position is drawn."""
        line, column = position
        begins = starts(self._buffer.lines[line], self.width)
        low, high = 0, len(begins)
        while high - low > 1:  # the last row that begins at or before the column
            middle = (low + high) // 2
            low, high = (middle, high) if begins[middle] <= column else (low, middle)
        return Row(line, low)

    def span(self, row: Row) -> tuple[int, int]:
        """The characters of a row: from, to."""
        line = self._buffer.lines[row.line]
        begins = starts(line, self.width)
        return begins[row.row], begins[row.row + 1] if row.row + 1 < len(begins) else len(line)

    def text(self, row: Row) -> str:
        """The characters of a row."""
        start, end = self.span(row)
        return self._buffer.lines[row.line][start:end]

    def cells(self, position: Position) -> int:
        """The column on screen of a position."""
        row = self.row_of(position)
        start, _ = self.span(row)
        return min(cell_len(shown(self._buffer.lines[row.line][start : position[1]])), self.width)

    def position(self, row: Row, column: int) -> Position:
        """The position that is drawn at a column of a row, or the nearest one before."""
        start, end = self.span(row)
        text = self._buffer.lines[row.line][start:end]
        is_last = row.row + 1 == len(starts(self._buffer.lines[row.line], self.width))
        cells = 0
        for first, last, _ in graphemes(text):
            size = cell_len(shown(text[first:last]))
            if cells + size > column or (last == len(text) and not is_last):
                return row.line, start + first
            cells += size
        return row.line, end

    def above(self, row: Row) -> Row | None:
        """The row before, or None at the beginning."""
        if row.row:
            return Row(row.line, row.row - 1)
        if not row.line:
            return None
        return Row(row.line - 1, len(starts(self._buffer.lines[row.line - 1], self.width)) - 1)

    def below(self, row: Row) -> Row | None:
        """The row after, or None at the end."""
        if row.row + 1 < len(starts(self._buffer.lines[row.line], self.width)):
            return Row(row.line, row.row + 1)
        return Row(row.line + 1, 0) if row.line + 1 < len(self._buffer.lines) else None

    def window(self, height: int) -> list[Row]:
        """The rows on screen, moved so that the cursor is among them and no row is left empty for nothing."""
        cursor = self.row_of(self._buffer.cursor)
        lines = self._buffer.lines
        top = self.top if self.top.line < len(lines) else cursor
        top = min(top._replace(row=min(top.row, len(starts(lines[top.line], self.width)) - 1)), cursor)
        rows = self._down(top, height)
        if cursor not in rows:
            rows = self._up(cursor, height)
        elif len(rows) < height:
            rows = self._up(rows[-1], height)
        self.top = rows[0]
        return rows

    def _down(self, row: Row, count: int) -> list[Row]:
        rows = [row]
        while len(rows) < count and (following := self.below(rows[-1])) is not None:
            rows.append(following)
        return rows

    def _up(self, row: Row, count: int) -> list[Row]:
        rows = [row]
        while len(rows) < count and (before := self.above(rows[-1])) is not None:
            rows.append(before)
        return rows[::-1]
