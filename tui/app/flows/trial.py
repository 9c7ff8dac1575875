"""A trial of a model's speed for the load panel: one at a time, and over before a model is loaded.

It takes as much memory as the model, and for a moment only: what is free counts as it was before.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.app.text import clean
from tui.config.sizes import size
from tui.fit.phantom import NoRoom, PhantomError
from tui.fit.values import Refused
from tui.models.trial import try_speed

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.flows.pricing import Pricing
    from tui.hardware.snapshot import Snapshot
    from tui.library import Model
    from tui.llama.settings import LoadSettings

_GROUP = "phantom"


@dataclass
class SpeedTried(Message):
    """How fast a model would be was measured, or could not be, in words."""

    model: Model
    words: str


class Trial:
    """Starts and ends trials for the app."""

    def __init__(self, desk: Desk, pricing: Pricing) -> None:
        self._desk, self._pricing = desk, pricing
        self._turn = asyncio.Lock()
        """Held from before a trial's process begins until it has ended."""
        self._model: Model | None = None
        self._before: Snapshot | None = None
        self._last: Snapshot | None = None
        """The newest memory when a trial ended: it may have been in it."""

    @property
    def machine(self) -> Snapshot | None:
        """Memory as it counts for a load: no trial's is in it."""
        now = self._desk.machine
        return self._before if self._turn.locked() or (now is not None and now is self._last) else now

    def start(self, model: Model, wished: LoadSettings) -> None:
        """Load the model's header with zeros for weights, and decode; one that runs is ended before."""

        async def work() -> None:
            async with self._turn:
                words = await self._tried(model, wished)
            self._desk.app.post_message(SpeedTried(model, words))

        run: Any = work  # Textual's types do not tell a coroutine function from any other
        self._desk.app.run_worker(
            run, group=_GROUP, description=f"try {model.name}", exclusive=True, exit_on_error=False
        )

    def stop(self) -> None:
        """Have it end: nobody waits for it any more."""
        self._desk.app.workers.cancel_group(self._desk.app, _GROUP)

    async def over(self) -> None:
        """End it, and wait until its memory is back."""
        if self._turn.locked() and self._model is not None:
            self._desk.app.post_message(SpeedTried(self._model, "It is not measured: a model is loaded first."))
        self.stop()
        async with self._turn:
            pass

    async def _tried(self, model: Model, wished: LoadSettings) -> str:
        desk, self._model = self._desk, model
        self._before = desk.machine if desk.machine is not self._last else self._before
        settings, snapshot, subject = desk.settings, self._before, await self._pricing.subjects.of(model)
        if settings is None or snapshot is None or subject is None:
            return "It cannot be measured: its header cannot be read."
        leaving = desk.loading.pid
        try:
            tried = await try_speed(self._pricing.fitting, desk.paths, subject, wished, settings, snapshot, leaving)
        except NoRoom as error:
            return self._no_room(error, in_the_way=leaving is not None)
        except (Refused, PhantomError) as error:
            return f"It cannot be measured: {error}"
        finally:
            self._last = desk.machine
        return f"Measured without weights: {tried.decode_tok_s:.1f} tok/s."

    def _no_room(self, error: NoRoom, *, in_the_way: bool) -> str:
        """What to do about it: a trial takes nothing out of memory by itself."""
        desk, loaded = self._desk, self._desk.loading.model
        if not in_the_way or loaded is None:
            return f"It cannot be measured: {error}"
        unload, again = (desk.keymap.first(name, desk.app.glyphs.ascii) for name in ("unload", "try_speed"))
        return (
            f"It cannot be measured beside {clean(loaded.name)}, which is in memory: {size(error.over_bytes)} too much."
            f" {unload} takes that out of memory; then press {again} again."
        )
