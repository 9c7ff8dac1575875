"""A list that draws only the rows in sight: models, conversations, commands, themes.

Rows are values of any kind; a subclass says how one is drawn. Moving repaints two rows. Ten thousand rows cost no
more than ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from rich.segment import Segment
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.app.bare import BareLines
from tui.app.look import Drawn

Row = TypeVar("Row")


class RowList(Drawn, ScrollView, Generic[Row], can_focus=True):
    """The list. Its keys are the group "list" of the action table."""

    index: reactive[int] = reactive(0, repaint=False)
    """The selected row; 0 when there is none."""

    class Told(Message):
        """Base of what a list tells: which list, and its selected row."""

        def __init__(self, rows: RowList[Any], row: Any) -> None:
            super().__init__()
            self.rows, self.row = rows, row

        @property
        def control(self) -> RowList[Any]:
            return self.rows

    class Moved(Told):
        """Another row is selected."""

    class Chosen(Told):
        """The selected row was taken."""

    def __init__(
        self, rows: Sequence[Row] = (), *, name: str | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._styles_cache = BareLines()
        self._rows: tuple[Row, ...] = tuple(rows)

    @property
    def rows(self) -> tuple[Row, ...]:
        """What is listed."""
        return self._rows

    @property
    def selected(self) -> Row | None:
        """The row that is selected."""
        return self._rows[self.index] if 0 <= self.index < len(self._rows) else None

    def set_rows(self, rows: Sequence[Row], selected: int | None = None) -> None:
        """Replace the rows; the selection stays at its place unless told."""
        self._rows = tuple(rows)
        self._resize_virtual()
        target = self.index if selected is None else selected
        target = max(0, min(target, len(self._rows) - 1))
        self.set_reactive(RowList.index, target)
        self._show_index()
        self.refresh()
        self._announce()

    def draw_row(self, row: Row, width: int, selected: bool) -> Sequence[Segment]:
        """Segments of one row, at most `width` cells."""
        raise NotImplementedError

    # ---- drawing

    def _resize_virtual(self) -> None:
        size = Size(self.scrollable_content_region.width, len(self._rows))
        if size != self.virtual_size:
            # As usual it would have the whole screen laid out anew; but no list is as high as its rows by itself.
            self.set_reactive(ScrollView.virtual_size, size)
            self._scroll_update(size)

    def on_resize(self, _event: events.Resize) -> None:
        self._resize_virtual()
        self._show_index()

    def render_line(self, y: int) -> Strip:
        at = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if not 0 <= at < len(self._rows):
            return Strip.blank(width, self.pen())
        return self.line(self.draw_row(self._rows[at], width, at == self.index), width)

    def validate_index(self, index: int) -> int:
        return max(0, min(index, len(self._rows) - 1))

    def watch_index(self, old: int, new: int) -> None:
        if old == new:
            return
        self.refresh_line(old)
        self.refresh_line(new)
        self._show_index()
        self._announce()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.set_class(has_focus, "-on")
        self.refresh_line(self.index)

    def _show_index(self) -> None:
        if self._rows and self.size.height:
            self.scroll_to_region(Region(0, self.index, 1, 1), animate=False, force=True)

    def _announce(self) -> None:
        if self.is_attached and self.selected is not None:
            self.post_message(self.Moved(self, self.selected))

    # ---- keys and mouse

    def action_cursor_up(self) -> None:
        self.index -= 1

    def action_cursor_down(self) -> None:
        self.index += 1

    def action_page_up(self) -> None:
        self.index -= max(1, self.size.height - 1)

    def action_page_down(self) -> None:
        self.index += max(1, self.size.height - 1)

    def action_first(self) -> None:
        self.index = 0

    def action_last(self) -> None:
        self.index = len(self._rows) - 1

    def action_choose(self) -> None:
        if self.selected is not None:
            self.post_message(self.Chosen(self, self.selected))

    def on_click(self, event: events.Click) -> None:
        at = event.y + self.scroll_offset.y - self.content_region.y + self.region.y
        if not 0 <= at < len(self._rows):
            return
        if at == self.index:
            self.action_choose()
        self.index = at
