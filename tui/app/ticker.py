"""One clock for everything that streams: it ticks only while something waits to be drawn, and steps back for keys.

Tokens arrive far more often than a screen can be repainted. Whoever has something to draw calls `wake`; the next tick
draws everything at once. Within 0.3 s of a key ticks are at most twelve a second, and none comes right after a key,
so that the key's own echo is painted first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

IDLE_HZ: Final = 25.0
BUSY_HZ: Final = 12.0
KEY_SHADOW_S: Final = 0.3
"""How long after a key ticks stay rare."""
KEY_FIRST_S: Final = 0.04
"""How long a tick waits after a key."""
LONGEST_S: Final = 0.25
"""How long something may wait to be drawn."""


class Ticker:
    """Calls `flush` on the asyncio loop. `clock` is monotonic seconds."""

    def __init__(
        self, flush: Callable[[], None], *, hz: float = IDLE_HZ, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._flush = flush
        self._clock = clock
        self.hz = hz
        self._timer: asyncio.TimerHandle | None = None
        self._last_tick = float("-inf")
        self._last_key = float("-inf")
        self._woken = float("inf")

    @property
    def waiting(self) -> bool:
        """True while a tick is due."""
        return self._timer is not None

    def key(self) -> None:
        """A key was pressed: what is due waits until it has been seen to."""
        self._last_key = self._clock()
        if self._timer is not None:
            self._timer.cancel()
            self._arm()

    def wake(self) -> None:
        """Something waits to be drawn."""
        if self._timer is None:
            self._woken = self._clock()
            self._arm()

    def stop(self) -> None:
        """No tick any more until the next `wake`."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def delay(self) -> float:
        """Seconds from now to the next tick. A flood of keys cannot hold it off for longer than LONGEST_S."""
        now = self._clock()
        recent = now - self._last_key < KEY_SHADOW_S
        due = self._last_tick + 1 / (min(BUSY_HZ, self.hz) if recent else self.hz)
        if recent:
            due = min(max(due, self._last_key + KEY_FIRST_S), self._woken + LONGEST_S)
        return max(0.0, due - now)

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self.delay(), self._tick)

    def _tick(self) -> None:
        self._timer, self._woken = None, float("inf")
        self._last_tick = self._clock()
        self._flush()
