"""A list that opens over the screen and can be narrowed by typing: the palette, themes, conversations, code blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.app.keys import Keymap, install
from tui.app.line_input import LineInput
from tui.app.list_keys import ListKeys
from tui.app.rows import RowList
from tui.app.text import clean, fit, fit_right, plural

Value = TypeVar("Value")

LONGEST_TITLE = 16
"""Titles up to so many cells line up."""
MOST_ROWS = 24
SHORT = 16
"""Rows of a terminal below which the box takes all of them, and the line to type in stands close to the list."""
BOX_SHARE, FRAME, SHORT_FRAME = 0.84, 4, 3
"""Of the terminal's height, and what frame and filter take of it: as `after.tcss` draws them."""


@dataclass(frozen=True)
class Option(Generic[Value]):
    """One row: what it stands for, its title, more about it, and a word on the right."""

    value: Value
    title: str
    detail: str = ""
    right: str = ""

    def matches(self, words: Sequence[str]) -> bool:
        """True when every word occurs in what is shown."""
        text = f"{self.title} {self.detail}".casefold()
        return all(word in text for word in words)


class Options(RowList[Option[Any]]):
    """The rows of a chooser. Details stand in a column of their own when titles are short."""

    def set_rows(self, rows: Sequence[Option[Any]], selected: int | None = None) -> None:
        widest = max((cell_len(row.title) for row in rows), default=0)
        self._title_width = widest if widest <= LONGEST_TITLE else 0
        super().set_rows(rows, selected)

    _title_width = 0

    def draw_row(self, row: Option[Any], width: int, selected: bool) -> Sequence[Segment]:
        on, glyphs = ("surface" if selected else ""), self.glyphs
        right = clean(row.right)
        room = width - 3 - (cell_len(right) + 2 if right else 0)
        title = clean(row.title)
        title_room = min(max(cell_len(title), self._title_width), room)
        detail = clean(row.detail)
        segments = [
            Segment(f"{glyphs.pointer if selected else ' '} ", self.pen("accent", on=on)),
            Segment(fit(title, title_room, glyphs.ellipsis), self.pen("foreground", "bold" if selected else "", on=on)),
        ]
        left = room - title_room
        if detail and left > 12:
            segments.append(Segment("  " + fit(detail, left - 2, glyphs.ellipsis), self.pen("muted", on=on)))
        else:
            segments.append(Segment(" " * left, self.pen("muted", on=on)))
        if right:
            segments.append(Segment("  " + fit_right(right, cell_len(right)), self.pen("muted", on=on)))
        return [*segments, Segment(" ", self.pen(on=on))]


class Filter(LineInput):
    """The line that narrows the list. Enter is the list's."""

    def __init__(self) -> None:
        super().__init__(placeholder="type to narrow", without=("enter",))


class ChooseScreen(ListKeys, ModalScreen[Value | None], Generic[Value]):
    """Ends with the chosen value, or None. `on_move` hears of every row that the cursor comes to."""

    AUTO_FOCUS = "Input"

    def __init__(
        self,
        title: str,
        options: Sequence[Option[Value]],
        keymap: Keymap,
        *,
        at: int = 0,
        empty: str = "Nothing here.",
        on_move: Callable[[Value], None] | None = None,
    ) -> None:
        super().__init__()
        self._title, self._all, self._at, self._empty = title, tuple(options), at, empty
        self._on_move = on_move
        install(self, keymap, "dialog", "list")

    def compose(self) -> ComposeResult:
        rows = Options(self._all, id="options")
        box = Vertical(Filter(), rows, Static(id="none"), id="dialog")
        box.border_title = Content(clean(self._title))
        yield box

    def on_mount(self) -> None:
        self._show(self._all, self._at)

    def on_resize(self, event: events.Resize) -> None:
        """The list is as high as its box lets it be: rows beyond its edge would hide the cursor."""
        height = event.size.height
        room = height - SHORT_FRAME if height < SHORT else int(height * BOX_SHARE) - FRAME
        self.rows.styles.max_height = max(1, min(MOST_ROWS, room))

    @property
    def rows(self) -> Options:
        """The list."""
        return self.query_one(Options)

    def _show(self, options: Sequence[Option[Value]], at: int = 0) -> None:
        self.rows.styles.height = max(1, len(options))
        self.rows.set_rows(options, at)
        self.query_one("#none", Static).update(Content("" if options else self._empty).stylize("$muted"))
        self.query_one("#none").display = not options
        self.rows.display = bool(options)
        self.query_one("#dialog").border_subtitle = Content(plural(len(options), "row")) if len(options) > 12 else None

    def on_input_changed(self, event: Input.Changed) -> None:
        words = event.value.casefold().split()
        if words or len(self.rows.rows) != len(self._all):
            self._show([option for option in self._all if option.matches(words)])

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()
        option = self.rows.selected
        if self._on_move is not None and option is not None:
            self._on_move(option.value)

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self.action_choose()

    def action_choose(self) -> None:
        option = self.rows.selected
        self.dismiss(option.value if option is not None else None)

    def action_close(self) -> None:
        self.dismiss(None)
