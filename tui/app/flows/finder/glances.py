"""Which files the models in sight have: the Hub is asked while nobody presses a key, so that what the list shows are
files that are there and not the usual quantizations.

It never asks much: a screen of models, one after the other, and none of which the Hub has said no.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.app.pause import Pause
from tui.hub.errors import Gated, HubError, NotAllowed, NotFound
from tui.models.threads import in_daemon_thread

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.hub.files import ModelRow
    from tui.hub.listing import Listing
    from tui.models.finder.sources import Sources
    from tui.models.finder.values import FinderRow

REST_S = 0.6
"""How long nobody moves before the Hub is asked."""
MOST_IN_SIGHT = 40
"""Models of one screen that are asked for."""
MOST_A_MINUTE = 40
"""The Hub lets anybody ask some hundred times in five minutes; searches and looks must have room beside this."""
MOST_KEPT = 1000
"""Models whose files are remembered."""
_NO_FOR_ONE = (Gated, NotAllowed, NotFound)


@dataclass
class GlancesTold(Message):
    """The files of some more models are known."""


class Glances:
    """Looks at what is in sight, one screen at a time."""

    def __init__(self, desk: Desk, sources: Sources) -> None:
        self._app, self._sources = desk.app, sources
        self._resting = Pause(desk.app)
        self._asked: deque[float] = deque(maxlen=MOST_A_MINUTE)
        self._refused: set[str] = set()
        self._silent = False
        """The Hub could not be asked, and is not until a person wants it to be."""
        self.files: Mapping[str, tuple[ModelRow, ...]] = {}
        """What is known by repository; another mapping each time that it is more."""

    def look(self, rows: Sequence[FinderRow]) -> None:
        """These are in sight."""
        if not self._silent:
            listings = [row.listing for row in rows[:MOST_IN_SIGHT] if row.file is None]
            self._resting.wait(REST_S, partial(self._ask, listings))

    def again(self) -> None:
        """What the Hub refused, or could not be asked for, may be asked again."""
        self._silent = False
        self._refused.clear()

    def _ask(self, listings: Sequence[Listing]) -> None:
        repos = [one.repo for one in listings if one.repo not in self.files and one.repo not in self._refused]

        async def work() -> None:
            before = self.files
            try:
                for repo in repos:
                    if self._silent or not self._may_ask():
                        break
                    await self._glance(repo)
            finally:
                if self.files is not before:
                    self._app.post_message(GlancesTold())

        run: Any = work  # Textual's types do not tell a coroutine function from any other
        if repos:
            name = "see which files models have"
            self._app.run_worker(run, group="finder-glance", description=name, exclusive=True, exit_on_error=False)

    async def _glance(self, repo: str) -> None:
        try:
            files = (await in_daemon_thread(partial(self._sources.source, repo))).files
        except _NO_FOR_ONE:
            self._refused.add(repo)
        except HubError:
            self._silent = True
        else:
            kept = list(self.files.items())[-MOST_KEPT + 1 :]
            self.files = dict([*kept, (repo, files.rows)])

    def _may_ask(self) -> bool:
        now = time.monotonic()
        if len(self._asked) == MOST_A_MINUTE and now - self._asked[0] < 60:
            return False
        self._asked.append(now)
        return True
