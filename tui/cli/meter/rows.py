"""Gauges as lines: bars below bars and figures below figures, in as many columns as the width allows."""

from __future__ import annotations

from collections.abc import Sequence

from tui.cli.meter.gauges import Gauge
from tui.cli.meter.history import History, percent
from tui.cli.meter.marks import Line, Marks, Span
from tui.cli.meter.table import Column, arrange, widest
from tui.cli.meter.words import cells, clip, pad, share, size

TIGHT, WIDE, ROOMY, VAST = 16, 60, 100, 140
"""Columns below which memory is told in percent, from which figures get decimals, from which a line ends in its
history, and from which clocks are told."""
_HOT_C, _NEARLY_FULL = 87, 0.97

_COLUMNS = (
    Column(keep=100, least=3, bend=85),  # label
    Column(keep=60, least=5, bend=55, grow=3),  # bar
    Column(keep=90, right=True),  # memory
    Column(keep=50, right=True),  # free
    Column(keep=80, right=True),  # busy
    Column(keep=45, right=True),  # degrees
    Column(keep=35, right=True),  # watts
    Column(keep=10, right=True),  # clock
    Column(keep=30),  # what CUDA calls it
    Column(keep=20, grow=2),  # history
)
_NOTES = Column(keep=20, least=12, bend=15)
"""The last column where histories stand elsewhere."""
_BAR, _BUSY, _DEGREES, _HISTORY = 1, 4, 5, 9


def meter_lines(gauges: Sequence[Gauge], width: int, marks: Marks, history: History | None = None) -> list[Line]:
    """The gauges as lines of at most `width` cells; `history` for those that end in it."""
    gap = 2 if width >= WIDE else 1
    rows = [[(gauge.label, _name_role(gauge)), ("", ""), *_figures(gauge, marks, width), ("", "")] for gauge in gauges]
    wanted = [widest(rows, column) for column in range(len(_COLUMNS))]
    wanted[_BAR] = max(5, width * 2 // 5 if width < WIDE else width * 3 // 10)
    columns: Sequence[Column] = _COLUMNS
    if width >= ROOMY:
        wanted[_HISTORY] = max([cells(gauge.note) for gauge in gauges])
        if history is not None:
            wanted[_HISTORY] = max(wanted[_HISTORY], width // 5)
        else:
            columns = (*_COLUMNS[:_HISTORY], _NOTES)
    for column, least in ((_BUSY, 4), (_DEGREES, 3)):  # "100%" and "99°" must not push the bar about
        wanted[column] = max(wanted[column], least) if wanted[column] else 0
    widths = arrange(columns, wanted, width, gap)
    return [_line(gauge, row, widths, gap, marks, history, width) for gauge, row in zip(gauges, rows, strict=True)]


def _name_role(gauge: Gauge) -> str:
    return "dim" if gauge.quiet else "name"


def _figures(gauge: Gauge, marks: Marks, width: int) -> Line:
    """Memory, free, busy, degrees, watts, clock and tag; decimals, units and what is free only where it is wide."""
    if gauge.error is not None:
        return [("", "")] * 7
    fine = width >= WIDE
    free = f"{size(gauge.free, fine=True, total=gauge.total)} free" if fine and gauge.free is not None else ""
    busy = "" if gauge.busy is None or width < TIGHT else f"{gauge.busy}%"
    clock = "" if gauge.megahertz is None or width < VAST else f"{gauge.megahertz}MHz"
    return [
        _memory(gauge, marks, width),
        (free, "dim"),
        (busy, "dim" if gauge.quiet else ""),
        _degrees(gauge, marks),
        ("" if gauge.watts is None else f"{gauge.watts:.0f}W", "dim"),
        (clock, "dim"),
        (gauge.tag if fine else "", "dim"),
    ]


def _memory(gauge: Gauge, marks: Marks, width: int) -> Span:
    fine = width >= WIDE
    if gauge.words is not None:
        busy = "" if gauge.busy is None or width >= TIGHT else f"{gauge.busy}%"
        return gauge.words if fine else busy, "dim"
    nearly_full = bool(gauge.total and gauge.used is not None and gauge.used > _NEARLY_FULL * gauge.total)
    role = "dim" if gauge.quiet else "warn" if nearly_full else ""
    if width < TIGHT:
        full = percent(gauge.used, gauge.total)
        return marks.dash if full is None else f"{full}%", role
    return share(gauge.used, gauge.total, marks.dash, fine=fine) + (" GiB" if fine else ""), role


def _degrees(gauge: Gauge, marks: Marks) -> Span:
    if gauge.degrees is None:
        return "", ""
    return f"{gauge.degrees}{marks.degree}", "warn" if gauge.degrees >= _HOT_C else "dim"


def _line(
    gauge: Gauge, row: Line, widths: Sequence[int], gap: int, marks: Marks, history: History | None, width: int
) -> Line:
    if gauge.error is not None:
        name = (pad(gauge.label, widths[0], marks.ellipsis), row[0][1])
        said = clip(gauge.error, width - widths[0] - gap, marks.ellipsis)
        return [name, (" " * gap, ""), (said, "dim" if gauge.quiet else "bad")] if said else [name]
    line: Line = []
    space = (" " * gap, "")
    for index, (cell, (text, role)) in enumerate(zip(widths, row, strict=True)):
        if not cell:
            continue
        if line:
            line.append(space)
        if index == _BAR:
            line += bar(gauge, cell, marks)
        elif index == _HISTORY:
            line.append(_last_column(gauge, cell, marks, history))
        else:
            line.append((pad(text, cell, marks.ellipsis, _COLUMNS[index].right), role))
    return line


def _last_column(gauge: Gauge, width: int, marks: Marks, history: History | None) -> Span:
    if gauge.note:
        return clip(gauge.note, width, marks.ellipsis), "dim"
    if gauge.key is None or history is None:
        return "", ""
    return history.busy(gauge.key, width, marks)[0], "graph"


def bar(gauge: Gauge, width: int, marks: Marks) -> Line:
    """Used by others, by our engines, free. What is free is what the device calls free, so what a driver keeps for
    itself counts as used.
    """
    others = "dim" if gauge.quiet else "others"
    if gauge.total is None and gauge.busy is not None:
        filled = round(width * min(1.0, gauge.busy / 100))
        return [(marks.used * filled, others), (marks.free * (width - filled), "free")]
    total, used = gauge.total, gauge.used
    if not total or used is None:
        return [(marks.free * width, "free")]
    free = _cells_of(total - used if gauge.free is None else gauge.free, total, width)
    ours = min(width - free, _cells_of(gauge.ours, total, width))
    return [
        (marks.used * (width - free - ours), others),
        (marks.ours * ours, "ours"),
        (marks.free * free, "free"),
    ]


def _cells_of(part: int, total: int, width: int) -> int:
    """Cells for a part; a percent of the whole is worth one."""
    if part <= 0:
        return 0
    return min(width, max(1 if part >= total / 100 else 0, round(width * part / total)))
