"""What the meter measures, as values: a gauge for each GPU, for RAM, swap and the processor. No drawing here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tui.hardware.history import CPU, RAM, SWAP
from tui.hardware.kept import Each, Kept
from tui.hardware.meter.words import NAME_CELLS, clip, short_name, size

if TYPE_CHECKING:
    from tui.hardware.meter.marks import Marks
    from tui.hardware.snapshot import Disk, Gpu, Snapshot

_NOTHING: Mapping[str, int] = {}


class Gauge(NamedTuple):
    """One row of the meter. Bytes, percent, °C, MHz and W; None for what cannot be told."""

    label: str
    total: int | None = None
    used: int | None = None
    ours: int = 0
    free: int | None = None
    busy: int | None = None
    idle_s: int | None = None
    """How old its figures are where nobody uses it and it is left alone."""
    degrees: int | None = None
    watts: float | None = None
    megahertz: int | None = None
    memory_megahertz: int | None = None
    error: str | None = None
    quiet: bool = False
    """Nothing to worry about: a row that is asleep, hidden or old is drawn faintly."""
    words: str | None = None
    """Stands instead of the figures in GiB."""
    tag: str = ""
    """What programs started here call it."""
    note: str = ""
    """Said at the end of the line where there is room."""
    key: str | None = None
    """Whose history this is, and whose ghost."""
    ghost: int = 0
    """What the selected model would add."""
    scarce: bool | None = None
    """Whether too little is left; None where the share that is used decides."""

    @property
    def left(self) -> int | None:
        """Free bytes once the ghost has become real; negative when it does not fit."""
        return None if self.free is None else self.free - self.ghost


def gpu_gauges(
    gpus: Sequence[Gpu], marks: Marks, ghost: Mapping[str, int] = _NOTHING, *, stale: bool = False
) -> list[Gauge]:
    """A gauge per row. `ghost` is bytes by a row's key; `stale`: the driver is late, and these are its last figures."""
    named = zip(gpus, labels(gpus, marks), strict=True)
    return [_gpu(gpu, label, ghost.get(gpu.key, 0), stale) for gpu, label in named]


class GpuGauges:
    """The same, made again and again: a gauge is the very same object for as long as its row stays as it is."""

    def __init__(self) -> None:
        self._labels: Kept[list[str]] = Kept()
        self._gauges: Each[tuple[Gpu, str], Gauge] = Each()

    def get(self, gpus: Sequence[Gpu], marks: Marks, ghost: Mapping[str, int], *, stale: bool) -> list[Gauge]:
        """As `gpu_gauges`; `ghost` may not change by itself."""
        return self._gauges.get(
            list(zip(gpus, self.labels(gpus, marks), strict=True)),
            lambda one: _gpu(*one, ghost.get(one[0].key, 0), stale),
            (ghost, stale),
        )

    def labels(self, gpus: Sequence[Gpu], marks: Marks) -> list[str]:
        """What each is called, as by the function of that name."""
        named = [(gpu.index, gpu.name, gpu.parent, gpu.instance) for gpu in gpus]
        return self._labels.get((named, marks), lambda: labels(gpus, marks))


def labels(gpus: Sequence[Gpu], marks: Marks) -> list[str]:
    """What each is called on screen: its short name, with the driver's number before it where names do not tell the
    cards apart; "0:1 1g.10gb" is the MIG instance 1 of card 0.
    """
    if not numbered(gpus):
        return [short_name(gpu.name, marks.ellipsis) for gpu in gpus]
    digits = max(len(str(gpu.index)) for gpu in gpus)
    return [
        f"{gpu.index:>{digits}} {short_name(gpu.name, marks.ellipsis)}"
        if gpu.parent is None
        else _instance(gpu, digits, marks)
        for gpu in gpus
    ]


def _instance(gpu: Gpu, digits: int, marks: Marks) -> str:
    profile = (gpu.name or "").rpartition("MIG ")[2].split() or ["MIG"]
    return f"{gpu.index:>{digits}}:{gpu.instance} {clip(profile[0], NAME_CELLS, marks.ellipsis)}"


def numbered(gpus: Sequence[Gpu]) -> bool:
    """True where names alone do not tell the rows apart."""
    names = {short_name(gpu.name, "") for gpu in gpus}
    return len(names) < len(gpus) or "GPU" in names or any(gpu.parent is not None for gpu in gpus)


def _gpu(gpu: Gpu, label: str, ghost: int, stale: bool) -> Gauge:
    asleep = gpu.asleep and gpu.error is None
    return Gauge(
        label=label,
        total=gpu.total_bytes,
        used=gpu.used_bytes,
        ours=_ours(gpu),
        free=gpu.free_bytes,
        busy=gpu.utilization,
        idle_s=gpu.idle_s,
        degrees=gpu.temperature_c,
        watts=gpu.power_w,
        megahertz=gpu.clock_mhz,
        memory_megahertz=gpu.memory_clock_mhz,
        error="asleep, and left so: reading it would wake it" if asleep else gpu.error,
        quiet=asleep or stale or gpu.idle_s is not None or gpu.cuda_visible is False,
        tag=_tag(gpu),
        key=gpu.key,
        ghost=ghost,
    )


