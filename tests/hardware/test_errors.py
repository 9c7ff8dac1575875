"""Everything that NVML may answer but the truth: one figure, one card, or the whole driver."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hardware.conftest import Clock, Tree
from tests.rigs.nvml import GIB, FakeGpu, StandIn, two_gpus
from tui.hardware.nvidia import REOPEN_S, NvidiaReader
from tui.hardware.nvidia_rows import SELDOM_S
from tui.hardware.nvml import load_pynvml
from tui.hardware.processes import Known, ProcessNames
from tui.hardware.sampler import Sampler
from tui.hardware.snapshot import Gpu, GpuProcess, Ram
from tui.hardware.unified import shares_host_memory

FIGURES = ("used_bytes", "utilization", "temperature_c", "power_w", "clock_mhz", "memory_clock_mhz")
CALLS = ("memory", "utilization", "temperature", "power", "clock", "processes", "name", "uuid", "pci", "mig")


@contextmanager
def reader(stand_in: StandIn, clock: Clock | None = None, names: ProcessNames | None = None) -> Iterator[NvidiaReader]:
    with stand_in.in_this_process():
        made = NvidiaReader(load_pynvml, names or ProcessNames(nested=False), clock or Clock(), environ={})
        try:
            yield made
        finally:
            made.close()


def test_clocks_are_read_and_not_too_often(stand_in: StandIn) -> None:
    clock = Clock()
    with reader(stand_in, clock) as gpus:
        assert (gpus.read()[0].clock_mhz, gpus.read()[0].memory_clock_mhz) == (1980, 2619)
        stand_in.show([FakeGpu(uuid=two_gpus()[0].uuid, sm_clock=210), two_gpus()[1]])
        assert gpus.read()[0].clock_mhz == 1980
        clock.now += SELDOM_S
        assert gpus.read()[0].clock_mhz == 210


@pytest.mark.parametrize("code", [3, 4, 6, 13, 25])
@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_is_refused_costs_its_own_figure_only(stand_in: StandIn, call: str, code: int) -> None:
    stand_in.show([FakeGpu(errors={call: code}, compute=[(1, GIB)]), two_gpus()[1]])
    with reader(stand_in) as gpus:
        one, two = gpus.read()
    missing = {name for name in FIGURES if getattr(one, name) is None}
    expected = {"memory": {"used_bytes"}, "temperature": {"temperature_c"}, "power": {"power_w"}}
    expected |= {"utilization": {"utilization"}, "clock": {"clock_mhz", "memory_clock_mhz"}}
    assert missing == expected.get(call, set())
    assert one.error is None
    assert len(one.processes) == (0 if call == "processes" else 1)
    assert (two.error, two.used_bytes) == (None, 70 * GIB)


@pytest.mark.parametrize("code", [1, 9, 10, 15, 16, 18])
@pytest.mark.parametrize("call", CALLS[:6])
def test_a_card_that_fails_as_a_whole_keeps_its_row_whichever_call_finds_out(
    stand_in: StandIn, call: str, code: int
) -> None:
    with reader(stand_in) as gpus:
        gpus.read()
        broken = FakeGpu(uuid=two_gpus()[0].uuid, errors={call: code})
        stand_in.show([broken, two_gpus()[1]])
        gpus._clock.now += SELDOM_S  # type: ignore[attr-defined]
        one, two = gpus.read()
    assert one.error
    assert [getattr(one, name) for name in FIGURES] == [None] * len(FIGURES)
    assert (one.name, one.total_bytes, one.uuid) == ("NVIDIA Stand-in 24GB", 24 * GIB, two_gpus()[0].uuid)
    assert (two.error, two.used_bytes) == (None, 70 * GIB)


def test_an_unknown_error_of_a_sensor_is_the_sensors_alone(stand_in: StandIn) -> None:
    stand_in.show([FakeGpu(errors={"temperature": 999, "power": 2}), FakeGpu(uuid="GPU-b", errors={"memory": 999})])
    with reader(stand_in) as gpus:
        one, two = gpus.read()
    assert (one.temperature_c, one.power_w, one.used_bytes, one.error) == (None, None, 3 * GIB, None)
    assert two.error is not None
    assert "Unknown Error" in two.error


@pytest.mark.parametrize("code", [4, 9, 18, 999])
def test_a_driver_that_does_not_list_its_devices_says_why(stand_in: StandIn, code: int) -> None:
    clock = Clock()
    stand_in.show(two_gpus(), count=code)
    with reader(stand_in, clock) as gpus:
        assert gpus.read() == ()
        assert gpus.problem_code == code
        stand_in.show(two_gpus())
        clock.now += REOPEN_S
        assert len(gpus.read()) == 2
        assert gpus.problem is None


def test_a_missing_library_is_told_where_there_is_a_card(tree: Tree, tmp_path: Path) -> None:
    import pynvml

    def missing() -> object:
        raise pynvml.NVMLError(12)

    tree.write({"proc/driver/nvidia/gpus/0000:65:00.0/information": "Model: X\n"})
    shot = Sampler(tree.proc, tree.sys, missing).sample()
    assert shot.nvml_error is not None
    assert "libnvidia-ml.so.1 is not here" in shot.nvml_error


def test_a_process_that_ends_between_listing_and_looking_is_left_out(stand_in: StandIn) -> None:
    class Ending(ProcessNames):
        """While it looks a process up, that process ends."""

        def look(self, pid: int) -> Known:
            known = super().look(pid)
            stand_in.show([FakeGpu(compute=[(os.getpid(), GIB)])])
            return known

    stand_in.show([FakeGpu(compute=[(os.getpid(), GIB), (4_100_000, GIB)])])
    with reader(stand_in, names=Ending(nested=False)) as gpus:
        (row,) = gpus.read()
    assert [p.pid for p in row.processes] == [os.getpid()]


def test_a_pid_that_stays_listed_and_is_nobodys_here_is_foreign(stand_in: StandIn) -> None:
    stand_in.show([FakeGpu(used=3 * GIB, compute=[(os.getpid(), GIB), (4_100_000, GIB)])])
    with reader(stand_in) as gpus:
        (row,) = gpus.read(engine_pids={4_100_000})
    assert [(p.pid, p.foreign, p.mine) for p in row.processes] == [
        (os.getpid(), False, False),
        (4_100_000, True, False),
    ]
    assert row.unattributed_bytes == GIB


def test_what_no_process_accounts_for(stand_in: StandIn) -> None:
    me = os.getpid()
    stand_in.show(
        [
            FakeGpu(uuid="GPU-1"),
            FakeGpu(uuid="GPU-2", compute=[(me, 4 * GIB)]),
            FakeGpu(uuid="GPU-3", compute=[(me, -1)]),
            FakeGpu(uuid="GPU-4", compute=[(me, 0)]),
        ]
    )
    with reader(stand_in) as gpus:
        rows = gpus.read()
    assert [row.unattributed_bytes for row in rows] == [3 * GIB, 0, None, None]
    # WSL answers 0 for what it cannot tell.
    assert rows[3].processes[0].used_bytes is None


def test_in_a_container_a_pid_that_means_somebody_else_here_is_not_named(tree: Tree) -> None:
    tree.write({"proc/7/comm": "bash\n", "proc/8/comm": "python\n", "proc/7/fd/": "", "proc/9/comm": "hidden\n"})
    (tree.folder / "proc/7/fd/0").symlink_to("/dev/null")
    (tree.folder / "proc/8/fd").mkdir()
    (tree.folder / "proc/8/fd/3").symlink_to("/dev/nvidia0")
    nested = ProcessNames(tree.proc, nested=True)
    assert nested.look(7) == Known()
    assert (nested.look(8).name, nested.look(8).here) == ("python", True)
    # Its files cannot be seen: nothing speaks against it.
    assert nested.look(9).here
    assert ProcessNames(tree.proc, nested=False).look(7).name == "bash"


@pytest.mark.parametrize("errors", [{"memory": 3}, {}])
@pytest.mark.parametrize("name", ["NVIDIA GB10", "Orin (nvgpu)", "NVIDIA Thor"])
def test_a_gpu_without_memory_of_its_own_shows_the_one_pool(
    stand_in: StandIn, name: str, errors: dict[str, int]
) -> None:
    me = os.getpid()
    stand_in.show([FakeGpu(name=name, errors=errors, compute=[(me, 6 * GIB), (1, GIB)])])
    with stand_in.in_this_process():
        gpus = NvidiaReader(
            load_pynvml, ProcessNames(nested=False), Clock(), ram=lambda: Ram(128 * GIB, 100 * GIB), environ={}
        )
        (row,) = gpus.read()
        gpus.close()
    assert (row.pool, row.total_bytes, row.used_bytes, row.free_bytes) == ("unified", 128 * GIB, 7 * GIB, 100 * GIB)
    assert row.error is None


def test_a_discrete_card_that_does_not_tell_its_memory_is_no_proof(stand_in: StandIn) -> None:
    stand_in.show([FakeGpu(name="NVIDIA H100 80GB HBM3", errors={"memory": 3})])
    with reader(stand_in) as gpus:
        (row,) = gpus.read()
    assert (row.pool, row.total_bytes, row.free_bytes) == ("own", None, None)


def test_evidence_of_one_pool(tree: Tree) -> None:
    assert not shares_host_memory("NVIDIA GH200 480GB", tree.proc, tree.sys)
    assert not shares_host_memory(None, tree.proc, tree.sys)
    tree.write({"sys/firmware/devicetree/base/compatible": "nvidia,p3737-0000+p3701-0000\0nvidia,tegra234\0"})
    assert shares_host_memory(None, tree.proc, tree.sys)


def test_rows_are_values(stand_in: StandIn) -> None:
    with reader(stand_in) as gpus:
        row = gpus.read()[0]
    with pytest.raises(AttributeError):
        row.used_bytes = 0  # type: ignore[misc]
    assert replace(row, used_bytes=1) != row
    assert Gpu(3, None, None, "nvidia").key == "nvidia3"
    assert GpuProcess(1, None, None, None, False).foreign is False
