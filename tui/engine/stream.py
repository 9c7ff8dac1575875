"""The events of one answer as the front end iterates over them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from tui.engine.errors import EngineError
from tui.engine.protocol import Delta, Done, Event, Failed, PromptProgress

GenerationEvent = PromptProgress | Delta | Done


class Generation:
    """The events of one answer, in order; Done is the last. Raises EngineError when it fails, EngineDied when the
    engine does. Iterate over it once; leaving early cancels it.
    """

    def __init__(self, number: int, *, cancel: Callable[[], None], forget: Callable[[], bool]) -> None:
        """Made by `Engine.generate`. `forget` stops the engine's client listening, and is True when it was not over."""
        self.id = number
        """Its request id."""
        self._cancel, self._forget = cancel, forget
        self._queue: asyncio.Queue[Event | EngineError] = asyncio.Queue()

    def cancel(self) -> None:
        """Ask for a stop; Done with reason "cancelled" follows. Safe at any time, also after the end."""
        self._cancel()

    def put(self, event: Event | EngineError) -> None:
        """Called by the engine's client: what comes next."""
        self._queue.put_nowait(event)

    async def __aiter__(self) -> AsyncIterator[GenerationEvent]:
        try:
            while True:
                event = await self._queue.get()
                if isinstance(event, EngineError):
                    raise event
                if isinstance(event, Failed):
                    raise EngineError.of(event)
                if isinstance(event, PromptProgress | Delta | Done):
                    yield event
                    if isinstance(event, Done):
                        return
        finally:
            if self._forget():  # whoever iterated left early: do not compute for nobody
                self.cancel()
