"""The part of the load panel that says what the settings come to. It draws lines that are given to it."""

from __future__ import annotations

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.strip import Strip

from tui.app.look import Drawn
from tui.app.panels.load.price import Line, Price, lines


class Answer(Drawn):
    """What the settings come to; empty until that is known."""

    def __init__(self) -> None:
        super().__init__(id="load-answer")
        self._price: Price | None = None
        self._lines: tuple[Line, ...] = ()

    @property
    def price(self) -> Price | None:
        """What is shown."""
        return self._price

    def show(self, price: Price | None) -> None:
        """Show another price; None while there is none, as for settings that cannot be."""
        if price == self._price:
            return
        before = len(self._lines)
        self._price = price
        self._arrange()
        self.refresh(layout=len(self._lines) != before)

    def on_resize(self, _event: events.Resize) -> None:
        self._arrange()
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(lines(self._price, width, self.glyphs)) if self._price is not None else 0

    def render_line(self, y: int) -> Strip:
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self.pen())
        segments = [Segment(word.text, self.pen(word.color, word.attributes)) for word in self._lines[y]]
        return self.line(segments)

    def _arrange(self) -> None:
        self._lines = lines(self._price, self.size.width, self.glyphs) if self._price is not None else ()
