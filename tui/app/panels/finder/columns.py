"""The columns of the finder's list: what each shows, how wide it is, and which of them there is room for. Pure.

Names come first. A column is there only where the usual name fits beside it, and a name that is longer still takes the
place of the columns next to it, in its own row; the verdict is what stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from tui.app.glyphs import Glyphs
from tui.app.panels.finder import words
from tui.app.panels.load.price import Word
from tui.app.text import brief, clean, fit, fit_right
from tui.models.finder.values import FinderRow

GUTTER: Final = 5
"""Cells before the name: the cursor, and the sign of a model that is here already."""
GAP: Final = 2
LEAST_NAME: Final = 12
"""Cells of a name that tell one model from another."""
MOST_NAME: Final = 32
"""Cells of a name from which it takes the place of the columns in its own row only: nine of ten have fewer."""
_NEEDED: Final = ("fits", "tok/s")
"""Columns that are there however long names are."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    title: str
    width: int
    rank: int
    """Which is wanted more: the smaller."""
    cell: Callable[[FinderRow, Glyphs], Word]
    right: bool = False
    """Figures stand at the right edge of theirs."""

    @property
    def cells(self) -> int:
        """Cells that it takes, the gap before it included."""
        return self.width + GAP

    def drawn(self, word: str, glyphs: Glyphs) -> str:
        """The word in exactly this column's cells."""
        return " " * GAP + (fit_right(word, self.width) if self.right else fit(word, self.width, glyphs.ellipsis))


COLUMNS: Final = (
    Column("likes", 6, 12, lambda row, _: Word(words.many(row.listing.likes), "faint"), right=True),
    Column("updated", 7, 10, lambda row, _: Word(words.month(row.listing), "faint")),
    Column("licence", 12, 9, lambda row, _: Word(clean(row.listing.licence or ""), "faint")),
    Column("access", 6, 11, lambda row, _: Word("ask" if row.listing.gated else "free", "faint")),
    Column("downl.", 6, 8, lambda row, _: Word(words.many(row.listing.downloads), "faint"), right=True),
    Column("trained", 7, 13, lambda row, _: Word(brief(row.listing.context_length or 0), "faint"), right=True),
    Column("for", 9, 7, lambda row, _: Word(words.purpose(row.listing), "muted")),
    Column("params", 9, 6, lambda row, _: Word(words.parameters(row.listing), "muted"), right=True),
    Column("quant", 7, 4, lambda row, _: Word(clean(row.quant), "muted")),
    Column("size", 7, 3, lambda row, _: Word(words.file_size(row), "foreground"), right=True),
    Column("need", 7, 5, lambda row, _: Word(words.need(row), "foreground"), right=True),
    Column("fits", 6, 1, lambda row, glyphs: words.verdict_word(row.verdict, glyphs)),
    Column("tok/s", 8, 2, lambda row, glyphs: Word(words.speed(row, glyphs), "foreground"), right=True),
)
"""From left to right: the lesser ones stand next to the name."""


def chosen(width: int, name_cells: int) -> tuple[Column, ...]:
    """The columns for so many cells, where the usual name has `name_cells`: by rank, none that would cut that name."""
    left = width - GUTTER - 1
    found = []
    for column in sorted(COLUMNS, key=lambda column: column.rank):
        least = name_cells if column.title not in _NEEDED else LEAST_NAME
        if left - column.cells < least:
            break
        found.append(column)
        left -= column.cells
    return tuple(column for column in COLUMNS if column in found)


def heads(columns: Sequence[Column], width: int, glyphs: Glyphs) -> str:
    """The line over the list."""
    room = width - GUTTER - 1 - sum(column.cells for column in columns)
    return " " * GUTTER + fit("model", room) + "".join(column.drawn(column.title, glyphs) for column in columns)


def beside(columns: Sequence[Column], name: str, width: int) -> tuple[Column, ...]:
    """The columns that one row shows: those that its name leaves room for."""
    room = width - GUTTER - 1 - sum(column.cells for column in columns)
    missing, left = cell_len(name) - room, list(columns)
    for column in columns:
        if missing <= 0:
            break
        if column.title != "fits":
            left.remove(column)
            missing -= column.cells
    return tuple(left)


def usual_name(names: Iterable[str]) -> int:
    """Cells that all but the longest names have: columns are chosen by it, so that they stay where they are while the
    list is filtered.
    """
    lengths = sorted(min(cell_len(name), MOST_NAME) for name in names)
    return lengths[len(lengths) * 9 // 10] if lengths else LEAST_NAME
