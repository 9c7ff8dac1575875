"""Measures one of NVIDIA's devices through NVML and makes its row, an instance's like a card's.

"Used" is the second version of NVML's memory call and "free" is NVML's own: what the driver keeps for itself is in
neither. A figure that fails is None; a device that fails as a whole keeps its row and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from tui.hardware import nvml
from tui.hardware.nvidia_device import Device, Reading
from tui.hardware.nvml_calls import Calls, Entry
from tui.hardware.processes import Known, ProcessNames
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
        """The serious error of the last card, or of an instance on it; None when all of it answered."""
        self._lib, self._calls, self._names, self._clock = lib, Calls(lib), names, clock

    def card(self, device: Device, engine_pids: Collection[int] = ()) -> tuple[Gpu, ...]:
        """The row of a card, and after it one for each MIG instance on it."""
        self.code = None
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
        spread = {process.pid for row in rows for process in row.processes}
        rest = {pid: it for pid, it in listed.items() if pid not in spread}
        whole = replace(self._row(device, engine_pids, rest), unattributed_bytes=None)
        return (whole, *rows)

    def _row(self, device: Device, engine_pids: Collection[int], listed: Listed | None) -> Gpu:
        calls, handle, reading = self._calls, device.handle, Reading()
        memory = reading.ask(calls.memory, handle)
        blind = reading.last if memory is None else None
        busy = milliwatts = None
        if device.parent is None:
            busy = reading.ask(calls.utilization, handle)
            milliwatts = reading.ask(calls.milliwatts, handle)
            self._slow(reading, device)
        processes = self._processes(reading, device, engine_pids, listed)
        if reading.code is not None:
            self.code = reading.code
            return lost(device, nvml.device_problem(reading.code, reading.last))
        if blind is not None and nvml.code_of(blind) not in nvml.HARMLESS:
            return lost(device, nvml.device_problem(nvml.code_of(blind), blind))
        if memory is not None:
            device.total_bytes = memory[0]
        watts = round(milliwatts / 1000, 1) if milliwatts is not None else None
        key = (memory, busy, watts, processes, device.degrees, device.clocks, device.mark, device.divided)
        return device.row.get(key, lambda: _row(device, memory, busy, watts, processes))

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
        now, drawn_at = self._clock(), device.nothing_drawn_at
        compute: list[Entry] | None = reading.ask(self._calls.compute, device.handle)
        if compute is not None and drawn_at is not None and now - drawn_at < SELDOM_S:
            return _merged(compute)
        drawn: list[Entry] | None = reading.ask(self._calls.graphics, device.handle)
        device.nothing_drawn_at = None if drawn else now
        return None if compute is None and drawn is None else _merged([*(compute or ()), *(drawn or ())])

    def _processes(
        self, reading: Reading, device: Device, engine_pids: Collection[int], listed: Listed | None
    ) -> tuple[GpuProcess, ...]:
        """The processes of a device, the largest first. `listed` is what is known of them already."""
        found = (self._listed(reading, device) if listed is None else listed) or {}
        strange = [pid for pid in found if not self._names.knows(pid)] if listed is None else ()
        if any(not self._names.look(pid).here for pid in strange):
            # Seen for the first time and not here: it has ended since it was listed, or it cannot be seen from here at
            # all. Only the second kind is still listed now.
            again = self._listed(reading, device)
            found = {pid: it for pid, it in found.items() if again is None or pid in again}
        known = [self._names.look(pid) for pid in found]
        mine = [pid in engine_pids for pid in found]
        return device.processes.get((found, known, mine), lambda: _rows(found, known, mine))


def _merged(listed: Iterable[Entry]) -> Listed:
    """Each process once. Who computes and draws has one memory for both, and of two figures the larger one holds."""
    found: Listed = {}
    for pid, used, instance in listed:
        found[pid] = (used if pid not in found else _more(found[pid][0], used), instance)
    return found


def _rows(found: Listed, known: Sequence[Known], mine: Sequence[bool]) -> tuple[GpuProcess, ...]:
    made = (
        GpuProcess(pid, who.name, who.user, used, is_ours and who.here, foreign=not who.here)
        for (pid, (used, _)), who, is_ours in zip(found.items(), known, mine, strict=True)
    )
    return tuple(sorted(made, key=lambda process: (-(process.used_bytes or 0), process.pid)))


def _row(
    device: Device,
    memory: tuple[int, int, int] | None,
    busy: int | None,
    watts: float | None,
    processes: tuple[GpuProcess, ...],
) -> Gpu:
    _, used, free = memory if memory is not None else (None, None, None)
    held = sum_of(processes)
    return row_of(
        device,
        used_bytes=used,
        free_bytes=free,
        utilization=busy,
        temperature_c=device.degrees,
        power_w=watts,
        processes=processes,
        clock_mhz=device.clocks[0],
        memory_clock_mhz=device.clocks[1],
        unattributed_bytes=max(0, used - held) if used is not None and held is not None else None,
    )


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
