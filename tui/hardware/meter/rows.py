"""Gauges as lines: bars below bars and figures below figures, in as many columns as the width allows."""

from __future__ import annotations

from collections.abc import Sequence

from tui.hardware.history import RAM, SWAP, History, percent
from tui.hardware.kept import Each, Kept
from tui.hardware.meter.gauges import Gauge
from tui.hardware.meter.graph import graph
from tui.hardware.meter.marks import Line, Marks, Span
from tui.hardware.meter.table import Column, arrange
from tui.hardware.meter.words import cells, clip, pad, share, size

Row = tuple[Span, ...]
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


class Drawn:
    """What the lines of a meter were made of, so that the next picture makes only those anew that have changed."""

    def __init__(self) -> None:
        self.rows: Each[Gauge, tuple[Row, tuple[int, ...]]] = Each()
        """Each with the cells that its columns want."""
        self.widths: Kept[tuple[int, ...]] = Kept()
        self.lines: Each[tuple[Gauge, Row], Row] = Each()


def meter_lines(
    gauges: Sequence[Gauge],
    width: int,
    marks: Marks,
    history: History | None = None,
    *,
    drawn_below: bool = False,
    drawn: Drawn | None = None,
) -> list[Line]:
    """The gauges as lines of at most `width` cells; `history` for those that end in it: with `drawn_below` only what
    has no other place for it, swap.
    """
    gap = 2 if width >= WIDE else 1
    drawn = Drawn() if drawn is None else drawn
    made = drawn.rows.get(gauges, lambda gauge: _row(gauge, marks, width), (marks, width))
    last, least = _COLUMNS[_HISTORY], 0
    if width >= ROOMY:
        least = max([cells(gauge.note) for gauge in gauges])
        if history is not None and not drawn_below:
            least = max(least, width // 5)
        else:
            last = _NOTES
            if history is not None and any(gauge.key == SWAP for gauge in gauges):
                least = max(least, _NOTES.least)
    wanted = [*map(max, zip(*(wants for _, wants in made), strict=True)), least]
    widths = drawn.widths.get((wanted, last, width, gap), lambda: _widths(wanted, last, width, gap))
    starts = drawn.lines.get(
        [(gauge, row) for gauge, (row, _) in zip(gauges, made, strict=True)],
        lambda pair: _line(*pair, widths, gap, marks, width),
        (widths, gap, marks, width),
    )
    lines: list[Line] = []
    for gauge, start in zip(gauges, starts, strict=True):
        line = list(start)
        if widths[_HISTORY] and gauge.error is None:
            line += [
                (" " * gap if line else "", ""),
                _last_column(gauge, widths[_HISTORY], marks, history, drawn_below),
            ]
        lines.append(line)
    return lines


def _row(gauge: Gauge, marks: Marks, width: int) -> tuple[Row, tuple[int, ...]]:
    """A span for each column but the last, and the cells that each of them wants."""
    row = ((gauge.label, _name_role(gauge)), ("", ""), *_figures(gauge, marks, width))
    return row, tuple([cells(text) for text, _role in row])


def _widths(wants: Sequence[int], last: Column, width: int, gap: int) -> tuple[int, ...]:
    """The width of each column, by what the widest row wants of it."""
    wanted = list(wants)
    wanted[_BAR] = max(5, width * 2 // 5 if width < WIDE else width * 3 // 10)
    for column, fewest in ((_BUSY, 4), (_DEGREES, 3)):  # "100%" and "99°" must not push the bar about
        wanted[column] = max(wanted[column], fewest) if wanted[column] else 0
    return tuple(arrange((*_COLUMNS[:_HISTORY], last), wanted, width, gap))


def _name_role(gauge: Gauge) -> str:
    return "dim" if gauge.quiet else "name"


def _figures(gauge: Gauge, marks: Marks, width: int) -> Line:
    """Memory, free, busy, degrees, watts, clock and tag; decimals, units and what is free only where it is wide."""
    if gauge.error is not None:
        return [("", "")] * 7
    fine = width >= WIDE
    busy = "" if gauge.busy is None or width < TIGHT else f"{gauge.busy}%"
    if gauge.idle_s is not None and busy:
        busy = f"idle {gauge.idle_s}s" if fine else "idle"
    return [
        _memory(gauge, marks, width),
        _free(gauge, marks) if fine else ("", ""),
        (busy, "dim" if gauge.quiet else ""),
        _degrees(gauge, marks),
        ("" if gauge.watts is None else f"{gauge.watts:.0f}W", "dim"),
        (_clocks(gauge) if width >= VAST else "", "dim"),
        (gauge.tag if fine else "", "dim"),
    ]


def _clocks(gauge: Gauge) -> str:
    memory = "" if gauge.memory_megahertz is None else f"mem {gauge.memory_megahertz}MHz"
    return " ".join(filter(None, ("" if gauge.megahertz is None else f"{gauge.megahertz}MHz", memory)))


def _memory(gauge: Gauge, marks: Marks, width: int) -> Span:
    fine = width >= WIDE
    if gauge.words is not None:
        busy = "" if gauge.busy is None or width >= TIGHT else f"{gauge.busy}%"
        return gauge.words if fine else busy, "dim"
    nearly_full = bool(gauge.total and gauge.used is not None and gauge.used > _NEARLY_FULL * gauge.total)
    nearly_full = nearly_full if gauge.scarce is None else gauge.scarce
    role = "dim" if gauge.quiet else "warn" if nearly_full else ""
    if width < TIGHT:
        full = percent(gauge.used, gauge.total)
        return marks.dash if full is None else f"{full}%", role
    ghost = ""
    if gauge.ghost:
        more = size(gauge.ghost, fine=fine, total=gauge.total)
        ghost = f"+{more}" if float(more) else ""  # one that is nothing at this scale is seen in the bar only
        role = "bad" if gauge.left is not None and gauge.left < 0 else "ghost"
    return share(gauge.used, gauge.total, marks.dash, fine=fine, ghost=ghost) + (" GiB" if fine else ""), role


def _free(gauge: Gauge, marks: Marks) -> Span:
    """What is free; with a ghost, what would still be, or what is missing."""
    if gauge.free is None or gauge.left is None:
        return "", ""
    if not gauge.ghost:
        free = f"{size(gauge.free, fine=True, total=gauge.total)} free"
        return (f"only {free}", "warn") if gauge.scarce else (free, "dim")
    left = size(abs(gauge.left), fine=True, total=gauge.total)
    return (f"{left} short", "bad") if gauge.left < 0 else (f"{marks.goes_to} {left} free", "ghost")


def _degrees(gauge: Gauge, marks: Marks) -> Span:
    if gauge.degrees is None:
        return "", ""
    return f"{gauge.degrees}{marks.degree}", "warn" if gauge.degrees >= _HOT_C else "dim"


def _line(gauge: Gauge, row: Row, widths: tuple[int, ...], gap: int, marks: Marks, width: int) -> Row:
    """A gauge's line up to its last column."""
    if gauge.error is not None:
        name = (pad(gauge.label, widths[0], marks.ellipsis), row[0][1])
        said = clip(gauge.error, width - widths[0] - gap, marks.ellipsis)
        return (name, (" " * gap, ""), (said, "dim" if gauge.quiet else "bad")) if said else (name,)
    line: Line = []
    space = (" " * gap, "")
    for index, (cell, (text, role)) in enumerate(zip(widths, row, strict=False)):
        if not cell:
            continue
        if line:
            line.append(space)
        if index == _BAR:
            line += bar(gauge, cell, marks)
        else:
            line.append((pad(text, cell, marks.ellipsis, _COLUMNS[index].right), role))
    return tuple(line)


def _last_column(gauge: Gauge, width: int, marks: Marks, history: History | None, drawn_below: bool) -> Span:
    if gauge.note:
        return clip(gauge.note, width, marks.ellipsis), "dim"
    if not width or gauge.key is None or history is None or (drawn_below and gauge.key != SWAP):
        return "", ""
    values = history.held(gauge.key) if gauge.key in (RAM, SWAP) else history.busy(gauge.key)
    return graph(values, width, marks.levels)[0], "graph"


def bar(gauge: Gauge, width: int, marks: Marks) -> Line:
    """Used by others, by our engines, the ghost, free. What is free is what the device calls free, so what a driver
    keeps for itself counts as used. A ghost that does not fit takes all that is free, in the colour of what is bad.
    """
    others = "dim" if gauge.quiet else "others"
    if gauge.total is None and gauge.busy is not None:
        filled = round(width * min(1.0, gauge.busy / 100))
        return [(marks.used * filled, others), (marks.free * (width - filled), "free")]
    total, used = gauge.total, gauge.used
    if not total or used is None:
        return [(marks.free * width, "free")]
    others_least, ours_least = _worth_a_cell(used - gauge.ours, total), _worth_a_cell(gauge.ours, total)
    free = _cells_of(total - used if gauge.free is None else gauge.free, total, width)
    free = max(0, min(free, width - others_least - ours_least))
    ours = min(max(0, width - free - others_least), _cells_of(gauge.ours, total, width))
    line = [(marks.used * (width - free - ours), others), (marks.ours * ours, "ours")]
    if gauge.ghost:
        ghost = min(free, max(1, round(width * gauge.ghost / total)))
        line.append((marks.ghost * ghost, "bad" if gauge.left is not None and gauge.left < 0 else "ghost"))
        free -= ghost
    return [*line, (marks.free * free, "free")]


def _cells_of(part: int, total: int, width: int) -> int:
    """Cells for a part; a percent of the whole is worth one."""
    return min(width, max(_worth_a_cell(part, total), round(width * max(0, part) / total)))


def _worth_a_cell(part: int, total: int) -> int:
    return 1 if part > 0 and part >= total / 100 else 0
