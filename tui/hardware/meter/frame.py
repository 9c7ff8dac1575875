"""The monitor's picture for a terminal of any size: what is shown is decided here, how a row looks elsewhere.

Memory comes first: a GPU a line and RAM, closer together where rows are few. What is left goes to engines, processes
and history, in the order in which a person misses them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tui.hardware.history import BUSIEST, CPU, RAM, History
from tui.hardware.kept import Kept
from tui.hardware.meter.compact import crowded
from tui.hardware.meter.gauges import GpuGauges, cpu_gauge, disk_gauge, ram_gauge, short_age, swap_gauge
from tui.hardware.meter.graph import graph
from tui.hardware.meter.holders import (
    ORDERS,
    Holder,
    RunningEngine,
    engine_lines,
    holders,
    last_above,
    process_lines,
)
from tui.hardware.meter.marks import Line, Marks, text_of
from tui.hardware.meter.plan import Plan, plan
from tui.hardware.meter.rows import ROOMY, WIDE, Drawn, meter_lines
from tui.hardware.meter.words import cells, clip, packed, wrapped
from tui.hardware.snapshot import Snapshot

SIDE_BY_SIDE = 120
"""Columns from which processes and engines share their rows."""
TABLE = 100
"""Cells beyond which a table is no wider: the eye would lose the row between a name and its figures."""
_WAITING_S = 0.2
GRAPHS = 30
"""Columns from which histories have rows of their own."""
NO_GPU, UNLISTED = "no GPU here: models run in RAM", "; only GPU memory is listed by process"
"""Who holds RAM would take a look at every process, which costs more than all the rest of a meter."""
FOOTER_ROWS = 14
"""Rows from which the last one tells the keys."""


@dataclass(slots=True)
class Scene:
    """Everything that a picture is made of."""

    snapshot: Snapshot
    engines: Sequence[RunningEngine] = ()
    history: History = field(default_factory=History)
    order: str = ORDERS[0]
    processes: int | None = None
    """How many rows of processes are shown at the most; None for as many as there is room for."""
    above: int = 0
    """Processes that are scrolled away; a picture takes back what is too much."""
    ghost: Mapping[str, int] = field(default_factory=dict)
    """Bytes that the selected model would add, by the key of a GPU or RAM."""
    hints: Sequence[str] = ()
    """Keys that can be pressed, told in the last row where there is room."""
    state: str = ""
    """Said at the right of that row, which is there for it alone too."""
    message: str = ""
    """Takes the last row, however few there are."""
    help: Sequence[str] = ()
    """Takes as many of the last rows as it needs."""
    gauges: GpuGauges = field(default_factory=GpuGauges)
    drawn: Drawn = field(default_factory=Drawn)
    holders: Kept[list[Holder]] = field(default_factory=Kept)
    tables: Kept[list[Line]] = field(default_factory=Kept)
    footer: Kept[list[Line]] = field(default_factory=Kept)


def frame(scene: Scene, width: int, height: int | None, marks: Marks) -> list[Line]:
    """The picture: at most `height` lines (None: as many as it takes) of at most `width` cells."""
    margin = 1 if width >= 36 else 0
    inner = width - 2 * margin
    if inner <= 0 or (height is not None and height <= 0):
        return []
    last = _last_rows(scene, inner, height, marks)
    lines = _body(scene, inner, None if height is None else height - len(last), marks)
    if last and height is not None:
        lines += [[] for _ in range(height - len(last) - len(lines))] + last
    return [[(" " * margin, ""), *line] if line and margin else line for line in lines]


def _body(scene: Scene, width: int, height: int | None, marks: Marks) -> list[Line]:
    if height is not None and height <= 0:
        return []
    gpus = scene.snapshot.gpus
    found = _holders(scene) if scene.processes != 0 else []
    problem = _problem(scene, width, height, marks)
    if height is not None and len(gpus) + 1 + len(problem) > height:
        return (
            crowded(scene.snapshot, width, height, marks, scene.ghost)
            if gpus
            else (problem + _ram(scene, width, marks))[:height]
        )
    side = width >= SIDE_BY_SIDE
    rest = None if height is None else height - len(gpus) - 1 - len(problem)
    swap, disk = bool(scene.snapshot.swap.total_bytes), scene.snapshot.disk
    inline, graphs = width >= ROOMY, width >= GRAPHS
    wanted = len(found) if scene.processes is None else min(len(found), scene.processes)
    places = plan(
        rest, len(scene.engines), wanted, max(1, len(gpus)), swap=swap, side=side, inline=inline, graphs=graphs,
        disk=disk is not None, urgent=disk is not None and disk.nearly_full,
    )  # fmt: skip
    most = None if places.processes is None else places.processes - places.headed
    scene.above = max(0, min(scene.above, last_above(len(found), most)))
    named = scene.gauges.labels(gpus, marks)
    tables = scene.tables.get(
        (found, scene.engines, named, places, scene.above, width, marks),
        lambda: _tables(scene, found, places, width, marks),
    )
    return [*problem, *_meter(scene, places, width, marks), *tables]


def _holders(scene: Scene) -> list[Holder]:
    gpus = scene.snapshot.gpus
    held = [(gpu.key, gpu.processes, gpu.unattributed_bytes) for gpu in gpus]
    return scene.holders.get((held, scene.order), lambda: holders(gpus, scene.order))


def _ram(scene: Scene, width: int, marks: Marks) -> list[Line]:
    return meter_lines([ram_gauge(scene.snapshot, scene.ghost)], width, marks)


def _problem(scene: Scene, width: int, height: int | None, marks: Marks) -> list[Line]:
    """Why GPUs are not to be seen, or not as they are now, if somebody should know."""
    snapshot = scene.snapshot
    most = 6 if height is None else max(1, min(6, (height - 1) // (2 if snapshot.gpus else 1), height - 1))
    if snapshot.nvml_error is not None:
        return [[(line, "warn")] for line in wrapped(snapshot.nvml_error, width, marks.ellipsis, most)]
    if snapshot.gpus_stale:
        text = f"the graphics driver has not answered for {snapshot.gpus_age_s:.0f} s; its figures are from then"
        room = most if height is None else min(most, height - len(snapshot.gpus) - 1)
        lines = wrapped(text, width, marks.ellipsis, 2 if room >= 2 else 1)
        if lines[-1].endswith(marks.ellipsis):
            lines = [clip(short_age(snapshot, width), width, marks.ellipsis)]
        return [[(line, "warn")] for line in lines]
    if not snapshot.gpus and (height is None or height >= 6):
        text = f"asking the graphics driver{marks.ellipsis}" if is_waiting(snapshot) else NO_GPU
        if text == NO_GPU and cells(text + UNLISTED) <= width:
            text += UNLISTED
        return [[(clip(text, width, marks.ellipsis), "dim")]]
    return []


def is_waiting(snapshot: Snapshot) -> bool:
    """True while the GPUs have not been seen yet: a machine without any says so faster."""
    return not snapshot.gpus and not snapshot.gpus_stale and snapshot.gpus_age_s > _WAITING_S


def _meter(scene: Scene, places: Plan, width: int, marks: Marks) -> list[Line]:
    snapshot = scene.snapshot
    gauges = scene.gauges.get(snapshot.gpus, marks, scene.ghost, stale=snapshot.gpus_stale)
    gauges.append(ram_gauge(snapshot, scene.ghost))
    gauges += [swap_gauge(snapshot)] if places.swap else []
    gauges += [cpu_gauge(snapshot)] if places.cpu else []
    gauges += [disk_gauge(snapshot.disk)] if places.disk and snapshot.disk is not None else []
    below = places.tall > 0 and bool(snapshot.gpus)
    lines = meter_lines(gauges, width, marks, scene.history, drawn_below=below, drawn=scene.drawn)
    indent = min(width // 2, max(cells(gauge.label) for gauge in gauges) + 2)
    if below:
        count = len(snapshot.gpus) + places.ram
        parts: list[Line] = []
        for gauge, line in zip(gauges[:count], lines, strict=False):
            parts += [line, *_tall(gauge.key or "", scene.history, places.tall, indent, width, marks)]
            parts += [[]] if places.airy else []
        return parts + lines[count:]
    rows = places.tall or places.strip
    if not snapshot.gpus:
        return lines + _tall(RAM, scene.history, rows, indent, width, marks)
    return lines + _strip(scene, rows, indent, width, marks)


def _strip(scene: Scene, height: int, indent: int, width: int, marks: Marks) -> list[Line]:
    """One history for all GPUs: of the one that has most to do."""
    word = "busiest"
    if width < WIDE or indent < len(word) + 1:
        indent, word = 0, ""
    lines: list[Line] = [
        [(" " * indent, ""), (row, "graph")]
        for row in graph(scene.history.busy(BUSIEST), width - indent, marks.levels, height)
    ]
    if lines and word:
        lines[-1][0] = (word.ljust(indent), "dim")
    return lines


def _tall(key: str, history: History, height: int, indent: int, width: int, marks: Marks) -> list[Line]:
    """A device's history below its line: memory and work side by side, or one of them where it is narrow. The work
    below RAM is the processor's.
    """
    if not height:
        return []
    room, busier = width - indent, CPU if key == RAM else key
    if room < 60:
        values = history.held(key) if key == RAM else history.busy(key)
        return [[(" " * indent, ""), (row, "graph")] for row in graph(values, room, marks.levels, height)]
    half = (room - 2 - len("memory ") - len("busy ")) // 2
    held = graph(history.held(key), half, marks.levels, height)
    busy = graph(history.busy(busier), half, marks.levels, height)
    lines: list[Line] = [
        [(" " * (indent + 7), ""), (one, "graph"), (" " * 7, ""), (other, "graph")]
        for one, other in zip(held, busy, strict=True)
    ]
    if held[-1].strip():
        lines[-1][0] = (" " * indent + "memory ", "dim")
    if busy[-1].strip():
        lines[-1][2] = ("  busy ", "dim")
    return lines


def _tables(scene: Scene, found: Sequence[Holder], places: Plan, width: int, marks: Marks) -> list[Line]:
    gpus, headed = scene.snapshot.gpus, places.headed
    blank: list[Line] = [[]] if headed else []
    if places.side and found and scene.engines:
        right = width * 2 // 5
        left = width - right - 4
        one = process_lines(found, gpus, left, places.processes, marks, headed=headed, above=scene.above)
        two = engine_lines(scene.engines, right, places.engines, marks, headed=headed)
        return blank + _beside(one, two, left + 4)
    lines: list[Line] = []
    width = min(width, TABLE)
    if found and places.processes != 0:
        lines += blank + process_lines(found, gpus, width, places.processes, marks, headed=headed, above=scene.above)
    if scene.engines and places.engines != 0:
        lines += blank + engine_lines(scene.engines, width, places.engines, marks, headed=headed)
    return lines


def _beside(one: Sequence[Line], two: Sequence[Line], start: int) -> list[Line]:
    lines = []
    for row in range(max(len(one), len(two))):
        left = one[row] if row < len(one) else []
        right = two[row] if row < len(two) else []
        lines.append([*left, (" " * (start - cells(text_of(left))), ""), *right] if right else left)
    return lines


def _last_rows(scene: Scene, width: int, height: int | None, marks: Marks) -> list[Line]:
    """What a key has brought up, or, where there is room, which keys there are."""
    if height is None:
        return []
    if scene.help:
        return [[(line, "")] for line in packed(scene.help, width, marks.ellipsis)[: max(1, height - 1)]]
    if scene.message:
        return [[(clip(scene.message, width, marks.ellipsis), "warn")]]
    if height < FOOTER_ROWS or not (scene.hints or scene.state):
        return []
    return scene.footer.get((scene.hints, scene.state, width, marks), lambda: _footer(scene, width, marks))


def _footer(scene: Scene, width: int, marks: Marks) -> list[Line]:
    state = clip(scene.state, width, marks.ellipsis)
    hints = packed(scene.hints, width - cells(state) - 3, marks.ellipsis)[0]
    return [[(hints.ljust(width - cells(state)), "dim"), (state, "dim")]]
