"""Rings of the last figures."""

from __future__ import annotations

import pytest

from tui.hardware.history import CPU, RAM, History, Ring
from tui.hardware.snapshot import Cpu, Gpu, Ram, Snapshot


def shot(used: int | None = None, stale: bool = False, *more: Gpu) -> Snapshot:
    gpus = (Gpu(0, "GPU-a", "A", "nvidia", 100, used, utilization=50), *more) if used is not None else more
    return Snapshot(0.0, gpus, Ram(100, 40, 80, "cgroup"), cpu=Cpu(4, None, 7), gpus_stale=stale)


def test_a_ring_keeps_the_newest_in_order() -> None:
    ring = Ring(3)
    assert (ring.last(), len(ring)) == ([], 0)
    for value in (1, None, 3, 4, 5):
        ring.push(value)
    assert ring.last() == [3, 4, 5]
    assert (ring.last(2), ring.last(0), ring.last(99), len(ring)) == ([4, 5], [], [3, 4, 5], 3)
    ring.push(None)
    assert ring.last(2) == [5, None]


@pytest.mark.parametrize("size", [0, -1])
def test_a_ring_holds_something(size: int) -> None:
    ring = Ring(size)
    ring.push(1)
    ring.push(2)
    assert ring.last() == [2]


def test_devices_and_the_host_have_tracks() -> None:
    history = History(10)
    history.add(shot(25))
    history.add(shot(50))
    track, ram, cpu = history.of("GPU-a"), history.of(RAM), history.of(CPU)
    assert track is not None
    assert (track.used.last(), track.share.last(), track.utilization.last()) == ([25, 50], [0.25, 0.5], [50, 50])
    assert ram is not None
    # Of what this process may use: 40 of 80 are left.
    assert ram.share.last() == [0.5, 0.5]
    assert cpu is not None
    assert cpu.utilization.last() == [7, 7]
    assert history.of("GPU-b") is None


def test_stale_figures_and_a_missing_device_are_gaps() -> None:
    history = History(10)
    history.add(shot(25))
    history.add(shot(25, True))
    history.add(shot())
    history.add(shot(30))
    track = history.of("GPU-a")
    assert track is not None
    assert track.used.last() == [25, None, None, 30]


def test_a_device_that_is_gone_for_a_whole_ring_is_forgotten() -> None:
    history = History(3)
    history.add(shot(25))
    for _ in range(3):
        history.add(shot())
    assert history.of("GPU-a") is None
    assert history.of(RAM) is not None


def test_without_a_total_there_is_no_share() -> None:
    history = History()
    history.add(shot(None, False, Gpu(1, None, None, "nvidia", 0, 5), Gpu(2, None, None, "nvidia", None, 5)))
    history.add(Snapshot(0.0))
    for key in ("nvidia1", "nvidia2"):
        track = history.of(key)
        assert track is not None
        assert track.share.last() == [None, None]
    ram = history.of(RAM)
    assert ram is not None
    assert ram.used.last() == [60 - 20, None]
