"""A model that is to be fetched before it is known which files it has: the Hub is asked, then one of them is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.app.flows.finder_words import other_words
from tui.app.panels.finder.about import About
from tui.app.panels.finder.wanted import PullWanted
from tui.models.finder.detail import Detail
from tui.models.finder.values import FinderRow

if TYPE_CHECKING:
    from tui.app.desk import Desk


class FinderPulls:
    """One wish at a time: the last one counts."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._wanted: FinderRow | None = None

    def ask(self, row: FinderRow) -> None:
        """This is wanted."""
        self._wanted = row

    def told(self, detail: Detail) -> None:
        """Have the file fetched, once the Hub has told of it; another quantization where it has not that one."""
        wanted = self._wanted
        if wanted is None or wanted.listing.repo != detail.listing.repo or "files" in detail.asking:
            return
        self._wanted = None
        if not detail.rows:
            self._desk.tell(f"{wanted.listing.name} cannot be fetched: {detail.problem}", "warning")
            return
        row = detail.rows[About(detail.listing, detail.rows).at(wanted.quant)]
        self._desk.tell(other_words(wanted, row))
        self._desk.app.post_message(PullWanted(row.listing.repo, row.quant, row.file or ""))
