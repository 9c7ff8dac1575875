"""Machines whose GPU has no memory of its own: what proves it, and the row that such a GPU gets.

There is one pool then, the host's: its total and what is available are the GPU's too. That a driver does not tell a
card's memory proves nothing by itself.
"""

from __future__ import annotations

import re
from dataclasses import replace

from tui.hardware.files import read
from tui.hardware.snapshot import Gpu, GpuProcess, Ram

_SHARING = re.compile(r"\b(GB10|Orin|Xavier|Thor|Tegra|Jetson|nvgpu)\b", re.IGNORECASE)
"""Chips that hold CPU and GPU: DGX Spark's GB10 and the Jetson line. Grace Hopper's GPU has memory of its own."""


def shares_host_memory(name: str | None, proc_root: str = "/proc", sys_root: str = "/sys") -> bool:
    """True where NVIDIA's GPU of this name, on this machine, is known to use the host's memory."""
    if name and _SHARING.search(name):
        return True
    for tree in (f"{sys_root}/firmware/devicetree/base", f"{proc_root}/device-tree"):
        chips = (read(f"{tree}/compatible", 4096) or b"").split(b"\0")
        if any(chip.startswith(b"nvidia,tegra") for chip in chips):
            return True
    return False


def with_host_memory(row: Gpu, ram: Ram) -> Gpu:
    """The row with the one pool's figures; used is what the GPU's processes hold together, where each is known."""
    total = ram.limit_bytes or ram.total_bytes
    used = sum_of(row.processes)
    return replace(
        row,
        pool="unified",
        total_bytes=total,
        used_bytes=used,
        free_bytes=ram.available_bytes,
        unattributed_bytes=None if used is None else 0,
    )


def sum_of(processes: tuple[GpuProcess, ...]) -> int | None:
    """What processes hold together; None where one of them does not tell."""
    held = [process.used_bytes for process in processes]
    known = [used for used in held if used is not None]
    return sum(known) if len(known) == len(held) else None
