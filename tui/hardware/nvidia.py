"""NVIDIA's GPUs as rows of a snapshot, through NVML.

"Used" is the second version of NVML's memory call and "free" is NVML's own: what the driver keeps for itself is in
neither. Each figure may fail alone, and a GPU that is lost keeps its row and says so. Nothing here raises.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from tui.hardware import nvml
from tui.hardware.processes import ProcessNames, clean
from tui.hardware.snapshot import Gpu, GpuProcess

REOPEN_S = 10.0
"""How often a driver that is missing, or a GPU that is lost, is looked for again."""


@dataclass(slots=True)
class _Device:
    """A GPU once seen. It stays in the list when it is lost."""

    index: int
    handle: Any
    uuid: str | None = None
    name: str | None = None
    total_bytes: int | None = None
    gone: str | None = None


class _Reading:
    """One pass over one device: collects figures, and the first error that means more than "cannot tell"."""

    def __init__(self) -> None:
        self.code: int | None = None
        """The serious error; None so far."""
        self.last: Exception | None = None
        """The last error of any kind."""

    def ask(self, call: Callable[..., Any], *args: Any) -> Any:
        """The answer, or None. After a serious error the device is not asked again."""
        if self.code is not None:
            return None
        try:
            return call(*args)
        except Exception as error:  # a broken answer (a name that is no UTF-8) must not cost the other figures
            self.last = error
            code = nvml.code_of(error)
            if code not in nvml.HARMLESS and not isinstance(error, UnicodeError):
                self.code = code
            return None


class NvidiaReader:
    """Reads all GPUs that NVML lists. Not for two threads at a time."""

    def __init__(
        self,
        load: nvml.LoadNvml = nvml.load_pynvml,
        names: ProcessNames | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.problem: nvml.DriverProblem | None = None
        """Why NVML does not answer; None while it does."""
        self.problem_code: int | None = None
        self._load, self._names, self._clock = load, names or ProcessNames(), clock
        self._lib: Any = None
        self._devices: list[_Device] = []
        self._opened_at: float | None = None
        self._unwell = True
        self._memory_v1 = False

    def read(self, engine_pids: Collection[int] = ()) -> tuple[Gpu, ...]:
        """A row for each GPU, in NVML's order. Opens the library when it is not, and again when a GPU is lost."""
        if self._unwell and (self._opened_at is None or self._clock() - self._opened_at >= REOPEN_S):
            self._reopen()
        rows = tuple(self._row(device, engine_pids) for device in self._devices)
        self._names.keep_only(process.pid for row in rows for process in row.processes)
        return rows

    def close(self) -> None:
        """Let go of the driver. A later `read` opens it again."""
        if self._lib is not None:
            try:
                self._lib.nvmlShutdown()
            except Exception:  # noqa: S110 - the driver may be gone, and then there is nothing to let go of
                pass
        self._lib, self._unwell, self._opened_at = None, True, None

    def _reopen(self) -> None:
        self.close()
        self._opened_at = self._clock()
        try:
            lib = self._load()
            lib.nvmlInit()
        except Exception as error:  # no library, no driver, a driver that was replaced: each has its words
            self.problem, self.problem_code = nvml.driver_problem(error), nvml.code_of(error)
            for device in self._devices:
                device.handle, device.gone = None, device.gone or nvml.device_problem(nvml.DRIVER_NOT_LOADED)
            return
        self._lib, self.problem, self.problem_code = lib, None, None
        self._unwell = False
        self._memory_v1 = False
        self._devices = self._merged(self._listed(lib))

    def _listed(self, lib: Any) -> list[_Device]:
        reading = _Reading()
        count = reading.ask(lib.nvmlDeviceGetCount)
        if count is None:
            failed = reading.last or RuntimeError("it lists no devices")
            self.problem, self.problem_code = nvml.driver_problem(failed), nvml.code_of(failed)
            self._unwell = True
        return [self._identified(lib, index) for index in range(count or 0)]

    def _identified(self, lib: Any, index: int) -> _Device:
        reading = _Reading()
        handle = reading.ask(lib.nvmlDeviceGetHandleByIndex, index)
        device = _Device(index, handle)
        if handle is None:
            failed = reading.last or RuntimeError("no handle")
            device.gone = nvml.device_problem(nvml.code_of(failed), failed)
            self._unwell = True
            return device
        uuid, name = reading.ask(lib.nvmlDeviceGetUUID, handle), reading.ask(lib.nvmlDeviceGetName, handle)
        device.uuid, device.name = (clean(text) if isinstance(text, str) else None for text in (uuid, name))
        return device

    def _merged(self, fresh: list[_Device]) -> list[_Device]:
        """The new list, with what is known of those that cannot say who they are, and with those that are missing."""
        merged = []
        missing = [old for old in self._devices if old.uuid not in {device.uuid for device in fresh if device.uuid}]
        for device in fresh:
            before = next((old for old in missing if old.index == device.index), None) if not device.uuid else None
            if before is not None:
                missing.remove(before)
                device.uuid, device.name, device.total_bytes = before.uuid, before.name, before.total_bytes
            merged.append(device)
        for old in missing:
            old.handle, old.gone = None, nvml.device_problem(nvml.NOT_FOUND)
            self._unwell = True
        return sorted([*merged, *missing], key=lambda device: device.index)

    def _row(self, device: _Device, engine_pids: Collection[int]) -> Gpu:
        if device.handle is None or self._lib is None:
            return _lost(device, device.gone or nvml.device_problem(nvml.DRIVER_NOT_LOADED))
        lib, handle, reading = self._lib, device.handle, _Reading()
        memory = self._memory(reading, handle)
        if memory is not None:
            device.total_bytes = memory.total
        busy = reading.ask(lib.nvmlDeviceGetUtilizationRates, handle)
        degrees = reading.ask(lib.nvmlDeviceGetTemperature, handle, lib.NVML_TEMPERATURE_GPU)
        milliwatts = reading.ask(lib.nvmlDeviceGetPowerUsage, handle)
        processes = self._processes(reading, handle, engine_pids)
        if reading.code is not None:
            self._unwell = self._unwell or reading.code in nvml.NEEDS_REOPENING
            return _lost(device, nvml.device_problem(reading.code, reading.last))
        return Gpu(
            index=device.index,
            uuid=device.uuid,
            name=device.name,
            vendor="nvidia",
            total_bytes=device.total_bytes,
            used_bytes=memory.used if memory is not None else None,
            free_bytes=memory.free if memory is not None else None,
            utilization=busy.gpu if busy is not None else None,
            temperature_c=degrees,
            power_w=milliwatts / 1000 if milliwatts is not None else None,
            processes=processes,
        )

    def _memory(self, reading: _Reading, handle: Any) -> Any:
        if not self._memory_v1:
            memory = reading.ask(self._lib.nvmlDeviceGetMemoryInfo, handle, self._lib.nvmlMemory_v2)
            if memory is not None or reading.code is not None:
                return memory
        # Drivers before 510 know only the first version, where "used" includes what the driver reserves.
        memory = reading.ask(self._lib.nvmlDeviceGetMemoryInfo, handle)
        self._memory_v1 = memory is not None
        return memory

    def _processes(self, reading: _Reading, handle: Any, engine_pids: Collection[int]) -> tuple[GpuProcess, ...]:
        """Compute and graphics processes, each pid once, the largest first; one that is in both lists is the same
        memory.
        """
        used: dict[int, int | None] = {}
        for kind in ("Compute", "Graphics"):
            for version in ("_v3", "_v2"):
                listed = reading.ask(getattr(self._lib, f"nvmlDeviceGet{kind}RunningProcesses{version}"), handle)
                if listed is not None:
                    break
            for process in listed or ():
                used[process.pid] = _more(used.get(process.pid), process.usedGpuMemory)
        found = (self._process(pid, used_bytes, pid in engine_pids) for pid, used_bytes in used.items())
        return tuple(sorted(found, key=lambda process: (-(process.used_bytes or 0), process.pid)))

    def _process(self, pid: int, used_bytes: int | None, mine: bool) -> GpuProcess:
        name, user = self._names.look_up(pid)
        return GpuProcess(pid, name, user, used_bytes, mine)


def _lost(device: _Device, error: str) -> Gpu:
    """The row of a GPU that does not answer: who it is, and why there is nothing else."""
    return Gpu(device.index, device.uuid, device.name, "nvidia", total_bytes=device.total_bytes, error=error)


def _more(one: int | None, other: int | None) -> int | None:
    """The larger of two figures, either of which may be unknown."""
    return max((value for value in (one, other) if value is not None), default=None)
