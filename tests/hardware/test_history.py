"""The last figures of every device."""

from __future__ import annotations

from tests.rigs.nvml import GIB, FakeGpu, StandIn
from tui.hardware.history import BUSIEST, CPU, RAM, SIZE, SWAP, UNKNOWN, History, percent
from tui.hardware.meter.graph import graph
from tui.hardware.meter.marks import UNICODE
from tui.hardware.sampler import Sampler
from tui.hardware.snapshot import Cpu, Gpu, Ram, Snapshot, Swap


def shot(used: int | None = None, *more: Gpu, stale: bool = False, cpu: int | None = 7) -> Snapshot:
    gpus = (Gpu(0, "GPU-a", "A", "nvidia", 100, used, utilization=50), *more) if used is not None else more
    ram, swap = Ram(100, 40, 80, "cgroup"), Swap(200, 50)
    return Snapshot(0.0, gpus, ram, swap, Cpu(4, None, cpu), gpus_stale=stale)


def test_a_card_that_is_lost_leaves_a_gap_in_both_graphs(stand_in: StandIn) -> None:
    clock = iter(range(0, 1000, 10))
    history = History()
    with stand_in.in_this_process() as pynvml:
        sampler = Sampler(nvml=lambda: pynvml, clock=lambda: float(next(clock)))
        stand_in.show([FakeGpu(total=80 * GIB, used=60 * GIB, free=20 * GIB, utilization=90)])
        history.note(sampler.sample())
        stand_in.unload()
        history.note(sampler.sample())
        (lost,) = sampler.sample().gpus
    assert lost.error is not None
    assert list(history.held(lost.key)) == [75, UNKNOWN]
    assert list(history.busy(lost.key)) == [90, UNKNOWN]
    assert graph(history.held(lost.key), 4, UNICODE.levels)[0].endswith(" ")


def test_devices_and_the_host_have_series() -> None:
    history = History()
    history.note(shot(25, Gpu(1, "GPU-b", "B", "nvidia", 100, 10, utilization=90)))
    history.note(shot(50, Gpu(1, "GPU-b", "B", "nvidia", 100, 10, utilization=20)))
    assert (list(history.held("GPU-a")), list(history.busy("GPU-a"))) == ([25, 50], [50, 50])
    # Of what this process may use: 40 of 80 are left.
    assert (list(history.held(RAM)), list(history.held(SWAP)), list(history.busy(CPU))) == ([50] * 2, [25] * 2, [7] * 2)
    assert list(history.busy(BUSIEST)) == [90, 50]
    assert history.busy("GPU-c") == history.held("GPU-c") == b""


def test_the_newest_are_kept() -> None:
    history = History()
    for used in range(SIZE + 3):
        history.note(shot(used % 100))
    assert len(history.held("GPU-a")) == SIZE
    assert list(history.held("GPU-a")[-3:]) == [used % 100 for used in range(SIZE, SIZE + 3)]


def test_stale_figures_and_what_cannot_be_told_are_gaps() -> None:
    history = History()
    history.note(shot(25))
    history.note(shot(25, stale=True))
    history.note(Snapshot(0.0, (Gpu(0, "GPU-a", "A", "nvidia", error="lost"),)))
    history.note(shot(30))
    assert list(history.held("GPU-a")) == [25, UNKNOWN, UNKNOWN, 30]
    assert list(history.busy("GPU-a")) == [50, UNKNOWN, UNKNOWN, 50]
    assert list(history.held(RAM)) == [50, 50, UNKNOWN, 50]


def test_the_busiest_is_the_processor_only_where_there_is_no_gpu() -> None:
    history = History()
    history.note(shot())
    history.note(shot(25, stale=True))
    history.note(shot(cpu=None))
    assert list(history.busy(BUSIEST)) == [7, UNKNOWN, UNKNOWN]


def test_a_device_that_is_no_longer_listed_is_forgotten() -> None:
    history = History()
    history.note(shot(25))
    history.note(shot())
    assert history.held("GPU-a") == b""


def test_a_share_is_told_of_something_only() -> None:
    assert [percent(1, 4), percent(9, 4), percent(-1, 4), percent(None, 4), percent(1, None), percent(1, 0)] == [
        25, 100, 0, None, None, None,
    ]  # fmt: skip
