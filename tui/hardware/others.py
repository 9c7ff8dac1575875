"""The GPUs that need no library of their vendor's: AMD's and Intel's through the kernel, Apple's through macOS."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from tui.hardware.amd import AmdReader
from tui.hardware.drm_clients import DrmClients
from tui.hardware.intel import IntelReader
from tui.hardware.snapshot import Gpu, Ram


class KernelReader:
    """AMD's rows, then Intel's; whose memory it is, is read once for both."""

    def __init__(
        self,
        proc_root: str = "/proc",
        sys_root: str = "/sys",
        ram: Callable[[], Ram] = Ram,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clients = DrmClients(proc_root, clock)
        self._amd = AmdReader(self._clients, sys_root, ram, clock=clock)
        self._intel = IntelReader(self._clients, sys_root, ram, clock)

    def read(self, engine_pids: Collection[int] = ()) -> tuple[Gpu, ...]:
        """A row for each card."""
        self._clients.refresh()
        return self._amd.read(engine_pids) + self._intel.read(engine_pids)

    def close(self) -> None:
        """Nothing is held open."""
