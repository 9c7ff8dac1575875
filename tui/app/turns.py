"""Keys in their order: the next one is handed on when all that the one before led to has happened.

Textual gives a key to whoever has the focus at that moment, and what the key does (a panel that opens, a focus that
moves) happens later, when the key has come back up to the app. What is typed faster than that, as over a slow line,
would go to where the focus was before.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.message_pump import MessagePump

LONGEST_S = 0.5
"""How long a key may hold up those behind it, whatever becomes of it."""


class KeyTurns:
    """Gives keys and pasted text to the app one after the other. Closed at first: what comes before `open` waits."""

    def __init__(self, app: App[int], give: Callable[[events.Event], Awaitable[None]]) -> None:
        """`give` hands an event on as Textual does."""
        self._app, self._give = app, give
        self._waiting: deque[events.Event] = deque()
        self._taken = True
        self._turn = 0
        self._limit: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        """Somebody is there to hear keys from now on."""
        await self._next()

    async def take(self, event: events.Event) -> None:
        """A key, now or when its turn comes."""
        self._waiting.append(event)
        if not self._taken:
            await self._next()

    async def _next(self) -> None:
        self._taken = bool(self._waiting)
        if self._taken:
            self._turn += 1
            focus = self._app.focused or self._app.screen
            await self._give(self._waiting.popleft())
            self._climb(focus, self._turn)
            self._limit = asyncio.get_running_loop().call_later(LONGEST_S, self._climb, self._app, self._turn)

    def _climb(self, node: MessagePump, turn: int) -> None:
        """Follow the key up from the focus, behind it in each queue that it passes."""
        if node is self._app:
            # What the key did there may have asked for the focus, which is behind this in the queue: once more.
            self._app.call_later(lambda: self._app.call_later(self._end, turn))
            return
        above = node.parent if isinstance(node, DOMNode) and node.parent is not None else self._app
        if not node.call_later(self._climb, above, turn):
            self._climb(above, turn)

    async def _end(self, turn: int) -> None:
        if turn == self._turn and self._taken:
            if self._limit is not None:
                self._limit.cancel()
            await self._next()
