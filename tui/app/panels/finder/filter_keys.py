"""The keys of the finder that change what is wished for, one filter each."""

from __future__ import annotations

from dataclasses import replace

from tui.app.panels.finder import filters
from tui.app.panels.finder.filters import Choices
from tui.models.finder.values import Wishes

USUAL_CONTEXT = 8192
"""Tokens of context that prices are made for at first."""


class FilterKeys:
    """What is wished for, and the actions that change it. Whoever has them hears of it by `wished`."""

    wishes = Wishes()
    """What is wished for, the query included."""
    n_ctx = USUAL_CONTEXT
    """Tokens of context that prices are made for."""
    choices = Choices()
    """What there is to choose from."""

    def wished(self) -> None:
        """Something else is wished for now."""
        raise NotImplementedError

    def wish(self, wishes: Wishes, n_ctx: int | None = None) -> None:
        """Wish for something else."""
        n_ctx = self.n_ctx if n_ctx is None else n_ctx
        if (wishes, n_ctx) != (self.wishes, self.n_ctx):
            self.wishes, self.n_ctx = wishes, n_ctx
            self.wished()

    def action_finder_use(self) -> None:
        self._next("use_case")

    def action_finder_wait(self) -> None:
        self._next("max_wait_s")

    def action_finder_fits(self) -> None:
        self._next("fits")

    def action_finder_parameters(self) -> None:
        self._next("parameters")

    def action_finder_family(self) -> None:
        self._next("family")

    def action_finder_licence(self) -> None:
        self._next("licence")

    def action_finder_trained(self) -> None:
        self._next("context_length")

    def action_finder_sort(self) -> None:
        self._next("sort")

    def _next(self, name: str) -> None:
        """The next value of one filter."""
        self.wish(filters.BY_NAME[name].stepped(self.wishes, self.choices, 1))

    def action_finder_clear(self) -> None:
        """No filters, and nothing typed; where that is so already, the largest first, however slow."""
        plain = filters.cleared(replace(self.wishes, query=""))
        self.wish(plain if plain != self.wishes else replace(plain, patience_s=None))

    def action_finder_longer(self) -> None:
        self.wish(self.wishes, filters.longer(self.n_ctx, 1))

    def action_finder_shorter(self) -> None:
        self.wish(self.wishes, filters.longer(self.n_ctx, -1))
