"""The finder's frame: how many models there are, and where they come from. It changes while a person types, so that no
more of the screen is painted for it than its own line.
"""

from __future__ import annotations

from typing import Any, cast

from textual import events
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region
from textual.widgets import Static

from tui.app.look import LookApp
from tui.app.panels.finder.source import Source


class Note(Static):
    """What is to be said of what is searched for, above the list; there while there is something."""

    def __init__(self) -> None:
        super().__init__(id="finder-words")
        self._words = ""

    def say(self, words: str) -> None:
        """Show this; an empty text takes it away."""
        if words != self._words:
            self._words = words
            self.set_class(bool(words), "-on")
            self.update(Content(words))


class Frame(Vertical):
    """What the panel stands in."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._source = Source()
        self._told = self._title = ""

    def tell_source(self, source: Source) -> None:
        """Where the rows come from, at the lower edge."""
        self._source = source
        self._draw_source()

    def tell_title(self, title: str) -> None:
        """What it is and how many there are, at the upper edge."""
        if title != self._title:
            # Set as usual, it would have the whole panel painted anew with each letter.
            self._title, self._border_title = title, Content(title)
            self.refresh(Region(0, -1, self.size.width, 1))

    def _draw_source(self) -> None:
        told = self._source.fitted(self.size.width - 4, cast("LookApp", self.app).glyphs)
        if told != self._told:
            self._told = told
            self.border_subtitle = Content(told)

    def on_resize(self, _event: events.Resize) -> None:
        self._draw_source()
