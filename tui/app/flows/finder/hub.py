"""The Hub's side of the finder's list: it is asked once nobody types for a moment, and what it finds is posted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from textual.message import Message

from tui.app.pause import Pause
from tui.hub.client import Hub
from tui.hub.kept import SearchCache
from tui.models.finder.online import OnlineSearch, Results, question_of

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.hub.catalogue import Catalogue
    from tui.hub.search import Question
    from tui.models.finder.values import Wishes

DEBOUNCE_S = 0.3
"""How long nobody types before the Hub is asked."""


@dataclass
class HubTold(Message):
    """The Hub has found something, or could not be asked."""

    results: Results


class HubSide:
    """Asks one question at a time: the last one."""

    def __init__(self, desk: Desk, connect: Callable[[], Hub]) -> None:
        self._app = desk.app
        self._online = OnlineSearch(connect, SearchCache(desk.paths.cache / "searches"))
        self._typing = Pause(desk.app)
        self._question: Question | None = None
        self.results: Results | None = None
        """What the Hub told last."""

    @property
    def state(self) -> Literal["", "asking", "done", "failed"]:
        """How far the Hub is with what is searched for now; empty where nobody has asked."""
        if self._question is None:
            return ""
        if self.results is None or self.results.question != self._question:
            return "asking"
        return "failed" if self.results.problem is not None else self.results.state

    def search(self, wishes: Wishes, catalogue: Catalogue, *, again: bool = False) -> None:
        """Ask the Hub, unless that was the last question; `again` even then."""
        question = question_of(wishes)
        if question == self._question and not again:
            return
        self._question = question

        async def work() -> None:
            async for results in self._online.search(wishes, catalogue.listings, renew=again):
                self._app.post_message(HubTold(results))

        def ask() -> None:
            run: Any = work  # Textual's types do not tell a coroutine function from any other
            self._app.run_worker(
                run, group="finder-search", description="ask the Hub", exclusive=True, exit_on_error=False
            )

        self._typing.wait(0 if again else DEBOUNCE_S, ask)
