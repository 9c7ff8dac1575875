"""Turns lines into strips and keeps the strips, so that scrolling and repainting only look them up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.app.panels.chat.lines import Line
from tui.app.panels.chat.palette import Palette

if TYPE_CHECKING:
    from tui.app.panels.chat.units import Unit

Instead = Callable[["Unit", int], Line | None]
"""Takes a unit and the number of a line in it."""
_KEPT = 400
"""Strips kept: a few screens of them. Each is a handful of objects, so that more would only slow the collector."""


class Strips:
    """Strips of one width, with a margin of blanks on their left. The same line is never made into a strip twice while
    it stays near the screen."""

    def __init__(self, palette: Palette, margin: int) -> None:
        self.made = 0
        """Strips made since the beginning."""
        self.instead: Instead | None = None
        """Knows what stands in place of a line, of as many cells; None for the most of them."""
        self._palette = palette
        self._margin = margin
        self._width = 0
        self._kept: dict[tuple[int, int], tuple[Line, Strip]] = {}

    def clear(self) -> None:
        """The theme has changed."""
        self._kept.clear()

    def set_width(self, width: int) -> None:
        """Cells of a whole strip."""
        if width != self._width:
            self._width = width
            self._kept.clear()

    def strip(self, unit: Unit, index: int, line: Line) -> Strip:
        """The strip of `line`, which is line `index` of a unit."""
        line = (self.instead(unit, index) or line) if self.instead is not None else line
        kept = self._kept.get((unit.serial, index))
        if kept is not None and kept[0] is line:
            return kept[1]
        made = self.make(line)
        self._kept[(unit.serial, index)] = (line, made)
        if len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]
        return made

    def blank(self) -> Strip:
        """A strip without text."""
        return Strip.blank(self._width, self._palette.base)

    def make(self, line: Line) -> Strip:
        """A new strip."""
        self.made += 1
        palette = self._palette
        segments = [Segment(" " * self._margin, palette.base)]
        cells = self._margin
        for text, style in line.runs:
            segments.append(Segment(text, palette[style]))
            cells += cell_len(text)
        if cells < self._width:
            segments.append(Segment(" " * (self._width - cells), palette.base))
        return Strip(segments, max(cells, self._width)).crop(0, self._width)

    def with_places(self, strip: Strip, y: int) -> Strip:
        """The strip with the place of each character in it, which text selection by mouse looks for."""
        segments: list[Segment] = []
        x = -self._margin
        for text, style, _ in strip:
            place = Style.from_meta({"offset": (max(0, x), y)})
            segments.append(Segment(text, style + place if style else place))
            x += len(text)
        return Strip(segments, strip.cell_length)

    def selected(self, line: Line, start: int, end: int, look: Style) -> Strip:
        """A new strip with the characters from `start` to `end` (-1: all) drawn as selected."""
        strip = self.make(line)
        text = line.text
        first = self._margin + cell_len(text[:start])
        last = self._margin + (cell_len(text) if end < 0 else cell_len(text[:end]))
        if last <= first:
            return strip
        left, middle, right = strip.crop(0, first), strip.crop(first, last), strip.crop(last)
        marked = [Segment(text, style + look if style else look) for text, style, _ in middle]
        return Strip.join([left, Strip(marked, last - first), right])
