"""Cuts plain text, such as a person's message or a model's thinking, into pieces of some lines each.

It has the same shape as the Markdown segmenter, so that plain text streams and scrolls at the same flat cost.
"""

from __future__ import annotations

from dataclasses import replace

from tui.app.panels.chat.chunk import Chunk
from tui.app.panels.chat.sanitize import clean, steady

LINES_PER_PIECE = 32


class PlainSegmenter:
    """Takes lines, gives pieces of kind "plain". Blank lines at the two ends are left out."""

    def __init__(self, *, margin: int = 0) -> None:
        self.closed: list[Chunk] = []
        self.open: Chunk | None = None
        self._margin = margin
        self._blanks = 0

    def copy(self) -> PlainSegmenter:
        """The same state with an empty `closed`."""
        twin = PlainSegmenter(margin=self._margin)
        if self.open is not None:
            twin.open = replace(self.open, lines=self.open.lines.copy())
        twin._blanks = self._blanks
        return twin

    def feed(self, raw: str, *, glued: bool = False) -> None:
        """Take one complete line, without its newline."""
        line = steady(clean(raw))
        if not line.strip() and not glued:
            self._blanks += 1
            return
        first = self.open is None and not self.closed and not glued
        for _ in range(0 if first else self._blanks):
            self._add("", False)
        self._blanks = 0
        self._add(line.rstrip() if not glued else line, glued)

    def end(self) -> None:
        """No more lines."""
        self._close()

    def _add(self, line: str, glued: bool) -> None:
        if self.open is None:
            self.open = Chunk("plain", margin=self._margin)
        self.open.add(line, glued=glued)
        if len(self.open.lines) >= LINES_PER_PIECE or self.open.full:
            self._close()

    def _close(self) -> None:
        if self.open is not None:
            self.open.closed = True
            self.closed.append(self.open)
            self.open = None
