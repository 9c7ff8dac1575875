"""The downloads: the list, and all that is known of the selected one under it where there is room.

Its list asks for everything by `Wish`; it changes nothing by itself: `show` brings how things stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from tui.app.panels.downloads.details import ROWS, Details
from tui.app.panels.downloads.list import DownloadList
from tui.app.panels.downloads.values import Row, summed
from tui.app.panels.downloads.words import all_together, speed, state
from tui.app.rows import RowList
from tui.app.text import clean, fit
from tui.config.sizes import MIB

_LEAST = 3
"""Rows of the list that the details never take."""


class DownloadsPanel(Vertical):
    """The panel. Its keys are the group "downloads" of the action table, and those of lists."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        """`keys` as they are shown, by the action's name."""
        super().__init__(id="downloads", classes="panel")
        self._list, self._details = DownloadList(keys), Details()
        self._limit_mib_s, self._problem = 0.0, ""

    def compose(self) -> ComposeResult:
        yield self._list
        yield self._details

    def on_mount(self) -> None:
        self._draw_frame()

    @property
    def rows(self) -> DownloadList:
        """The list."""
        return self._list

    def show(self, rows: Sequence[Row], limit_mib_s: float = 0.0, problem: str = "") -> None:
        """How things stand; `problem` is why the list cannot be worked on."""
        count = len(self._list.rows)
        self._limit_mib_s, self._problem = limit_mib_s, problem
        self._list.show(rows)
        self._details.show(self._list.selected)
        if count != len(rows):
            self._arrange()
        self._draw_frame()

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()
        self._list.refresh_bindings()
        self._details.show(self._list.selected)
        self._draw_frame()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self.post_message(DownloadList.Wish("open", self._list.selected))

    def on_descendant_focus(self) -> None:
        self.add_class("-on")

    def on_descendant_blur(self) -> None:
        self.remove_class("-on")

    # ---- what is drawn around the list

    def on_resize(self, _event: events.Resize) -> None:
        self._arrange()
        self.call_after_refresh(self._details.show, self._list.selected)
        self._draw_frame()

    def _arrange(self) -> None:
        """Details are there where they leave room for the list."""
        rows = len(self._list.rows)
        self._details.display = bool(rows) and self.size.height - ROWS - 1 >= min(max(rows, 1), _LEAST)
        self._details.styles.height = ROWS + 1

    def _draw_frame(self) -> None:
        """How many in the upper border; in the lower one what they are together, or why one does not get on."""
        rows, glyphs = self._list.rows, self._list.glyphs
        dot = glyphs.dot
        self.border_title = Content(f"Downloads {dot} {len(rows)}" if rows else "Downloads")
        row, width = self._list.selected, max(0, self.size.width - 4)
        words, color = "", ""
        if self._problem:
            words, color = clean(self._problem), "$error"
        elif row is not None and row.phase in ("failed", "again") and not self._details.display:
            words, color = state(row), "$warning"
        elif row is not None and row.elsewhere is not None and not self._details.display:
            words = f"fetched by another puna, process {row.elsewhere or '?'}"
        else:
            limit = f"at most {speed(round(self._limit_mib_s * MIB))}" if self._limit_mib_s else ""
            words = f" {dot} ".join(part for part in (all_together(summed(rows), dot), limit) if part)
        text = Content(fit(words, min(cell_len(words), width), glyphs.ellipsis))
        self.border_subtitle = text.stylize(color) if color else text
