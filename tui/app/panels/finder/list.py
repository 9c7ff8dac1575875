"""The finder's list: models with what they would take here, drawn by columns; and the line of heads over it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from tui.app.look import Drawn
from tui.app.panels.finder.columns import GUTTER, Column, beside, chosen, heads
from tui.app.panels.load.lines import wrapped
from tui.app.rows import RowList
from tui.app.text import clean, fit
from tui.models.finder.values import FinderRow

_MOST_DRAWN = 512
"""Lines that are kept; the highest terminal shows a fifth of them."""


class FinderList(RowList[FinderRow]):
    """The rows. Its keys are the group "list" of the action table."""

    def __init__(self) -> None:
        super().__init__(id="found")
        self._name_cells = 0
        self._fitting: tuple[int, tuple[Column, ...]] = (-1, ())
        self._words: tuple[tuple[str, str], ...] = ()
        self._drawn: dict[int, tuple[FinderRow, Strip]] = {}
        """Lines as they were drawn last, by the identity of their rows: most of them are there after another letter."""
        self._drawn_width = 0
        self.heads: Heads | None = None
        """The line over the list."""

    def show(self, rows: Sequence[FinderRow], name_cells: int, *, follow: bool = False) -> None:
        """List these rows, with columns for names of so many cells; the cursor goes to the first row, or with `follow`
        stays with the model that it is on.
        """
        if name_cells != self._name_cells:
            self._name_cells, self._fitting, self._drawn = name_cells, (-1, ()), {}
        if bool(rows) != bool(self.rows):
            self._draw_heads()
        before, at = self.selected, 0
        if follow and before is not None:
            repo = before.listing.repo
            at = next((number for number, row in enumerate(rows) if row.listing.repo == repo), self.index)
        self.set_rows(rows, at)

    def _draw_heads(self) -> None:
        if self.heads is not None:
            self.heads.refresh()

    def say(self, *words: tuple[str, str]) -> None:
        """What the list says while it has no rows: sentences and their colours."""
        self._words = words
        if not self.rows:
            self.refresh()

    @property
    def in_sight(self) -> tuple[FinderRow, ...]:
        """The rows on the screen."""
        first = self.scroll_offset.y
        return self.rows[first : first + self.size.height]

    def columns(self, width: int) -> tuple[Column, ...]:
        """The columns for so many cells."""
        if self._fitting[0] != width:
            self._fitting = width, chosen(width, self._name_cells)
            self._draw_heads()
        return self._fitting[1]

    def render_line(self, y: int) -> Strip:
        if self.rows:
            return self._row_line(y)
        width = self.size.width
        told = [(line, color) for text, color in self._words for line in wrapped(text, max(10, width - 6))]
        if not 0 < y <= len(told):
            return Strip.blank(width, self.pen())
        text, color = told[y - 1]
        return self.line([Segment("   ", self.pen()), Segment(text, self.pen(color))], width)

    def _row_line(self, y: int) -> Strip:
        at, width = y + self.scroll_offset.y, self.scrollable_content_region.width
        if at >= len(self.rows) or at == self.index:
            return super().render_line(y)
        if width != self._drawn_width or len(self._drawn) > _MOST_DRAWN:
            self._drawn_width, self._drawn = width, {}
        row = self.rows[at]
        known = self._drawn.get(id(row))
        if known is None or known[0] is not row:
            known = self._drawn[id(row)] = row, super().render_line(y)
        return known[1]

    def notify_style_update(self) -> None:
        """Other colours: nothing that was drawn counts."""
        self._drawn.clear()
        super().notify_style_update()

    def draw_row(self, row: FinderRow, width: int, selected: bool) -> Sequence[Segment]:
        glyphs, on = self.glyphs, "surface" if selected else ""
        name, columns = clean(row.listing.name), self.columns(width)
        columns = beside(columns, name, width)
        room = width - GUTTER - 1 - sum(column.cells for column in columns)
        no = row.verdict == "no"
        pen = self.pen("muted" if no else "foreground", "bold" if selected and self.has_focus else "", on)
        segments = [
            Segment(f" {glyphs.pointer if selected else ' '} ", self.pen("accent", on=on)),
            Segment(f"{glyphs.here if row.installed else ' '} ", self.pen("success", on=on)),
            Segment(fit(name, room, glyphs.ellipsis), pen),
        ]
        text, before = "", ""
        for column in columns:  # what stands side by side in one colour is one segment
            word = column.cell(row, glyphs)
            color = "faint" if no and word.color == "foreground" else word.color
            if color != before and text:
                segments.append(Segment(text, self.pen(before, on=on)))
                text = ""
            text, before = text + column.drawn(word.text, glyphs), color
        return [*segments, Segment(f"{text} ", self.pen(before or "foreground", on=on))]


class Heads(Drawn):
    """What the columns of a list are."""

    def __init__(self, rows: FinderList) -> None:
        super().__init__(id="heads")
        self._rows, rows.heads = rows, self

    def render_line(self, y: int) -> Strip:
        width = self._rows.scrollable_content_region.width
        words = heads(self._rows.columns(width), width, self.glyphs) if self._rows.rows else ""
        return self.line([Segment(fit(words, max(0, min(cell_len(words), self.size.width))), self.pen("faint"))])
