"""The meter in the few lines on top of the screen: one line for everything, or one a GPU with RAM at its right.

Gauges go in, lines come out. Where GPUs are too many for the room they share lines, then those of a name are one gauge,
then all; a number is shown whole or not at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from tui.hardware.history import RAM
from tui.hardware.meter.gauges import Gauge, age, brief, cards, gpu_gauges, grouped, ram_gauge, summed, swap_gauge
from tui.hardware.meter.graph import graph
from tui.hardware.meter.marks import text_of
from tui.hardware.meter.rows import bar
from tui.hardware.meter.words import cells, pad, share, size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui.hardware.history import History
    from tui.hardware.meter.marks import Line, Marks
    from tui.hardware.snapshot import Disk, Snapshot

BRAND_FROM = 100
"""Columns of the screen from which it carries the program's name, and warns of a disk that is nearly full."""
DISK_FROM = 160
"""Columns from which it tells what is free on the disk in any case."""
BUSY_FROM, FINE_FROM, FREE_FROM, GRAPH_FROM = 22, 34, 60, 84
"""Cells of a gauge from which it says how busy a GPU is, has decimals, says what is free, and shows a history."""
NO_BAR = 16
"""Cells below which a gauge is only its numbers."""
_RAM_SHARE = 0.36
"""Part of the line that RAM gets beside GPUs."""
_LEAST_BAR, _NAME = 4, 7
_OLD = "old"
"""Says that figures are not of this moment where there is no room for their age."""


class Shown(NamedTuple):
    """What there is to show."""

    gpus: Sequence[Sequence[Gauge]] = ((),)
    """The gauges of all GPUs, first as they are, then in ever fewer gauges."""
    ram: Gauge = Gauge("RAM")
    swap: Gauge | None = None
    cpu: int | None = None
    """How busy the processor is, in percent."""
    disk: Disk | None = None


class Cell(NamedTuple):
    """One gauge and what is said around its bar."""

    gauge: Gauge
    name: str
    words: str
    tail: str = ""
    graph: str = ""


def shown(snapshot: Snapshot, ghost: Mapping[str, int], marks: Marks) -> Shown:
    """What a snapshot has to show; `ghost` is bytes by the key of a GPU or RAM."""
    stale, gpus = snapshot.gpus_stale, snapshot.gpus
    note = age(snapshot)
    rows = [gpu_gauges(gpus, marks, ghost, stale=stale)]
    if len(gpus) > 1:
        rows += [grouped(gpus, marks, ghost), [summed(cards(gpus), f"{len(cards(gpus))} GPUs", ghost)]]
    if not gpus and snapshot.nvml_error is not None:
        rows = [[Gauge("GPU", error=snapshot.nvml_error)]]
    told = [[gauge._replace(note=note) for gauge in row] for row in rows]
    swap = swap_gauge(snapshot) if snapshot.swap.total_bytes else None
    return Shown(told, ram_gauge(snapshot, ghost)._replace(note=""), swap, snapshot.cpu.utilization, snapshot.disk)


