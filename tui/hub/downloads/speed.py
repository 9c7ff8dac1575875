"""How fast bytes come, over the last seconds."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_WINDOW_S = 6.0
_LEAST_S = 0.5
"""A shorter stretch tells nothing."""


class Speed:
    """A moving average over the last seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._marks: deque[tuple[float, int]] = deque()
        self._bytes = 0

    def add(self, size: int) -> None:
        """So many bytes came now."""
        self._bytes += size

    def rate(self) -> int | None:
        """Bytes a second; None while nobody can tell. Meant to be asked some times a second."""
        now = self._clock()
        self._marks.append((now, self._bytes))
        while now - self._marks[0][0] > _WINDOW_S and len(self._marks) > 1:
            self._marks.popleft()
        begun, before = self._marks[0]
        if now - begun < _LEAST_S:
            return None
        return round((self._bytes - before) / (now - begun))


def eta_s(left_bytes: int, bytes_s: int | None) -> float | None:
    """Seconds that are left at this speed; None where it cannot be told."""
    return round(left_bytes / bytes_s, 1) if bytes_s else None
