"""Host memory and swap: what a load could really take, below every limit that this process lives under.

MemAvailable, not MemFree: mapped model files sit in the page cache and are given back on demand.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from tui.hardware import cgroups
from tui.hardware.files import OpenFile, read
from tui.hardware.snapshot import EngineMemory, Ram, Swap

if TYPE_CHECKING:
    from tui.hardware.apple import Answers


class MemoryReader:
    """Reads RAM and swap of one proc and sys tree."""

    def __init__(
        self, proc_root: str = "/proc", sys_root: str = "/sys", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._proc = proc_root
        self._mac = _mac() if proc_root == "/proc" and sys.platform == "darwin" else None
        self._info = OpenFile(f"{proc_root}/meminfo")
        self._place = cgroups.Place("memory", proc_root, sys_root, clock)
        self._limits = cgroups.MemoryLimits(self._place.levels())

    def read(self) -> tuple[Ram, Swap]:
        """Host memory now; None for what this kernel does not tell."""
        if self._mac is not None:
            from tui.hardware.apple import host_memory

            return host_memory(self._mac)
        info = b"\n" + (self._info.read() or b"")
        return self._ram(info), _swap(info)

    def close(self) -> None:
        """Let go of the files that are read each time; reading opens them again."""
        self._info.close()
        self._limits.close()

    def engines(self, pids: Collection[int]) -> tuple[EngineMemory, ...]:
        """Host memory of each of these processes that is running, mapped model pages apart from the rest."""
        found = ((pid, read(f"{self._proc}/{pid}/status")) for pid in sorted(pids))
        return tuple(_engine(pid, data) for pid, data in found if data is not None)

    def _ram(self, info: bytes) -> Ram:
        total, available = _figure(info, b"MemTotal"), _available(info)
        if total is None and self._proc == "/proc":
            total = _total_by_sysconf()
        limit = self._current_limits().read()
        if limit is None or (total is not None and limit.limit_bytes >= total):
            return Ram(total, available)
        if available is not None and available <= limit.available_bytes:
            return Ram(total, available, limit.limit_bytes)
        return Ram(total, limit.available_bytes, limit.limit_bytes, "cgroup")

    def _current_limits(self) -> cgroups.MemoryLimits:
        where = self._place.levels()
        if where is not self._limits.where:
            # Another thread may be reading the old ones: their files are closed with the last who uses them.
            self._limits = cgroups.MemoryLimits(where)
        return self._limits


def _available(info: bytes) -> int | None:
    available = _figure(info, b"MemAvailable")
    free = _figure(info, b"MemFree") if available is None else None
    if free is None:
        return available
    # Kernels before 3.14 leave the sum to the reader; shared memory is counted as cache but cannot be given back.
    buffers, cached, shared = (_figure(info, name) or 0 for name in (b"Buffers", b"Cached", b"Shmem"))
    return free + max(0, buffers + cached - shared)


def _swap(info: bytes) -> Swap:
    total, free = _figure(info, b"SwapTotal"), _figure(info, b"SwapFree")
    return Swap(total, max(0, total - free) if total is not None and free is not None else None)


def _figure(lines: bytes, name: bytes) -> int | None:
    """Bytes, from a line `Name:   123 kB` of these lines, each of which follows a line end; None for words."""
    start = lines.find(b"\n" + name + b":")
    if start < 0:
        return None
    words = lines[start + len(name) + 2 : start + len(name) + 64].split(b"\n", 1)[0].split()
    if not words or not words[0].isdigit():
        return None
    return int(words[0]) * (1024 if words[-1] == b"kB" else 1)


def _engine(pid: int, status: bytes) -> EngineMemory:
    lines = b"\n" + status
    names = (b"RssAnon", b"RssFile", b"RssShmem", b"VmSwap")
    return EngineMemory(pid, *(_figure(lines, name) for name in names))


def _mac() -> Answers:
    from tui.hardware.apple import Mac

    return Mac()


def _total_by_sysconf() -> int | None:
    """Physical memory where there is no /proc."""
    import os

    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
