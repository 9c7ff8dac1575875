"""The last figures of every device, in rings of fixed size: what a graph is drawn from. Nothing is measured here."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass

from tui.hardware.snapshot import Gpu, Snapshot

SIZE = 600
"""Samples kept: ten minutes at one a second."""

RAM, CPU = "ram", "cpu"
"""Keys of the host's own rings; a GPU's is its `key`."""


class Ring:
    """The last `size` figures, oldest first; None where there was none."""

    __slots__ = ("_next", "_values", "size")

    def __init__(self, size: int = SIZE) -> None:
        self.size = max(1, size)
        self._values = array("d")
        self._next = 0

    def push(self, value: float | None) -> None:
        """Add a figure; the oldest one leaves when the ring is full."""
        stored = math.nan if value is None else float(value)
        if len(self._values) < self.size:
            self._values.append(stored)
        else:
            self._values[self._next] = stored
        self._next = (self._next + 1) % self.size

    def last(self, count: int | None = None) -> list[float | None]:
        """The newest `count` figures (all, where not given), oldest first; fewer where there are not so many."""
        held = len(self._values)
        wanted = held if count is None else max(0, min(count, held))
        start = (self._next if held == self.size else held) - wanted
        found = (self._values[place % held] for place in range(start, start + wanted))
        return [None if math.isnan(value) else value for value in found]

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True, slots=True)
class Track:
    """One device's rings."""

    used: Ring
    """Bytes in use."""
    share: Ring
    """The same as a part of the total, 0 to 1."""
    utilization: Ring
    """0 to 100."""

    def push(self, used: int | None, total: int | None, utilization: int | None) -> None:
        """Add one sample."""
        self.used.push(used)
        self.share.push(min(1.0, max(0.0, used / total)) if used is not None and total else None)
        self.utilization.push(utilization)


class History:
    """Rings for every device that was ever in a snapshot, each sample in the same place of all of them."""

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._tracks: dict[str, Track] = {}
        self._absent: dict[str, int] = {}

    def add(self, snapshot: Snapshot) -> None:
        """Take in one snapshot. GPU figures that are stale are no figures of this moment."""
        rows = {gpu.key: gpu for gpu in snapshot.gpus}
        for key in {**dict.fromkeys(self._tracks), **dict.fromkeys(rows)}:
            if key in (RAM, CPU):
                continue
            gpu = rows.get(key)
            self._absent[key] = 0 if gpu is not None else self._absent.get(key, 0) + 1
            if self._absent[key] >= self._size:
                # Nothing of it is left to be drawn.
                del self._tracks[key], self._absent[key]
                continue
            self._push_gpu(key, None if snapshot.gpus_stale else gpu)
        ram = snapshot.ram
        total = ram.limit_bytes or ram.total_bytes
        known = total is not None and ram.available_bytes is not None
        self._track(RAM).push(max(0, (total or 0) - (ram.available_bytes or 0)) if known else None, total, None)
        self._track(CPU).push(None, None, snapshot.cpu.utilization)

    def of(self, key: str) -> Track | None:
        """The rings of a GPU by its key, or of RAM or CPU; None for a device that never was."""
        return self._tracks.get(key)

    def _push_gpu(self, key: str, gpu: Gpu | None) -> None:
        track = self._track(key)
        if gpu is None:
            track.push(None, None, None)
        else:
            track.push(gpu.used_bytes, gpu.total_bytes, gpu.utilization)

    def _track(self, key: str) -> Track:
        if key not in self._tracks:
            self._tracks[key] = Track(Ring(self._size), Ring(self._size), Ring(self._size))
        return self._tracks[key]
