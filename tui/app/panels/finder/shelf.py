"""The rows that the finder's list chooses from, ready to be narrowed by what is typed: a key must cost next to nothing.

Whatever else is wished for (filters, order, the price at a context) is in the rows already when they are put here,
which costs more and happens in a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tui.app.panels.finder.columns import usual_name
from tui.app.text import clean
from tui.models.finder.selection import searched, searched_words
from tui.models.finder.values import FinderRow

_MOST_KEPT = 64
"""Searches that are remembered."""


class _Found(NamedTuple):
    """What a search found."""

    places: Sequence[int]
    rows: tuple[FinderRow, ...]


class Shelf:
    """Rows in their order, and what was found in them: a letter more narrows that, a letter less has it again."""

    def __init__(self, rows: Sequence[FinderRow] = ()) -> None:
        self.rows = tuple(rows)
        self._hays = tuple(searched(row.listing) for row in self.rows)
        self.name_cells = usual_name(clean(row.listing.name) for row in self.rows)
        """Cells of the usual name."""
        self._all = _Found(range(len(self.rows)), self.rows)
        self._found: dict[tuple[str, ...], _Found] = {(): self._all}
        """By the words that were searched for."""

    def matching(self, query: str) -> tuple[FinderRow, ...]:
        """The rows that hold every word of `query`, in their order."""
        words = searched_words(query)
        found = self._found.get(words)
        if found is None:
            if len(self._found) > _MOST_KEPT:
                self._found = {(): self._all}
            left: Sequence[int] = self._shorter(words).places
            for word in words:
                left = [at for at in left if word in self._hays[at]]
            found = self._found[words] = _Found(left, tuple(self.rows[at] for at in left))
        return found.rows

    def _shorter(self, words: tuple[str, ...]) -> _Found:
        """What was found for as much of these words as was typed before: nothing else can hold all of them."""
        *first, last = words
        for end in range(len(last) - 1, 0, -1):
            if (found := self._found.get((*first, last[:end]))) is not None:
                return found
        return self._found.get(tuple(first), self._all)
