"""The units a transcript is laid out in: each knows its height before it is drawn, and its lines after.

A unit is drawn for one width; what it draws is plain lines, so that a theme change does not draw it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from tui.app.panels.chat.blocks import layout_chunk, margin_of, marker_runs, space_before
from tui.app.panels.chat.chunk import Chunk
from tui.app.panels.chat.code import (
    LONGEST_COLOURED_LINE,
    coloured_lines,
    frame_bottom,
    frame_line,
    frame_top,
    plain_runs,
)
from tui.app.panels.chat.glyphs import Glyphs
from tui.app.panels.chat.lines import BLANK, Line, Run, first_difference, prefixed

COLOURED_AT_ONCE = 100
"""Lines of code that are coloured while drawing; longer fences are coloured in steps."""

_serials = count()


class Unit:
    """Something that takes a number of whole lines. `lines` is None until it is drawn."""

    __slots__ = ("_known", "lines", "serial")

    def __init__(self) -> None:
        self.serial = next(_serials)
        """Never the same for two units; strips are cached under it."""
        self.lines: list[Line] | None = None
        self._known = -1  # lines it took before they were put away

    def height(self, width: int) -> int:
        """Lines that it takes; a guess before it is drawn for the first time."""
        if self.lines is not None:
            return len(self.lines)
        return self._known if self._known >= 0 else self.estimate(width)

    def estimate(self, width: int) -> int:
        """About how many lines it will take, found without drawing it."""
        return 1

    def draw(self, width: int, glyphs: Glyphs) -> None:
        """Set `lines`."""
        raise NotImplementedError

    def take_over(self, old: Unit) -> int:
        """Stand in the place of a unit: lines that look the same stay the same, and so do their strips. Returns the
        first line that does not."""
        if self.lines is None or old.lines is None:
            return 0
        same = first_difference(old.lines, self.lines)
        self.lines[:same] = old.lines[:same]
        self.serial = old.serial
        return same

    @property
    def growing(self) -> bool:
        """It may still get more lines."""
        return False

    def put_away(self) -> None:
        """It is far from the screen: keep no lines, only how many they were."""
        if self.lines is not None:
            known = len(self.lines)
            self.forget()
            self._known = known

    def forget(self) -> None:
        """The width has changed: what was drawn is void."""
        self.lines = None
        self._known = -1
        self.serial = next(_serials)

    @property
    def colouring(self) -> bool:
        """Whether there is colouring left to do."""
        return False

    def colour(self, glyphs: Glyphs) -> tuple[int, int]:
        """Do a little of it; returns where the lines that changed start and end."""
        return 0, 0


class ChunkUnit(Unit):
    """A piece of an answer, drawn as Markdown, or of plain text in one style."""

    __slots__ = ("_style", "chunk")

    def __init__(self, chunk: Chunk, style: str = "") -> None:
        super().__init__()
        self.chunk = chunk
        self._style = style

    def estimate(self, width: int) -> int:
        room = max(8, width - self.chunk.margin)
        return max(1, len(self.chunk.lines) + self.chunk.size // (room + room // 2)) + space_before(self.chunk)

    def draw(self, width: int, glyphs: Glyphs) -> None:
        lines = layout_chunk(self.chunk, width, glyphs)
        if self._style:
            lines = [
                Line(tuple([(text, style or self._style) for text, style in one.runs]), one.joint) for one in lines
            ]
        self.lines = lines


class FenceUnit(Unit):
    """A fence. While it is open its lines are appended one by one; when it is closed they are coloured."""

    __slots__ = ("_body", "_colour_at", "_coloured", "_colours", "_drawn", "_shape", "chunk", "number", "tail")

    def __init__(self, chunk: Chunk, number: int) -> None:
        super().__init__()
        self.chunk = chunk
        self.number = number
        self.tail = ""
        """The line that is not complete yet."""
        self._drawn = 0  # lines of the chunk that are drawn for good
        self._body = 0  # where their lines end
        self._shape = (0, 0)  # columns of the margin and of the frame
        self._colours: Iterator[list[Run]] | None = None
        self._colour_at = (0, 0)  # next line of the chunk, and where it is drawn
        self._coloured = False

    def estimate(self, width: int) -> int:
        return len(self.chunk.lines) + 2 + space_before(self.chunk) + self.chunk.size // (4 * width)

    def forget(self) -> None:
        super().forget()
        self._drawn = 0
        self._colours, self._coloured = None, False

    def draw(self, width: int, glyphs: Glyphs) -> None:
        margin = margin_of(self.chunk, width)
        self._shape = (margin, width - margin)
        self._drawn = 0
        top = [frame_top(self.chunk.info, self.number, width - margin, glyphs)]
        if margin:
            top = prefixed(top, marker_runs(self.chunk, margin, glyphs), ())
        self.lines = [BLANK] * space_before(self.chunk) + top
        self._colour_at = (0, len(self.lines))
        self._body = len(self.lines)
        self.grow(glyphs)

    def grow(self, glyphs: Glyphs) -> int:
        """Draw the lines that were added, and the tail and the lower border again.

        Returns the first line that changed.
        """
        assert self.lines is not None
        start = self._body
        before = self.lines[start:]
        del self.lines[start:]
        while self._drawn < len(self.chunk.lines):
            self.lines.extend(self._code(plain_runs(self.chunk.lines[self._drawn]), glyphs, self._drawn))
            self._drawn += 1
        self._body = len(self.lines)
        if self.tail:
            self.lines.extend(self._code(plain_runs(self.tail), glyphs, -1))
        self.lines.extend(self._margin([frame_bottom(self._shape[1], glyphs)]))
        if self.colouring and len(self.chunk.lines) <= COLOURED_AT_ONCE:
            return self.colour(glyphs)[0]
        return start + first_difference(before, self.lines[start:])

    @property
    def growing(self) -> bool:
        return not self.chunk.closed

    @property
    def colouring(self) -> bool:
        return self.chunk.closed and self.lines is not None and not self._coloured

    def colour(self, glyphs: Glyphs) -> tuple[int, int]:
        assert self.lines is not None
        if self._colours is None:
            self._colours = coloured_lines(self.chunk.text, self.chunk.info) if not self.chunk.glued else iter(())
        index, at = self._colour_at
        start = at
        for _ in range(COLOURED_AT_ONCE):
            runs = next(self._colours, None) if index < len(self.chunk.lines) else None
            if runs is None or not _same(runs, self.chunk.lines[index]):
                index = len(self.chunk.lines)
                break
            made = self._code(runs, glyphs, index)
            self.lines[at : at + len(made)] = made
            index, at = index + 1, at + len(made)
            if index == len(self.chunk.lines):
                break
        self._colour_at = (index, at)
        if index >= len(self.chunk.lines):
            self._coloured, self._colours = True, None
        return start, at

    def _code(self, runs: list[Run], glyphs: Glyphs, index: int) -> list[Line]:
        return self._margin(frame_line(runs, self._shape[1], glyphs, glued=index in self.chunk.glued))

    def _margin(self, lines: list[Line]) -> list[Line]:
        margin = self._shape[0]
        if not margin:
            return lines
        blanks = [(" " * margin, "pad")]
        return prefixed(lines, blanks, blanks)


def _same(runs: list[Run], source: str) -> bool:
    """Whether coloured runs show exactly the line they were made from."""
    if len(source) > LONGEST_COLOURED_LINE:
        return False
    return "".join([text for text, _ in runs]) == "".join([text for text, _ in plain_runs(source)])
