"""The words beside the prompt that say which of two panes it goes to."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from tui.app.look import Drawn
from tui.app.text import clean


class Aim(Drawn):
    """One drawn line, as wide as its words."""

    _words = ""

    def set_words(self, words: str) -> None:
        """Say something else."""
        self._words = clean(words)
        self.styles.width = cell_len(self._words) + 2
        self.refresh()

    def render_line(self, y: int) -> Strip:
        return self.line([Segment(f" {self._words}" if y == 0 else "", self.pen("muted"))])
