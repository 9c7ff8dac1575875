"""How the rows below the GPUs and RAM are shared out between engines, processes and history. Numbers only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows for each part; None for as many as it takes."""

    engines: int | None = None
    """Rows of the table, its head included."""
    processes: int | None = None
    cpu: bool = True
    swap: bool = True
    disk: bool = True
    headed: bool = True
    """Tables have a head, and an empty row before it."""
    side: bool = False
    """The tables stand side by side."""
    strip: int = 0
    """Rows of one history of all GPUs together."""
    tall: int = 0
    """Rows of history below each GPU, instead."""
    airy: bool = False
    """An empty row below each device's history."""
    ram: bool = False
    """RAM has such a history too."""


_AIRY = 3
"""Rows that each GPU must have to itself before one of them is left empty."""


class _Room:
    """Rows that are still to be given away."""

    def __init__(self, rows: int) -> None:
        self.left = max(0, rows)

    def take(self, wanted: int) -> int:
        given = min(self.left, max(0, wanted))
        self.left -= given
        return given

    def take_all(self, wanted: int) -> bool:
        if 0 < wanted <= self.left:
            self.left -= wanted
            return True
        return False


@lru_cache(16)
def plan(
    rows: int | None,
    engines: int,
    processes: int,
    devices: int,
    *,
    swap: bool,
    side: bool,
    inline: bool,
    graphs: bool,
    disk: bool = False,
    urgent: bool = False,
) -> Plan:
    """Share `rows` out. `inline`: the lines of the GPUs end in their history already; `graphs`: there is width for
    others; `disk`: there is one to tell of, before all else where that is `urgent`.
    """
    side = side and engines > 0 and processes > 0
    if rows is None:
        return Plan(swap=swap, disk=disk, side=side)
    room = _Room(rows)
    has_disk = disk and urgent and room.take_all(1)
    if side:
        both, most = room.take(min(3, max(engines, processes))), max(engines, processes)
        shown_engines = shown_processes = both
        strip = 0
    else:
        shown_engines, shown_processes = room.take(min(1, engines)), room.take(min(3, processes))
        strip = room.take(1) if graphs and not inline else 0
        shown_engines += room.take(min(3, engines) - shown_engines)
    has_cpu, has_swap = room.take_all(1), swap and room.take_all(1)
    if side:
        headed = room.take_all(2)
        has_disk = has_disk or (disk and room.take_all(1))
        shown_engines = shown_processes = both + room.take(most - both)
    else:
        shown_processes += room.take(min(5, processes) - shown_processes)
        has_disk = has_disk or (disk and room.take_all(1))
        headed = room.take_all(2 * ((shown_engines > 0) + (shown_processes > 0)))
        shown_engines += room.take(engines - shown_engines)
        shown_processes += room.take(processes - shown_processes)
    each = (room.left + strip) // devices if graphs else 0
    airy = each >= _AIRY
    tall = min(each - airy, 4 if devices <= 2 else 3 if devices <= 4 else 2)
    over = room.left + strip - devices * (tall + airy) if graphs else 0
    strip = 0 if tall else strip + room.take(2) if strip else 0
    return Plan(
        engines=min(engines, shown_engines) + headed if shown_engines else 0,
        processes=min(processes, shown_processes) + headed if shown_processes else 0,
        cpu=has_cpu,
        swap=has_swap,
        disk=has_disk,
        headed=headed,
        side=side,
        strip=strip,
        tall=tall,
        airy=airy,
        ram=0 < tall <= over - airy,
    )
