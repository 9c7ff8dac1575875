"""GPUs in fewer rows than there are GPUs: several a row, then those of a name together, then all together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui.hardware.history import percent
from tui.hardware.meter.gauges import brief, cards, grouped, ram_gauge, short_age, summed
from tui.hardware.meter.marks import Line, Marks
from tui.hardware.meter.oneline import one_line
from tui.hardware.meter.rows import TIGHT, meter_lines
from tui.hardware.meter.words import cells, clip, share
from tui.hardware.snapshot import Gpu, Snapshot


def crowded(
    snapshot: Snapshot, width: int, height: int, marks: Marks, ghost: Mapping[str, int] | None = None
) -> list[Line]:
    """GPUs and RAM in exactly as many rows as there are, at most `height` ≥ 1. Old figures of GPUs are told as such, in
    place of the figures where there is no other row for it."""
    if height == 1:
        ram = snapshot.ram
        used = percent((ram.total_bytes or 0) - (ram.available_bytes or 0), ram.total_bytes)
        text = one_line(snapshot, (), marks, width) or f"RAM {marks.dash if used is None else used}%"
        return [[(clip(text, width, marks.ellipsis), "")]]
    told: list[Line] = []
    if snapshot.gpus_stale:
        told = [[(clip(short_age(snapshot, width), width, marks.ellipsis), "warn")]]
    ghost = ghost or {}
    gpus, rows, ram_row = cards(snapshot.gpus), height - 1 - len(told), ram_gauge(snapshot, ghost)
    for loose in (True, False):
        if grid := _grid(gpus, width, rows, marks, loose=loose):
            return told + grid + meter_lines([ram_row], width, marks)
    gauges = grouped(gpus, marks, ghost)
    if len(gauges) > rows:
        gauges = [summed(gpus, f"{len(gpus)} GPUs" if width >= TIGHT else "GPU", ghost)] if rows else []
    *lines, ram_line = meter_lines([*gauges, ram_row], width, marks)
    levels = [[(_level(gpu, marks), "others") for gpu in gpus]] if len(gpus) <= width else []
    return [*told, *lines, *(levels if len(lines) < rows else []), ram_line]


def _grid(gpus: Sequence[Gpu], width: int, rows: int, marks: Marks, *, loose: bool) -> list[Line]:
    """A cell for each GPU, number and memory, with its fullness as a sign between them where it is `loose`; empty when
    the rows do not suffice."""
    memory = [_memory(gpu, marks) for gpu in gpus]
    number = max(len(str(gpu.index)) for gpu in gpus)
    figures = max(cells(text) for text in memory)
    gap = 2 if loose else 1
    per_row = (width + gap) // (number + figures + 1 + 2 * loose + gap)
    if per_row < 1 or -(-len(gpus) // per_row) > rows:
        return []
    lines: list[Line] = []
    for start in range(0, len(gpus), per_row):
        line: Line = []
        for gpu, text in list(zip(gpus, memory, strict=True))[start : start + per_row]:
            line.append(((" " * gap if line else "") + f"{gpu.index:>{number}}", "name"))
            line += [(f" {_level(gpu, marks)}", "others")] if loose else []
            line.append((text.rjust(figures + 1), "bad" if gpu.error is not None else ""))
        lines.append(line)
    return lines


def _memory(gpu: Gpu, marks: Marks) -> str:
    return brief(gpu.error) if gpu.error is not None else share(gpu.used_bytes, gpu.total_bytes, marks.dash, fine=False)


def _level(gpu: Gpu, marks: Marks) -> str:
    """How full it is, as one sign."""
    full = percent(gpu.used_bytes, gpu.total_bytes)
    return marks.free if full is None or gpu.error is not None else marks.levels[min(7, full * 8 // 100)]
