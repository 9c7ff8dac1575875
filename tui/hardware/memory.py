"""Host memory and swap: what a load could really take, below every limit that this process lives under.

MemAvailable, not MemFree: mapped model files sit in the page cache and are given back on demand.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import TYPE_CHECKING

from tui.hardware import cgroups
from tui.hardware.files import read
from tui.hardware.snapshot import EngineMemory, Ram, Swap

if TYPE_CHECKING:
    from tui.hardware.apple import Answers


_HOST = frozenset({b"MemTotal", b"MemAvailable", b"SwapTotal", b"SwapFree"})
_ENGINE = frozenset({b"RssAnon", b"RssFile", b"RssShmem", b"VmSwap"})


class MemoryReader:
    """Reads RAM and swap of one proc and sys tree."""

    def __init__(self, proc_root: str = "/proc", sys_root: str = "/sys") -> None:
        self._proc = proc_root
        self._mac = _mac() if proc_root == "/proc" and sys.platform == "darwin" else None
        self._levels = cgroups.levels("memory", proc_root, sys_root)

    def read(self) -> tuple[Ram, Swap]:
        """Host memory now; None for what this kernel does not tell."""
        if self._mac is not None:
            from tui.hardware.apple import host_memory

            return host_memory(self._mac)
        info = _meminfo(read(f"{self._proc}/meminfo"), _HOST)
        return self._ram(info), _swap(info)

    def engines(self, pids: Collection[int]) -> tuple[EngineMemory, ...]:
        """Host memory of each of these processes that is running, mapped model pages apart from the rest."""
        found = ((pid, read(f"{self._proc}/{pid}/status")) for pid in sorted(pids))
        return tuple(_engine(pid, data) for pid, data in found if data is not None)

    def _ram(self, info: dict[bytes, int]) -> Ram:
        total, available = info.get(b"MemTotal"), _available(info)
        if total is None and self._proc == "/proc":
            total = _total_by_sysconf()
        limit = cgroups.memory_limit(self._levels)
        if limit is None or (total is not None and limit.limit_bytes >= total):
            return Ram(total, available)
        if available is not None and available <= limit.available_bytes:
            return Ram(total, available, limit.limit_bytes)
        return Ram(total, limit.available_bytes, limit.limit_bytes, "cgroup")


def _available(info: dict[bytes, int]) -> int | None:
    if b"MemAvailable" in info or b"MemFree" not in info:
        return info.get(b"MemAvailable")
    # Kernels before 3.14 leave the sum to the reader; shared memory is counted as cache but cannot be given back.
    cache = info.get(b"Buffers", 0) + info.get(b"Cached", 0) - info.get(b"Shmem", 0)
    return info[b"MemFree"] + max(0, cache)


def _swap(info: dict[bytes, int]) -> Swap:
    total, free = info.get(b"SwapTotal"), info.get(b"SwapFree")
    return Swap(total, max(0, total - free) if total is not None and free is not None else None)


def _meminfo(data: bytes | None, enough: frozenset[bytes]) -> dict[bytes, int]:
    """Bytes by name, from lines of `Name:   123 kB`; lines that hold words are passed over. Ends as soon as all
    names of `enough` are there: the rest is the larger part.
    """
    found: dict[bytes, int] = {}
    for line in (data or b"").splitlines():
        name, _, rest = line.partition(b":")
        words = rest.split()
        if words and words[0].isdigit():
            found[name] = int(words[0]) * (1024 if words[-1] == b"kB" else 1)
            if name in enough and enough <= found.keys():
                break
    return found


def _engine(pid: int, status: bytes) -> EngineMemory:
    held = _meminfo(status, _ENGINE)
    return EngineMemory(pid, held.get(b"RssAnon"), held.get(b"RssFile"), held.get(b"RssShmem"), held.get(b"VmSwap"))


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
