"""This machine as the fit sees it: a snapshot of its memory, joined with the devices that llama.cpp has and with what
earlier loads and measurements taught about them.

Values in, a value out; measuring and reading files are the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

import msgspec

from tui.config.sizes import size
from tui.fit.cards import card_of_driver
from tui.fit.fixes import Holder
from tui.fit.measured import Known
from tui.fit.questions import KnownDevice
from tui.fit.receipts import Correction, LoadRecord, correction_of, overhead_of
from tui.fit.values import ASSUMED_OVERHEAD_BYTES, DeviceSpec, Machine, Margins, Origin, Profile
from tui.hardware.cpu import default_threads
from tui.hardware.cuda import EngineDevice, match_devices
from tui.hardware.snapshot import Gpu, Snapshot, loadable

_BACKENDS: dict[str, tuple[str, Profile]] = {
    "nvidia": ("CUDA", "cuda"),
    "amd": ("ROCm", "cuda"),  # the CUDA backend's code, compiled for AMD
    "intel": ("Vulkan", "vulkan"),
    "apple": ("MTL", "metal"),
}
"""By vendor: how llama.cpp would call its devices, and the rules that they lay out memory by."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """What is known of this machine from before."""

    loads: tuple[LoadRecord, ...] = ()
    speeds: Known = field(default_factory=Known)


NOTHING_LEARNT = Lessons()
HOST = "host"
"""What receipts call everything that lies on no device."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A machine, and which of the meter's rows each of its devices is."""

    machine: Machine
    rows: tuple[Gpu | None, ...] = ()
    """For each device; None where that cannot be proven."""
    idle: tuple[Gpu, ...] = ()
    """Cards that are here and could take a model, but that the installed llama.cpp cannot drive."""
    corrections: tuple[tuple[str, Correction], ...] = ()
    """What is added to predictions, by device, or "host"."""

    @property
    def corrected(self) -> tuple[str, ...]:
        """Those in sentences."""
        return tuple(
            f"{size(found.bytes)} are added on {name}: the last {found.loads} loads took that much more than predicted."
            for name, found in self.corrections
        )

    def card_of(self, name: str) -> str:
        """What stays the same from one start to the next of a device: its UUID, else its description."""
        for device, row in zip(self.machine.devices, self.rows, strict=True):
            if device.name == name:
                return card_key(device.description, row)
        return name


def card_key(description: str, row: Gpu | None) -> str:
    """How receipts know a card."""
    return (row.uuid if row is not None else None) or description


def machine_of(
    snapshot: Snapshot,
    known: Sequence[KnownDevice],
    margins: Margins,
    lessons: Lessons = NOTHING_LEARNT,
    *,
    leaving: Set[int] = frozenset(),
    potential: bool = False,
) -> Seen:
    """The machine now. `known` are llama.cpp's devices.

    `leaving` are processes that are gone by the time of a load: what they hold counts as free. With `potential`, cards
    that the installed llama.cpp cannot drive count as if it could.
    """
    rows = match_devices([EngineDevice(one.name, None, one.description) for one in known], snapshot.gpus)
    idle = () if known else tuple(loadable(snapshot.gpus))
    devices = [_driven(device, row, lessons, leaving) for device, row in zip(known, rows, strict=True)]
    matched: list[Gpu | None] = list(rows)
    if potential:
        devices += _undriven(idle, lessons)
        matched += idle
    corrections = _corrections(devices, matched, lessons)
    machine = Machine(
        devices=tuple(_corrected(device, corrections) for device in devices),
        host_total_bytes=snapshot.ram.limit_bytes or snapshot.ram.total_bytes or 0,
        host_available_bytes=max(0, _host_free(snapshot, leaving) - _added_bytes(HOST, corrections)),
        margins=margins,
        host_bandwidth_bytes_s=lessons.speeds.ram_bytes_s,
        host_bandwidth_origin="measured" if lessons.speeds.ram_bytes_s else "assumed",
        cores=default_threads(0, snapshot.cpu.cores, snapshot.cpu.quota) if snapshot.cpu.cores else None,
    )
    return Seen(machine, tuple(matched), () if potential else idle, tuple(corrections.items()))


