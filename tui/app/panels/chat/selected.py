"""The text that a person has selected in a document with the mouse."""

from __future__ import annotations

from rich.style import Style
from textual.selection import Selection
from textual.widget import Widget

from tui.app.panels.chat.document import Document
from tui.app.panels.chat.lines import Line, copied


def selected_text(document: Document, selection: Selection) -> str:
    """What is selected: without frames, and with wrapped lines joined again. Lines are counted as the screen counts
    them: a document's line less its drift."""
    drift = document.drift
    start, end = selection
    first = max(0, start.y + drift) if start is not None else 0
    last = end.y + drift if end is not None else document.total - 1
    found: list[Line] = []
    for offset, (unit, index) in enumerate(document.rows(first, last - first + 1)):
        span = selection.get_span(first + offset - drift)
        if span is not None and unit.lines is not None:
            found.append(_between(unit.lines[index], *span))
    return copied(found)


def selected_look(widget: Widget) -> Style:
    """What selection adds to text: another background, and another colour only where the theme has one for it."""
    if widget.app.no_color:
        return Style(reverse=True)
    look = widget.screen.get_component_rich_style("screen--selection")
    return Style(bgcolor=look.bgcolor, color=None if look.color == look.bgcolor else look.color)


def _between(line: Line, start: int, end: int) -> Line:
    """The characters of a line from `start` to `end`; -1 is its end."""
    runs: list[tuple[str, str]] = []
    at = 0
    for text, style in line.runs:
        piece = text[max(0, start - at) : (len(text) if end < 0 else max(0, end - at))]
        if piece:
            runs.append((piece, style))
        at += len(text)
    return Line(tuple(runs), line.joint)
