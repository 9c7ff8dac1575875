"""How long does the finder take for its rows? Reading the catalogue, pricing every model of it in seven quantizations
on three machines, and choosing and ordering among 10 000 rows: for each key of a query, an order, and rows that come.

Milliseconds of this process's CPU time, which other work on the machine does not change.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from statistics import median
from typing import Any

from benchmarks.report import tell
from tui.fit.values import DeviceSpec, Machine
from tui.hub.catalogue import starter
from tui.models.finder.pricing import Pricer, priced
from tui.models.finder.selection import Table
from tui.models.finder.values import SORTS, FinderRow, Wishes

ROWS = 10_000
TYPED = "qwen coder 7b"
REPEATS = 5
GIB = 1 << 30


def main() -> None:
    """Measure and tell."""
    rows = [_row("read the catalogue", len(starter().listings), _timed(starter.__wrapped__))]
    made: list[FinderRow] = []
    for name, machine in _machines().items():
        made = []
        took = _once(partial(_price_all, machine, made))
        rows.append(_row(f"price all, {name}", len(made), took))
    many = _many(made)
    table = Table(many)
    rows.append(_row("make the table", ROWS, _timed(partial(Table, many))))
    queries = [Wishes(query=TYPED[:end]) for end in range(1, len(TYPED) + 1)]
    keys = [_timed(partial(table.select, wishes)) for wishes in queries]
    rows.append(_row("a key of a query, median", ROWS, median(keys)))
    rows.append(_row("a key of a query, worst", ROWS, max(keys)))
    for sort in SORTS[:2]:
        first = median(_once(partial(Table(many).select, Wishes(sort=sort))) for _ in range(REPEATS))
        rows.append(_row(f"order by {sort}, first time", ROWS, first))
    rows.append(_row("a page of 50 models more", ROWS, _timed(lambda: table.more(many[:350]).select(Wishes()))))
    tell("finder_rows", rows, {row["what"]: row["cpu_ms"] for row in rows} | {"bar, a key in ms": 16})


def _price_all(machine: Machine, made: list[FinderRow]) -> None:
    for rows in priced(Pricer(machine), starter().listings):
        made += rows


def _machines() -> dict[str, Machine]:
    def gpu(index: int, gib: int) -> DeviceSpec:
        size = gib * GIB
        return DeviceSpec(name=f"CUDA{index}", total_bytes=size, free_bytes=size, bandwidth_bytes_s=1e12)

    devices = {"no GPU": (), "24 GiB": (gpu(0, 24),), "12 and 8 GiB": (gpu(0, 12), gpu(1, 8))}
    return {
        name: Machine(
            devices=gpus,
            host_total_bytes=64 * GIB,
            host_available_bytes=60 * GIB,
            host_bandwidth_bytes_s=40e9,
        )
        for name, gpus in devices.items()
    }


def _many(rows: list[FinderRow]) -> list[FinderRow]:
    """As many rows as the Hub could bring, of models with names of their own."""
    made: list[FinderRow] = []
    while len(made) < ROWS:
        copy = len(made) // len(rows)
        made += [replace(row, listing=replace(row.listing, repo=f"{row.listing.repo}-{copy}")) for row in rows]
    return made[:ROWS]


def _timed(work: Callable[[], object]) -> float:
    """The median of some runs."""
    return median(_once(work) for _ in range(REPEATS))


def _once(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return (time.process_time() - begun) * 1000


def _row(what: str, count: int, ms: float) -> dict[str, Any]:
    return {"what": what, "rows": count, "cpu_ms": round(ms, 2)}


if __name__ == "__main__":
    main()