def holders(snapshot: Snapshot, seen: Seen) -> tuple[Holder, ...]:
    """Processes that hold memory of the machine's devices."""
    now = {gpu.key: gpu for gpu in snapshot.gpus}
    return tuple(
        Holder(pid=process.pid, device=device.name, used_bytes=process.used_bytes, user=process.user, mine=process.mine)
        for device, row in zip(seen.machine.devices, seen.rows, strict=True)
        if row is not None and row.key in now
        for process in now[row.key].processes
        if process.used_bytes
    )


def described_machine(devices: tuple[DeviceSpec, ...] | None, ram_bytes: int | None, here: Machine) -> Machine:
    """A machine that is not here: these devices (None: the ones here) and this much memory, all of it free; None is
    this machine's memory.
    """
    host = (here.host_total_bytes, here.host_available_bytes) if ram_bytes is None else (ram_bytes, ram_bytes)
    return msgspec.structs.replace(
        here,
        devices=here.devices if devices is None else devices,
        host_total_bytes=host[0],
        host_available_bytes=host[1],
        host_bandwidth_origin="assumed",
    )


def _host_free(snapshot: Snapshot, leaving: Set[int]) -> int:
    back = sum(engine.anon_bytes or 0 for engine in snapshot.engines if engine.pid in leaving)
    return min((snapshot.ram.available_bytes or 0) + back, snapshot.ram.limit_bytes or snapshot.ram.total_bytes or 0)


def _driven(device: KnownDevice, row: Gpu | None, lessons: Lessons, leaving: Set[int]) -> DeviceSpec:
    free = device.free_bytes if row is None or row.free_bytes is None else row.free_bytes
    if row is not None:
        free += sum(process.used_bytes or 0 for process in row.processes if process.pid in leaving)
    total = device.total_bytes or (row.total_bytes if row is not None else 0) or 0
    return _spec(device.name, device.description, total, min(free, total), "real", row, lessons)


def _undriven(gpus: Sequence[Gpu], lessons: Lessons) -> list[DeviceSpec]:
    counts: dict[str, int] = {}
    made = []
    for gpu in gpus:
        backend, profile = _BACKENDS.get(gpu.vendor, ("Vulkan", "vulkan"))
        number = counts.get(backend, 0)
        counts[backend] = number + 1
        name, total = f"{backend}{number}", gpu.total_bytes or 0
        made.append(_spec(name, gpu.name or "", total, gpu.free_bytes or 0, profile, gpu, lessons))
    return made


def _spec(
    name: str, description: str, total: int, free: int, profile: Profile, row: Gpu | None, lessons: Lessons
) -> DeviceSpec:
    key = card_key(description, row)
    overhead = overhead_of(key, lessons.loads)
    bandwidth = lessons.speeds.device_bytes_s.get(description)
    card = card_of_driver(description, total or None)
    origin: Origin = "measured" if overhead is not None else "assumed"
    return DeviceSpec(
        name=name,
        description=description,
        total_bytes=total,
        free_bytes=free,
        profile=profile,
        overhead_bytes=ASSUMED_OVERHEAD_BYTES if overhead is None else overhead,
        overhead_origin=origin,
        bandwidth_bytes_s=bandwidth or (card.bandwidth_bytes_s if card is not None else None),
        bandwidth_origin="measured" if bandwidth else "assumed",
        shares_host=row is not None and row.pool == "unified",
    )


def _corrections(devices: Sequence[DeviceSpec], rows: Sequence[Gpu | None], lessons: Lessons) -> dict[str, Correction]:
    """By how much loads exceeded their predictions; where they took less nothing is corrected: memory may be short."""
    cards = {device.name: card_key(device.description, row) for device, row in zip(devices, rows, strict=True)}
    found = {name: correction_of(card, lessons.loads) for name, card in {**cards, HOST: ""}.items()}
    return {name: one for name, one in found.items() if one is not None and one.bytes > 0}


def _corrected(device: DeviceSpec, corrections: Mapping[str, Correction]) -> DeviceSpec:
    more = _added_bytes(device.name, corrections)
    return msgspec.structs.replace(device, overhead_bytes=device.overhead_bytes + more) if more else device


def _added_bytes(name: str, corrections: Mapping[str, Correction]) -> int:
    return corrections[name].bytes if name in corrections else 0
