"""A scrolling view of a document of lines: what is on screen, where it scrolls, what is repainted and what is selected.

It paints whole cached strips and asks for a repaint of no more lines than have changed: the compositor's repainting is
most of what a token costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from tui.app.panels.chat.glyphs import choose
from tui.app.panels.chat.leftovers import Leftovers
from tui.app.panels.chat.lines import Line
from tui.app.panels.chat.looks import CSS, NAMES, PREFIX
from tui.app.panels.chat.palette import Palette
from tui.app.panels.chat.strips import Strips

if TYPE_CHECKING:
    from tui.app.panels.chat.document import Document, Row

MARGIN = 1
"""Blank columns left and right of the text."""


class DocumentView(ScrollView, can_focus=True):
    """Shows a `Document`. Positions are lines of the document; only what is near the screen is drawn."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Scroll up", show=False),
        Binding("down,j", "scroll_down", "Scroll down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home,g", "scroll_home", "Beginning", show=False),
        Binding("end,G", "scroll_end", "End", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {PREFIX + name for name in NAMES}
    DEFAULT_CSS = CSS
    ALLOW_SELECT = True

    follow: reactive[bool] = reactive(True, repaint=False)
    """The end stays in view as it grows. Scrolling up lets go of it, scrolling to the end takes it up again."""

    def __init__(
        self,
        *,
        ascii_only: bool,
        measure: int,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.document: Document | None = None
        """What is shown; None before there is anything."""
        self._ascii = ascii_only
        self._measure = measure
        self._palette = Palette(self, PREFIX, NAMES)
        self.strips = Strips(self._palette, MARGIN)
        self._rows: list[Row] | None = None
        self._thumb = (0, 0)
        self.leftovers = Leftovers(self)
        """What is still to be drawn near the screen."""

    # ---- geometry -------------------------------------------------------------------------------------------------

    @property
    def top(self) -> int:
        """The line of the document that the screen begins with."""
        return self.scroll_offset.y

    @property
    def height(self) -> int:
        """Lines on screen."""
        return self.scrollable_content_region.height

    @property
    def laid_out(self) -> bool:
        """There is a document, and room to show it."""
        return self.document is not None and self.document.width > 0 and self.height > 0

    @property
    def shows_document(self) -> bool:
        """There is something to show."""
        return self.document is not None and bool(self.document.entries)

    def show_document(self, document: Document) -> None:
        """Show this document from now on."""
        self.document = document
        if self.is_mounted:
            self._choose_glyphs()
            self.fit()

    def on_mount(self) -> None:
        """The app says what its terminal can show."""
        self._choose_glyphs()

    def _choose_glyphs(self) -> None:
        if self.document is not None:
            ascii_only = self._ascii or self.app.has_class("-ascii")
            pictures = not self.app.has_class("-no-pictures")
            glyphs = choose(ascii_only=ascii_only, no_colour=self.app.no_color, pictures=pictures)
            self.document.set_glyphs(glyphs)

    def on_resize(self, event: events.Resize) -> None:
        """Another size."""
        self.fit()

    def on_show(self) -> None:
        """Visible again, perhaps at the same size."""
        self.fit()

    def fit(self) -> None:
        """Wrap for the size that there is; what was at the top of the screen stays there."""
        region = self.scrollable_content_region
        width = region.width - 2 * MARGIN
        if self._measure:
            width = min(width, self._measure)
        self.strips.set_width(self.size.width)
        if self.document is None or width <= 0 or not region.height:
            return
        top = self.top
        if width != self.document.width:
            self._clear_selection()
            top = self.document.set_width(width, top)
        self.move(self.document.settle(top, region.height, follow=self.follow))
        self.leftovers.look_ahead()
        self.refresh()

    def settle(self, changed: int | None = None) -> None:
        """Draw what is on screen and repaint from line `changed` of the document on; all of it when the view moved."""
        if self.document is None or not self.laid_out:
            return
        height, total = self.height, self.virtual_size.height
        top = self.document.settle(self.top, height, follow=self.follow)
        if self.move(top):
            self.refresh(self.size.region)
        elif changed is not None:
            self.refresh_rows(changed - top, max(total, self.document.total) - top)
        if self.leftovers.colouring() is not None:
            self.leftovers.schedule()

    def renew(self) -> None:
        """Entries came or went: show everything anew."""
        if self.document is not None and self.laid_out:
            self.settle()
            self.leftovers.look_ahead()
            self.refresh()

    def refresh_rows(self, start: int, end: int) -> None:
        """Repaint lines of the screen, as far as they are on it."""
        start, end = max(0, start), min(end, self.height)
        if end > start:
            self.refresh(Region(0, start, self.size.width, end - start))

    def move(self, top: int) -> bool:
        """Take over the document's height and a new position without a layout. Returns whether the view moved."""
        assert self.document is not None
        self._rows = None
        height, total = self.height, self.document.total
        moved = top != self.top
        self.set_reactive(Widget.virtual_size, Size(self.size.width, total))
        if moved:
            self.set_reactive(Widget.scroll_y, float(top))
            self.set_reactive(Widget.scroll_target_y, float(top))
        if (total > height) != self.show_vertical_scrollbar:
            self._refresh_scrollbars()
        thumb = (8 * height * top // max(1, total), 8 * height * height // max(1, total))
        if self.show_vertical_scrollbar and thumb != self._thumb:
            self._thumb = thumb
            scrollbar = self.vertical_scrollbar
            scrollbar.window_virtual_size = total
            scrollbar.window_size = height
            scrollbar.position = top
        return moved

    # ---- scrolling ------------------------------------------------------------------------------------------------

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """A person (or a resize) has moved the view."""
        self.follow = new_value >= self.max_scroll_y
        if round(old_value) != round(new_value):
            self.refresh(self.size.region)
        self.settle()
        self.leftovers.look_ahead()
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = self.top

    def watch_follow(self, follow: bool) -> None:
        """Following begins at the end."""
        if follow and self.is_mounted:
            self.settle()

    def scroll_lines(self, lines: int) -> None:
        """Scroll down, or up when negative, at once."""
        self.scroll_to(y=self.top + lines, animate=False, force=True)

    def action_scroll_up(self) -> None:
        self.scroll_lines(-1)

    def action_scroll_down(self) -> None:
        self.scroll_lines(1)

    def action_page_up(self) -> None:
        self.scroll_lines(-max(1, self.height - 2))

    def action_page_down(self) -> None:
        self.scroll_lines(max(1, self.height - 2))

    def action_scroll_home(self) -> None:
        self.scroll_to(y=0, animate=False, force=True)

    def action_scroll_end(self) -> None:
        self.follow = True
        self.settle()

    # ---- painting -------------------------------------------------------------------------------------------------

    def notify_style_update(self) -> None:
        """The theme or the background has changed: new looks for the same lines."""
        super().notify_style_update()
        self._palette.clear()
        self.strips.clear()

    def empty_rows(self, width: int, height: int) -> list[Line]:
        """What an empty document shows."""
        return []

    def render_lines(self, crop: Region) -> list[Strip]:
        """Whole strips from the cache, without the steps that a widget with borders needs."""
        if self.styles.gutter or self.opacity != 1.0 or self.loading:
            return super().render_lines(crop)
        selection = self.text_selection
        strips = [self._painted(y, selection) for y in crop.line_range]
        filters = self.get_line_filters()
        if filters:
            background = self.background_colors[1]
            for line_filter in filters:
                strips = [strip.apply_filter(line_filter, background) for strip in strips]
        whole = crop.column_span == (0, self.size.width)
        return strips if whole else [strip.crop(*crop.column_span) for strip in strips]

    def render_line(self, y: int) -> Strip:
        """One line on screen, with the places that selection by mouse looks for."""
        return self.strips.with_places(self._painted(y, self.text_selection), self.top + y - self._drift)

    @property
    def _drift(self) -> int:
        return 0 if self.document is None else self.document.drift

    def on_screen(self) -> list[Row]:
        """The unit and the line of it in each row of the screen; shorter than the screen when the document is."""
        if self._rows is None:
            document = self.document
            self._rows = [] if document is None else list(document.rows(self.top, self.height))
        return self._rows

    def _painted(self, y: int, selection: Selection | None) -> Strip:
        if not self.shows_document:
            rows = self.empty_rows(self.size.width - 2 * MARGIN, self.height)
            return self.strips.make(rows[y]) if y < len(rows) else self.strips.blank()
        rows_shown = self.on_screen()
        if y >= len(rows_shown):
            return self.strips.blank()
        unit, index = rows_shown[y]
        if unit.lines is None or index >= len(unit.lines):
            return self.strips.blank()
        if selection is not None:
            span = selection.get_span(self.top + y - self._drift)
            if span is not None:
                from tui.app.panels.chat.selected import selected_look

                return self.strips.selected(unit.lines[index], *span, selected_look(self))
        return self.strips.strip(unit, index, unit.lines[index])

    # ---- selection ------------------------------------------------------------------------------------------------

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text: without frames, and with wrapped lines joined again."""
        if self.document is None:
            return None
        from tui.app.panels.chat.selected import selected_text

        return selected_text(self.document, selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Selected text looks different."""
        self.refresh()

    def _clear_selection(self) -> None:
        if self.is_mounted and self.text_selection is not None:
            self.screen.clear_selection()
