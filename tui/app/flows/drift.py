"""When what is free has changed so much, or for so long, that what was told of a load is no longer true. Memory that
jitters around a limit must not turn a verdict over each second. Pure: it asks nobody and has no clock of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui.hardware.history import RAM

if TYPE_CHECKING:
    from tui.hardware.snapshot import Snapshot

DRIFT_BYTES: Final = 256 << 20
"""What is free may change by this much for good: processes come and go."""
SUDDEN_BYTES: Final = 1 << 30
"""Beyond this a change counts at once: a model came or went."""
STAYED_S: Final = 3.0
"""How long a change between the two must have stayed, in seconds."""


class Drift:
    """What is free now, beside what was free when somebody asked last."""

    def __init__(self) -> None:
        self._asked: Snapshot | None = None
        self._since: Snapshot | None = None
        """The first of the snapshots that are alike and not like what was asked about."""

    @property
    def asked(self) -> bool:
        """Whether anything was asked yet, about any memory."""
        return self._asked is not None

    def ask(self, about: Snapshot | None) -> None:
        """A question was set against this memory; None where it was not known."""
        self._asked, self._since = about, None

    def about(self, now: Snapshot) -> Snapshot:
        """The memory to set a question against: while hardly anything has changed that of the last one, so that answers
        differ by what was asked alone.
        """
        before = self._asked
        if before is None or {one.pid for one in before.engines} != {one.pid for one in now.engines}:
            return now
        return before if _moved_bytes(before, now) <= DRIFT_BYTES else now

    def is_over(self, now: Snapshot) -> bool:
        """True where it is time to ask again."""
        if self._asked is None:
            return True
        moved = _moved_bytes(self._asked, now)
        if moved <= DRIFT_BYTES:
            self._since = None
            return False
        if self._since is None or _moved_bytes(self._since, now) > DRIFT_BYTES or now.time < self._since.time:
            self._since = now
        return moved > SUDDEN_BYTES or now.time - self._since.time >= STAYED_S


def _moved_bytes(before: Snapshot, after: Snapshot) -> float:
    """How much what is free has changed where it changed the most; infinite where a GPU came or went."""
    was, now = (
        {gpu.key: gpu.free_bytes or 0 for gpu in one.gpus} | {RAM: one.ram.available_bytes or 0}
        for one in (before, after)
    )
    return max(abs(now[key] - was[key]) for key in now) if was.keys() == now.keys() else float("inf")