def _tag(gpu: Gpu) -> str:
    if gpu.pool == "unified":
        return "is RAM"
    if gpu.divided:
        return "divided"
    if gpu.cuda_visible is False:
        return "hidden"
    return "" if gpu.cuda_index is None else f"CUDA{gpu.cuda_index}"


def _ours(gpu: Gpu) -> int:
    return sum(process.used_bytes or 0 for process in gpu.processes if process.mine)


def age(snapshot: Snapshot) -> str:
    """How old the figures of GPUs are, where a driver is late; empty where they are of this moment."""
    return f"{snapshot.gpus_age_s:.0f} s old" if snapshot.gpus_stale else ""


def short_age(snapshot: Snapshot, width: int) -> str:
    """The same for a line of its own."""
    whole = f"GPUs {age(snapshot)}"
    return whole if len(whole) <= width else age(snapshot)


def brief(error: str) -> str:
    """Why a row is empty, in one short word."""
    return "lost" if error.startswith(("lost", "gone")) else "error"


_WORTH_TELLING = (1 << 30) // 20
"""Bytes that are not nothing when they are told with one decimal of a GiB."""


def ram_gauge(snapshot: Snapshot, ghost: Mapping[str, int] = _NOTHING) -> Gauge:
    """Host memory: what is free is what a load could take, below the limit of a container or a batch job. Ours is what
    engines hold for themselves; pages of a mapped model count as free, for the kernel takes them back on demand.
    """
    ram = snapshot.ram
    total, free, notes = ram.total_bytes, ram.available_bytes, []
    if ram.limit_bytes is not None:
        total = ram.limit_bytes
        notes += [f"limit; the machine has {size(ram.total_bytes, fine=True)}"] if ram.total_bytes else ["limit"]
    mapped = sum(engine.file_bytes or 0 for engine in snapshot.engines)
    used = None if total is None or free is None else max(0, total - free)
    ours = sum((engine.anon_bytes or 0) + (engine.shared_bytes or 0) for engine in snapshot.engines)
    notes += [f"engines {size(ours, fine=True)}"] if ours >= _WORTH_TELLING else []
    notes += [f"mapped models {size(mapped, fine=True)}"] if mapped >= _WORTH_TELLING else []
    return Gauge(
        "RAM", total, used, min(ours, used or 0), free, note=", ".join(notes), key=RAM, ghost=ghost.get(RAM, 0)
    )


def swap_gauge(snapshot: Snapshot) -> Gauge:
    """Swap space; what is in it makes everything slow."""
    return Gauge("swap", snapshot.swap.total_bytes, snapshot.swap.used_bytes, key=SWAP)


def disk_gauge(disk: Disk) -> Gauge:
    """The disk where models go."""
    total, free = disk.total_bytes, disk.free_bytes
    if total is None or free is None:
        return Gauge("disk", error="the folder of models does not answer")
    return Gauge("disk", total, max(0, total - free), free=free, scarce=disk.nearly_full)


def cpu_gauge(snapshot: Snapshot) -> Gauge:
    """The processor: its bar is how busy it is."""
    cpu, words = snapshot.cpu, ""
    if cpu.cores is not None:
        words = "1 core" if cpu.cores == 1 else f"{cpu.cores} cores"
        if cpu.quota is not None and cpu.quota < cpu.cores:
            words = f"{cpu.quota:.4g} of {words}"
    return Gauge("CPU", busy=cpu.utilization, words=words, key=CPU)


def grouped(gpus: Sequence[Gpu], marks: Marks, ghost: Mapping[str, int] = _NOTHING) -> list[Gauge]:
    """One gauge for all cards of a name, for terminals with fewer rows than cards."""
    names: dict[str, list[Gpu]] = {}
    for gpu in cards(gpus):
        names.setdefault(short_name(gpu.name, marks.ellipsis), []).append(gpu)
    return [
        summed(alike, f"{len(alike)}{marks.times}{name}" if len(alike) > 1 else name, ghost)
        for name, alike in names.items()
    ]


def cards(gpus: Sequence[Gpu]) -> list[Gpu]:
    """The rows without MIG instances, whose memory is their card's."""
    return [gpu for gpu in gpus if gpu.parent is None] or list(gpus)


def summed(gpus: Sequence[Gpu], label: str, ghost: Mapping[str, int] = _NOTHING) -> Gauge:
    """Several cards as one gauge: memory added up, busy on average, without those that do not answer."""
    well = [gpu for gpu in gpus if gpu.error is None]
    ill = {brief(gpu.error) for gpu in gpus if gpu.error is not None}
    if ill:
        label += f" ({len(gpus) - len(well)} {ill.pop() if len(ill) == 1 else brief('')})"
    busy = [gpu.utilization for gpu in well if gpu.utilization is not None]
    return Gauge(
        label,
        total=_sum(gpu.total_bytes for gpu in well),
        used=_sum(gpu.used_bytes for gpu in well),
        ours=sum(map(_ours, well)),
        free=_sum(gpu.free_bytes for gpu in well),
        busy=round(sum(busy) / len(busy)) if busy else None,
        ghost=sum(ghost.get(gpu.key, 0) for gpu in well),
    )


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
