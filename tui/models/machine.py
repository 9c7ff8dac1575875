"""This machine as the fit sees it: a snapshot of its memory, joined with the devices that llama.cpp has and with what
earlier loads and measurements taught about them.

Values in, a value out; measuring and reading files are the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
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
from tui.hardware.snapshot import Gpu, Snapshot
from tui.models.undriven import idle_cards, names_of, takers


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
    asked: bool = True
    """False where llama.cpp could not be asked for its devices: the cards that are here stand for them."""
    corrections: tuple[tuple[str, Correction], ...] = ()
    """What is added to predictions, by device, or "host"."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of it, in sentences."""
        return (*self.doubts, *self.unused, *self.corrected)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why its devices may be others than these."""
        if self.asked or not self.machine.devices:
            return ()
        names = _listed(device.description or device.name for device in self.machine.devices)
        return (f"Which GPUs this llama.cpp can use could not be asked; it is taken to use {names}.",)

    @property
    def corrected(self) -> tuple[str, ...]:
        """What is added to predictions."""
        return tuple(
            f"About {size(found.bytes)} are added on {name}: the last {found.loads} loads took that much more than"
            " predicted."
            for name, found in self.corrections
        )

    @property
    def unused(self) -> tuple[str, ...]:
        """Which cards llama.cpp cannot drive."""
        if self.idle and self.machine.devices:
            return (f"{self._idle} is here, too, but this llama.cpp was built for other GPUs and cannot use that.",)
        if self.idle:
            words = "is here, but this llama.cpp was built for the CPU: `puna doctor` says how to build it."
            return (f"{self._idle} {words}",)
        names = ", ".join(device.name for device in self.machine.devices if device.profile != "real")
        words = "this llama.cpp was built for the CPU and cannot use that; `puna doctor` says what to do."
        return (f"{names}: {words}",) if names and self.asked else ()

    @property
    def _idle(self) -> str:
        return _listed(gpu.name or "a GPU" for gpu in self.idle)

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
    known: Sequence[KnownDevice] | None,
    margins: Margins,
    lessons: Lessons = NOTHING_LEARNT,
    *,
    leaving: Set[int] = frozenset(),
    potential: bool = False,
) -> Seen:
    """The machine now. `known` are llama.cpp's devices; None where it could not be asked: then the cards that are here
    count, with the rules of their vendors.

    `leaving` are processes that are gone by the time of a load: what they hold counts as free. With `potential`, cards
    count as if they could be driven where llama.cpp drives none.
    """
    asked, known = known is not None, known or ()
    rows = match_devices([EngineDevice(one.name, None, one.description) for one in known], snapshot.gpus)
    idle = idle_cards(snapshot.gpus, known, rows)
    standing = () if known else idle if asked and potential else () if asked else takers(snapshot.gpus, unified=True)
    devices = [_driven(device, row, lessons, leaving) for device, row in zip(known, rows, strict=True)]
    devices += _undriven(standing, snapshot, lessons, leaving)
    matched = (*rows, *standing)
    corrections = _corrections(devices, matched, lessons)
    machine = Machine(
        devices=tuple(_corrected(device, corrections) for device in devices),
        host_total_bytes=_host_total(snapshot),
        host_available_bytes=_host_free(snapshot, leaving),
        host_overhead_bytes=_added_bytes(HOST, corrections),
        margins=margins,
        host_bandwidth_bytes_s=lessons.speeds.ram_bytes_s,
        host_bandwidth_origin="measured" if lessons.speeds.ram_bytes_s else "assumed",
        cores=default_threads(0, snapshot.cpu.cores, snapshot.cpu.quota) if snapshot.cpu.cores else None,
    )
    return Seen(machine, matched, () if standing else idle, asked, tuple(corrections.items()))


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
    host = (here.host_total_bytes, here.host_available_bytes, here.host_overhead_bytes)
    total, available, overhead = host if ram_bytes is None else (ram_bytes, ram_bytes, 0)
    return msgspec.structs.replace(
        here,
        devices=here.devices if devices is None else devices,
        host_total_bytes=total,
        host_available_bytes=available,
        host_overhead_bytes=overhead,
        host_bandwidth_origin="assumed",
    )


def _host_total(snapshot: Snapshot) -> int:
    return snapshot.ram.limit_bytes or snapshot.ram.total_bytes or 0


def _host_free(snapshot: Snapshot, leaving: Set[int]) -> int:
    back = sum(engine.anon_bytes or 0 for engine in snapshot.engines if engine.pid in leaving)
    return min((snapshot.ram.available_bytes or 0) + back, _host_total(snapshot))


def _driven(device: KnownDevice, row: Gpu | None, lessons: Lessons, leaving: Set[int]) -> DeviceSpec:
    free = device.free_bytes if row is None or row.free_bytes is None else row.free_bytes
    total = device.total_bytes or (row.total_bytes if row is not None else 0) or 0
    free = min(free + _left_by(leaving, row), total)
    return _spec(device.name, device.description, total, free, "real", row, lessons)


def _undriven(gpus: Sequence[Gpu], snapshot: Snapshot, lessons: Lessons, leaving: Set[int]) -> Iterator[DeviceSpec]:
    for gpu, (name, profile) in zip(gpus, names_of(gpus), strict=True):
        total, free = gpu.total_bytes, gpu.free_bytes
        if gpu.pool == "unified":  # where its row has no figures, those of RAM are its own
            total = total or _host_total(snapshot)
            free = free if free is not None else _host_free(snapshot, leaving)
        free = min((free or 0) + _left_by(leaving, gpu), total or 0)
        yield _spec(name, gpu.name or "", total or 0, free, profile, gpu, lessons)


def _left_by(leaving: Set[int], row: Gpu | None) -> int:
    processes = row.processes if row is not None else ()
    return sum(process.used_bytes or 0 for process in processes if process.pid in leaving)


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


def _listed(names: Iterable[str]) -> str:
    """Each of them once."""
    return ", ".join(dict.fromkeys(names))
