"""The rows of the finder's list: the catalogue is read, models are priced and ordered in a thread, and posted."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.app.flows.finder.prices import Prices
from tui.app.flows.finder.stock import Installed, Order, Stock, Stocked, installed_by
from tui.app.panels.finder.filters import Filter
from tui.hub.catalogue import Catalogue, catalogue
from tui.hub.listing import Listing

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.flows.finder.glances import Glances
    from tui.app.flows.finder.looking import Looking
    from tui.models.finder.values import FinderRow, Wishes
    from tui.models.machine import Seen


@dataclass
class CatalogueRead(Message):
    """What is known without a network."""

    catalogue: Catalogue


@dataclass
class RowsMade(Message):
    """There are other rows to choose from."""

    stocked: Stocked


@dataclass
class WhyTold(Message):
    """How many models there would be without each of the filters."""

    wishes: Wishes
    without: tuple[tuple[Filter, int], ...]


class Rows:
    """Makes them, in workers."""

    def __init__(self, desk: Desk, looking: Looking, glances: Glances) -> None:
        """What `looking` and `glances` know of a model counts for its rows."""
        self._desk, self._looking, self._glances = desk, looking, glances
        self._prices = Prices(desk)
        self._stock = Stock()
        self._left_alone = 0
        self._order: Order | None = None
        self.catalogue: Catalogue | None = None
        """What is known without a network; None before it is read."""
        self._listings: tuple[Listing, ...] = ()

    def read_catalogue(self) -> None:
        """Read what is known without a network."""

        def work() -> None:
            self._post(CatalogueRead(catalogue(self._desk.paths)))

        self._desk.background.thread(work, "finder-catalogue", "read the catalogue of models")

    def catalogue_read(self, found: Catalogue) -> None:
        """It is there."""
        self.catalogue, self._listings = found, found.listings

    def take(self, listings: tuple[Listing, ...]) -> bool:
        """These models are all that there are; True where that is news."""
        if listings == self._listings:
            return False
        self._listings = listings
        return True

    def restock(self, wishes: Wishes, n_ctx: int) -> None:
        """Have rows made for these wishes, with prices at a context."""
        if self._order is not None:
            self._order.stop.set()

        async def work() -> None:
            if self._prices.drifted:
                self._looking.forget()
            pricer = await self._prices.pricer(n_ctx)
            exact = self._looking.exact(n_ctx)
            order = self._order = Order(self._listings, wishes, pricer, self.installed, exact, self._glances.files)
            try:
                await asyncio.to_thread(self._stock.fill, order, lambda stocked: self._post(RowsMade(stocked)))
            finally:
                order.stop.set()  # nobody waits for the thread, not even the end of the program
            self._leave_alone(len(order.listings))

        if self.catalogue is not None:
            self._run(work, "finder-rows", "work out what models would take")

    def _leave_alone(self, models: int) -> None:
        """Have the collector pass over the rows, which stay as long as the finder does: walking over them now and then,
        it would hold the screen up for tens of milliseconds. Garbage that is there by chance is kept, too: this is done
        for many new models only.
        """
        if models > 2 * self._left_alone:
            self._left_alone = models
            gc.freeze()

    def explain(self, wishes: Wishes) -> None:
        """Find out which filter leaves out most."""

        async def work() -> None:
            self._post(WhyTold(wishes, await asyncio.to_thread(self._stock.counts_without, wishes)))

        self._run(work, "finder-why", "see what the filters leave out")

    # ---- what they are made with

    @property
    def drifted(self) -> bool:
        """Whether memory has changed since prices were made."""
        return self._prices.drifted

    @property
    def seen(self) -> Seen | None:
        """The machine that prices were made for; None before there were any."""
        return self._prices.seen

    @property
    def installed(self) -> Installed:
        """What the library has of what can be fetched."""
        models = self._desk.bench.library.models
        return installed_by((one.repo, one.quant, one.identity) for one in models if not one.problem)

    def rows_of(self, listing: Listing) -> tuple[FinderRow, ...]:
        """All quantizations of a model as they were priced last, the smallest first; none without a price."""
        return self._stock.rows_of(listing)

    # ---- workers

    def _post(self, message: Message) -> None:
        self._desk.app.post_message(message)

    def _run(self, work: Callable[[], Coroutine[Any, Any, None]], group: str, description: str) -> None:
        """Work in the background, in place of what was asked before in the same group."""
        run: Any = work  # Textual's types do not tell a coroutine function from any other
        self._desk.app.run_worker(run, group=group, description=description, exclusive=True, exit_on_error=False)
