"""The part of the load panel that says what the settings come to. It draws lines that are given to it.

What was worked out for other settings than those on the panel is never shown unmarked: its sign becomes dots at once,
and all of it faint when the new answer is late.
"""

from __future__ import annotations

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer

from tui.app.look import Drawn
from tui.app.panels.load.lines import fitted, full, wrapped
from tui.app.panels.load.price import Lines, Price, Word

LATE_S = 0.15
"""A new price that takes longer has the old one fade; most are there after a fraction of this."""


class Answer(Drawn):
    """What the settings come to."""

    cut: reactive[bool] = reactive(False, repaint=False)
    """True where there is more to say than there is room for."""

    def __init__(self) -> None:
        super().__init__(id="load-answer")
        self._price: Price | None = None
        self._words = ""
        self._lines: Lines = ()
        self._fading: Timer | None = None
        self.waiting = False
        """True while the price of what is on the panel is not known yet."""
        self.late = False
        """True once that has taken a while."""

    @property
    def price(self) -> Price | None:
        """What is shown, of the settings before the last change while `waiting`."""
        return self._price

    def wait(self) -> None:
        """The settings have changed, and what they come to is being worked out."""
        self._words, self.waiting = "" if self._price is not None else self._words, True
        if self._fading is None and not self.late:
            self._fading = self.set_timer(LATE_S, self._fade)
        self.refresh(Region(0, 0, self.size.width, 1))

    def show(self, price: Price | None, words: str = "") -> None:
        """Show a price; without one, in `words`, why there is none."""
        if self._fading is not None:
            self._fading.stop()
        self._fading, self.waiting, self.late = None, False, False
        self._price, self._words = price, words
        self._arrange()
        self.refresh()

    def wanted_height(self, width: int) -> int:
        """Lines that all of it takes in so many cells."""
        return len(self._everything(width))

    def on_resize(self, _event: events.Resize) -> None:
        self._arrange()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self.pen())
        line = self._lines[y]
        if self.waiting and self._price is not None and y == 0:
            line = (Word(f"{self.glyphs.ellipsis} ", "accent"), *line[1:])
        if self.late:
            line = tuple(word._replace(color="faint", attributes="") for word in line)
        return self.line(Segment(word.text, self.pen(word.color, word.attributes)) for word in line)

    def _fade(self) -> None:
        self._fading, self.late = None, True
        self.refresh()

    def _everything(self, width: int) -> Lines:
        if self._price is not None:
            return full(self._price, width, self.glyphs)
        return tuple((Word(line, "muted"),) for line in wrapped(self._words, width)) if self._words else ()

    def _arrange(self) -> None:
        width, height = self.size
        if self._price is not None:
            self._lines, self.cut = fitted(self._price, width, height, self.glyphs)
        else:
            self._lines = self._everything(width)
            self.cut = len(self._lines) > height
