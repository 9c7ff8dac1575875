"""Who holds GPU memory, and which engines of ours are running: two tables below the meter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tui.config.sizes import GIB
from tui.hardware.meter.gauges import labels, numbered
from tui.hardware.meter.marks import Line, Marks, Span
from tui.hardware.meter.rows import WIDE
from tui.hardware.meter.table import Column, laid_out
from tui.hardware.meter.words import clip, rate, tokens
from tui.hardware.snapshot import Gpu, GpuProcess

_Row = TypeVar("_Row")

ORDERS = ("memory", "pid", "user", "name")
"""What processes can be sorted by."""

FOREIGN, UNNAMED = "foreign process", "unnamed"
"""Stand where there is no name: another container's process or the host's, and one that hides its own."""
_UNTOLD_BYTES, _UNTOLD_SHARE = 256 << 20, 0.02
"""What a driver keeps for itself is not worth a line; more than this, held by no process it lists, is."""


class RunningEngine(Protocol):
    """An engine of this user's, as whoever finds them tells of it."""

    @property
    def pid(self) -> int: ...
    @property
    def model(self) -> str: ...
    @property
    def n_ctx(self) -> int: ...
    @property
    def n_ctx_used(self) -> int: ...
    @property
    def decode_tok_s(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Holder:
    """A process and all that it holds on the GPUs; without a pid, memory that no process accounts for."""

    pid: int | None
    name: str | None
    user: str | None
    used_bytes: int | None
    gpus: tuple[int, ...]
    """Places in the list of GPUs."""
    mine: bool
    foreign: bool = False
    """Another container's, or the host's."""


def holders(gpus: Sequence[Gpu], order: str = "memory") -> list[Holder]:
    """Each process once, with its memory on all GPUs, sorted; memory that nobody accounts for comes last."""
    seen: dict[int, tuple[GpuProcess, int | None, list[int]]] = {}
    for place, gpu in enumerate(gpus):
        for process in gpu.processes:
            first, before, places = seen.get(process.pid, (process, None, []))
            seen[process.pid] = (first, _plus(before, process.used_bytes), [*places, place])
    found = [
        Holder(pid, first.name, first.user, used, tuple(places), first.mine, first.foreign)
        for pid, (first, used, places) in seen.items()
    ]
    return sorted(found, key=_KEYS[order]) + _untold(gpus)


_KEYS = {
    "memory": lambda holder: (-(holder.used_bytes or 0), holder.pid),
    "pid": lambda holder: holder.pid,
    "user": lambda holder: (holder.user or "~", -(holder.used_bytes or 0), holder.pid),
    "name": lambda holder: (holder.name or "~", -(holder.used_bytes or 0), holder.pid),
}


def _plus(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other


def _untold(gpus: Sequence[Gpu]) -> list[Holder]:
    """Memory in use that the listed processes do not explain, in one row; of GPUs of which that can be told."""
    rest, places = 0, []
    for place, gpu in enumerate(gpus):
        unexplained = gpu.unattributed_bytes or 0
        if unexplained > max(_UNTOLD_BYTES, _UNTOLD_SHARE * (gpu.total_bytes or 0)):
            rest += unexplained
            places.append(place)
    return [Holder(None, "no process listed", None, rest, tuple(places), False)] if places else []


_PROCESSES = (
    Column(keep=80, right=True),  # pid
    Column(keep=50, least=4, bend=30),  # user
    Column(keep=100, least=6, bend=70, grow=1),  # name
    Column(keep=90, right=True),  # memory
    Column(keep=60),  # GPU
)
_PROCESS_HEADS = ("pid", "user", "process", "GiB", "GPU")


def process_lines(
    found: Sequence[Holder],
    gpus: Sequence[Gpu],
    width: int,
    most: int | None,
    marks: Marks,
    *,
    headed: bool,
    above: int = 0,
) -> list[Line]:
    """The table of processes in at most `most` lines, the last telling how many are left out; the first `above` are
    scrolled away.
    """
    shown, above, more = _as_many(found, most if most is None else most - headed, above)
    names = None if numbered(gpus) else labels(gpus, marks)
    rows = [_process_row(holder, gpus, names, marks, headed) for holder in shown]
    return _table(_PROCESSES, _PROCESS_HEADS, rows, width, (above, more), marks, headed)


def _process_row(
    holder: Holder, gpus: Sequence[Gpu], names: Sequence[str] | None, marks: Marks, headed: bool
) -> list[Span]:
    role = "mine" if holder.mine else "dim" if holder.pid is None or holder.foreign else ""
    memory = "n/a" if holder.used_bytes is None else f"{holder.used_bytes / GIB:.1f}{'' if headed else 'G'}"
    return [
        (marks.dash if holder.pid is None else str(holder.pid), role or "dim"),
        (holder.user or "", role),
        ("puna" if holder.mine else FOREIGN if holder.foreign else holder.name or UNNAMED, role),
        (memory, role),
        (_places(holder.gpus, gpus, names), role or "dim"),
    ]


def _places(places: Sequence[int], gpus: Sequence[Gpu], names: Sequence[str] | None) -> str:
    """ "H100", "3", "0-7", "0,2", "1:0": a name where names tell, otherwise the driver's numbers."""
    if len(places) == 1 and names is not None:
        return names[places[0]]
    runs: list[list[int]] = []
    for number in sorted(gpus[place].index for place in places if gpus[place].parent is None):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    told = [f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    told += [f"{gpus[place].index}:{gpus[place].instance}" for place in places if gpus[place].parent is not None]
    return ",".join(told)


_ENGINES = (
    Column(keep=100, least=6, bend=70, grow=1),  # model
    Column(keep=90, right=True),  # tok/s
    Column(keep=80, right=True),  # context
    Column(keep=40, right=True),  # share of the context
    Column(keep=60, right=True),  # pid
)
_ENGINE_HEADS = ("engine", "tok/s", "context", "", "pid")
_CONTEXT_CELLS = 12


def engine_lines(
    engines: Sequence[RunningEngine], width: int, most: int | None, marks: Marks, *, headed: bool
) -> list[Line]:
    """The table of engines in at most `most` lines."""
    shown, above, more = _as_many(engines, most if most is None else most - headed)
    rows = [_engine_row(engine, width, marks, headed) for engine in shown]
    return _table(_ENGINES, _ENGINE_HEADS, rows, width, (above, more), marks, headed)


def _engine_row(engine: RunningEngine, width: int, marks: Marks, headed: bool) -> list[Span]:
    speed = rate(engine.decode_tok_s, marks.dash)
    part = min(1.0, max(0.0, engine.n_ctx_used / engine.n_ctx)) if engine.n_ctx > 0 else 0.0
    filled = round(part * _CONTEXT_CELLS)
    context_bar = marks.ours * filled + marks.free * (_CONTEXT_CELLS - filled)
    return [
        (engine.model, "mine"),
        (speed if headed else f"{speed} tok/s", ""),
        (f"{tokens(engine.n_ctx_used)}/{tokens(engine.n_ctx)}", "warn" if part >= 0.95 else ""),
        (context_bar if width >= WIDE else "", "mine"),
        (str(engine.pid), "dim"),
    ]


def last_above(count: int, most: int | None) -> int:
    """How far a table of `count` rows can be scrolled in `most` lines, its head not counted."""
    return 0 if most is None or count <= most else count - _shown(most)


def _shown(most: int) -> int:
    """Rows in `most` lines when there are more: the last line says so, unless it is the only one."""
    return max(0, most - 1 if most > 1 else most)


def _as_many(rows: Sequence[_Row], most: int | None, above: int = 0) -> tuple[Sequence[_Row], int, int]:
    """As many rows as there is room for, and how many are left out above and below them, 0 where that is not told."""
    if most is None or len(rows) <= most:
        return rows, 0, 0
    above, shown = max(0, min(above, last_above(len(rows), most))), _shown(most)
    return rows[above : above + shown], above if most > 1 else 0, len(rows) - shown - above if most > 1 else 0


def _table(
    columns: Sequence[Column],
    heads: Sequence[str],
    rows: Sequence[Sequence[Span]],
    width: int,
    left_out: tuple[int, int],
    marks: Marks,
    headed: bool,
) -> list[Line]:
    """Rows below their heads; a head is no wider than its column must be anyway."""
    top = [[(head, "head") for head in heads]] if headed else []
    gap = 2 if width >= WIDE // 2 else 1
    lines = laid_out(columns, [*top, *rows], width, gap, marks.ellipsis)
    words = [f"{count} {word}" for count, word in zip(left_out, ("above", "more"), strict=True) if count]
    if words:
        lines.append([(clip(f"{marks.ellipsis} {', '.join(words)}", width, marks.ellipsis), "dim")])
    return lines
