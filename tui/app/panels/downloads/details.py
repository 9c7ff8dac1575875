"""All that is known of one download, as lines of a name and a text: what, where to, how it stands, its sum."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.content import Content
from textual.strip import Strip

from tui.app.look import Drawn
from tui.app.panels.downloads.words import amount, clock, files, speed, state, where_to
from tui.app.text import clean, plural

if TYPE_CHECKING:
    from tui.app.panels.downloads.values import Row

_NAME = 9
"""Cells of the names before the texts."""
_SUM = 64
ROWS = 7
"""Lines that the pane takes."""


def facts(row: Row) -> list[tuple[str, str]]:
    """Name and text of everything, the most wanted first."""
    item = row.item
    found = [("model", clean(item.name)), ("state", _state(row))]
    if row.elsewhere is not None:
        found.append(("by", f"another puna, process {row.elsewhere or '?'}; what you do here counts there, too"))
    if row.tries:
        last = "" if row.last_reason == row.reason else f"; the last time because {clean(row.last_reason)}"
        found.append(("tries", f"again {plural(row.tries, 'time')}{last}"))
    if len(item.files) == 1:
        found.append(("sha256", item.files[0].sha256))
    found += [("at" if row.item.path else "to", where_to(row)), ("file", files(row))]
    found.append(("commit", clean(item.commit)))
    if len(item.files) > 1:
        found += [("sha256", f"{file.sha256}  {clean(file.path)}") for file in item.files]
    return found


def details_text(row: Row) -> Content:
    """The same to be read in a window of its own."""
    parts: list[tuple[str, str]] = []
    for name, text in facts(row):
        parts += [(f"{name:<{_NAME}}", "$muted"), (f"{text}\n", "$foreground")]
    return Content.assemble(*parts)


def _state(row: Row) -> str:
    if row.phase in ("failed", "again"):
        return state(row)
    if row.phase == "checks":
        return f"{state(row)}: its SHA-256 is compared with the one at the Hub"
    parts = [state(row), amount(row.done_bytes, row.item.total_bytes), speed(row.rate)]
    left = clock(row.left_s)
    return ", ".join(part for part in (*parts, f"{left} left" if left else "") if part)


def _cut(text: str, width: int, most: int, ellipsis: str) -> list[str]:
    """`text` in at most so many lines. What has no spaces is a path or a name, and of those the end matters."""
    if " " in text:
        return textwrap.wrap(text, width, max_lines=most, placeholder=ellipsis, break_on_hyphens=False)
    return [text if len(text) <= width else ellipsis + text[len(ellipsis) - width :]]


class Details(Drawn):
    """The pane under the list, for the selected download."""

    def __init__(self) -> None:
        super().__init__(id="download-details")
        self._lines: list[tuple[str, str]] = []

    def show(self, row: Row | None) -> None:
        """Tell of this one."""
        lines = self._wrapped(row) if row is not None else []
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def _wrapped(self, row: Row) -> list[tuple[str, str]]:
        width = max(20, self.size.width - _NAME - 4)
        lines: list[tuple[str, str]] = []
        for name, text in facts(row):
            if name == "sha256" and (width < _SUM or len(row.item.files) > 1):
                continue  # half a sum is none
            most = 4 if name == "state" else 2
            cut = _cut(text, width, most, self.glyphs.ellipsis)
            lines += [(name if at == 0 else "", part) for at, part in enumerate(cut)]
        return lines

    def render_line(self, y: int) -> Strip:
        if not 0 <= y - 1 < len(self._lines):
            return self._rule() if y == 0 and self._lines else Strip.blank(self.size.width, self.pen())
        name, text = self._lines[y - 1]
        return self.line([Segment(f"   {name:<{_NAME}}", self.pen("faint")), Segment(text, self.pen("muted"))])

    def _rule(self) -> Strip:
        width = max(0, self.size.width - 6)
        return self.line([Segment("   ", self.pen()), Segment(self.glyphs.rule * width, self.pen("frame"))])
