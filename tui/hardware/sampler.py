"""Takes snapshots of the machine: one object, asked once a second by a meter, in a few milliseconds and never raising.

Blocking, for one thread at a time. Nothing that costs start-up time or memory is imported: a monitor stands on this
alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from tui.hardware import cgroups
from tui.hardware.cpu import CpuMeter, physical_cores
from tui.hardware.drivers import has_card
from tui.hardware.memory import MemoryReader
from tui.hardware.nvidia import NvidiaReader
from tui.hardware.nvml import DRIVER_NOT_LOADED, LIBRARY_NOT_FOUND, DriverProblem, LoadNvml, load_pynvml
from tui.hardware.processes import ProcessNames
from tui.hardware.snapshot import Cpu, Gpu, Snapshot

SLOW_S = 10.0
"""How often the CPU quota is read again: it changes with a container's settings, not with its load."""

_NORMAL_WITHOUT_A_CARD = frozenset({LIBRARY_NOT_FOUND, DRIVER_NOT_LOADED})


class Sampler:
    """Reads the machine under `proc_root` and `sys_root`; `nvml` returns the pynvml module, None leaves NVIDIA out."""

    def __init__(
        self,
        proc_root: str = "/proc",
        sys_root: str = "/sys",
        nvml: LoadNvml | None = load_pynvml,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._memory = MemoryReader(proc_root, sys_root)
        self._cpu = CpuMeter(proc_root)
        self._cpu_levels = cgroups.levels("cpu", proc_root, sys_root)
        self._cores = physical_cores(proc_root=proc_root, sys_root=sys_root)
        self._quota: float | None = None
        self._quota_read_at: float | None = None
        names = ProcessNames(proc_root, clock)
        self._nvidia = NvidiaReader(nvml, names, clock) if nvml is not None else None
        self._has_nvidia = self._nvidia is not None and has_card("nvidia", proc_root, sys_root)

    def sample(self, engine_pids: Collection[int] = ()) -> Snapshot:
        """The machine now. Processes whose pid is in `engine_pids` are marked as this user's own engines."""
        gpus = self._gpus(engine_pids)
        ram, swap = self._memory.read()
        problem = self.nvml_problem
        return Snapshot(
            time=time.time(),
            gpus=gpus,
            ram=ram,
            swap=swap,
            cpu=Cpu(self._cores, self._current_quota(), self._cpu.utilization()),
            nvml_error=str(problem) if problem is not None else None,
        )

    @property
    def nvml_problem(self) -> DriverProblem | None:
        """Why NVIDIA's driver does not answer, as text and fix; None where it does, and without an NVIDIA card."""
        reader = self._nvidia
        if reader is None or reader.problem is None:
            return None
        if reader.problem_code in _NORMAL_WITHOUT_A_CARD and not self._has_nvidia:
            return None
        return reader.problem

    def close(self) -> None:
        """Let go of the drivers."""
        if self._nvidia is not None:
            self._nvidia.close()

    def _gpus(self, engine_pids: Collection[int]) -> tuple[Gpu, ...]:
        return self._nvidia.read(engine_pids) if self._nvidia is not None else ()

    def _current_quota(self) -> float | None:
        now = self._clock()
        if self._quota_read_at is None or now - self._quota_read_at >= SLOW_S:
            self._quota, self._quota_read_at = cgroups.cpu_limit(self._cpu_levels), now
        return self._quota
