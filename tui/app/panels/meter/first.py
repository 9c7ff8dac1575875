"""What the meter shows before anything has been measured: one cheap look at /proc, for the first frame."""

from __future__ import annotations

from pathlib import Path

from tui.hardware.history import RAM
from tui.hardware.meter.gauges import Gauge


def first_look(proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")) -> tuple[Gauge, ...]:
    """RAM, and places kept for NVIDIA cards before it, in a fraction of a millisecond.

    Inside a limit, which takes more reading, it leaves RAM to the first measurement.
    """
    try:
        cards = len(list((proc / "driver/nvidia/gpus").iterdir()))
    except OSError:
        cards = 0
    return (*(Gauge(f"{index} GPU") for index in range(cards)), _quick_ram(proc, cgroup))


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
    return Gauge("RAM", key=RAM) if limited else Gauge("RAM", total, total - free, 0, free, key=RAM)
