"""The lower part of the finder: one model's quantizations, to be chosen from, and below them what is known of it.

The arrows go from quantization to quantization and, past the last one, down the text.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.segment import Segment
from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.app.look import Drawn
from tui.app.panels.finder.about import About, lines, title
from tui.app.panels.load.price import Line
from tui.models.finder.values import FinderRow


class DetailPane(Drawn, ScrollView, can_focus=True):
    """The pane. Its keys are the group "list" of the action table."""

    @dataclass
    class Moved(Message):
        """Another quantization is under the cursor."""

        row: FinderRow

    @dataclass
    class Chosen(Message):
        """The quantization under the cursor was taken."""

        row: FinderRow

    def __init__(self) -> None:
        super().__init__(id="detail")
        self._about: About | None = None
        self._at = 0
        self._lines: list[Line] = []

    @property
    def about(self) -> About | None:
        """What is shown."""
        return self._about

    @property
    def selected(self) -> FinderRow | None:
        """The quantization under the cursor."""
        rows = self._about.rows if self._about is not None else ()
        return rows[self._at] if self._at < len(rows) else None

    def show(self, about: About | None) -> None:
        """Show a model; more that is known of the same one leaves the cursor, and the place in the text, where they
        are.
        """
        before, row = self._about, self.selected
        same = before is not None and about is not None and before.listing.repo == about.listing.repo
        self._about = about
        if about is None:
            self._at = 0
        elif same and row is not None:
            self._at = about.at(row.quant, row.file)
        else:
            self._at = about.recommended
        self._arrange()
        if not same:
            self.scroll_to(0, 0, animate=False, force=True)
            self._show_cursor()

    # ---- drawing

    def _arrange(self) -> None:
        width = self.scrollable_content_region.width
        self._lines = lines(self._about, self._at, width, self.glyphs) if self._about is not None and width else []
        self.virtual_size = Size(width, len(self._lines))
        heading = title(self._about, max(0, self.size.width - 6), self.glyphs) if self._about is not None else ""
        self.border_title = Content(f" {heading} " if heading else "")
        self.refresh()

    def on_resize(self, _event: events.Resize) -> None:
        self._arrange()
        self._show_cursor()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.set_class(has_focus, "-on")
        self.refresh()

    def render_line(self, y: int) -> Strip:
        at, width = y + self.scroll_offset.y, self.scrollable_content_region.width
        if at >= len(self._lines):
            return Strip.blank(width, self.pen())
        on = "surface" if self.has_focus and at == self._at < len(self._rows) else ""
        words = self._lines[at]
        strip = Strip([Segment(word.text, self.pen(word.color, word.attributes, on)) for word in words])
        return strip.adjust_cell_length(width, self.pen(on=on))

    @property
    def _rows(self) -> tuple[FinderRow, ...]:
        return self._about.rows if self._about is not None else ()

    # ---- keys

    def action_cursor_up(self) -> None:
        if self.scroll_offset.y > self._at or self._at == 0:
            self.scroll_to(y=self.scroll_offset.y - 1, animate=False, force=True)
        else:
            self._go(self._at - 1)

    def action_cursor_down(self) -> None:
        if self._at + 1 < len(self._rows):
            self._go(self._at + 1)
        else:
            self.scroll_to(y=self.scroll_offset.y + 1, animate=False, force=True)

    def action_page_up(self) -> None:
        self.scroll_to(y=self.scroll_offset.y - max(1, self.size.height - 1), animate=False, force=True)

    def action_page_down(self) -> None:
        self.scroll_to(y=self.scroll_offset.y + max(1, self.size.height - 1), animate=False, force=True)

    def action_first(self) -> None:
        self._go(0)
        self.scroll_to(y=0, animate=False, force=True)

    def action_last(self) -> None:
        self.scroll_to(y=len(self._lines), animate=False, force=True)

    def action_choose(self) -> None:
        if self.selected is not None:
            self.post_message(self.Chosen(self.selected))

    def _go(self, at: int) -> None:
        at = max(0, min(at, len(self._rows) - 1))
        if at != self._at and self._rows:
            self._at = at
            self._arrange()
            self.post_message(self.Moved(self._rows[at]))
        self._show_cursor()

    def _show_cursor(self) -> None:
        top, height = self.scroll_offset.y, self.size.height
        if height and not top <= self._at < top + height:
            self.scroll_to(y=self._at if self._at < top else self._at - height + 1, animate=False, force=True)

    def on_click(self, event: events.Click) -> None:
        at = event.y + self.scroll_offset.y - self.content_region.y + self.region.y
        if at < len(self._rows):
            if at == self._at:
                self.action_choose()
            self._go(at)
