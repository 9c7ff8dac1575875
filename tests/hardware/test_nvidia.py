"""NVIDIA rows against the stand-in library: live figures, errors of a device, errors of one figure, loss and return."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.rigs.nvml import GIB, FakeGpu, StandIn, two_gpus
from tui.hardware.nvidia import REOPEN_S, NvidiaReader
from tui.hardware.nvidia_rows import SELDOM_S
from tui.hardware.nvml import load_pynvml


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def reader(stand_in: StandIn, clock: Clock | None = None) -> Iterator[NvidiaReader]:
    with stand_in.in_this_process():
        made = NvidiaReader(load_pynvml, clock=clock or Clock())
        try:
            yield made
        finally:
            made.close()


def test_two_cards_with_the_second_versions_figures(stand_in: StandIn) -> None:
    with reader(stand_in) as gpus:
        one, two = gpus.read()
    assert (one.index, one.uuid, one.name, one.vendor) == (
        0,
        "GPU-aaaaaaaa-0000-0000-0000-000000000000",
        "NVIDIA Stand-in 24GB",
        "nvidia",
    )
    # Used is without what the driver reserves, and free is not total minus used.
    assert (one.total_bytes, one.used_bytes, one.free_bytes) == (24 * GIB, 3 * GIB, 20 * GIB)
    assert (one.utilization, one.temperature_c, one.power_w) == (37, 61, 215.5)
    assert one.error is None
    assert (two.index, two.utilization, two.power_w) == (1, 99, 690.0)


def test_the_meter_moves_while_it_is_watched(stand_in: StandIn) -> None:
    with reader(stand_in) as gpus:
        assert gpus.read()[0].used_bytes == 3 * GIB
        stand_in.show([FakeGpu(used=5 * GIB, free=18 * GIB), two_gpus()[1]])
        row = gpus.read()[0]
    assert (row.used_bytes, row.free_bytes) == (5 * GIB, 18 * GIB)


def test_compute_and_graphics_processes_are_merged_by_pid(stand_in: StandIn) -> None:
    me, parent = os.getpid(), os.getppid()
    stand_in.show([FakeGpu(compute=[(me, 2 * GIB), (4_100_000, 5)], graphics=[(me, 2 * GIB), (parent, -1)])])
    with reader(stand_in) as gpus:
        (row,) = gpus.read(engine_pids={me})
        assert [p.mine for p in gpus.read()[0].processes] == [False, False, False]
    assert [(p.pid, p.used_bytes, p.mine) for p in row.processes] == [
        (me, 2 * GIB, True),
        (4_100_000, 5, False),
        (parent, None, False),
    ]
    assert row.processes[0].name
    assert row.processes[0].user
    # A pid of the host, seen from a container.
    assert (row.processes[1].name, row.processes[1].user) == (None, None)


def test_a_process_that_begins_to_draw_is_found_a_little_later(stand_in: StandIn) -> None:
    me, clock = os.getpid(), Clock()
    stand_in.show([FakeGpu(compute=[(os.getppid(), GIB)])])
    with reader(stand_in, clock) as gpus:
        assert [p.pid for p in gpus.read()[0].processes] == [os.getppid()]
        stand_in.show([FakeGpu(graphics=[(me, GIB)])])
        clock.now += SELDOM_S
        assert [p.pid for p in gpus.read()[0].processes] == [me]
        stand_in.show([FakeGpu(graphics=[(me, 2 * GIB)])])
        assert [p.used_bytes for p in gpus.read()[0].processes] == [2 * GIB]
        stand_in.show([FakeGpu()])
        assert gpus.read()[0].processes == ()


def test_where_nothing_is_drawn_it_is_not_asked_every_time_but_compute_is(stand_in: StandIn) -> None:
    me, clock = os.getpid(), Clock()
    with reader(stand_in, clock) as gpus:
        gpus.read()
        stand_in.show([FakeGpu(uuid=two_gpus()[0].uuid, compute=[(me, GIB)], graphics=[(os.getppid(), GIB)])])
        assert [p.pid for p in gpus.read()[0].processes] == [me]


@pytest.mark.parametrize(
    ("call", "code", "empty"),
    [
        ("temperature", 3, "temperature_c"),
        ("power", 4, "power_w"),
        ("utilization", 3, "utilization"),
        ("memory", 3, "used_bytes"),
        ("memory", 3, "free_bytes"),
        ("name", 3, "name"),
        ("uuid", 4, "uuid"),
    ],
)
def test_a_figure_that_cannot_be_told_is_none_and_the_rest_stays(
    stand_in: StandIn, call: str, code: int, empty: str
) -> None:
    stand_in.show([FakeGpu(errors={call: code}), two_gpus()[1]])
    with reader(stand_in) as gpus:
        one, two = gpus.read()
    assert getattr(one, empty) is None
    assert one.error is None
    others = {"temperature_c": 61, "power_w": 215.5, "utilization": 37}
    assert {key: getattr(one, key) for key in others if key != empty} == {k: v for k, v in others.items() if k != empty}
    assert two.utilization == 99


def test_processes_that_may_not_be_listed_are_none_of_them(stand_in: StandIn) -> None:
    stand_in.show([FakeGpu(errors={"processes": 4}, compute=[(1, 5)])])
    with reader(stand_in) as gpus:
        (row,) = gpus.read()
    assert row.processes == ()
    assert row.error is None


def test_a_lost_gpu_keeps_its_row_and_the_other_one_its_figures(stand_in: StandIn) -> None:
    with reader(stand_in) as gpus:
        gpus.read()
        stand_in.show([FakeGpu(uuid=two_gpus()[0].uuid, errors={"all": 15}), two_gpus()[1]])
        one, two = gpus.read()
    assert (one.index, one.name, one.total_bytes) == (0, "NVIDIA Stand-in 24GB", 24 * GIB)
    assert (one.used_bytes, one.free_bytes, one.utilization) == (None, None, None)
    assert one.error is not None
    assert "lost" in one.error
    assert two.used_bytes == 70 * GIB


def test_a_gpu_lost_in_the_middle_of_a_reading_shows_no_half_row(stand_in: StandIn) -> None:
    stand_in.show([FakeGpu(errors={"power": 15})])
    with reader(stand_in) as gpus:
        (row,) = gpus.read()
    assert row.used_bytes is None
    assert row.error is not None


def test_a_gpu_that_comes_back_is_noticed(stand_in: StandIn) -> None:
    clock = Clock()
    with reader(stand_in, clock) as gpus:
        gpus.read()
        broken = FakeGpu(uuid=two_gpus()[0].uuid, errors={"all": 15, "handle": 15})
        stand_in.show([broken, two_gpus()[1]])
        assert gpus.read()[0].error is not None
        clock.now += REOPEN_S
        # Opened again while it is still lost: the row is remembered by its place.
        row = gpus.read()[0]
        assert (row.uuid, row.total_bytes) == (two_gpus()[0].uuid, 24 * GIB)
        assert row.error is not None
        stand_in.show(two_gpus())
        clock.now += REOPEN_S
        row = gpus.read()[0]
    assert row.error is None
    assert row.used_bytes == 3 * GIB


def test_a_gpu_that_the_driver_no_longer_lists_keeps_its_row(stand_in: StandIn) -> None:
    clock = Clock()
    with reader(stand_in, clock) as gpus:
        gpus.read()
        stand_in.show([two_gpus()[0]])
        assert len(gpus.read()) == 2
        clock.now += REOPEN_S
        one, two = gpus.read()
    assert one.error is None
    assert two.name == "NVIDIA Stand-in 80GB"
    assert two.error is not None
    assert "gone" in two.error or "driver" in two.error


def test_the_driver_goes_and_comes_back(stand_in: StandIn) -> None:
    clock = Clock()
    with reader(stand_in, clock) as gpus:
        gpus.read()
        stand_in.unload()
        rows = gpus.read()
        assert [row.error is None for row in rows] == [False, False]
        clock.now += REOPEN_S
        assert len(gpus.read()) == 2
        assert gpus.problem is not None
        stand_in.show(two_gpus())
        clock.now += REOPEN_S
        assert [row.error for row in gpus.read()] == [None, None]
        assert gpus.problem is None


@pytest.mark.parametrize(
    ("code", "word", "fix"),
    [
        (4, "refuses", "group"),
        (9, "not loaded", "modprobe"),
        (12, "libnvidia-ml.so.1", "install"),
        (18, "updated", "restart"),
        (999, "failed", "nvidia-smi"),
    ],
)
def test_a_driver_that_does_not_open_says_why_and_what_to_do(stand_in: StandIn, code: int, word: str, fix: str) -> None:
    stand_in.show(two_gpus(), init=code)
    with reader(stand_in) as gpus:
        assert gpus.read() == ()
        assert gpus.problem is not None
        assert word in gpus.problem.what
        assert fix in gpus.problem.fix
        assert gpus.problem_code == code


def test_sixteen_cards_one_of_them_without_memory(stand_in: StandIn) -> None:
    stand_in.show([FakeGpu(uuid=f"GPU-{n}", total=0 if n == 7 else GIB) for n in range(16)])
    with reader(stand_in) as gpus:
        rows = gpus.read()
    assert [row.index for row in rows] == list(range(16))
    assert rows[7].total_bytes == 0


def test_a_name_with_escape_sequences_is_cleaned(stand_in: StandIn) -> None:
    stand_in.show([FakeGpu(name="Bad\x1b]0;title\x07 card")])
    with reader(stand_in) as gpus:
        (row,) = gpus.read()
    assert row.name == "Bad card"


def test_an_old_driver_without_the_second_memory_call(stand_in: StandIn) -> None:
    class Old:
        """A library that lacks what came later."""

        def __init__(self, real: Any) -> None:
            self._real = real

        def __getattr__(self, name: str) -> Any:
            if name == "nvmlDeviceGetMemoryInfo_v2":
                raise AttributeError(name)
            return getattr(self._real, name)

    with stand_in.in_this_process() as pynvml:
        pynvml.nvmlLib = Old(pynvml.nvmlLib)
        gpus = NvidiaReader(lambda: pynvml, clock=Clock())
        rows = gpus.read()
        again = gpus.read()
        gpus.close()
    assert rows[0].used_bytes == again[0].used_bytes == 3 * GIB + (512 << 20)
    assert rows[0].free_bytes == 20 * GIB


def test_figures_of_the_first_version_never_stand_in_for_those_of_the_second(stand_in: StandIn) -> None:
    with reader(stand_in) as gpus:
        gpus.read()
        stand_in.show([FakeGpu(uuid=two_gpus()[0].uuid, errors={"memory_v2": 3}), two_gpus()[1]])
        one, two = gpus.read()
        assert (one.used_bytes, one.error, two.used_bytes) == (None, None, 70 * GIB)
        stand_in.show(two_gpus())
        assert [row.used_bytes for row in gpus.read()] == [3 * GIB, 70 * GIB]


@pytest.mark.parametrize("kind", ["compute", "graphics"])
def test_more_processes_than_ever_before_are_all_listed(stand_in: StandIn, kind: str) -> None:
    clock = Clock()
    with reader(stand_in, clock) as gpus:
        for count in (0, 3, 64, 1):
            held = [(4_100_000 + number, (number + 1) * 1000) for number in range(count)]
            card = FakeGpu(uuid=two_gpus()[0].uuid)
            setattr(card, kind, held)
            stand_in.show([card, two_gpus()[1]])
            clock.now += SELDOM_S
            one, two = gpus.read()
            assert {process.pid: process.used_bytes for process in one.processes} == dict(held)
            assert two.processes == ()


def test_without_pynvml_there_are_no_rows() -> None:
    def missing() -> Any:
        raise ImportError("no pynvml here")

    gpus = NvidiaReader(missing)
    assert gpus.read() == ()
    assert gpus.problem is not None
    assert "nvidia-ml-py" in str(gpus.problem)
