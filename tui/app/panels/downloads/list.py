"""The list of downloads: a line each, and what to do where there are none. It draws only the lines that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip

from tui.app.panels.downloads.lines import Columns, columns, line, longest_name
from tui.app.panels.downloads.values import Row
from tui.app.rows import RowList
from tui.app.text import fit

_NOTHING = (
    ("pull", "", "fetches a model by its name on the Hub, or by its address"),
    ("find", "", "looks for models that fit this machine"),
    ("", "puna pull org/repo:QUANT", "in another terminal is seen here, too"),
)
"""What to do without downloads: the action that it takes, or what to type, and what that does."""


Verb = Literal["open", "details", "pause", "pause_all", "cancel", "earlier", "later", "retry", "clear", "limit"]
"""What a person may want; `open` is the usual thing for a download as it stands, `pause` the other way round, too."""


class DownloadList(RowList[Row]):
    """The lines. Its keys are the groups "list" and "downloads" of the action table."""

    @dataclass
    class Wish(Message):
        """A person wants something of the selected download, or of all; there is no row where there is none."""

        verb: Verb
        row: Row | None

    def __init__(self, keys: Mapping[str, str]) -> None:
        """`keys` as they are shown, by the action's name: what the empty list speaks of."""
        super().__init__(id="download-rows")
        self._keys, self._longest = keys, 0

    def show(self, rows: Sequence[Row]) -> None:
        """List these; the cursor stays on the same download, and lines that are the same are not drawn again."""
        before, selected = self.rows, self.selected
        if [row.phase for row in rows] != [row.phase for row in before]:
            self.call_after_refresh(self.refresh_bindings)
        self._longest = longest_name(rows)
        if [row.item.id for row in rows] != [row.item.id for row in before]:
            at = next((at for at, row in enumerate(rows) if selected and row.item.id == selected.item.id), None)
            self.set_rows(rows, at)
            return
        self._rows = tuple(rows)
        for at, (old, new) in enumerate(zip(before, rows, strict=True)):
            if old != new:
                self.refresh_line(at)

    def render_line(self, y: int) -> Strip:
        return super().render_line(y) if self.rows else self._nothing_line(y)

    def draw_row(self, row: Row, width: int, selected: bool) -> Sequence[Segment]:
        on = "surface" if selected else ""
        pointer = self.glyphs.pointer if selected else " "
        pieces = line(row, self._columns(width), self.glyphs)
        (name, color), *rest = pieces
        return [
            Segment(f" {pointer} ", self.pen("accent", on=on)),
            Segment(name, self.pen(color, "bold" if selected and self.has_focus else "", on)),
            *(Segment(text, self.pen(color or "foreground", on=on)) for text, color in rest),
            Segment(" ", self.pen(on=on)),
        ]

    def _columns(self, width: int) -> Columns:
        return columns(width, self._longest)

    def _nothing_line(self, y: int) -> Strip:
        width = self.size.width
        lines: list[tuple[str, str]] = [("", "Nothing is being fetched."), ("", "")]
        for action, what, does in _NOTHING:
            if not action:
                lines += [("", ""), (what, ""), ("", does)]
            elif action in self._keys:
                lines.append((self._keys[action], f"  {does}"))
        at = y - 1
        if not 0 <= at < len(lines):
            return Strip.blank(width, self.pen())
        key, text = lines[at]
        said = fit(text, max(0, width - 3 - cell_len(key)), self.glyphs.ellipsis)
        color = "foreground" if at == 0 else "muted"
        return self.line([Segment(f"   {key}", self.pen("accent")), Segment(said, self.pen(color))], width)

    # ---- keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What would do nothing to the selected download, or to any, is not offered."""
        row, phases = self.selected, {row.phase for row in self.rows}
        if action == "downloads_clear":
            return "done" in phases
        if action == "downloads_pause_all":
            return bool(phases - {"done", "failed"})
        if action == "download_pause":
            return row is not None and row.phase not in ("done", "failed")
        if action == "download_retry":
            return row is not None and row.phase in ("failed", "paused", "again")
        if action in ("download_earlier", "download_later"):
            return len(self.rows) > 1
        return row is not None or not action.startswith(("download_", "choose"))

    def _wish(self, verb: Verb) -> None:
        self.post_message(self.Wish(verb, self.selected))

    def action_download_pause(self) -> None:
        self._wish("pause")

    def action_downloads_pause_all(self) -> None:
        self._wish("pause_all")

    def action_download_cancel(self) -> None:
        self._wish("cancel")

    def action_download_earlier(self) -> None:
        self._wish("earlier")

    def action_download_later(self) -> None:
        self._wish("later")

    def action_download_retry(self) -> None:
        self._wish("retry")

    def action_download_details(self) -> None:
        self._wish("details")

    def action_downloads_clear(self) -> None:
        self._wish("clear")

    def action_downloads_limit(self) -> None:
        self._wish("limit")
