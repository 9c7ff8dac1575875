"""The whole transcript as lines, of which only those near the screen are drawn.

Heights of what was never drawn are guesses, corrected as it comes near the screen; `settle` says where the top of the
screen goes when a guess above it was wrong, so that what a person is reading never moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tui.app.panels.chat.entry import Entry
from tui.app.panels.chat.glyphs import UNICODE, Glyphs
from tui.app.panels.chat.heights import Heights
from tui.app.panels.chat.units import Unit


class Place(NamedTuple):
    """A line of the transcript: which entry, which unit of it, which line of that."""

    entry: int
    unit: int
    line: int


Row = tuple[Unit, int]
"""A unit and the index of one of its lines."""


KEPT_UNITS = 400
"""Units that stay drawn at least, and as many as four screens can have."""


class Document:
    """Entries below each other, for one width."""

    def __init__(self, glyphs: Glyphs = UNICODE) -> None:
        self.entries: list[Entry] = []
        self.glyphs = glyphs
        self.width = 0
        self.units_drawn = 0
        """Units that `settle` had to draw, since the beginning."""
        self._heights = Heights()
        self._recent: dict[Unit, None] = {}  # drawn units, the last seen ones at the end
        self.drift = 0
        """Lines by which guesses above the screen were short so far: a line's number less this never changes."""
        self._numbered = 0  # entries whose code blocks have their numbers
        self._fences: list[int] = []  # code blocks before each of those entries, and after the last

    # ---- entries --------------------------------------------------------------------------------------------------

    def replace(self, entries: list[Entry]) -> None:
        """Show these entries instead of all."""
        self.entries = entries
        self._renew(0)

    def add(self, entry: Entry) -> None:
        """Append an entry."""
        self.entries.append(entry)
        self._prepare(len(self.entries) - 1)
        self._heights.replace(len(self.entries) - 1, [entry.height])

    def remove(self, index: int) -> None:
        """Take an entry out."""
        del self.entries[index]
        self._renew(index)

    def index(self, key: str) -> int | None:
        """Where the entry of this key is; the newest ones are looked at first."""
        for index in range(len(self.entries) - 1, -1, -1):
            if self.entries[index].message.key == key:
                return index
        return None

    def _renew(self, start: int) -> None:
        for index in range(start, len(self.entries)):
            self._prepare(index)
        self._forget_numbers(start)
        self._heights.replace(start, [entry.height for entry in self.entries[start:]])

    def _prepare(self, index: int) -> None:
        entry = self.entries[index]
        if entry.first != (index == 0):
            entry.set_first(index == 0)
        entry.fit(self.width)

    def set_width(self, width: int, top: int = 0) -> int:
        """Lay out for another width: everything drawn is forgotten. Returns where the line `top` is now."""
        place = self.locate(top)
        share = 0.0
        if place is not None:
            share = place.line / max(1, self.entries[place.entry].heights[place.unit])
        self.width = width
        for entry in self.entries:
            entry.fit(width)
        self._heights.replace(0, [entry.height for entry in self.entries])
        if place is None:
            return 0
        line = int(share * self.entries[place.entry].heights[place.unit])
        return self.offset(place._replace(line=line))

    def set_glyphs(self, glyphs: Glyphs, top: int = 0) -> int:
        """Draw everything again with other glyphs. Returns where the line `top` is now."""
        self.glyphs = glyphs
        width = self.width
        top = self.set_width(1, top)
        return self.set_width(width, top)

    def advance(self, index: int) -> int | None:
        """Show what an entry has got. Returns the first line of the transcript that may look different, or None."""
        entry = self.entries[index]
        self._number_until(index)
        line = entry.advance(self.glyphs)
        self._heights.set(index, entry.height)
        if line is None:
            return None
        self._forget_numbers(index + 1)
        return self._heights.offset(index) + line

    # ---- code blocks ----------------------------------------------------------------------------------------------

    @property
    def fence_count(self) -> int:
        """Numbered code blocks in the transcript."""
        self._number_until(len(self.entries))
        return self._fences[-1] if self._fences else 0

    def fence(self, number: int) -> str | None:
        """The source of a code block by its number, counted from 1."""
        if not 1 <= number <= self.fence_count:
            return None
        for index in range(len(self.entries) - 1, -1, -1):
            if self._fences[index] < number:
                return self.entries[index].fence(number - self._fences[index] - 1)
        return None

    def _number_until(self, index: int) -> None:
        """Give the code blocks of the entries up to and with `index` their numbers."""
        if not self._fences:
            self._fences = [0]
        end = min(index + 1, len(self.entries))
        while self._numbered < end:
            entry = self.entries[self._numbered]
            entry.number_fences(self._fences[self._numbered])
            self._fences.append(self._fences[self._numbered] + entry.fence_count())
            self._heights.set(self._numbered, entry.height)
            self._numbered += 1

    def _forget_numbers(self, start: int) -> None:
        """Entries from `start` on are numbered again when they are needed."""
        start = max(0, start - 1)
        if self._numbered > start:
            self._numbered = start
            del self._fences[start + 1 :]

    # ---- lines ----------------------------------------------------------------------------------------------------

    @property
    def total(self) -> int:
        """Lines of the whole transcript; a guess as far as it is not drawn."""
        return self._heights.total

    def offset(self, place: Place) -> int:
        """The line of the transcript where a place is."""
        return self._heights.offset(place.entry) + self.entries[place.entry].heights.offset(place.unit) + place.line

    def locate(self, y: int) -> Place | None:
        """The place at a line, for what is opened already; None in an empty transcript."""
        if not self.entries:
            return None
        index = self._heights.find(y)
        entry = self.entries[index]
        inner = y - self._heights.offset(index)
        if not entry.opened:
            before = max(1, self._heights[index])
            self._open(index)
            inner = inner * entry.height // before
        unit = entry.heights.find(inner)
        return Place(index, unit, max(0, inner - entry.heights.offset(unit)))

    def settle(self, top: int, height: int, *, follow: bool, ahead: int = 0) -> int:
        """Draw what a screen of `height` lines from line `top` on shows, and `ahead` lines above and below it.

        Returns the line that the screen begins with now: guesses above it may have been wrong. With `follow` it shows
        the end whatever `top` is.
        """
        if not self.entries:
            return 0
        if not follow:
            place = self.locate(top)
            assert place is not None
            place = self._drawn(place)
            below = self._draw_down(place, height + ahead)
            top = self.offset(place)
            follow = below < height
        if follow:
            self._bottom(height)
            top = max(0, self.total - height)
        if ahead and top > 0:
            at_top = self.locate(top)
            assert at_top is not None
            self._draw_up(at_top, ahead)
            top = self.offset(at_top)
        self._put_away(max(KEPT_UNITS, 4 * height))
        return min(top, max(0, self.total - height))

    def rows(self, top: int, height: int) -> Iterator[Row]:
        """The lines from `top` on, at most `height` of them. They must have been settled."""
        place = self.locate(top)
        if place is None:
            return
        index, unit_index, line = place
        while index < len(self.entries) and height > 0:
            units = self.entries[index].units
            while unit_index < len(units) and height > 0:
                unit = units[unit_index]
                for at in range(line, min(len(unit.lines or ()), line + height)):
                    yield unit, at
                    height -= 1
                unit_index, line = unit_index + 1, 0
            index, unit_index = index + 1, 0
            if index < len(self.entries) and not self.entries[index].opened:
                return

    def _open(self, index: int) -> None:
        self._number_until(index)
        self.entries[index].open()
        self._heights.set(index, self.entries[index].height)

    def _draw(self, index: int, unit: int) -> int:
        """Draw a unit; returns its height."""
        entry = self.entries[index]
        drawn = entry.units[unit]
        if drawn.lines is None:
            self.units_drawn += 1
            entry.draw(unit, self.glyphs)
            self._heights.set(index, entry.height)
        self._recent.pop(drawn, None)
        self._recent[drawn] = None
        return entry.heights[unit]

    def _put_away(self, kept: int) -> None:
        """Keep the lines of what was on screen last, and no more: a long transcript is cheap to hold as well."""
        if len(self._recent) > 2 * kept:
            for unit in list(self._recent)[:-kept]:
                del self._recent[unit]
                if not unit.growing:
                    unit.put_away()

    def _drawn(self, place: Place) -> Place:
        """The place after its unit is drawn: as far down in it as before."""
        entry = self.entries[place.entry]
        if not entry.units:
            return place
        before = max(1, entry.heights[place.unit])
        known = entry.units[place.unit].lines is not None
        after = self._draw(place.entry, place.unit)
        line = place.line if known else place.line * after // before
        return place._replace(line=max(0, min(line, after - 1)))

    def _draw_down(self, place: Place, lines: int) -> int:
        """Draw from a place on until `lines` lines are there; returns how many there are."""
        found = -place.line
        index, unit = place.entry, place.unit
        while index < len(self.entries):
            self._open(index)
            while unit < len(self.entries[index].units):
                found += self._draw(index, unit)
                if found >= lines:
                    return found
                unit += 1
            index, unit = index + 1, 0
        return found

    def _draw_up(self, place: Place, lines: int) -> None:
        """Draw what stands above a place until `lines` lines are there."""
        found = place.line
        index, unit = place.entry, place.unit
        before = self._heights.offset(index) + self.entries[index].heights.offset(unit)
        bottom = Place(index, unit, 0)
        while found < lines:
            while unit > 0 and found < lines:
                unit -= 1
                found += self._draw(index, unit)
            if unit == 0 and index == 0:
                break
            if unit == 0:
                index -= 1
                self._open(index)
                unit = len(self.entries[index].units)
        self.drift += self.offset(bottom) - before

    def _bottom(self, height: int) -> None:
        """Draw the last `height` lines."""
        last = len(self.entries) - 1
        self._open(last)
        self._draw_up(Place(last, len(self.entries[last].units), 0), height)
