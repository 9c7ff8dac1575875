"""Who waits for which answer of an engine. Runs in the front end's loop."""

from __future__ import annotations

import asyncio

from tui.engine.errors import EngineError
from tui.engine.protocol import Delta, Done, Failed, PromptProgress, StateRestored, StateSaved, TokenCount
from tui.engine.stream import Generation

Answer = TokenCount | StateSaved | StateRestored
"""What is the one event that answers a request."""
Told = PromptProgress | Delta | Done | Failed | Answer


class Waiting:
    """Requests that were sent and are not over."""

    def __init__(self) -> None:
        self._waiters: dict[int, Generation | asyncio.Future[Answer]] = {}
        self.writing = False
        """True while the newest that was heard is text of an answer."""
        self.looking = False
        """True while it is that an image is looked at."""

    def __bool__(self) -> bool:
        return bool(self._waiters)

    def stream(self, generation: Generation) -> None:
        """Expect the events of an answer."""
        self._waiters[generation.id] = generation

    async def answer(self, request_id: int) -> Answer:
        """Wait for the answer to a request. Raises EngineError."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiters[request_id] = future
        try:
            return await future
        finally:
            self.forget(request_id)

    def forget(self, request_id: int) -> bool:
        """Stop listening for a request; True when it was not over."""
        return self._waiters.pop(request_id, None) is not None

    def tell(self, event: Told) -> None:
        """Hand an event to whoever waits for it."""
        waiter = self._waiters.get(event.id)
        self.writing = isinstance(event, Delta)
        self.looking = isinstance(event, PromptProgress) and event.looking
        if isinstance(event, Done | Failed):
            self.forget(event.id)
        if isinstance(waiter, Generation):
            waiter.put(event)
        elif waiter is not None and not waiter.done():
            if isinstance(event, Failed):
                waiter.set_exception(EngineError.of(event))
            elif isinstance(event, TokenCount | StateSaved | StateRestored):
                waiter.set_result(event)

    def fail(self, error: EngineError) -> None:
        """Tell everybody that there will be no answer."""
        for waiter in self._waiters.values():
            if isinstance(waiter, Generation):
                waiter.put(error)
            elif not waiter.done():
                waiter.set_exception(error)
        self._waiters.clear()
