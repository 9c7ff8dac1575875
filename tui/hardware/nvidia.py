"""NVIDIA's GPUs as rows of a snapshot, through NVML: opening the driver, keeping the list, leaving sleepers asleep.

A GPU that is lost keeps its row and says so, and is found again when it comes back. Nothing here raises.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from tui.hardware import nvml
from tui.hardware.cuda import marks
from tui.hardware.nvidia_device import Device, Reading, divide, identified
from tui.hardware.nvidia_rows import RowReader, lost, row_of
from tui.hardware.power import NvidiaPower
from tui.hardware.processes import ProcessNames
from tui.hardware.rest import Rest
from tui.hardware.snapshot import Gpu, Ram
from tui.hardware.unified import shares_host_memory, with_host_memory

REOPEN_S = 10.0
"""How often a driver that is missing, or a GPU that is lost, is looked for again, and how cards are divided."""


class NvidiaReader:
    """Reads all GPUs that NVML lists. Not for two threads at a time.

    `power` tells which cards are asleep (none are, without it); `ram` measures the host's memory, asked for only where
    a GPU has none of its own; `shares` tells such a GPU by its name.
    """

    def __init__(
        self,
        load: nvml.LoadNvml = nvml.load_pynvml,
        names: ProcessNames | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        power: NvidiaPower | None = None,
        ram: Callable[[], Ram] = Ram,
        shares: Callable[[str | None], bool] = shares_host_memory,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.problem: nvml.DriverProblem | None = None
        """Why NVML does not answer; None while it does."""
        self.problem_code: int | None = None
        self._load, self._names, self._clock = load, names or ProcessNames(), clock
        self._rest = Rest(clock)
        self._power, self._ram, self._shares = power, ram, shares
        self._environ = os.environ if environ is None else environ
        self._lib: Any = None
        self._rows: RowReader | None = None
        self._devices: list[Device] = []
        self._looked_at: float | None = None
        self._unwell = True

    def read(self, engine_pids: Collection[int] = ()) -> tuple[Gpu, ...]:
        """A row for each GPU, in NVML's order, each card's MIG instances behind it. Opens the library when it is not,
        and again when a GPU is lost.
        """
        due = self._looked_at is None or self._clock() - self._looked_at >= REOPEN_S
        if due and self._power is not None:
            self._power.rescan()
        if self._lib is None and self._power is not None and self._power.all_asleep():
            # Opened as soon as somebody else has woken one.
            self._looked_at = self._clock() if due else self._looked_at
            return tuple(self._sleepers())
        if alone := self._all_left_alone(engine_pids):
            self._looked_at = self._clock() if due else self._looked_at
            return alone
        if self._unwell and (due or self._opens_after_sleep()):
            self._reopen()
        elif due:
            self._divide_again()
        rows = tuple(row for device in self._devices for row in self._read(device, engine_pids))
        self._names.keep_only(process.pid for row in rows for process in row.processes)
        return rows

    def close(self) -> None:
        """Let go of the driver. A later `read` opens it again."""
        if self._lib is not None:
            try:
                self._lib.nvmlShutdown()
            except Exception:  # noqa: S110 - the driver may be gone, and then there is nothing to let go of
                pass
        self._lib, self._rows, self._unwell, self._looked_at = None, None, True, None

    def _opens_after_sleep(self) -> bool:
        return self._lib is None and self.problem is None

    def _all_left_alone(self, engine_pids: Collection[int]) -> tuple[Gpu, ...]:
        """The last rows of cards that are all awake and at rest; empty where any is to be read. The driver is closed:
        where it manages power coarsely, being open is enough to keep its cards awake.
        """
        rows = [self._left_alone(device, engine_pids) for device in self._devices]
        rest = tuple(row for row in rows if row is not None)
        if len(rest) < len(rows) or any(self._asleep(device) for device in self._devices):
            return ()
        if rest and self._lib is not None:
            looked_at = self._looked_at
            self.close()
            self._looked_at = looked_at
        return rest

    def _left_alone(self, device: Device, engine_pids: Collection[int]) -> Gpu | None:
        if self._power is None or not self._power.may_sleep(device.pci):
            return None
        return self._rest.left_alone(device.pci, engine_pids)

    def _sleepers(self) -> Iterator[Gpu]:
        """Rows of cards that are all asleep: as they were known, or by their place on the bus."""
        if self._devices:
            for device in self._devices:
                self._rest.forget(device.pci)
                yield row_of(device, asleep=True)
        elif self._power is not None:
            for index, address in enumerate(self._power.addresses):
                yield Gpu(index, None, None, "nvidia", pci=address, asleep=True)

    def _reopen(self) -> None:
        self.close()
        self._looked_at = self._clock()
        try:
            lib = self._load()
            lib.nvmlInit()
        except Exception as error:  # no library, no driver, a driver that was replaced: each has its words
            self.problem, self.problem_code = nvml.driver_problem(error), nvml.code_of(error)
            for device in self._devices:
                device.handle, device.gone = None, device.gone or nvml.device_problem(nvml.DRIVER_NOT_LOADED)
            return
        self._lib, self.problem, self.problem_code = lib, None, None
        self._rows = RowReader(lib, self._names, self._clock)
        self._unwell = False
        self._devices = self._merged(self._listed(lib))
        self._mark()

    def _listed(self, lib: Any) -> list[Device]:
        reading = Reading()
        count = reading.ask(lib.nvmlDeviceGetCount)
        if count is None:
            failed = reading.last or RuntimeError("it lists no devices")
            self.problem, self.problem_code = nvml.driver_problem(failed), nvml.code_of(failed)
            self._unwell = True
        found = [identified(lib, index) for index in range(count or 0)]
        self._unwell = self._unwell or any(device.handle is None for device in found)
        for device in found:
            device.unified = self._shares(device.name)
        return found

    def _merged(self, fresh: list[Device]) -> list[Device]:
        """The new list, with what is known of those that cannot say who they are, and with those that are missing."""
        merged = []
        missing = [old for old in self._devices if old.uuid not in {device.uuid for device in fresh if device.uuid}]
        for device in fresh:
            before = next((old for old in missing if old.index == device.index), None) if not device.uuid else None
            if before is not None:
                missing.remove(before)
                device.uuid, device.name, device.total_bytes = before.uuid, before.name, before.total_bytes
                device.pci = device.pci or before.pci
            merged.append(device)
        for old in missing:
            old.handle, old.gone, old.instances = None, nvml.device_problem(nvml.NOT_FOUND), []
            self._unwell = True
        return sorted([*merged, *missing], key=lambda device: device.index)

    def _divide_again(self) -> None:
        """An administrator may cut a card anew at any time."""
        self._looked_at = self._clock()
        awake = [device for device in self._devices if device.knows_mig and not self._asleep(device)]
        changed = [device for device in awake if self._lib is not None and divide(self._lib, device)]
        if changed:
            self._mark()

    def _mark(self) -> None:
        listed = [one for device in self._devices for one in (device, *device.instances)]
        for device, mark in zip(listed, marks(listed, self._environ), strict=True):
            device.mark = mark

    def _asleep(self, device: Device) -> bool:
        return self._power is not None and self._power.asleep(device.pci)

    def _read(self, device: Device, engine_pids: Collection[int]) -> tuple[Gpu, ...]:
        if device.handle is None or self._rows is None:
            return (lost(device, device.gone or nvml.device_problem(nvml.DRIVER_NOT_LOADED)),)
        if self._asleep(device):
            self._rest.forget(device.pci)
            return (row_of(device, asleep=True),)
        if alone := self._left_alone(device, engine_pids):
            return (alone,)
        rows = self._rows.card(device, engine_pids)
        self._unwell = self._unwell or self._rows.code in nvml.NEEDS_REOPENING
        if device.unified and rows[0].error is None:
            # Whatever the driver says of its memory: it is the host's.
            return (with_host_memory(rows[0], self._ram()), *rows[1:])
        if self._power is not None and self._power.may_sleep(device.pci):
            return (self._rest.noted(device.pci, rows[0], engine_pids), *rows[1:])
        return rows
