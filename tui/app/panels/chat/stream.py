"""Text that streams in, as units: complete pieces keep their units, and only the open end gets new ones at an update.

However the text is split into fragments, the units in the end are the same.
"""

from __future__ import annotations

from typing import Protocol

from tui.app.panels.chat.chunk import LONGEST_PIECE, Chunk
from tui.app.panels.chat.glyphs import Glyphs
from tui.app.panels.chat.sanitize import clean, unify_newlines
from tui.app.panels.chat.syntax import UNDECIDED
from tui.app.panels.chat.units import ChunkUnit, FenceUnit, Unit


class Pieces(Protocol):
    """What cuts lines into pieces: `Segmenter` or `PlainSegmenter`."""

    closed: list[Chunk]
    open: Chunk | None

    def feed(self, raw: str, *, glued: bool = False) -> None: ...
    def end(self) -> None: ...
    def copy(self) -> Pieces: ...


class BlockStream:
    """Feeds fragments to a segmenter and keeps one unit for each piece."""

    def __init__(self, pieces: Pieces, style: str = "") -> None:
        self.units: list[Unit] = []
        self.fences: list[Chunk] = []
        """Fences so far, the open one included."""
        self.first_number = 1
        """Number of the first fence."""
        self.made = 0
        """Units made since the beginning; grows with what is rendered again, never with what is closed."""
        self._pieces = pieces
        self._style = style
        self._pending: list[str] = []
        self._partial = ""
        self._glued = False
        self._carriage = False
        self._settled = 0  # units whose pieces are closed
        self._settled_fences = 0
        self._ended = False
        self.finished = False
        """Whether everything is in its final shape."""

    def feed(self, text: str) -> None:
        """Take a fragment. Nothing is parsed before `update`."""
        self._pending.append(text)

    def finish(self) -> None:
        """There is no more."""
        self._ended = True

    @property
    def waiting(self) -> bool:
        """Whether an update has something to do."""
        return bool(self._pending) or (self._ended and not self.finished)

    def update(self, glyphs: Glyphs) -> tuple[int, int] | None:
        """Bring the units up to date. Returns the first unit that is new and the first line that changed in it, if that
        unit is an open fence that only grew; None when nothing changed. New units are not drawn."""
        self._take()
        closed = self._pieces.closed
        view = closed[self._settled :]
        newly_closed = len(view)
        tail = ""
        if self._pieces.open is not None and self._pieces.open.kind == "fence":
            view.append(self._pieces.open)
            tail = "" if UNDECIDED.match(self._partial) else clean(self._partial)
        else:
            view.extend(self._provisional())
        change = self._adopt(view, tail, glyphs)
        self._settled += newly_closed
        self._settled_fences += sum([chunk.kind == "fence" for chunk in view[:newly_closed]])
        return change

    def _take(self) -> None:
        """Cut what is pending into lines and feed them."""
        text = "".join(self._pending)
        self._pending.clear()
        if self._carriage:
            text, self._carriage = "\r" + text, False
        if text.endswith("\r") and not self._ended:
            text, self._carriage = text[:-1], True
        *lines, partial = (self._partial + unify_newlines(text)).split("\n")
        for line in lines:
            self._feed(self._cut(line))
            self._glued = False
        self._partial = self._cut(partial)
        if self._ended:
            if self._partial:
                self._feed(self._partial)
            self._partial, self._glued = "", False
            self._pieces.end()
            self.finished = True

    def _feed(self, line: str) -> None:
        self._pieces.feed(line, glued=self._glued)

    def _cut(self, line: str) -> str:
        """Feed a very long line in parts, at places that depend on its text alone; returns the rest."""
        while len(line) > LONGEST_PIECE:
            blank = line.rfind(" ", LONGEST_PIECE // 2, LONGEST_PIECE)
            end = blank + 1 if blank > 0 else LONGEST_PIECE
            self._feed(line[:end])
            self._glued = True
            line = line[end:]
        return line

    def _provisional(self) -> list[Chunk]:
        """The pieces after the closed ones as they would be if the text ended here."""
        trial = self._pieces.copy()
        if self._partial and (self._glued or not UNDECIDED.match(self._partial)):
            trial.feed(self._partial, glued=self._glued)
        if trial.open is not None:
            return [*trial.closed, trial.open]
        trial.end()
        return trial.closed

    def _adopt(self, view: list[Chunk], tail: str, glyphs: Glyphs) -> tuple[int, int] | None:
        """Make the units match the pieces from the settled ones on."""
        change: tuple[int, int] | None = None
        self.fences[self._settled_fences :] = [chunk for chunk in view if chunk.kind == "fence"]
        number = self.first_number + self._settled_fences
        for offset, chunk in enumerate(view):
            index = self._settled + offset
            unit = self.units[index] if index < len(self.units) else None
            if isinstance(unit, FenceUnit) and unit.chunk is chunk:
                unit.tail = "" if chunk.closed else tail
                grown = unit.grow(glyphs) if unit.lines is not None else 0
                change = change or (index, grown)
            elif not self._keeps(unit, chunk):
                change = change or (index, 0)
                self.units[index : index + 1] = [self._unit(chunk, number, tail)]
            number += chunk.kind == "fence"
        end = self._settled + len(view)
        if end < len(self.units):
            change = change or (end, 0)
            del self.units[end:]
        return change

    def _keeps(self, unit: Unit | None, chunk: Chunk) -> bool:
        """Whether the unit already shows this piece as it is now."""
        if not isinstance(unit, ChunkUnit) or chunk.kind == "fence":
            return False
        if unit.chunk != chunk:
            return False
        unit.chunk = chunk
        return True

    def _unit(self, chunk: Chunk, number: int, tail: str) -> Unit:
        self.made += 1
        if chunk.kind == "fence":
            fence = FenceUnit(chunk, number)
            fence.tail = "" if chunk.closed else tail
            return fence
        return ChunkUnit(chunk, self._style)
