"""The processor: how many cores a computation may really use here, and how busy they are.

Threads beyond the physical cores slow llama.cpp down, and threads beyond a container's quota slow it down far more,
so both are counted before an engine starts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from tui.hardware import cgroups
from tui.hardware.files import OpenFile, read, read_word

UNKNOWN_CPU = "unknown CPU"


def logical_cpus() -> frozenset[int]:
    """The numbers of the CPUs that this process may run on."""
    try:
        return frozenset(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        # No affinity on this platform: all of them.
        return frozenset(range(os.cpu_count() or 1))


def physical_cores(cpus: Iterable[int] | None = None, proc_root: str = "/proc", sys_root: str = "/sys") -> int:
    """Physical cores behind the CPUs that this process may run on (or behind `cpus`); at least 1."""
    allowed = logical_cpus() if cpus is None else frozenset(cpus)
    siblings = _siblings_by_sys(allowed, sys_root) or _siblings_by_cpuinfo(allowed, proc_root)
    return max(1, len(siblings) or len(allowed))


def cpu_quota(proc_root: str = "/proc", sys_root: str = "/sys") -> float | None:
    """The cgroup's CPU quota in cores (1.5 is one and a half); None without one."""
    return cgroups.cpu_limit(cgroups.levels("cpu", proc_root, sys_root))


def default_threads(reserve: int = 0, cores: int | None = None, quota: float | None = None) -> int:
    """Threads for a computation: physical cores within affinity and quota, minus `reserve` where more than 2 are left.

    `cores` and `quota` are read from this machine when not given.
    """
    if cores is None:
        cores = physical_cores()
        quota = cpu_quota() if quota is None else quota
    usable = cores if quota is None else min(cores, max(1, int(quota)))
    return max(1, usable - reserve) if usable > 2 else max(1, usable)


def cpu_model(proc_root: str = "/proc") -> str:
    """The processor's name; on ARM the implementer's and part numbers. "unknown CPU" where nothing tells."""
    found = dict(_fields(read(f"{proc_root}/cpuinfo", 16384) or b""))
    if name := found.get(b"model name") or found.get(b"cpu model"):
        return name.decode("utf-8", "replace")
    if part := found.get(b"CPU part"):
        return f"ARM {found.get(b'CPU implementer', b'?').decode()} {part.decode()}"
    if sys.platform == "darwin":
        from tui.hardware.apple import Mac

        return (Mac().text("machdep.cpu.brand_string") or b"").rstrip(b"\0").decode("utf-8", "replace") or UNKNOWN_CPU
    return UNKNOWN_CPU


def machine_identity() -> str:
    """What speeds that were measured hold for: this processor, with as many cores as may be used here."""
    return f"{cpu_model()}, {default_threads()} cores"


def _siblings_by_sys(allowed: frozenset[int], sys_root: str) -> set[str]:
    """One text per core: the list of the CPUs that share it."""
    base = f"{sys_root}/devices/system/cpu/cpu"
    found = {read_word(f"{base}{cpu}/topology/thread_siblings_list") for cpu in allowed}
    # One unreadable CPU makes the count worthless.
    return set() if None in found else {text for text in found if text is not None}


def _siblings_by_cpuinfo(allowed: frozenset[int], proc_root: str) -> set[str]:
    """The same from /proc/cpuinfo, for kernels and containers without the topology folder."""
    found: set[str] = set()
    for block in (read(f"{proc_root}/cpuinfo", 1 << 22) or b"").split(b"\n\n"):
        fields = dict(_fields(block))
        cpu, core = fields.get(b"processor", b""), fields.get(b"core id", b"")
        if cpu.isdigit() and int(cpu) in allowed and core:
            found.add(f"{fields.get(b'physical id', b'0').decode()}/{core.decode()}")
    return found


def _fields(block: bytes) -> list[tuple[bytes, bytes]]:
    pairs = (line.partition(b":") for line in block.splitlines())
    return [(name.strip(), value.strip()) for name, _, value in pairs]


class CpuMeter:
    """How busy all CPUs together were between two calls."""

    def __init__(self, proc_root: str = "/proc") -> None:
        self._file = OpenFile(f"{proc_root}/stat", 256)
        self._before: tuple[int, int] | None = None

    def utilization(self) -> int | None:
        """Percent since the last call; None in the first one, and where the kernel does not tell."""
        now = _busy_and_total(self._file.read())
        before, self._before = self._before, now
        if now is None or before is None or now[1] <= before[1]:
            return None
        share = (now[0] - before[0]) / (now[1] - before[1])
        return round(100 * min(1.0, max(0.0, share)))


def _busy_and_total(data: bytes | None) -> tuple[int, int] | None:
    """Clock ticks from the first line of /proc/stat: user nice system idle iowait irq softirq steal (guest is in
    user).
    """
    words = (data or b"").partition(b"\n")[0].split()
    if len(words) < 5 or words[0] != b"cpu" or not all(word.isdigit() for word in words[1:9]):
        return None
    ticks = [int(word) for word in words[1:9]]
    idle = sum(ticks[3:5])
    return sum(ticks) - idle, sum(ticks)
