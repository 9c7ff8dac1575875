"""Takes snapshots of the machine: one object, asked once a second by a meter, in a few milliseconds and never raising.

Blocking, for one thread at a time; what a driver may hold up is in `gpus` alone, so that a watch can ask for it
elsewhere. Nothing that costs start-up time or memory is imported: a monitor stands on this alone.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from tui.hardware import cgroups
from tui.hardware.cpu import CpuMeter, physical_cores
from tui.hardware.drivers import has_card
from tui.hardware.files import names_in, read_word
from tui.hardware.memory import MemoryReader
from tui.hardware.nvidia import NvidiaReader
from tui.hardware.nvml import DRIVER_NOT_LOADED, LIBRARY_NOT_FOUND, DriverProblem, LoadNvml, load_pynvml
from tui.hardware.power import NvidiaPower
from tui.hardware.processes import ProcessNames
from tui.hardware.snapshot import Cpu, Disk, Gpu, Snapshot
from tui.hardware.unified import shares_host_memory

_QUOTA_S = 10.0
"""How often the CPU quota is read again: it changes rarely."""

_AMD, _INTEL = "0x1002", "0x8086"

_NORMAL_WITHOUT_A_CARD = frozenset({LIBRARY_NOT_FOUND, DRIVER_NOT_LOADED})


class GpuReader(Protocol):
    """One vendor's GPUs."""

    def read(self, engine_pids: Collection[int] = ()) -> tuple[Gpu, ...]: ...
    def close(self) -> None: ...


class Sampler:
    """Reads the machine under `proc_root` and `sys_root`; `nvml` returns the pynvml module, None leaves NVIDIA out.

    `environ` is where CUDA_VISIBLE_DEVICES is looked up.
    """

    def __init__(
        self,
        proc_root: str = "/proc",
        sys_root: str = "/sys",
        nvml: LoadNvml | None = load_pynvml,
        clock: Callable[[], float] = time.monotonic,
        *,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._clock = clock
        self._roots = proc_root, sys_root
        self._memory = MemoryReader(proc_root, sys_root, clock)
        self._cpu = CpuMeter(proc_root)
        self._cpu_place = cgroups.Place("cpu", proc_root, sys_root, clock)
        self._cores = physical_cores(proc_root=proc_root, sys_root=sys_root)
        self._quota: float | None = None
        self._quota_read_at: float | None = None
        self._nvidia = self._open_nvidia(nvml, environ)
        self._has_nvidia = self._nvidia is not None and has_card("nvidia", proc_root, sys_root)
        self._others: tuple[GpuReader, ...] | None = None

    def sample(self, engine_pids: Collection[int] = ()) -> Snapshot:
        """The machine now. Processes whose pid is in `engine_pids` are marked as this user's own engines."""
        gpus, problem = self.gpus(engine_pids), self.nvml_problem
        return self.host(engine_pids, gpus, str(problem) if problem is not None else None)

    def host(
        self,
        engine_pids: Collection[int] = (),
        gpus: tuple[Gpu, ...] = (),
        nvml_error: str | None = None,
        disk: Disk | None = None,
        *,
        gpus_age_s: float = 0.0,
        gpus_stale: bool = False,
    ) -> Snapshot:
        """The host now, beside GPU rows and a disk that were measured before: asks no driver and no disk."""
        ram, swap = self._memory.read()
        return Snapshot(
            time=time.time(),
            gpus=gpus,
            ram=ram,
            swap=swap,
            cpu=Cpu(self._cores, self._current_quota(), self._cpu.utilization()),
            nvml_error=nvml_error,
            engines=self._memory.engines(engine_pids),
            disk=disk,
            gpus_age_s=gpus_age_s,
            gpus_stale=gpus_stale,
        )

    def gpus(self, engine_pids: Collection[int] = ()) -> tuple[Gpu, ...]:
        """The rows of all GPUs now. A driver may make this wait."""
        if self._others is None:
            self._others = self._open_others()
        rows = self._nvidia.read(engine_pids) if self._nvidia is not None else ()
        for reader in self._others:
            rows += reader.read(engine_pids)
        return rows

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
        """Let go of the drivers and of open files."""
        self._memory.close()
        if self._nvidia is not None:
            self._nvidia.close()
        for reader in self._others or ():
            reader.close()

    def _open_nvidia(self, nvml: LoadNvml | None, environ: Mapping[str, str] | None) -> NvidiaReader | None:
        if nvml is None:
            return None
        proc_root, sys_root = self._roots
        return NvidiaReader(
            nvml,
            ProcessNames(proc_root, self._clock),
            self._clock,
            power=NvidiaPower(proc_root, sys_root),
            ram=lambda: self._memory.read()[0],
            shares=lambda name: shares_host_memory(name, proc_root, sys_root),
            environ=environ,
        )

    def _open_others(self) -> tuple[GpuReader, ...]:
        """Readers for the vendors whose cards are here; nothing is imported for the rest."""
        proc_root, sys_root = self._roots
        if proc_root == "/proc" and sys.platform == "darwin":
            from tui.hardware.apple import AppleReader, Mac

            return (AppleReader(Mac()),)
        folder = f"{sys_root}/class/drm"
        if not {read_word(f"{folder}/{name}/device/vendor") for name in names_in(folder)} & {_AMD, _INTEL}:
            return ()
        from tui.hardware.others import KernelReader

        return (KernelReader(proc_root, sys_root, lambda: self._memory.read()[0], self._clock),)

    def _current_quota(self) -> float | None:
        now = self._clock()
        if self._quota_read_at is None or now - self._quota_read_at >= _QUOTA_S:
            self._quota, self._quota_read_at = cgroups.cpu_limit(self._cpu_place.levels()), now
        return self._quota
