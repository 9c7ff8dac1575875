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
        gpus, cpu = () if snapshot.gpus_stale else snapshot.gpus, snapshot.cpu.utilization
        busy: dict[str, int | None] = {gpu.key: None for gpu in snapshot.gpus}
        held = dict(busy)
        busy.update({gpu.key: gpu.utilization for gpu in gpus})
        held.update({gpu.key: percent(gpu.used_bytes, gpu.total_bytes) for gpu in gpus})
        most = max((value for value in busy.values() if value is not None), default=None if snapshot.gpus else cpu)
        ram, swap = snapshot.ram, snapshot.swap
        total = ram.limit_bytes or ram.total_bytes
        used = None if total is None or ram.available_bytes is None else total - ram.available_bytes
        self._busy = _longer(self._busy, {**busy, CPU: cpu, BUSIEST: most})
        self._held = _longer(
            self._held, {**held, RAM: percent(used, total), SWAP: percent(swap.used_bytes, swap.total_bytes)}
        )

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
    return None if part is None or not whole else round(100 * min(1.0, max(0.0, part / whole)))


def _longer(series: Mapping[str, bytes], values: Mapping[str, int | None]) -> dict[str, bytes]:
    longer = {}
    for key, value in values.items():
        tick = UNKNOWN if value is None else min(100, max(0, value))
        longer[key] = (series.get(key, b"") + bytes((tick,)))[-SIZE:]
    return longer
