"""The rows that the finder's list chooses from, ready to be narrowed by what is typed: a key must cost next to nothing.

Whatever else is wished for (filters, order, the price at a context) is in the rows already when they are put here,
which costs more and happens in a thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tui.app.panels.finder.columns import usual_name
from tui.app.text import clean
from tui.models.finder.selection import searched, searched_words
from tui.models.finder.values import FinderRow


class Shelf:
    """Rows in their order. Nothing of it changes once it is made."""

    def __init__(self, rows: Sequence[FinderRow] = ()) -> None:
        self.rows = tuple(rows)
        self._hays = tuple(searched(row.listing) for row in self.rows)
        self.name_cells = usual_name(clean(row.listing.name) for row in self.rows)
        """Cells of the usual name."""

    def matching(self, query: str) -> tuple[FinderRow, ...]:
        """The rows that hold every word of `query`, in their order."""
        words = searched_words(query)
        if not words:
            return self.rows
        left: Iterable[int] = range(len(self.rows))
        for word in words:
            left = [at for at in left if word in self._hays[at]]
        return tuple(self.rows[at] for at in left)
