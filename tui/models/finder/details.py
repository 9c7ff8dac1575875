"""What is known of the repository that the finder looks at, one at a time: for the panel, which shows each step.

Asyncio; nothing that is under way is waited for once it is no longer wanted. Nothing here knows a screen.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from tui.config.paths import Paths
from tui.hub.listing import Listing
from tui.models.finder.detail import Detail, Here
from tui.models.finder.reading import Reading
from tui.models.finder.sources import Sources
from tui.models.fitting import Fitting


class Details:
    """What is shown of repositories, one at a time. For one event loop."""

    def __init__(self, sources: Sources, paths: Paths, fitting: Fitting) -> None:
        """`sources` is asked in threads."""
        self._sources, self._paths, self._fitting = sources, paths, fitting
        self._reading: Reading | None = None

    async def open(self, listing: Listing, here: Here, *, focus: str = "") -> AsyncGenerator[Detail, None]:
        """What is known of a repository, each time that it is more: at once, and until another one is opened, or it is
        closed. `focus` is the file of which all is to be known; empty for the one that is best here.

        It raises nothing of the Hub's: the detail says what went wrong. `asking` is empty once nothing more comes.
        """
        self.close()
        reading = self._reading = Reading(self._sources, self._paths, self._fitting, listing, here, focus)
        async with aclosing(reading.run()) as details:
            async for detail in details:
                yield detail

    def focus(self, file: str) -> None:
        """All is to be known of another row of the repository that is open: its header is fetched, and that of the row
        before is not waited for.
        """
        if self._reading is not None:
            self._reading.focus(file)

    def close(self) -> None:
        """Nothing more is to be known of the repository that is open; its iteration ends."""
        if self._reading is not None:
            self._reading.close()
            self._reading = None
