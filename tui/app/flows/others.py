"""What others took on the GPUs since a model was loaded: told when its engine stops, since it may be why."""

from __future__ import annotations

from tui.app.text import clean, size
from tui.hardware.snapshot import Gpu, Snapshot

MUCH_BYTES = 256 << 20
"""Growth below this is nothing to tell of."""


class Others:
    """Compares the first look after a load with the last one. Engines of this user are no others."""

    def __init__(self) -> None:
        self._loaded_at: float | None = None
        self._first: dict[str, int] | None = None
        self._last: tuple[Gpu, ...] = ()

    def loaded(self, now: float) -> None:
        """A model is in memory since `now`, in Unix time."""
        self._loaded_at, self._first, self._last = now, None, ()

    def seen(self, snapshot: Snapshot) -> None:
        """Memory was measured. What was measured before the load was complete does not count."""
        if self._loaded_at is None or snapshot.time - snapshot.gpus_age_s < self._loaded_at:
            return
        self._last = tuple(gpu for gpu in snapshot.gpus if not gpu.divided)  # its instances tell the same
        if self._first is None:
            self._first = {gpu.key: _held(gpu) for gpu in self._last}

    def suspects(self) -> tuple[str, ...]:
        """A sentence for each card on which others hold much more than after the load."""
        first = self._first or {}
        grown = ((gpu, _held(gpu) - first.get(gpu.key, _held(gpu))) for gpu in self._last)
        return tuple(
            f"Other processes took {size(amount)} more on {clean(gpu.name or f'GPU {gpu.index}')} since the load."
            for gpu, amount in grown
            if amount > MUCH_BYTES
        )


def _held(gpu: Gpu) -> int:
    """Bytes that others hold."""
    return (gpu.used_bytes or 0) - sum(held.used_bytes or 0 for held in gpu.processes if held.mine)
