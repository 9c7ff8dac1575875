"""The last figures of every device, one tick after the other: what a graph is drawn from. Nothing is measured here.

A figure is one byte of 0 to 100, so that minutes of history of many cards are a few kilobytes and a graph of them is
one pass of C code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.hardware.snapshot import Snapshot

SIZE = 600
"""Ticks kept: ten minutes at one a second."""
RAM, SWAP, CPU, BUSIEST = "ram", "swap", "cpu", "busiest"
"""Keys of what is no GPU; a GPU's is its `key`. BUSIEST is the GPU that has most to do, the processor without any."""
UNKNOWN = 255
"""Stands where there was no figure."""


class History:
    """Two series a device, newest last: how busy it was, and how much of its memory was held, both in percent."""

    def __init__(self) -> None:
        self._busy: dict[str, bytes] = {}
        self._held: dict[str, bytes] = {}

    def note(self, snapshot: Snapshot) -> None:
        """Add one tick. Stale figures of GPUs are none of this moment; devices that are no longer listed are
        dropped.
        """
        busy: dict[str, int | None] = {}
        held: dict[str, int | None] = {}
        most = None if snapshot.gpus else snapshot.cpu.utilization
        for gpu in snapshot.gpus:
            key, work, full = gpu.key, gpu.utilization, percent(gpu.used_bytes, gpu.total_bytes)
            if snapshot.gpus_stale:
                work = full = None
            busy[key], held[key] = work, full
            if work is not None and (most is None or work > most):
                most = work
        ram, swap = snapshot.ram, snapshot.swap
        total = ram.limit_bytes or ram.total_bytes
        used = None if total is None or ram.available_bytes is None else total - ram.available_bytes
        busy[CPU], busy[BUSIEST] = snapshot.cpu.utilization, most
        held[RAM], held[SWAP] = percent(used, total), percent(swap.used_bytes, swap.total_bytes)
        self._busy, self._held = _longer(self._busy, busy), _longer(self._held, held)

    def copy(self) -> History:
        """The same up to now, which grows no further with this one."""
        same = History()
        same._busy, same._held = self._busy, self._held
        return same

    def busy(self, key: str) -> bytes:
        """How busy a device was; empty for one that is not known."""
        return self._busy.get(key, b"")

    def held(self, key: str) -> bytes:
        """How much of its memory was in use."""
        return self._held.get(key, b"")


def percent(part: int | None, whole: int | None) -> int | None:
    """The share of the whole as 0 to 100; None where it cannot be told."""
    if part is None or not whole:
        return None
    return 0 if part <= 0 else 100 if part >= whole else round(100 * part / whole)


_TICKS = [bytes((value,)) for value in range(256)]


def _longer(series: Mapping[str, bytes], values: Mapping[str, int | None]) -> dict[str, bytes]:
    longer = {}
    for key, value in values.items():
        tick = UNKNOWN if value is None else 0 if value < 0 else 100 if value > 100 else value
        longer[key] = (series.get(key, b"") + _TICKS[tick])[-SIZE:]
    return longer