def strip_height(gpus: int, width: int, height: int) -> int:
    """Lines that the strip takes of a screen: one in a small terminal, else one a GPU up to a sixth of the screen."""
    if height < 16 or width < 60 or not gpus:
        return 1
    return math.ceil(gpus / math.ceil(gpus / (height // 6)))


def strip_lines(what: Shown, width: int, height: int, marks: Marks, history: History) -> list[Line]:
    """The strip in exactly `height` lines of at most `width` cells."""
    brand: Line = [(" puna ", "brand"), ("  ", "")] if width >= BRAND_FROM else [(" ", "")]
    margin, cpu = _length(brand), _cpu(what, width)
    ends = _ends(what, cpu, _ram_width(width - margin - _length(cpu) - 1, len(what.gpus[0]), height), width, height)
    end = max(map(_length, ends))
    more, inner = end - _length(cpu), width - margin - end - 1
    for gauges in what.gpus:
        per_line = math.ceil(len(gauges) / height)
        # What the disk takes is taken from RAM, as far as it suffices: GPUs come first.
        usual = _ram_width(inner + more, per_line, height)
        ram_width = max(usual - more, min(usual, BUSY_FROM)) if per_line else inner
        gpu_width = (inner - ram_width) // per_line - 2 if per_line else 0
        if all(cells(_tight(gauge, marks)) <= gpu_width for gauge in gauges):
            break
    rows = [gauges[at * per_line : (at + 1) * per_line] for at in range(height)]
    hosts = [what.ram, *([what.swap] if what.swap is not None and height > 1 else [])]
    start = margin + per_line * (gpu_width + 2)
    host_width = width - start - end - 1
    left = _aligned(rows, gpu_width, marks, history)
    right = _aligned([[host] for host in hosts], host_width, marks, history)
    lines: list[Line] = []
    for at, row in enumerate(left):
        line = list(brand) if at == 0 else [(" " * margin, "")]
        for cell in row:
            line += [*_drawn(cell, gpu_width, marks), ("  ", "")]
        if at < len(right):
            line.append((" " * (start - _length(line)), ""))
            line += _drawn(right[at][0], host_width, marks)
        lines.append([*line, *_at_the_end(line, ends[at], width - 1)] if at < len(ends) else line)
    return lines


def _length(line: Line) -> int:
    return cells(text_of(line))


def _cpu(what: Shown, width: int) -> Line:
    return [(f"   cpu {what.cpu:>3} %", "dim")] if width >= BRAND_FROM and what.cpu is not None else []


def _ends(what: Shown, cpu: Line, ram_width: int, width: int, height: int) -> list[Line]:
    """What stands at the right, the disk below the processor. On one line the disk is only there if it leaves RAM room
    for its words, or is something to warn of.
    """
    disk = _disk(what, width)
    if height > 1:
        return [cpu, disk]
    if disk and width < DISK_FROM:
        return [disk]
    warns = any(role == "warn" for _text, role in disk)
    return [[*cpu, *disk] if warns or ram_width - _length(disk) >= FINE_FROM else cpu]


def _disk(what: Shown, width: int) -> Line:
    """The disk where models go."""
    disk = what.disk
    if disk is None or width < BRAND_FROM:
        return []
    if disk.free_bytes is None:
        return [("   disk does not answer", "warn")]
    free = f"{size(disk.free_bytes, fine=False)} GiB free"
    if disk.nearly_full:
        return [(f"   disk only {free}", "warn")]
    return [(f"   disk {free}", "dim")] if width >= DISK_FROM else []


def _at_the_end(line: Line, end: Line, width: int) -> Line:
    """What follows a line so that it ends with `end` in the last of `width` cells."""
    return [(" " * (width - _length(line) - _length(end)), ""), *end] if end else []


def _ram_width(inner: int, per_line: int, height: int) -> int:
    if not per_line:
        return inner
    return inner // (per_line + 1) if height == 1 else min(inner // (per_line + 1), round(inner * _RAM_SHARE))


def _aligned(rows: Sequence[Sequence[Gauge]], width: int, marks: Marks, history: History) -> list[list[Cell]]:
    """The rows as cells; those below one another are alike, so that their bars line up."""
    made = [[_cell(gauge, width, marks, history) for gauge in row] for row in rows]
    columns = [[cell for cell in column if cell is not None] for column in zip_longest(*made)]
    alike = [_like_the_widest(column, width, marks) for column in columns]
    return [[alike[at][place] for at in range(len(row))] for place, row in enumerate(made)]


def _like_the_widest(column: Sequence[Cell], width: int, marks: Marks) -> list[Cell]:
    name = min(max(cells(cell.name) for cell in column), max(_NAME, width // 3))
    words = max(cells(cell.words) for cell in column)
    tail = max(cells(cell.tail) for cell in column)
    return [
        cell._replace(
            name=pad(cell.name, name, marks.ellipsis), words=cell.words.ljust(words), tail=cell.tail.ljust(tail)
        )
        for cell in column
    ]


def _cell(gauge: Gauge, width: int, marks: Marks, history: History) -> Cell:
    """A gauge with as many words as suit `width` cells."""
    if width < FINE_FROM:
        busy = f" {gauge.busy:>3}%" if gauge.busy is not None and width >= BUSY_FROM else ""
        busy = " idle" if gauge.idle_s is not None and busy else busy
        tail = f" {_OLD}" if gauge.note else busy
        return Cell(gauge, gauge.label, share(gauge.used, gauge.total, marks.dash, fine=False), tail)
    tail = f"  {gauge.busy:>3} %" if gauge.busy is not None else ""
    tail = f"  idle {gauge.idle_s} s" if gauge.idle_s is not None and tail else tail
    if width >= FREE_FROM and gauge.degrees is not None:
        tail += f"  {gauge.degrees:>2}{marks.degree}"
    if gauge.note:
        tail = f"  {gauge.note}"
    drawn = ""
    if width >= GRAPH_FROM and gauge.key is not None:
        values = history.held(gauge.key) if gauge.key == RAM else history.busy(gauge.key)
        drawn = graph(values, width // 7, marks.levels)[0]
    return Cell(gauge, gauge.label, _words(gauge, width, marks), tail, drawn)


def _words(gauge: Gauge, width: int, marks: Marks) -> str:
    """Figures for a gauge of `width` cells. The ghost is what the selected model would add."""
    used = marks.dash if gauge.used is None else size(gauge.used, fine=True, total=gauge.total)
    total = marks.dash if gauge.total is None else size(gauge.total, fine=True)
    if gauge.ghost and gauge.left is not None:
        more, left = (size(part, fine=True, total=gauge.total) for part in (gauge.ghost, abs(gauge.left)))
        if width < FREE_FROM:
            return f"{used}+{more}{marks.goes_to}{'-' if gauge.left < 0 else ''}{left} GiB"
        end = f", {left} GiB short" if gauge.left < 0 else f" {marks.goes_to} {left} free GiB"
        return f"{used} + {more}{end}"
    if width < FREE_FROM or gauge.free is None:
        return f"{used} of {total} GiB"
    return f"{used} of {total} GiB, {size(gauge.free, fine=True, total=gauge.total)} free"


def _tight(gauge: Gauge, marks: Marks) -> str:
    """A gauge as a name or number and its memory, and nothing else."""
    if gauge.error is not None:
        return f"{gauge.label.split()[0]} {brief(gauge.error)}"
    if gauge.note:
        return f"{gauge.label.split()[0]} {_OLD}"
    return f"{gauge.label.split()[0]} {share(gauge.used, gauge.total, marks.dash, fine=False)}"


def _drawn(cell: Cell, width: int, marks: Marks) -> Line:
    """One gauge in exactly `width` cells: name, bar, words, history, work and heat."""
    gauge, name_role = cell.gauge, "dim" if cell.gauge.quiet else "name"
    if width < NO_BAR:
        role = "warn" if gauge.error is not None and not gauge.quiet else name_role
        return [(pad(_tight(gauge, marks), width, marks.ellipsis), role)]
    if gauge.error is not None or gauge.total is None:
        said = f"{gauge.label} {gauge.error or marks.ellipsis}"
        role = "warn" if gauge.error is not None and not gauge.quiet else "dim"
        return [(pad(said, width, marks.ellipsis), role)]
    room = width - cells(cell.name) - 1
    words, drawn, tail = f" {cell.words}", f"  {cell.graph}" if cell.graph else "", cell.tail
    last_but_one = ("", "", tail) if gauge.note else (words, "", "")  # that figures are old is worth more than they are
    for after in ((words, drawn, tail), (words, "", tail), last_but_one, ("", "", "")):
        bar_width = room - sum(map(cells, after))
        if bar_width >= _LEAST_BAR:
            break
    role = "bad" if gauge.left is not None and gauge.left < 0 and gauge.ghost else "dim" if gauge.quiet else ""
    return [
        (f"{cell.name} ", name_role),
        *bar(gauge, max(0, bar_width), marks),
        (after[0], role),
        (after[1], "graph"),
        (after[2], "dim" if gauge.quiet else ""),
    ]
