"""What memory was like when an engine stopped: what others took on the GPUs since its load, how little was left, and
whether that may be why.
"""

from __future__ import annotations

import signal
from collections import deque
from typing import TYPE_CHECKING

from tui.app.text import clean, size
from tui.hardware.snapshot import Gpu, Snapshot, loadable
from tui.llama.memory_words import tell_of_memory
from tui.process.death import OUT_OF_MEMORY

if TYPE_CHECKING:
    from tui.engine.errors import EngineDied

MUCH_BYTES = 256 << 20
"""Growth below this is nothing to tell of."""
LITTLE_HOST_BYTES, LITTLE_DEVICE_BYTES = 1 << 30, 512 << 20
"""Less than this free is little: what a load leaves free by default."""
LOOKS = 3
"""Looks at memory that count: the last may have come after the end, when the engine's memory was free again."""
_ASKED = frozenset({signal.SIGTERM, signal.SIGHUP, signal.SIGINT})
_FOR_WANT = frozenset({signal.SIGABRT, signal.SIGKILL})
"""How processes end that get no memory: llama.cpp aborts, the kernel kills."""


class Others:
    """Compares the first look after a load with the last one. Engines of this user are no others."""

    def __init__(self) -> None:
        self._loaded_at: float | None = None
        self._first: dict[str, int] | None = None
        self._last: tuple[Gpu, ...] = ()
        self._lately: deque[Snapshot] = deque(maxlen=LOOKS)

    def loaded(self, now: float) -> None:
        """A model is in memory since `now`, in Unix time."""
        self._loaded_at, self._first, self._last = now, None, ()

    def seen(self, snapshot: Snapshot) -> None:
        """Memory was measured. Before the load was complete nothing has grown yet."""
        self._lately.append(snapshot)
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

    def memory_may_be_why(self, error: EngineDied, *, on_gpus: bool) -> bool:
        """Whether an engine may have ended for want of memory, so that settings which need less would help. One that
        was asked to stop has not; where memory is not measured, an abort or a kill may have.
        """
        if error.signal in _ASKED:
            return False
        if OUT_OF_MEMORY in error.meaning or tell_of_memory(error.log):
            return True
        if any(_short(snapshot, on_gpus) for snapshot in self._lately):
            return True
        return error.signal in _FOR_WANT and (not self._lately or bool(self.suspects()))


def _short(snapshot: Snapshot, on_gpus: bool) -> bool:
    """True where little memory was free that an engine could have got."""
    cards = loadable(snapshot.gpus) if on_gpus else ()
    left = snapshot.ram.available_bytes
    return (left is not None and left < LITTLE_HOST_BYTES) or any(
        gpu.free_bytes is not None and gpu.free_bytes < LITTLE_DEVICE_BYTES for gpu in cards
    )


def _held(gpu: Gpu) -> int:
    """Bytes that others hold."""
    return (gpu.used_bytes or 0) - sum(held.used_bytes or 0 for held in gpu.processes if held.mine)
