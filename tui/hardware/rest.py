"""Leaves a card alone that nobody uses and that may power down: reading it every second would keep it awake for ever.

Only cards whose power the kernel manages (`power/control` is "auto"), as on laptops, are ever left alone; they are read
now and then, and their last row is shown with its age in between.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from tui.hardware.snapshot import Gpu

IDLE_S = 10.0
"""How long a card must be seen idle before it is left alone."""
REST_S = 30.0
"""How often it is read then. Cards power down after a few seconds of rest, so most have by that time."""


class Rest:
    """What was last seen of each card, by its PCI address. Not for two threads at a time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: dict[str, _Seen] = {}

    def left_alone(self, address: str | None, engine_pids: Collection[int]) -> Gpu | None:
        """The last row of a card, with its age, while it is to be left alone; None when it is to be read. An engine
        that has come or gone is a reason to look.
        """
        seen = self._seen.get(address or "")
        if seen is None or seen.idle_since is None:
            return None
        settled = seen.read_at - seen.idle_since >= IDLE_S and seen.engine_pids == set(engine_pids)
        now = self._clock()
        if not settled or now - seen.read_at >= REST_S:
            return None
        return replace(seen.row, idle_s=int(now - seen.read_at))

    def noted(self, address: str | None, row: Gpu, engine_pids: Collection[int]) -> Gpu:
        """The row of a card that was just read, marked where it is at rest."""
        now, before, pids = self._clock(), self._seen.get(address or ""), frozenset(engine_pids)
        idle_since = now
        if before is not None and before.idle_since is not None and before.engine_pids == pids:
            idle_since = before.idle_since
        idle = _is_idle(row)
        self._seen[address or ""] = _Seen(row, now, idle_since if idle else None, pids)
        return replace(row, idle_s=0) if idle and now - idle_since >= IDLE_S else row

    def forget(self, address: str | None) -> None:
        """A card is asleep; it is read as soon as it is awake."""
        self._seen.pop(address or "", None)


class _Seen:
    """A card as it was last read."""

    __slots__ = ("engine_pids", "idle_since", "read_at", "row")

    def __init__(self, row: Gpu, read_at: float, idle_since: float | None, engine_pids: frozenset[int]) -> None:
        self.row, self.read_at, self.idle_since, self.engine_pids = row, read_at, idle_since, engine_pids


def _is_idle(row: Gpu) -> bool:
    """True where it is known that nothing runs on it, and that nobody has memory there. Whose memory is the host's is
    never idle, since its figures change with the host's.
    """
    well = row.error is None and row.pool == "own" and not row.divided
    return well and row.utilization == 0 and not row.processes
