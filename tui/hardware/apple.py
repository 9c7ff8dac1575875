"""Apple silicon: one pool of memory for CPU and GPU, asked of macOS through its C library.

`Mac` answers the two questions, so that everything else here is plain arithmetic that runs anywhere.
"""

from __future__ import annotations

import ctypes
from collections.abc import Collection
from typing import Protocol

from tui.hardware.processes import clean
from tui.hardware.snapshot import Gpu, Ram, Swap


class Answers(Protocol):
    """What macOS tells."""

    def text(self, name: str) -> bytes | None:
        """The raw value of a sysctl; None where there is none."""

    def pages(self) -> tuple[int, int] | None:
        """Free and inactive pages of memory."""


class Mac:
    """The running macOS."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None)

    def text(self, name: str) -> bytes | None:
        """The raw value of a sysctl; None where there is none."""
        size = ctypes.c_size_t(0)
        if self._libc.sysctlbyname(name.encode(), None, ctypes.byref(size), None, 0) != 0:
            return None
        found = ctypes.create_string_buffer(size.value)
        if self._libc.sysctlbyname(name.encode(), found, ctypes.byref(size), None, 0) != 0:
            return None
        return found.raw[: size.value]

    def pages(self) -> tuple[int, int] | None:
        """Free and inactive pages, from host_statistics64 (HOST_VM_INFO64); the two come first and third."""
        words = (ctypes.c_uint32 * 64)()
        count = ctypes.c_uint32(38)
        self._libc.mach_host_self.restype = ctypes.c_uint32
        host = ctypes.c_uint32(self._libc.mach_host_self())
        if self._libc.host_statistics64(host, 4, ctypes.byref(words), ctypes.byref(count)) != 0:
            return None
        return words[0], words[2]


def host_memory(mac: Answers) -> tuple[Ram, Swap]:
    """RAM and swap; None for what macOS does not tell."""
    total, page, pages = _number(mac, "hw.memsize"), _number(mac, "hw.pagesize"), mac.pages()
    available = sum(pages) * page if pages is not None and page else None
    swap = mac.text("vm.swapusage") or b""
    if len(swap) < 24:
        return Ram(total, available), Swap()
    # struct xsw_usage: total, available and used, eight bytes each.
    return Ram(total, available), Swap(int.from_bytes(swap[:8], "little"), int.from_bytes(swap[16:24], "little"))


class AppleReader:
    """The GPU of Apple silicon as a row; no row on a Mac with another processor."""

    def __init__(self, mac: Answers) -> None:
        self._mac = mac
        self._name = clean((mac.text("machdep.cpu.brand_string") or b"").rstrip(b"\0").decode("utf-8", "replace"))

    def read(self, engine_pids: Collection[int] = ()) -> tuple[Gpu, ...]:
        """One row. macOS tells nobody how much of the pool the GPU uses, or who."""
        if not self._name.startswith("Apple"):
            return ()
        ram, _ = host_memory(self._mac)
        limit, free = (_number(self._mac, "iogpu.wired_limit_mb") or 0) << 20, ram.available_bytes
        if limit and free is not None:
            # Somebody has set how much the GPU may hold.
            free = min(free, limit)
        return (Gpu(0, None, self._name, "apple", ram.total_bytes, None, free, pool="unified"),)

    def close(self) -> None:
        """Nothing is held open."""


def _number(mac: Answers, name: str) -> int | None:
    data = mac.text(name)
    return int.from_bytes(data, "little") if data else None
