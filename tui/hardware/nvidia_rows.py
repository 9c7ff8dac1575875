"""Measures one of NVIDIA's devices through NVML and makes its row, an instance's like a card's.

"Used" is the second version of NVML's memory call and "free" is NVML's own: what the driver keeps for itself is in
neither. A figure that fails is None; a device that fails as a whole keeps its row and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from tui.hardware import nvml
from tui.hardware.nvidia_device import Device, Reading
from tui.hardware.processes import ProcessNames
from tui.hardware.snapshot import Gpu, GpuProcess
from tui.hardware.unified import sum_of

SELDOM_S = 3.0
"""How old temperature and clocks may be, and the news that nothing is drawn: every call wakes the driver, and these
change slowly or are the least of what is asked for."""

Listed = dict[int, tuple[int | None, int | None]]
"""Bytes and GPU instance of a device's processes, by pid."""


class RowReader:
    """Reads devices of one opened library."""

    def __init__(self, lib: Any, names: ProcessNames, clock: Callable[[], float]) -> None:
        self.code: int | None = None
        """The serious error of the last row; None when it answered."""
        self._lib, self._names, self._clock = lib, names, clock
        self._memory_v1 = False

    def card(self, device: Device, engine_pids: Collection[int] = ()) -> tuple[Gpu, ...]:
        """The row of a card, and after it one for each MIG instance on it."""
        if not device.divided:
            return (self._row(device, engine_pids, None),)
        listed = self._listed(Reading(), device) or {}
        rows = []
        for instance in device.instances:
            own = self._listed(Reading(), instance)
            if own is None:
                # Older drivers list processes for the whole card only.
                here = {pid: it for pid, it in listed.items() if it[1] is not None and it[1] == instance.gpu_instance}
                own = here or None
            rows.append(self._row(instance, engine_pids, own or {}))
        codes = self.code
        spread = {process.pid for row in rows for process in row.processes}
        rest = {pid: it for pid, it in listed.items() if pid not in spread}
        whole = replace(self._row(device, engine_pids, rest), divided=True, unattributed_bytes=None)
        self.code = self.code if self.code is not None else codes
        return (whole, *rows)

    def _row(self, device: Device, engine_pids: Collection[int], listed: Listed | None) -> Gpu:
        lib, handle, reading = self._lib, device.handle, Reading()
        memory = self._memory(reading, handle)
        blind = reading.last if memory is None else None
        busy = milliwatts = None
        if device.parent is None:
            busy = reading.ask(lib.nvmlDeviceGetUtilizationRates, handle)
            milliwatts = reading.ask(lib.nvmlDeviceGetPowerUsage, handle)
            self._slow(reading, device)
        processes = self._processes(reading, device, engine_pids, listed)
        self.code = reading.code
        if reading.code is not None:
            return lost(device, nvml.device_problem(reading.code, reading.last))
        if blind is not None and nvml.code_of(blind) not in nvml.HARMLESS:
            return lost(device, nvml.device_problem(nvml.code_of(blind), blind))
        used = free = None
        if memory is not None:
            device.total_bytes, used, free = memory.total, memory.used, memory.free
        held = sum_of(processes)
        return row_of(
            device,
            used_bytes=used,
            free_bytes=free,
            utilization=busy.gpu if busy is not None else None,
            temperature_c=device.degrees,
            power_w=milliwatts / 1000 if milliwatts is not None else None,
            processes=processes,
            clock_mhz=device.clocks[0],
            memory_clock_mhz=device.clocks[1],
            unattributed_bytes=max(0, used - held) if used is not None and held is not None else None,
        )

    def _memory(self, reading: Reading, handle: Any) -> Any:
        if not self._memory_v1:
            memory = reading.ask(self._lib.nvmlDeviceGetMemoryInfo, handle, self._lib.nvmlMemory_v2)
            if memory is not None or reading.code is not None:
                return memory
        # Drivers before 510 know only the first version, where "used" includes what the driver reserves.
        memory = reading.ask(self._lib.nvmlDeviceGetMemoryInfo, handle)
        self._memory_v1 = memory is not None
        return memory

    def _slow(self, reading: Reading, device: Device) -> None:
        """What need not be of this moment."""
        now, lib, handle = self._clock(), self._lib, device.handle
        if device.slow_read_at is not None and now - device.slow_read_at < SELDOM_S:
            return
        degrees = reading.ask(lib.nvmlDeviceGetTemperature, handle, lib.NVML_TEMPERATURE_GPU)
        clocks = (
            reading.ask(lib.nvmlDeviceGetClockInfo, handle, lib.NVML_CLOCK_SM),
            reading.ask(lib.nvmlDeviceGetClockInfo, handle, lib.NVML_CLOCK_MEM),
        )
        if reading.code is None:  # of a card that is lost nothing is known when it comes back
            device.degrees, device.clocks, device.slow_read_at = degrees, clocks, now

    def _listed(self, reading: Reading, device: Device) -> Listed | None:
        """Compute and graphics processes, each pid once; one that is in both lists is the same memory. None where the
        driver lists none of the two. Where nothing is drawn, it is asked only now and then whether something is.
        """
        found: Listed | None = None
        now, drawn_at = self._clock(), device.nothing_drawn_at
        for kind in ("Compute", "Graphics"):
            if kind == "Graphics" and found is not None and drawn_at is not None and now - drawn_at < SELDOM_S:
                break
            for version in ("_v3", "_v2"):
                listed = reading.ask(getattr(self._lib, f"nvmlDeviceGet{kind}RunningProcesses{version}"), device.handle)
                if listed is not None:
                    break
            if kind == "Graphics":
                device.nothing_drawn_at = None if listed else now
            if listed is None:
                continue
            found = found if found is not None else {}
            for process in listed:
                before = found.get(process.pid, (None, None))
                # Nobody holds a device without memory: with 0 WSL, and MIG on older drivers, say that they cannot tell.
                used = _more(before[0], process.usedGpuMemory or None)
                found[process.pid] = (used, getattr(process, "gpuInstanceId", None))
        return found

    def _processes(
        self, reading: Reading, device: Device, engine_pids: Collection[int], listed: Listed | None
    ) -> tuple[GpuProcess, ...]:
        """The processes of a device, the largest first. `listed` is what is known of them already."""
        fresh = listed is None
        found = (self._listed(reading, device) if listed is None else listed) or {}
        if fresh and any(not self._names.knows(pid) and not self._names.look(pid).here for pid in found):
            # Seen for the first time and not here: it has ended since it was listed, or it cannot be seen from here at
            # all. Only the second kind is still listed now.
            again = self._listed(reading, device)
            found = {pid: it for pid, it in found.items() if again is None or pid in again}
        made = (self._process(pid, used, pid in engine_pids) for pid, (used, _) in found.items())
        return tuple(sorted(made, key=lambda process: (-(process.used_bytes or 0), process.pid)))

    def _process(self, pid: int, used_bytes: int | None, mine: bool) -> GpuProcess:
        known = self._names.look(pid)
        return GpuProcess(pid, known.name, known.user, used_bytes, mine and known.here, foreign=not known.here)


def row_of(device: Device, **figures: Any) -> Gpu:
    """Who a device is, with these figures of its row; without any where it has none."""
    return Gpu(
        index=device.index,
        uuid=device.uuid,
        name=device.name,
        vendor="nvidia",
        total_bytes=device.total_bytes,
        pci=device.pci,
        parent=device.parent,
        instance=device.number,
        cuda_visible=device.mark.visible,
        cuda_index=device.mark.index,
        divided=device.divided,
        **figures,
    )


def lost(device: Device, error: str) -> Gpu:
    """The row of a GPU that does not answer: who it is, and why there is nothing else."""
    return row_of(device, error=error)


def _more(one: int | None, other: int | None) -> int | None:
    """The larger of two figures, either of which may be unknown."""
    return max((value for value in (one, other) if value is not None), default=None)
