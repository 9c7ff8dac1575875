"""What the finder can show: models of catalogue and Hub, priced on this machine, in the order that is wished for.

It works in a thread, where prices of all models take a second, and tells of a part of them before that. What was priced
is kept until the machine, or the context, is another.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from tui.app.panels.finder.filters import Choices, Filter, cleared, narrowing, without
from tui.app.panels.finder.shelf import Shelf
from tui.hub.files import ModelRow
from tui.hub.listing import Listing
from tui.models.finder.exact import rows_of_files
from tui.models.finder.families import family_of
from tui.models.finder.pricing import Pricer
from tui.models.finder.selection import Table
from tui.models.finder.values import FinderRow, Wishes, with_installed

PART_S = 0.3
"""How long models are priced before those that are done are shown as such; each time it is twice as long."""
Installed = Mapping[str, Mapping[str, str]]
"""Identities of models of the library, by repository and quantization."""


@dataclass(frozen=True, slots=True)
class Stocked:
    """Rows to choose from."""

    shelf: Shelf
    total: int
    """Models that there are, before any wish."""
    choices: Choices
    whole: bool
    """False while there are some without a price, which comes."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted of the stock."""

    listings: tuple[Listing, ...]
    wishes: Wishes
    pricer: Pricer | None
    """None while this machine's memory is not known: rows then have no price."""
    installed: Installed = field(default_factory=dict)
    exact: Mapping[str, tuple[FinderRow, ...]] = field(default_factory=dict)
    """Rows of repositories that were looked at, which count in place of what a card tells; by repository."""
    files: Mapping[str, tuple[ModelRow, ...]] = field(default_factory=dict)
    """Of repositories that nobody has looked at yet: what they hold."""

    def known(self, repo: str) -> object:
        """What is known of a repository besides its card, for telling whether that is news."""
        return self.exact.get(repo) or self.files.get(repo)

    stop: threading.Event = field(default_factory=threading.Event)
    """Set when something else is wanted."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A model with what it would take."""

    listing: Listing
    installed: Mapping[str, str]
    known: object
    """What the rows were made of besides its card."""
    rows: tuple[FinderRow, ...]


class Stock:
    """The priced models. Orders are carried out one after the other."""

    def __init__(self) -> None:
        self._busy = threading.Lock()
        self._pricer: Pricer | None = None
        self._entries: dict[str, _Entry] = {}
        self._listed: tuple[Listing, ...] = ()
        """What is in the table."""
        self._table = Table()
        self._choices = Choices()

    def rows_of(self, listing: Listing) -> tuple[FinderRow, ...]:
        """All quantizations of a model as they were priced last, the smallest first; none without a price."""
        entry = self._entries.get(listing.repo)
        rows = entry.rows if entry is not None else ()
        return tuple(sorted((row for row in rows if row.quant), key=lambda row: row.file_bytes or 0))

    def fill(self, order: Order, tell: Callable[[Stocked], None]) -> None:
        """Price what has no price yet, and tell of everything: at once, now and then, and at the end. For a thread."""
        with self._busy:
            if order.pricer is not self._pricer:
                self._pricer, self._entries = order.pricer, {}
            missing = [listing for listing in order.listings if self._is_new(listing, order)]
            told_at, patience_s = time.monotonic(), PART_S
            if missing and self._pricer is not None and not self._listed:
                self._set_out(order)
                tell(self._stocked(order, whole=False))
            for listing in missing:
                if order.stop.is_set():
                    return
                self._price(listing, order)
                if time.monotonic() - told_at > patience_s:
                    self._set_out(order)
                    tell(self._stocked(order, whole=False))
                    told_at, patience_s = time.monotonic(), 2 * patience_s
            if missing or order.listings != self._listed:
                self._set_out(order)
            if not order.stop.is_set():
                tell(self._stocked(order, whole=True))

    def counts_without(self, wishes: Wishes) -> tuple[tuple[Filter, int], ...]:
        """How many models there would be without each of the filters that are set, the most first; nothing where no
        filter is the reason that there are none.
        """
        table = self._table
        if not table.select(cleared(wishes)):
            return ()
        counted = [(one, len(table.select(without(wishes, one)))) for one in narrowing(wishes)]
        return tuple(sorted(counted, key=lambda pair: -pair[1]))

    def _is_new(self, listing: Listing, order: Order) -> bool:
        entry, known = self._entries.get(listing.repo), order.known(listing.repo)
        return (
            entry is None
            or entry.listing != listing
            or entry.installed != order.installed.get(listing.repo, {})
            or (known is not None and entry.known is not known)
        )

    def _price(self, listing: Listing, order: Order) -> None:
        installed, files = order.installed.get(listing.repo, {}), order.files.get(listing.repo, ())
        rows = order.exact.get(listing.repo) or ()
        if not rows and self._pricer is not None:
            rows = rows_of_files(self._pricer, listing, files) or self._pricer.rows(listing)
        rows = with_installed(rows or _unpriced(listing), installed)
        self._entries[listing.repo] = _Entry(listing, installed, order.known(listing.repo), rows)

    def _set_out(self, order: Order) -> None:
        """Put everything into the table, with prices as far as there are any."""
        known = [self._entries.get(listing.repo) for listing in order.listings]
        pairs = zip(order.listings, known, strict=True)
        self._table = Table(
            row for listing, entry in pairs for row in (_unpriced(listing) if entry is None else entry.rows)
        )
        self._listed = order.listings
        if len(self._entries) > 2 * len(known):
            # What searches of long ago have found is not listed any more.
            self._entries = {entry.listing.repo: entry for entry in known if entry is not None}
        self._choices = Choices.of(
            (listing.licence or "" for listing in order.listings),
            (family_of(listing) for listing in order.listings),
            gpus=order.pricer is None or bool(order.pricer.machine.devices),
        )

    def _stocked(self, order: Order, *, whole: bool) -> Stocked:
        shelf = Shelf(self._table.select(replace(order.wishes, query="")))
        return Stocked(shelf, len(self._listed), self._choices, whole)


def _unpriced(listing: Listing) -> tuple[FinderRow, ...]:
    return (FinderRow(listing=listing, quant="", best=True),)


def installed_by(models: Iterable[tuple[str | None, str | None, str]]) -> Installed:
    """What is here already, from (repository, quantization, identity) of each model of the library."""
    found: dict[str, dict[str, str]] = {}
    for repo, quant, identity in models:
        if repo and quant:
            found.setdefault(repo, {})[quant] = identity
    return found
