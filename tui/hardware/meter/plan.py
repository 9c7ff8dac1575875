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


@dataclass(frozen=True, slots=True)
class _Tables:
    """What the tables and the lines between them get."""

    engines: int
    processes: int
    cpu: bool
    swap: bool
    disk: bool
    headed: bool
    strip: int = 0


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
    first = disk and urgent and room.take_all(1)
    if side:
        given = _beside(room, engines, processes, swap=swap, disk=disk, first=first)
    else:
        given = _stacked(room, engines, processes, strip=graphs and not inline, swap=swap, disk=disk, first=first)
    each = (room.left + given.strip) // devices if graphs else 0
    airy = each >= _AIRY
    tall = min(each - airy, 4 if devices <= 2 else 3 if devices <= 4 else 2)
    over = room.left + given.strip - devices * (tall + airy) if graphs else 0
    return Plan(
        engines=min(engines, given.engines) + given.headed if given.engines else 0,
        processes=min(processes, given.processes) + given.headed if given.processes else 0,
        cpu=given.cpu,
        swap=given.swap,
        disk=given.disk,
        headed=given.headed,
        side=side,
        strip=0 if tall else given.strip + room.take(2) if given.strip else 0,
        tall=tall,
        airy=airy,
        ram=0 < tall <= over - airy,
    )


def _beside(room: _Room, engines: int, processes: int, *, swap: bool, disk: bool, first: bool) -> _Tables:
    """Both tables in the same rows; `first`: the disk has its row already."""
    most = max(engines, processes)
    both = room.take(min(3, most))
    cpu, has_swap = room.take_all(1), swap and room.take_all(1)
    headed = room.take_all(2)
    has_disk = first or (disk and room.take_all(1))
    both += room.take(most - both)
    return _Tables(both, both, cpu, has_swap, has_disk, headed)


def _stacked(room: _Room, engines: int, processes: int, *, strip: bool, swap: bool, disk: bool, first: bool) -> _Tables:
    """One table below the other: an engine and three processes come before all else."""
    shown_engines, shown_processes = room.take(min(1, engines)), room.take(min(3, processes))
    rows = room.take(1) if strip else 0
    shown_engines += room.take(min(3, engines) - shown_engines)
    cpu, has_swap = room.take_all(1), swap and room.take_all(1)
    shown_processes += room.take(min(5, processes) - shown_processes)
    has_disk = first or (disk and room.take_all(1))
    headed = room.take_all(2 * ((shown_engines > 0) + (shown_processes > 0)))
    shown_engines += room.take(engines - shown_engines)
    shown_processes += room.take(processes - shown_processes)
    return _Tables(shown_engines, shown_processes, cpu, has_swap, has_disk, headed, rows)
