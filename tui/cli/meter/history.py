"""What was seen before, one value of 0 to 100 per device and tick, and its graph.

A graph is a byte string run through tables in C: minutes of history cost microseconds a second. It is made of blocks,
which every terminal's font has; braille would be finer, and is missing from common ones.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from functools import cache

from tui.cli.meter.marks import Marks
from tui.hardware.snapshot import Snapshot

KEPT = 512
CPU, BUSIEST = "cpu", "busiest"
_UNKNOWN = 255


class History:
    """Two series per GPU, busy and held; one for the processor, and one for the GPU that has most to do."""

    def __init__(self) -> None:
        self._busy: dict[str, bytes] = {}
        self._held: dict[str, bytes] = {}

    def note(self, snapshot: Snapshot) -> None:
        """Add one tick. Series of devices that are no longer listed are dropped."""
        busy = {gpu.key: gpu.utilization for gpu in snapshot.gpus}
        held = {gpu.key: percent(gpu.used_bytes, gpu.total_bytes) for gpu in snapshot.gpus}
        most = max((value for value in busy.values() if value is not None), default=snapshot.cpu.utilization)
        self._busy = _longer(self._busy, {**busy, CPU: snapshot.cpu.utilization, BUSIEST: most})
        self._held = _longer(self._held, held)

    def busy(self, key: str, width: int, marks: Marks, height: int = 1) -> list[str]:
        """How busy a device was, as `height` rows of exactly `width` cells, top row first, now at the right."""
        return graph(self._busy.get(key, b""), width, marks.levels, height)

    def held(self, key: str, width: int, marks: Marks, height: int = 1) -> list[str]:
        """The same of the memory in use."""
        return graph(self._held.get(key, b""), width, marks.levels, height)


def percent(part: int | None, whole: int | None) -> int | None:
    """The share of the whole as 0 to 100; None where it cannot be told."""
    return None if part is None or not whole else round(100 * min(1.0, max(0.0, part / whole)))


def _longer(series: Mapping[str, bytes], values: Mapping[str, int | None]) -> dict[str, bytes]:
    longer = {}
    for key, value in values.items():
        tick = _UNKNOWN if value is None else min(100, max(0, value))
        longer[key] = (series.get(key, b"") + bytes((tick,)))[-KEPT:]
    return longer


def graph(values: bytes, width: int, levels: str, height: int = 1) -> list[str]:
    """Values as signs of eight heights, one each."""
    rows = []
    for row in range(height - 1, -1, -1):
        drawn, _length = codecs.charmap_decode(values[-width:], "strict", _signs(levels, height, row))
        rows.append(drawn.rjust(width))
    return rows


@cache
def _signs(levels: str, height: int, row: int) -> str:
    """For each value the sign in one row; row 0 is the lowest, where even 0 leaves a line."""
    signs = []
    for value in range(101):
        filled = min(8, max(0 if row else 1, round(value / 100 * 8 * height) - 8 * row))
        signs.append(levels[filled - 1] if filled else " ")
    return "".join(signs).ljust(256)
