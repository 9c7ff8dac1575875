"""The drawing half of the prompt: a window of wrapped rows with a cursor. Only rows that a change makes look different
are painted again.
"""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset, Region, Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.app.panels.chat.edit_buffer import EditBuffer
from tui.app.panels.chat.edit_layout import EditLayout, shown
from tui.app.panels.chat.palette import Palette
from tui.app.panels.chat.wrap import clip

_PREFIX = "prompt-editor--"
_NAMES = frozenset({"cursor", "placeholder"})
Look = tuple[str, int]
"""What a row on screen shows: its text, and how many cells stand before the cursor, -1 without it."""


class EditView(Widget, can_focus=True):
    """Shows a buffer. It grows with its text up to `max_rows` rows and scrolls beyond."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {_PREFIX + name for name in _NAMES}
    DEFAULT_CSS = """
    EditView {
        width: 1fr;
        height: auto;
        color: $foreground;
        & > .prompt-editor--cursor { color: $accent; }
        & > .prompt-editor--placeholder { color: $foreground-muted; }
        &:ansi > .prompt-editor--placeholder { text-style: dim; }
    }
    """

    max_rows: reactive[int] = reactive(8, layout=True)
    """Rows that it grows to."""
    placeholder: reactive[str] = reactive("")
    """What stands there while it is empty."""

    def __init__(
        self,
        buffer: EditBuffer,
        placeholder: str,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.set_reactive(EditView.placeholder, placeholder)
        self.buffer = buffer
        self.wrapped = EditLayout(buffer)
        self._palette = Palette(self, _PREFIX, _NAMES)
        self._view: list[Look] = []
        self._rows = 1

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as the text needs, up to `max_rows`."""
        self.wrapped.width = max(1, width - 1)
        self._rows = self.wrapped.height(self.max_rows)
        return self._rows

    def on_resize(self) -> None:
        """Wrap again."""
        self.wrapped.width = max(1, self.size.width - 1)
        self.show_changes()

    def watch_has_focus(self, focused: bool) -> None:
        """The cursor is there only while letters come here."""
        super().watch_has_focus(focused)
        self.show_changes()

    def watch_placeholder(self) -> None:
        """Only drawn, never measured."""
        self.show_changes()

    def notify_style_update(self) -> None:
        """The theme has changed."""
        super().notify_style_update()
        self._palette.clear()

    def show_changes(self) -> None:
        """Repaint the rows that look different now."""
        height = self.size.height
        if not self.is_mounted or not height:
            return
        rows = self.wrapped.height(self.max_rows)
        if rows != self._rows:
            self._rows = rows
            self.refresh(layout=True)
        before, self._view = self._view, self._look(height)
        for y, (old, new) in enumerate(zip(before, self._view, strict=False)):
            if old != new:
                self.refresh(Region(0, y, self.size.width, 1))
        if len(before) != len(self._view):
            self.refresh()
        self._place_terminal_cursor()

    def _look(self, height: int) -> list[Look]:
        """What each row on screen shows."""
        wrapped = self.wrapped
        rows = wrapped.window(height)
        cursor = wrapped.row_of(self.buffer.cursor)
        cells = wrapped.cells(self.buffer.cursor) if self.has_focus else -1
        look = [(shown(wrapped.text(row)), cells if row == cursor else -1) for row in rows]
        return look + [("", -1)] * (height - len(look))

    def _place_terminal_cursor(self) -> None:
        """Input methods open their windows at the terminal's own cursor."""
        for y, (_, cells) in enumerate(self._view):
            if cells >= 0:
                self.app.cursor_position = self.content_region.offset + Offset(cells, y)

    def render_line(self, y: int) -> Strip:
        """One row."""
        if len(self._view) != self.size.height:
            self._view = self._look(self.size.height)
        text, cells = self._view[y]
        style = self._palette.base
        if self.buffer.empty and y == 0 and self.placeholder:
            text, style = clip(self.placeholder, self.size.width, "…"), self._palette["placeholder"]
        strip = Strip([Segment(text, style)] if text else [])
        strip = strip.adjust_cell_length(self.size.width, self._palette.base)
        if cells < 0:
            return strip
        under = strip.crop(cells, cells + 2)
        if cell_len(under.text[:1]) < 2:
            under = strip.crop(cells, cells + 1)
        look = self._palette["cursor"] + Style(reverse=True)
        drawn = Strip([Segment(segment.text, segment.style + look if segment.style else look) for segment in under])
        return Strip.join([strip.crop(0, cells), drawn, strip.crop(cells + drawn.cell_length)])
