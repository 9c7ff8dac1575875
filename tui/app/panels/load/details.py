"""All that is known of a price as a text to be read: each part, each change, and what the last load took."""

from __future__ import annotations

from textual.content import Content

from tui.app.glyphs import Glyphs
from tui.app.panels.load.lines import full
from tui.app.panels.load.price import Lines, Price
from tui.app.panels.load.receipt import receipt_table

_MOST = 98
"""Cells of a line in the box that texts are read in, where the terminal has room for it."""
_FRAME = 10
"""Cells that the box, and what is left free around it, take from the terminal's width."""


def details_text(price: Price, terminal_width: int, glyphs: Glyphs) -> Content:
    """The text, for a terminal of so many cells."""
    width = max(10, min(_MOST, terminal_width - _FRAME))
    receipt = receipt_table(price.last, price.machine, glyphs) if price.last is not None else ()
    return _content((*full(price, width, glyphs), *([()] if receipt else []), *receipt))


def _content(lines: Lines) -> Content:
    return Content("\n").join(
        Content.assemble(*((word.text, f"{word.attributes} ${word.color}".strip()) for word in line)) for line in lines
    )
