"""Behind the finder: the catalogue, prices in a thread, the Hub's answers, one model in detail. It only computes and
posts; `FinderFlow` changes what is seen.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.app.flows.finder_ghost import ghost_of
from tui.app.flows.finder_looking import Looking
from tui.app.flows.finder_pause import Pause
from tui.app.flows.finder_prices import FinderPrices
from tui.app.flows.finder_pulls import FinderPulls
from tui.app.flows.finder_stock import Installed, Order, Stock, Stocked, installed_by
from tui.app.panels.finder.filters import Filter
from tui.hub.catalogue import Catalogue, catalogue
from tui.hub.client import connect
from tui.hub.kept import SearchCache
from tui.hub.listing import Listing
from tui.models.finder.online import OnlineSearch, Results, question_of

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.panels.finder.about import About
    from tui.hub.search import Question
    from tui.models.finder.values import FinderRow, Wishes

DEBOUNCE_S = 0.3
"""How long nobody types before the Hub is asked."""


@dataclass
class CatalogueRead(Message):
    """What is known without a network."""

    catalogue: Catalogue


@dataclass
class RowsMade(Message):
    """There are other rows to choose from."""

    stocked: Stocked


@dataclass
class HubTold(Message):
    """The Hub has found something, or could not be asked."""

    results: Results


@dataclass
class WhyTold(Message):
    """How many models there would be without each of the filters."""

    wishes: Wishes
    without: tuple[tuple[Filter, int], ...]


class Back:
    """What the finder works with, from when it is first opened."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._prices = FinderPrices(desk)
        self._stock = Stock()
        self._looking = Looking(desk, connect)
        self.pulls = FinderPulls(desk)
        """What is to be fetched."""
        self._online = OnlineSearch(connect, SearchCache(desk.paths.cache / "searches"))
        self._typing = Pause(desk.app)
        self._left_alone = 0
        self._order: Order | None = None
        self._question: Question | None = None
        self._catalogue: Catalogue | None = None
        self._listings: tuple[Listing, ...] = ()
        self.results: Results | None = None
        """What the Hub told last."""

    @property
    def gathered(self) -> str:
        """The day of the catalogue; empty before it is read."""
        return self._catalogue.gathered if self._catalogue is not None else ""

    @property
    def state(self) -> str:
        """Whether the Hub is being asked, or was: "asking", "done" or "failed"; empty where nobody has."""
        if self.results is None:
            return ""
        return "failed" if self.results.problem is not None else self.results.state

    # ---- rows

    def read_catalogue(self) -> None:
        """Read what is known without a network."""

        def work() -> None:
            self._post(CatalogueRead(catalogue(self._desk.paths)))

        self._desk.background.thread(work, "finder-catalogue", "read the catalogue of models")

    def catalogue_read(self, found: Catalogue) -> None:
        """It is there."""
        self._catalogue, self._listings = found, found.listings

    def restock(self, wishes: Wishes, n_ctx: int) -> None:
        """Have rows made for these wishes, with prices at a context."""
        if self._order is not None:
            self._order.stop.set()

        async def work() -> None:
            if self._prices.drifted:
                self._looking.forget()
            pricer = await self._prices.pricer(n_ctx)
            exact = self._looking.exact(n_ctx)
            order = self._order = Order(self._listings, wishes, pricer, self.installed, exact)
            try:
                await asyncio.to_thread(self._stock.fill, order, lambda stocked: self._post(RowsMade(stocked)))
            finally:
                order.stop.set()  # nobody waits for the thread, not even the end of the program
            self._leave_alone(len(order.listings))

        if self._catalogue is not None:
            self._run(work, "finder-rows", "work out what models would take")

    def _leave_alone(self, models: int) -> None:
        """Have the collector pass over the rows, which stay as long as the finder does: walking over them now and then,
        it would hold the screen up for tens of milliseconds. Garbage that is there by chance is kept, too: this is done
        for many new models only.
        """
        if models > 2 * self._left_alone:
            self._left_alone = models
            gc.freeze()

    @property
    def drifted(self) -> bool:
        """Whether memory has changed since prices were made."""
        return self._prices.drifted

    @property
    def installed(self) -> Installed:
        """What the library has of what can be fetched."""
        models = self._desk.bench.library.models
        return installed_by((one.repo, one.quant, one.identity) for one in models if not one.problem)

    def explain(self, wishes: Wishes) -> None:
        """Find out which filter leaves out most."""

        async def work() -> None:
            self._post(WhyTold(wishes, await asyncio.to_thread(self._stock.counts_without, wishes)))

        self._run(work, "finder-why", "see what the filters leave out")

    # ---- the Hub

    def search(self, wishes: Wishes, *, again: bool = False) -> None:
        """Ask the Hub, unless that was the last question; `again` even then."""
        question, found = question_of(wishes), self._catalogue
        if found is None or (question == self._question and not again):
            return
        self._question = question

        async def work() -> None:
            async for results in self._online.search(wishes, found.listings):
                self._post(HubTold(results))

        def ask() -> None:
            self._run(work, "finder-search", "ask the Hub")

        self._typing.wait(0 if again else DEBOUNCE_S, ask)

    def told(self, results: Results) -> bool:
        """Keep what the Hub told; True where there are other models now."""
        self.results = results
        if results.listings == self._listings:
            return False
        self._listings = results.listings
        return True

    # ---- one model

    def about(self, row: FinderRow, n_ctx: int) -> About:
        """What is known of a model by now."""
        return self._looking.about(row.listing, n_ctx, self._stock.rows_of(row.listing))

    def look(self, row: FinderRow, n_ctx: int, *, again: bool = False) -> None:
        """Have all found out of a quantization; what could not be is tried `again` only."""
        self._looking.look(row, n_ctx, self._prices.seen, self.installed, again=again)

    @property
    def looking(self) -> Looking:
        """Who looks at one model."""
        return self._looking

    def ghost(self, row: FinderRow) -> dict[str, int]:
        """Where a row would lie, by the key of a gauge."""
        return ghost_of(row, self._prices.seen) if self._prices.seen is not None else {}

    # ---- workers

    def _post(self, message: Message) -> None:
        self._desk.app.post_message(message)

    def _run(self, work: Callable[[], Coroutine[Any, Any, None]], group: str, description: str) -> None:
        """Work in the background, in place of what was asked before in the same group."""
        run: Any = work  # Textual's types do not tell a coroutine function from any other
        self._desk.app.run_worker(run, group=group, description=description, exclusive=True, exit_on_error=False)
