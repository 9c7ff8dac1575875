"""The finder's first line: what is searched for, as one types, and on its right what else is wished for."""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import cell_len
from rich.segment import Segment
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.strip import Strip
from textual.widgets import Input

from tui.app.line_input import LineInput
from tui.app.look import Drawn
from tui.app.text import fit_right

MOST_TYPED = 200
"""Characters that are looked for."""
LEAST_TYPED = 18
"""Cells that stay for what is typed."""


class SearchSign(Drawn):
    """The sign before it; bright while letters go there."""

    def render_line(self, y: int) -> Strip:
        ready = isinstance(self.parent, SearchLine) and self.parent.input.has_focus
        return self.line(
            [Segment(f" {self.glyphs.prompt} ", self.pen("accent" if ready else "faint", "bold" if ready else ""))]
        )


class SearchInput(LineInput):
    """What is typed. Enter is the list's."""

    virtual_size = Reactive(Size(0, 0), layout=False)
    """The text's; as Textual's own it has the whole screen laid out anew with each letter."""

    def __init__(self, typed: Callable[[str], None]) -> None:
        super().__init__(placeholder="name, owner or family", id="query", most=MOST_TYPED, without=("enter",))
        self._typed = typed
        self.cursor_blink = False  # each blink would be a repaint, over a slow line, too

    def post_message(self, message: Message) -> bool:
        """That something was typed is known already."""
        return not isinstance(message, Input.Changed) and super().post_message(message)

    def watch_value(self, value: str) -> None:
        """Told at once: by a message it would be seen a frame later than the letter, and painted by itself."""
        self._typed(value)


class Summary(Drawn):
    """What is set besides, at the right edge; its beginning goes where there is no room for all of it."""

    def __init__(self) -> None:
        super().__init__(id="wishes")
        self.text = ""
        """All of it."""

    def say(self, text: str) -> None:
        """Show another text, in as much room as it needs and there is."""
        self.text = text
        self.fit_into(self.parent.size.width if isinstance(self.parent, SearchLine) else 0)
        self.refresh()

    def fit_into(self, width: int) -> None:
        """Take what is needed of a line of so many cells."""
        self.styles.width = max(0, min(cell_len(self.text) + 2, width - LEAST_TYPED))

    def render_line(self, y: int) -> Strip:
        text, width = self.text, self.size.width - 1
        if cell_len(text) > width:
            text = self.glyphs.ellipsis + text[cell_len(text) - max(0, width - 1) :]
        return self.line([Segment(fit_right(text, max(0, width)), self.pen("muted"))])


class SearchLine(Horizontal):
    """The line. `typed` is called with what is in it whenever that changes."""

    def __init__(self, typed: Callable[[str], None]) -> None:
        super().__init__(id="search")
        self.input = SearchInput(typed)
        """Where it is typed."""
        self.summary = Summary()
        """What else is wished for."""

    def compose(self) -> ComposeResult:
        yield SearchSign(id="search-sign")
        yield self.input
        yield self.summary

    def on_resize(self) -> None:
        self.summary.fit_into(self.size.width)

    def on_descendant_focus(self) -> None:
        self.query_one(SearchSign).refresh()

    def on_descendant_blur(self) -> None:
        self.query_one(SearchSign).refresh()
