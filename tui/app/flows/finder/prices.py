"""What rows of the finder are priced with: this machine as it is now, the person's defaults, a context."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.app.flows.drift import Drift
from tui.llama.settings import LoadSettings, SettingsError
from tui.models.finder.pricing import Pricer
from tui.models.lessons import learnt
from tui.models.wishes import wished_settings

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.config.settings import Settings
    from tui.models.machine import Seen


class Prices:
    """Keeps the pricer until memory, or the context, has changed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._drift = Drift()
        self._pricer: Pricer | None = None
        self.seen: Seen | None = None
        """The machine that prices were made for; None before there were any."""

    @property
    def drifted(self) -> bool:
        """Whether what is free has changed since."""
        now = self._desk.machine
        return now is not None and self._drift.is_over(now)

    async def pricer(self, n_ctx: int) -> Pricer | None:
        """What prices rows at a context of so many tokens; None while this machine's memory is not known."""
        desk, settings, snapshot = self._desk, self._desk.settings, self._desk.machine
        if settings is None or snapshot is None:
            return None
        if self._pricer is None or self.drifted or self._pricer.n_ctx != n_ctx:
            seen = await desk.fit.fitting.seen(snapshot, settings, leaving=desk.loading.pid)
            lessons = await asyncio.to_thread(learnt, desk.paths)
            self._pricer = Pricer(
                seen.machine, n_ctx=n_ctx, settings=_defaults(settings), measured=lessons.speeds.measurements
            )
            self._drift.ask(snapshot)
            self.seen = seen
        return self._pricer


def _defaults(settings: Settings) -> LoadSettings:
    """How models are loaded here, unless they have settings of their own."""
    try:
        return wished_settings({}, {}, settings.load.values())
    except SettingsError:
        return LoadSettings()  # the load panel says what is wrong with them
