"""Where a model that is not here yet would lie, for the meter: roughly, since no more than its sum is known. Pure."""

from __future__ import annotations

from tui.hardware.history import RAM
from tui.models.finder.values import FinderRow
from tui.models.machine import Seen


def ghost_of(row: FinderRow, seen: Seen) -> dict[str, int]:
    """Bytes that a row would add, by the key of a gauge: GPUs are filled in llama.cpp's order, the rest lies in RAM."""
    left, ghost = row.need_bytes or 0, {}
    if row.verdict in ("gpu", "partial"):
        for device, gauge in zip(seen.machine.devices, seen.rows, strict=True):
            share = min(left, max(0, device.free_bytes - seen.machine.margins.device_bytes))
            if gauge is not None and share:
                ghost[gauge.key] = share
            left -= share
    return {**ghost, RAM: left} if left else ghost
