"""All that can be wished for, at once: a small list over the screen, each line changed by left and right.

Every step counts at once, so that the list behind it shows what comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from tui.app.keys import Keymap, install
from tui.app.panels.finder import filters
from tui.app.panels.finder.filters import Choices, Filter
from tui.app.rows import RowList
from tui.app.text import brief, fit
from tui.models.finder.values import Wishes

LABEL = 20


@dataclass(frozen=True, slots=True)
class Setting:
    """One line: what it is about, and its value in words."""

    filter: Filter | None
    """None for the context that prices are made for."""
    title: str
    value: str
    is_set: bool


class SettingList(RowList[Setting]):
    """The lines."""

    def draw_row(self, row: Setting, width: int, selected: bool) -> Sequence[Segment]:
        on, glyphs = ("surface" if selected else ""), self.glyphs
        left, right = (glyphs.left, glyphs.right) if selected else (" ", " ")
        room = max(0, width - LABEL - 7)
        value = fit(row.value, min(cell_len(row.value), room), glyphs.ellipsis)
        return [
            Segment(f" {glyphs.pointer if selected else ' '} ", self.pen("accent", on=on)),
            Segment(fit(row.title, LABEL), self.pen("foreground" if selected else "muted", on=on)),
            Segment(f"{left} ", self.pen("accent", on=on)),
            Segment(value, self.pen("foreground" if row.is_set else "faint", "bold" if selected else "", on)),
            Segment(f" {right}", self.pen("accent", on=on)),
            Segment(" " * (room - cell_len(value)), self.pen(on=on)),
        ]


class FilterScreen(ModalScreen[None]):
    """The list. `on_change` hears of every step."""

    AUTO_FOCUS = "SettingList"

    def __init__(
        self,
        wishes: Wishes,
        n_ctx: int,
        choices: Choices,
        keymap: Keymap,
        on_change: Callable[[Wishes, int], None],
    ) -> None:
        super().__init__()
        self.wishes, self.n_ctx = wishes, n_ctx
        self._choices, self._on_change = choices, on_change
        self._keymap = keymap
        install(self, keymap, "dialog", "wishes")

    def compose(self) -> ComposeResult:
        box = Vertical(SettingList(id="options"), id="dialog")
        box.border_title = Content("Filters")
        yield box

    def on_mount(self) -> None:
        install(self.rows, self._keymap, "list")
        self._show(0)

    @property
    def rows(self) -> SettingList:
        """The list."""
        return self.query_one(SettingList)

    def tell(self, words: str) -> None:
        """What the wishes leave, in the frame."""
        self.query_one("#dialog").border_subtitle = Content(words)

    def _show(self, at: int) -> None:
        glyphs = self.rows.glyphs
        settings = [
            Setting(one, one.title, one.shown(self.wishes, glyphs) or one.none, bool(one.shown(self.wishes, glyphs)))
            for one in filters.FILTERS
        ]
        context = Setting(None, "priced with", f"{brief(self.n_ctx)} of context", is_set=True)
        self.rows.styles.height = len(settings) + 1
        self.rows.set_rows([*settings, context], at)

    def _step(self, by: int) -> None:
        row = self.rows.selected
        if row is None:
            return
        if row.filter is None:
            self.n_ctx = filters.longer(self.n_ctx, by)
        else:
            self.wishes = row.filter.stepped(self.wishes, self._choices, by)
        self._changed()

    def _changed(self) -> None:
        self._show(self.rows.index)
        self._on_change(self.wishes, self.n_ctx)

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self.dismiss()

    def action_wish_less(self) -> None:
        self._step(-1)

    def action_wish_more(self) -> None:
        self._step(1)

    def action_wish_nothing(self) -> None:
        row = self.rows.selected
        if row is not None and row.filter is not None:
            self.wishes = filters.without(self.wishes, row.filter)
            self._changed()

    def action_wish_clear(self) -> None:
        self.wishes = filters.cleared(self.wishes)
        self._changed()

    def action_close(self) -> None:
        self.dismiss()
