"""NVIDIA's devices as NVML lists them: cards, the MIG instances on them, and what stays the same on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tui.hardware import nvml
from tui.hardware.cuda import Mark, pci_address
from tui.hardware.kept import Kept
from tui.hardware.processes import clean
from tui.hardware.snapshot import Gpu, GpuProcess

UNMARKED = Mark()


@dataclass(slots=True)
class Device:
    """A card or an instance once seen. A card stays in the list when it is lost."""

    index: int
    handle: Any
    uuid: str | None = None
    name: str | None = None
    pci: str | None = None
    total_bytes: int | None = None
    gone: str | None = None
    """Why there is no handle."""
    knows_mig: bool = False
    divided: bool = False
    instances: list[Device] = field(default_factory=list)
    parent: str | None = None
    number: int | None = None
    """Of an instance: its number on its card."""
    gpu_instance: int | None = None
    """Of an instance: the driver's own number, by which it tells whose a process is."""
    mark: Mark = UNMARKED
    unified: bool = False
    degrees: int | None = None
    clocks: tuple[int | None, int | None] = (None, None)
    slow_read_at: float | None = None
    """When both were read last."""
    nothing_drawn_at: float | None = None
    """When its list of graphics processes was last found empty; None where it is not."""
    processes: Kept[tuple[GpuProcess, ...]] = field(default_factory=Kept)
    row: Kept[Gpu] = field(default_factory=Kept)


class Reading:
    """One pass over one device: collects figures, and the first error after which there are no others."""

    __slots__ = ("code", "last")

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
            if code in nvml.FATAL:
                self.code = code
            return None


def identified(lib: Any, index: int) -> Device:
    """The card with that number; without a handle and with the reason in `gone` where it does not answer."""
    reading = Reading()
    handle = reading.ask(lib.nvmlDeviceGetHandleByIndex, index)
    device = Device(index, handle)
    if handle is None:
        failed = reading.last or RuntimeError("no handle")
        device.gone = nvml.device_problem(nvml.code_of(failed), failed)
        return device
    _name(lib, reading, device)
    place = reading.ask(lib.nvmlDeviceGetPciInfo, handle)
    device.pci = pci_address(_text(getattr(place, "busId", None)))
    device.knows_mig = reading.ask(lib.nvmlDeviceGetMigMode, handle) is not None
    divide(lib, device)
    return device


def divide(lib: Any, device: Device) -> bool:
    """See again how the card is cut into MIG instances. True when that changed."""
    if not device.knows_mig or device.handle is None:
        return False
    reading = Reading()
    mode = reading.ask(lib.nvmlDeviceGetMigMode, device.handle)
    before = (device.divided, [(one.uuid, one.number) for one in device.instances])
    device.divided = bool(mode and mode[0])
    count = reading.ask(lib.nvmlDeviceGetMaxMigDeviceCount, device.handle) if device.divided else 0
    found = (_instance(lib, device, number) for number in range(min(count or 0, 64)))
    old = {one.uuid: one for one in device.instances if one.uuid}
    device.instances = [_kept(old, one) for one in found if one is not None]
    return before != (device.divided, [(one.uuid, one.number) for one in device.instances])


def _kept(old: dict[str, Device], fresh: Device) -> Device:
    """A fresh handle, with what was known of the instance."""
    before = old.get(fresh.uuid or "")
    if before is not None:
        fresh.total_bytes, fresh.mark = before.total_bytes, before.mark
    return fresh


def _instance(lib: Any, card: Device, number: int) -> Device | None:
    reading = Reading()
    handle = reading.ask(lib.nvmlDeviceGetMigDeviceHandleByIndex, card.handle, number)
    if handle is None:
        return None
    made = Device(card.index, handle, parent=card.uuid, number=number, pci=card.pci)
    _name(lib, reading, made)
    made.gpu_instance = reading.ask(lib.nvmlDeviceGetGpuInstanceId, handle)
    return made


def _name(lib: Any, reading: Reading, device: Device) -> None:
    uuid = reading.ask(lib.nvmlDeviceGetUUID, device.handle)
    name = reading.ask(lib.nvmlDeviceGetName, device.handle)
    device.uuid, device.name = _text(uuid), _text(name)


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return clean(value) if isinstance(value, str) else None
