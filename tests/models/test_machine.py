"""This machine as the fit sees it: the meter's rows, llama.cpp's devices, and what earlier loads taught."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tui.fit.measured import Known
from tui.fit.questions import KnownDevice
from tui.fit.receipts import LoadRecord, Parts
from tui.fit.values import ASSUMED_OVERHEAD_BYTES, DeviceSpec, Machine, Margins, Source
from tui.hardware.snapshot import Cpu, EngineMemory, Gpu, GpuProcess, Ram, Snapshot
from tui.llama.receipt import DeviceBytes
from tui.models.machine import NOTHING_LEARNT, Lessons, Seen, described_machine, holders, machine_of

MIB, GIB = 1 << 20, 1 << 30
H100 = "NVIDIA H100 80GB HBM3"
OTHER, MINE = 4121, 77


def gpu(index: int = 0, *, free: int | None = 60 * GIB, **more: Any) -> Gpu:
    return Gpu(
        index=index,
        uuid=f"GPU-{index}",
        name=H100,
        vendor="nvidia",
        total_bytes=80 * GIB,
        used_bytes=20 * GIB,
        free_bytes=free,
        cuda_visible=True,
        cuda_index=index,
        **more,
    )


def held(pid: int, used: int | None, *, mine: bool = False) -> GpuProcess:
    return GpuProcess(pid, "python", "ann", used, mine)


def shot(
    *gpus: Gpu, ram: Ram | None = None, engines: tuple[EngineMemory, ...] = (), cpu: Cpu | None = None
) -> Snapshot:
    return Snapshot(
        time=1.0,
        gpus=gpus,
        ram=ram or Ram(total_bytes=64 * GIB, available_bytes=40 * GIB),
        cpu=cpu or Cpu(cores=8),
        engines=engines,
    )


def cuda(index: int = 0, *, free: int = 59 * GIB) -> KnownDevice:
    return KnownDevice(f"CUDA{index}", H100, 80 * GIB, free)


def load(card: str, differs: int, *, driver: int | None = None, source: Source = "dry-run") -> LoadRecord:
    """A load that took `differs` bytes more than predicted on a card; "" is the host."""
    parts = Parts(
        name="x",
        card=card,
        predicted=DeviceBytes(name="x", weights_bytes=GIB),
        allocated=DeviceBytes(name="x", weights_bytes=GIB + differs),
        driver_bytes=driver,
    )
    as_predicted = msgspec.structs.replace(parts, card="", allocated=parts.predicted)
    devices, host = ((parts,), as_predicted) if card else ((), parts)
    return LoadRecord(time=1.0, model="m", settings={}, source=source, devices=devices, host=host)


def unasked(snapshot: Snapshot, **more: Any) -> Seen:
    return machine_of(snapshot, None, Margins(), **more)


def seen(snapshot: Snapshot, *known: KnownDevice, lessons: Lessons = NOTHING_LEARNT, **more: Any) -> Any:
    return machine_of(snapshot, known, Margins(), lessons, **more)


def test_without_gpus_there_is_the_host_alone() -> None:
    found = seen(shot())
    assert found.machine == Machine(
        host_total_bytes=64 * GIB, host_available_bytes=40 * GIB, margins=Margins(), cores=8
    )
    assert (found.rows, found.idle, found.corrected) == ((), (), ())


def test_what_the_meter_sees_free_counts_and_the_card_tells_the_rest() -> None:
    found = seen(shot(gpu()), cuda(free=59 * GIB))
    (device,) = found.machine.devices
    assert (device.name, device.description, device.profile) == ("CUDA0", H100, "real")
    assert (device.total_bytes, device.free_bytes) == (80 * GIB, 60 * GIB)
    assert (device.overhead_bytes, device.overhead_origin) == (ASSUMED_OVERHEAD_BYTES, "assumed")
    assert device.bandwidth_bytes_s is not None
    assert device.bandwidth_bytes_s > 1e12
    assert found.rows == (gpu(),)
    assert found.card_of("CUDA0") == "GPU-0"
    assert found.card_of("CUDA7") == "CUDA7"


@pytest.mark.parametrize("rows", [(), (gpu(free=None),)], ids=["no row", "a row that cannot tell"])
def test_where_the_meter_cannot_tell_llama_cpp_is_believed(rows: tuple[Gpu, ...]) -> None:
    found = seen(shot(*rows), cuda(free=59 * GIB))
    assert found.machine.devices[0].free_bytes == 59 * GIB
    assert found.card_of("CUDA0") == ("GPU-0" if rows else H100)


def test_what_is_about_to_leave_counts_as_free() -> None:
    engines = (EngineMemory(MINE, anon_bytes=3 * GIB), EngineMemory(OTHER, anon_bytes=GIB))
    snapshot = shot(gpu(processes=(held(MINE, 5 * GIB), held(OTHER, 6 * GIB), held(9, None))), engines=engines)
    machine = seen(snapshot, cuda(), leaving={MINE, 9}).machine
    assert machine.devices[0].free_bytes == 65 * GIB
    assert machine.host_available_bytes == 43 * GIB


def test_never_more_is_free_than_there_is() -> None:
    snapshot = shot(
        gpu(processes=(held(MINE, 50 * GIB),)),
        ram=Ram(64 * GIB, 40 * GIB, limit_bytes=41 * GIB),
        engines=(EngineMemory(MINE, anon_bytes=30 * GIB),),
    )
    machine = seen(snapshot, cuda(), leaving={MINE}).machine
    assert machine.devices[0].free_bytes == 80 * GIB
    assert (machine.host_total_bytes, machine.host_available_bytes) == (41 * GIB, 41 * GIB)


def test_a_card_that_llama_cpp_cannot_drive_is_idle_or_counted_as_if_it_could() -> None:
    cards = (gpu(0), gpu(1), Gpu(0, None, "AMD Instinct MI300X", "amd", 192 * GIB, 0, 190 * GIB))
    plain = seen(shot(*cards))
    assert (plain.machine.devices, plain.idle) == ((), cards)
    could = seen(shot(*cards), potential=True)
    assert could.idle == ()
    assert could.rows == cards
    assert [(device.name, device.profile, device.free_bytes) for device in could.machine.devices] == [
        ("CUDA0", "cuda", 60 * GIB),
        ("CUDA1", "cuda", 60 * GIB),
        ("ROCm0", "cuda", 190 * GIB),
    ]


AMD = Gpu(0, None, "AMD Instinct MI300X", "amd", 192 * GIB, 0, 190 * GIB, pci="0000:c1:00.0")


def mig(number: int, *, free: int, visible: bool | None = None) -> Gpu:
    """An instance of a card that is cut."""
    return Gpu(
        0, f"MIG-{number}", f"{H100} MIG 1g.10gb", "nvidia", 10 * GIB, 0, free, parent="GPU-0", cuda_visible=visible
    )


def names(found: Seen) -> list[tuple[str, str, int]]:
    return [(device.name, device.profile, device.free_bytes) for device in found.machine.devices]


def test_where_llama_cpp_could_not_be_asked_the_cards_that_are_here_count() -> None:
    found = unasked(shot(gpu(0), gpu(1), AMD, gpu(2, error="it has fallen off the bus")))
    assert names(found) == [
        ("CUDA0", "cuda", 60 * GIB),
        ("CUDA1", "cuda", 60 * GIB),
        ("ROCm0", "cuda", 190 * GIB),
    ]
    assert (found.asked, found.idle, found.rows) == (False, (), (gpu(0), gpu(1), AMD))
    said = f"Which GPUs this llama.cpp can use could not be asked; it is taken to use {H100}, AMD Instinct MI300X."
    assert found.notes == (said,)
    assert unasked(shot()).notes == ()


def test_a_card_counts_as_free_of_what_leaves_it_also_where_llama_cpp_could_not_be_asked() -> None:
    assert names(unasked(shot(gpu(processes=(held(MINE, 5 * GIB),))), leaving={MINE})) == [("CUDA0", "cuda", 65 * GIB)]


def test_of_a_cut_card_a_process_is_given_one_instance() -> None:
    card = gpu(0, divided=True)
    instances = [mig(number, free=(number + 1) * GIB) for number in range(7)]
    for found in (unasked(shot(card, *instances)), seen(shot(card, *instances), potential=True)):
        assert names(found) == [("CUDA0", "cuda", 7 * GIB)]
        assert found.rows == (instances[-1],)
    named = [mig(0, free=9 * GIB, visible=False), mig(1, free=GIB, visible=True), mig(2, free=9 * GIB, visible=False)]
    assert names(unasked(shot(card, *named))) == [("CUDA0", "cuda", GIB)]
    driven = seen(shot(card, *instances), KnownDevice("CUDA0", instances[0].name or "", 10 * GIB, 3 * GIB))
    assert names(driven) == [("CUDA0", "real", 3 * GIB)]
    assert driven.idle == ()  # which instance it is cannot be proven, but there is only one for this process


def test_memory_that_is_the_hosts_counts_as_the_hosts() -> None:
    mac = Gpu(0, None, "Apple M3", "apple", pool="unified")
    found = unasked(shot(mac))
    (device,) = found.machine.devices
    assert (device.name, device.profile, device.shares_host) == ("MTL0", "metal", True)
    assert (device.total_bytes, device.free_bytes) == (64 * GIB, 40 * GIB)
    driven = seen(shot(mac), KnownDevice("MTL0", "Apple M3", 48 * GIB, 47 * GIB))
    assert names(driven) == [("MTL0", "real", 47 * GIB)]
    assert driven.machine.devices[0].shares_host
    assert seen(shot(mac), potential=True).machine.devices == ()  # an engine for the CPU uses all of that memory


def test_an_apu_has_memory_of_its_own_besides_the_hosts() -> None:
    apu = Gpu(0, None, "AMD Radeon 780M", "amd", 20 * GIB, GIB, 19 * GIB, pool="shared")
    found = unasked(shot(apu))
    assert names(found) == [("ROCm0", "cuda", 19 * GIB)]
    assert not found.machine.devices[0].shares_host
    assert seen(shot(apu)).idle == (apu,)


def test_a_card_of_another_maker_is_idle_beside_those_that_llama_cpp_drives() -> None:
    found = seen(shot(gpu(0), AMD), cuda(0))
    assert (found.idle, found.rows) == ((AMD,), (gpu(0),))
    assert found.notes == (
        "AMD Instinct MI300X is here, too, but this llama.cpp was built for other GPUs and cannot use that.",
    )
    could = seen(shot(gpu(0), AMD), cuda(0), potential=True)
    assert [device.name for device in could.machine.devices] == ["CUDA0"]  # no build drives both
    assert could.idle == (AMD,)


def test_a_card_that_may_be_one_of_llama_cpps_devices_is_not_called_idle() -> None:
    twins = [msgspec.structs.replace(cuda(n), name=f"Vulkan{n}") for n in range(2)]  # which is which is not known
    assert seen(shot(gpu(0), gpu(1), AMD), *twins).idle == ()
    nameless = KnownDevice("CUDA5", "another name", 80 * GIB, 80 * GIB)
    assert seen(shot(gpu(0), AMD), nameless).idle == (AMD,)


def test_a_card_without_figures_holds_nothing() -> None:
    found = seen(shot(Gpu(0, None, None, "matrox")), potential=True)
    (device,) = found.machine.devices
    assert (device.name, device.profile, device.total_bytes, device.free_bytes) == ("Vulkan0", "vulkan", 0, 0)


def test_a_load_teaches_what_the_driver_takes() -> None:
    lessons = Lessons(loads=(load("GPU-0", 0, driver=300 * MIB), load("GPU-1", 0, driver=900 * MIB)))
    (device,) = seen(shot(gpu()), cuda(), lessons=lessons).machine.devices
    assert (device.overhead_bytes, device.overhead_origin) == (300 * MIB, "measured")


def test_a_systematic_difference_is_added_and_said() -> None:
    lessons = Lessons(loads=(*[load("GPU-0", 40 * MIB)] * 3, *[load("", 7 * MIB)] * 2))
    found = seen(shot(gpu()), cuda(), lessons=lessons)
    assert found.machine.devices[0].overhead_bytes == ASSUMED_OVERHEAD_BYTES + 40 * MIB
    assert found.corrected[0] == "About 40 MiB are added on CUDA0: the last 3 loads took that much more than predicted."


def test_on_the_host_a_difference_is_added_too_and_as_much_is_available_as_the_meter_says() -> None:
    found = seen(shot(), lessons=Lessons(loads=(load("", 7 * MIB), load("", 9 * MIB))))
    assert (found.machine.host_available_bytes, found.machine.host_overhead_bytes) == (40 * GIB, 8 * MIB)
    assert described_machine(None, GIB, found.machine).host_overhead_bytes == 0
    assert found.corrected == ("About 8 MiB are added on host: the last 2 loads took that much more than predicted.",)


@pytest.mark.parametrize(
    "loads",
    [(load("", -GIB), load("", -GIB)), (load("", GIB),), (load("", GIB, source="estimate"),) * 2],
    ids=["less than predicted", "once", "an estimate was off"],
)
def test_what_corrects_nothing(loads: tuple[LoadRecord, ...]) -> None:
    found = seen(shot(), lessons=Lessons(loads=loads))
    assert (found.machine.host_available_bytes, found.machine.host_overhead_bytes) == (40 * GIB, 0)
    assert found.corrected == ()


def test_measured_speeds_of_memory_win_over_a_vendors_figure() -> None:
    lessons = Lessons(speeds=Known(ram_bytes_s=3e10, device_bytes_s={H100: 2.5e12}))
    machine = seen(shot(gpu()), cuda(), lessons=lessons).machine
    assert (machine.host_bandwidth_bytes_s, machine.host_bandwidth_origin) == (3e10, "measured")
    assert (machine.devices[0].bandwidth_bytes_s, machine.devices[0].bandwidth_origin) == (2.5e12, "measured")


def test_cores_are_those_within_the_quota() -> None:
    assert seen(shot(cpu=Cpu(cores=8, quota=2.5))).machine.cores == 2
    assert seen(shot(cpu=Cpu())).machine.cores is None


def test_who_holds_the_devices_memory() -> None:
    snapshot = shot(gpu(processes=(held(OTHER, 6 * GIB), held(MINE, GIB, mine=True), held(9, None))), gpu(1))
    found = holders(snapshot, seen(snapshot, cuda(0), cuda(1)))
    assert [(one.pid, one.device, one.used_bytes, one.user, one.mine) for one in found] == [
        (OTHER, "CUDA0", 6 * GIB, "ann", False),
        (MINE, "CUDA0", GIB, "ann", True),
    ]


def test_a_described_machine_is_empty_and_its_speed_assumed() -> None:
    here = seen(shot(gpu()), cuda(), lessons=Lessons(speeds=Known(ram_bytes_s=3e10))).machine
    card = DeviceSpec(name="4090", total_bytes=24 * GIB, free_bytes=24 * GIB)
    there = described_machine((card,), 128 * GIB, here)
    assert (there.devices, there.host_available_bytes, there.host_bandwidth_origin) == ((card,), 128 * GIB, "assumed")
    assert described_machine((card,), None, here).host_available_bytes == 40 * GIB
    assert described_machine(None, GIB, here).devices == here.devices
