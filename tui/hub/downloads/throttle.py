"""A limit on how fast bytes come, shared by all downloads of this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tui.hub.downloads.body import MOST_BYTES
from tui.hub.downloads.stop import Stop

_BURST_S = 0.1
"""What was not used may be caught up by this much."""
_LEAST_BYTES = 16 << 10
"""Read at once at the lowest limits."""


class Throttle:
    """Makes readers wait, so that the network slows the sender."""

    def __init__(self, bytes_s: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.bytes_s = bytes_s
        """0 is no limit; may be changed at any time."""
        self._clock, self._lock = clock, threading.Lock()
        self._free_at = 0.0

    def at_once(self) -> int:
        """How many bytes to read at once, so that a low limit does not make them come in jerks."""
        rate = self.bytes_s
        return MOST_BYTES if rate <= 0 else round(min(MOST_BYTES, max(_LEAST_BYTES, rate * _BURST_S)))

    def take(self, size: int, stop: Stop) -> None:
        """Wait until more may come after these `size` bytes. Raises Cancelled."""
        wait_s = self.due(size)
        if wait_s > 0:
            stop.wait(wait_s)

    def due(self, size: int) -> float:
        """Book `size` bytes and return the seconds to wait for them."""
        rate = self.bytes_s
        if rate <= 0:
            return 0.0
        with self._lock:
            now = self._clock()
            self._free_at = max(self._free_at, now - _BURST_S) + size / rate
            return self._free_at - now
