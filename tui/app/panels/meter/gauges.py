"""What the meter shows, as values: for every device who holds how much, and what the selected model would add.

Made from a hardware snapshot, the receipts of our loaded engines, and the ghost. No drawing here, and no measuring
but one cheap look at /proc/meminfo for the first frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tui.app.text import clean
from tui.hardware.names import UNNAMED, card_name

if TYPE_CHECKING:
    from tui.hardware.snapshot import Gpu, Ram, Snapshot

RAM = "RAM"
"""Name of the host's gauge, and its key in a ghost."""


class Gauge(NamedTuple):
    """One bar. All in bytes; `used` counts ours too, `free` is what the device itself calls free."""

    key: str
    name: str
    total: int
    used: int
    free: int
    ours: int = 0
    ghost: int = 0
    utilization: int | None = None
    temperature_c: int | None = None
    error: str = ""

    @property
    def left(self) -> int:
        """Free bytes once the ghost has become real; negative when it does not fit."""
        return self.free - self.ghost


class Meter(NamedTuple):
    """Every gauge, RAM last, and how busy the processor is in percent."""

    gauges: tuple[Gauge, ...] = ()
    cpu: int | None = None


def measure(snapshot: Snapshot, held_bytes: int = 0, ghost: Mapping[str, int] | None = None) -> Meter:
    """The meter of a snapshot. `held_bytes` is host memory of our engines, `ghost` bytes by the key of a gauge."""
    ghost = ghost or {}
    gauges = [_gpu(gpu, ghost.get(gpu_key(gpu), 0), snapshot.gpus) for gpu in snapshot.gpus]
    gauges.append(_ram(snapshot.ram, held_bytes, ghost.get(RAM, 0)))
    busy = snapshot.cpu.utilization
    return Meter(tuple(gauges), busy)


def gpu_key(gpu: Gpu) -> str:
    """The key of a card's gauge: its UUID, or its index where it has none."""
    return gpu.uuid or f"gpu{gpu.index}"


def _ram(ram: Ram, held_bytes: int, ghost: int) -> Gauge:
    total, free = ram.limit_bytes or ram.total_bytes, ram.available_bytes
    if not total or free is None:
        return Gauge(RAM, RAM, 0, 0, 0, error="not known")
    used = max(0, total - free)
    return Gauge(RAM, RAM, total, used, free, ours=min(used, held_bytes), ghost=ghost)


def _gpu(gpu: Gpu, ghost: int, all_gpus: Sequence[Gpu]) -> Gauge:
    ours = sum(process.used_bytes or 0 for process in gpu.processes if process.mine)
    used = gpu.used_bytes or 0
    return Gauge(
        key=gpu_key(gpu),
        name=short_name(gpu.name or "", gpu.index, sum(other.name == gpu.name for other in all_gpus) > 1),
        total=gpu.total_bytes or 0,
        used=used,
        free=gpu.free_bytes or 0,
        ours=min(used, ours),
        ghost=ghost,
        utilization=gpu.utilization,
        temperature_c=gpu.temperature_c,
        error=clean(gpu.error or ("" if gpu.total_bytes else "no memory figures")),
    )


def short_name(name: str, index: int, several: bool) -> str:
    """A card's name in a few cells: "NVIDIA H100 80GB HBM3" is H100; the index is added where two are alike."""
    label = card_name(clean(name))[:12].strip()
    return f"{label}:{index}" if several or label == UNNAMED else label


def first_look(proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")) -> Meter:
    """What can be said before the first frame for a fraction of a millisecond: RAM, and places kept for NVIDIA cards.

    Inside a limit, which takes more reading, it leaves RAM to the first measurement.
    """
    try:
        cards = len(list((proc / "driver/nvidia/gpus").iterdir()))
    except OSError:
        cards = 0
    kept = tuple(Gauge(f"card{index}", f"GPU:{index}", 0, 0, 0) for index in range(cards))
    return Meter((*kept, _quick_ram(proc, cgroup)))


def _quick_ram(proc: Path, cgroup: Path) -> Gauge:
    try:
        limited = (cgroup / "memory.max").read_bytes().strip() != b"max"
    except OSError:
        limited = False
    values: dict[str, int] = {}
    try:
        for line in (proc / "meminfo").read_text("ascii").splitlines()[:8]:
            name, _, rest = line.partition(":")
            values[name] = int(rest.split()[0]) * 1024
        total, free = values["MemTotal"], values["MemAvailable"]
    except (OSError, KeyError, ValueError, IndexError):
        limited = True
    return Gauge(RAM, RAM, 0, 0, 0) if limited else Gauge(RAM, RAM, total, total - free, free)
