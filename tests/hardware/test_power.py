"""A laptop's sleeping GPU is left asleep: the driver is not even opened."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.hardware.conftest import Clock, Tree
from tests.rigs.nvml import GIB, FakeGpu, StandIn
from tui.hardware.nvml import load_pynvml
from tui.hardware.power import NvidiaPower
from tui.hardware.rest import IDLE_S, REST_S
from tui.hardware.sampler import Sampler
from tui.hardware.snapshot import Gpu, Snapshot, loadable, to_json

ONE, TWO = "0000:01:00.0", "0000:02:00.0"


def plug_in(tree: Tree, address: str, status: str, control: str = "auto") -> None:
    base = f"sys/bus/pci/devices/{address}"
    tree.write(
        {
            f"{base}/vendor": "0x10de\n",
            f"{base}/class": "0x030000\n",
            f"{base}/power/runtime_status": f"{status}\n",
            f"{base}/power/control": f"{control}\n",
        }
    )
    driver = tree.folder / base / "driver"
    if not driver.is_symlink():
        driver.symlink_to("../../../../bus/pci/drivers/nvidia")


def sampler(tree: Tree, clock: Clock) -> Sampler:
    return Sampler(tree.proc, tree.sys, load_pynvml, clock, environ={})


def test_a_sleeping_card_is_shown_and_the_driver_left_closed(stand_in: StandIn, tree: Tree) -> None:
    clock = Clock()
    plug_in(tree, ONE, "suspended")
    stand_in.show([FakeGpu(pci=ONE)])
    with stand_in.in_this_process(), stand_in.calls() as calls:
        meter = sampler(tree, clock)
        for _ in range(3):
            (row,) = meter.gpus()
            clock.now += 20.0
        assert calls() == []
        assert (row.asleep, row.pci, row.used_bytes, row.error) == (True, ONE, None, None)
        assert meter.nvml_problem is None
        assert loadable([row]) == ()
        assert "asleep" in to_json(Snapshot(0.0, (row,)))["gpus"][0]["error"]
        # Somebody else wakes it: it is seen at once.
        plug_in(tree, ONE, "active")
        (row,) = meter.gpus()
        assert (row.asleep, row.used_bytes) == (False, 3 * GIB)
        assert "init" in calls()
        # It goes to sleep again, and is left alone from then on.
        plug_in(tree, ONE, "suspended")
        (row,) = meter.gpus()
        clock.now += 20.0
        meter.gpus()
        assert calls() == []
        assert (row.asleep, row.name, row.total_bytes, row.used_bytes) == (True, "NVIDIA Stand-in 24GB", 24 * GIB, None)
        plug_in(tree, ONE, "active")
        assert meter.gpus()[0].used_bytes == 3 * GIB
        meter.close()


def test_beside_a_card_at_work_only_the_sleeping_one_is_left_alone(stand_in: StandIn, tree: Tree) -> None:
    plug_in(tree, ONE, "active")
    plug_in(tree, TWO, "active")
    stand_in.show([FakeGpu(uuid="GPU-1", pci=ONE), FakeGpu(uuid="GPU-2", pci=TWO)])
    with stand_in.in_this_process():
        meter = sampler(tree, Clock())
        assert [row.used_bytes for row in meter.gpus()] == [3 * GIB, 3 * GIB]
        plug_in(tree, TWO, "suspended")
        assert [(row.asleep, row.used_bytes) for row in meter.gpus()] == [(False, 3 * GIB), (True, None)]
        meter.close()


IDLE = FakeGpu(pci=ONE, utilization=0, used=512 << 20)


class Laptop:
    """A meter of one card, asked once a second."""

    def __init__(self, stand_in: StandIn, tree: Tree, control: str = "auto") -> None:
        self.clock, self.tree = Clock(), tree
        plug_in(tree, ONE, "active", control)
        stand_in.show([IDLE])
        self.meter = sampler(tree, self.clock)

    def after(self, seconds: int, engines: tuple[int, ...] = ()) -> Gpu:
        """The row, so many looks later."""
        for _ in range(seconds):
            self.clock.now += 1.0
            (row,) = self.meter.gpus(engines)
        return row


def test_a_card_that_nobody_uses_is_left_alone_with_its_driver_closed(stand_in: StandIn, tree: Tree) -> None:
    with stand_in.in_this_process(), stand_in.calls() as calls:
        laptop = Laptop(stand_in, tree)
        assert laptop.after(int(IDLE_S)).idle_s is None
        assert laptop.after(1).idle_s == 0
        calls()
        row = laptop.after(1)
        assert (row.idle_s, row.used_bytes, row.utilization, loadable([row])) == (1, 512 << 20, 0, (row,))
        assert calls() == ["shutdown"]
        assert "1 s old" in to_json(Snapshot(0.0, (row,)))["gpus"][0]["error"]
        assert laptop.after(int(REST_S) - 2).idle_s == REST_S - 1
        assert calls() == []
        # Still awake: read once, and left alone again.
        assert laptop.after(1).idle_s == 0
        assert calls().count("init") == 1
        assert laptop.after(1).idle_s == 1
        # It powers down now that it can, and stays so.
        plug_in(tree, ONE, "suspended")
        calls()
        assert laptop.after(2 * int(REST_S)).asleep
        assert calls() == []
        # Somebody wakes it: it is read at once, and for a while.
        plug_in(tree, ONE, "active")
        assert laptop.after(int(IDLE_S)).idle_s is None
        laptop.meter.close()


def test_work_is_seen_at_the_next_reading_and_an_engine_at_once(stand_in: StandIn, tree: Tree) -> None:
    with stand_in.in_this_process():
        laptop = Laptop(stand_in, tree)
        laptop.after(int(IDLE_S) + 5)
        stand_in.show([replace(IDLE, utilization=80)])
        assert laptop.after(1).utilization == 0
        row = laptop.after(int(REST_S))
        assert (row.idle_s, row.utilization) == (None, 80)
        stand_in.show([IDLE])
        assert laptop.after(int(IDLE_S) + 5).idle_s is not None
        stand_in.show([replace(IDLE, used=GIB)])
        row = laptop.after(1, (4711,))
        assert (row.idle_s, row.used_bytes) == (None, GIB)
        laptop.meter.close()


@pytest.mark.parametrize(
    "gpu",
    [
        replace(IDLE, compute=[(1, GIB)]),
        replace(IDLE, utilization=1),
        replace(IDLE, errors={"utilization": 3}),
    ],
    ids=["held", "at work", "unknown"],
)
def test_a_card_of_which_it_is_not_known_that_it_is_idle_is_always_read(
    stand_in: StandIn, tree: Tree, gpu: FakeGpu
) -> None:
    with stand_in.in_this_process():
        laptop = Laptop(stand_in, tree)
        stand_in.show([gpu])
        assert laptop.after(3 * int(IDLE_S)).idle_s is None
        laptop.meter.close()


def test_an_idle_card_whose_power_stays_on_is_always_read(stand_in: StandIn, tree: Tree) -> None:
    with stand_in.in_this_process():
        laptop = Laptop(stand_in, tree, control="on")
        assert laptop.after(3 * int(IDLE_S)).idle_s is None
        laptop.meter.close()


def test_beside_a_card_at_work_an_idle_one_is_left_alone(stand_in: StandIn, tree: Tree) -> None:
    clock = Clock()
    for address in (ONE, TWO):
        plug_in(tree, address, "active")
    busy = FakeGpu(uuid="GPU-1", pci=ONE)
    stand_in.show([busy, replace(IDLE, uuid="GPU-2", pci=TWO)])
    with stand_in.in_this_process(), stand_in.calls() as calls:
        meter = sampler(tree, clock)
        for _ in range(int(IDLE_S) + 3):
            clock.now += 1.0
            rows = meter.gpus()
        assert [row.idle_s for row in rows] == [None, 2]
        assert "shutdown" not in calls()
        stand_in.show([replace(busy, used=5 * GIB), replace(IDLE, uuid="GPU-2", pci=TWO, used=GIB)])
        assert [row.used_bytes for row in meter.gpus()] == [5 * GIB, 512 << 20]
        meter.close()


def test_cards_that_are_kept_on_are_simply_read(stand_in: StandIn, tree: Tree) -> None:
    plug_in(tree, ONE, "active", control="on")
    stand_in.show([FakeGpu(pci=ONE)])
    with stand_in.in_this_process():
        meter = sampler(tree, Clock())
        # No kernel does this to such a card; a meter that looked would believe it.
        meter.gpus()
        plug_in(tree, ONE, "suspended", control="on")
        assert meter.gpus()[0].used_bytes == 3 * GIB
        meter.close()


def test_a_card_without_nvidias_driver_does_not_keep_it_closed(stand_in: StandIn, tree: Tree) -> None:
    plug_in(tree, ONE, "suspended")
    (tree.folder / f"sys/bus/pci/devices/{ONE}/driver").unlink()
    stand_in.show([], init=9)
    with stand_in.in_this_process(), stand_in.calls() as calls:
        meter = sampler(tree, Clock())
        assert meter.gpus() == ()
        assert "init" in calls()
        assert meter.nvml_problem is not None
        assert "modprobe" in meter.nvml_problem.fix


def test_other_devices_are_looked_into_only_when_something_is_plugged_in(tree: Tree) -> None:
    plug_in(tree, ONE, "suspended")
    tree.write(
        {"sys/bus/pci/devices/0000:00:1f.0/vendor": "0x8086\n", "sys/bus/pci/devices/0000:00:1f.0/class": "0x06"}
    )
    power = NvidiaPower(tree.proc, tree.sys)
    power.rescan()
    assert list(power.addresses) == [ONE]
    # What has been something else stays so until the list of devices changes.
    tree.write(
        {"sys/bus/pci/devices/0000:00:1f.0/vendor": "0x10de\n", "sys/bus/pci/devices/0000:00:1f.0/class": "0x03"}
    )
    driver = tree.folder / f"sys/bus/pci/devices/{ONE}/driver"
    driver.unlink()
    driver.symlink_to("../../../../bus/pci/drivers/vfio-pci")
    power.rescan()
    assert list(power.addresses) == []
    driver.unlink()
    plug_in(tree, ONE, "suspended")
    power.rescan()
    assert list(power.addresses) == [ONE]
    assert power.all_asleep()
    plug_in(tree, TWO, "active")
    power.rescan()
    assert list(power.addresses) == [ONE, TWO]
    assert not power.all_asleep()


def test_where_the_bus_is_hidden_the_drivers_own_list_counts(tree: Tree) -> None:
    tree.write({f"proc/driver/nvidia/gpus/{ONE}/information": "Model: X\n"})
    power = NvidiaPower(tree.proc, tree.sys)
    for _ in range(2):
        power.rescan()
        assert (power.addresses, power.all_asleep()) == ((ONE,), False)
