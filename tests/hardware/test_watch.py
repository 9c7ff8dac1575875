"""A driver that hangs holds nobody up: old rows are marked with their age, and RAM stays fresh."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.hardware.conftest import Clock, Tree
from tests.rigs.nvml import GIB, FakeGpu, StandIn, two_gpus
from tests.rigs.trees import unpack
from tui.hardware.nvml import load_pynvml
from tui.hardware.sampler import Sampler
from tui.hardware.snapshot import Disk, Gpu, Snapshot, to_json
from tui.hardware.watch import BUDGET_S, DISK_PATIENCE_S, DISK_S, FIRST_S, Watch

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0
"""Longer than any reading takes; no test waits that long."""


@pytest.fixture
def machine(tree: Tree) -> Tree:
    unpack("no_limit", tree.folder)
    return tree


@contextmanager
def watching(stand_in: StandIn, tree: Tree, clock: Clock) -> Iterator[Watch]:
    with stand_in.in_this_process():
        made = Watch(Sampler(tree.proc, tree.sys, load_pynvml, clock), clock=clock)
        try:
            yield made
        finally:
            stand_in.show(two_gpus())
            made.close()


def settled(watch: Watch) -> Snapshot:
    """The next snapshot whose GPU rows have just been measured."""
    watch.sample(wait_s=PATIENCE_S)
    return watch.sample(wait_s=PATIENCE_S)


def test_while_all_is_well_rows_are_fresh(stand_in: StandIn, machine: Tree) -> None:
    with watching(stand_in, machine, Clock()) as watch:
        shot = watch.sample(wait_s=PATIENCE_S)
    assert [gpu.used_bytes for gpu in shot.gpus] == [3 * GIB, 70 * GIB]
    assert (shot.gpus_stale, shot.gpus_age_s, shot.nvml_error) == (False, 0.0, None)
    assert shot.ram.available_bytes == 24 * GIB


def test_a_hanging_call_leaves_the_last_rows_with_their_age_and_fresh_ram(stand_in: StandIn, machine: Tree) -> None:
    clock = Clock()
    with watching(stand_in, machine, clock) as watch:
        settled(watch)
        stand_in.show([FakeGpu(uuid=two_gpus()[0].uuid, hangs=["memory"]), two_gpus()[1]])
        watch.sample(wait_s=0)
        clock.now += 7.0
        text = (machine.folder / "proc/meminfo").read_text()
        machine.write({"proc/meminfo": text.replace("25165824", "1024")})
        # Waits for nothing: the driver is late already.
        shot = watch.sample(wait_s=PATIENCE_S)
        assert shot.gpus_stale
        assert shot.gpus_age_s == 7.0
        assert [gpu.used_bytes for gpu in shot.gpus] == [3 * GIB, 70 * GIB]
        assert shot.ram.available_bytes == 1024 * 1024
        assert "has not answered for 7 s" in to_json(shot)["gpus"][0]["error"]
        stand_in.show([FakeGpu(uuid=two_gpus()[0].uuid, used=4 * GIB), two_gpus()[1]])
        assert watch._gpus.wait(PATIENCE_S)
        shot = watch.sample(wait_s=PATIENCE_S)
    assert not shot.gpus_stale
    assert shot.gpus[0].used_bytes == 4 * GIB


def test_a_driver_that_hangs_while_it_is_opened(stand_in: StandIn, machine: Tree) -> None:
    clock = Clock()
    stand_in.show(two_gpus(), init_hangs=True)
    with watching(stand_in, machine, clock) as watch:
        shot = watch.sample(wait_s=0)
        # Opening may take a while; that alone is no fault.
        assert (shot.gpus, shot.gpus_stale, shot.nvml_error) == ((), False, None)
        clock.now += FIRST_S
        shot = watch.sample(wait_s=PATIENCE_S)
        assert (shot.gpus, shot.gpus_stale, shot.gpus_age_s) == ((), True, FIRST_S)
        assert shot.nvml_error is not None
        assert "does not answer" in shot.nvml_error
        assert shot.ram.total_bytes == 32 * GIB
        stand_in.show(two_gpus())
        assert watch._gpus.wait(PATIENCE_S)
        shot = watch.sample(wait_s=PATIENCE_S)
    assert (len(shot.gpus), shot.nvml_error) == (2, None)


def test_asking_without_waiting_gives_the_rows_of_the_time_before(stand_in: StandIn, machine: Tree) -> None:
    clock = Clock()
    with watching(stand_in, machine, clock) as watch:
        settled(watch)
        stand_in.show([FakeGpu(used=5 * GIB)])
        clock.now += 1.0
        before = watch.sample(wait_s=0)
        assert watch._gpus.wait(PATIENCE_S)
        after = watch.sample(wait_s=PATIENCE_S)
    assert not before.gpus_stale
    assert after.gpus[0].used_bytes == 5 * GIB


def test_a_reader_that_breaks_is_told_by_age(machine: Tree) -> None:
    clock = Clock()

    class Breaking(Sampler):
        """A sampler whose second look at the GPUs fails in a way nobody thought of."""

        looks = 0

        def gpus(self, engine_pids: Collection[int] = ()) -> tuple[Gpu, ...]:
            self.looks += 1
            if self.looks > 1:
                raise ZeroDivisionError
            return (Gpu(0, "GPU-x", "X", "nvidia"),)

    watch = Watch(Breaking(machine.proc, machine.sys, None), clock=clock)
    assert not watch.sample(wait_s=PATIENCE_S).gpus_stale
    clock.now += 3.0
    shot = watch.sample(wait_s=PATIENCE_S)
    watch.close()
    assert (shot.gpus_stale, shot.gpus_age_s, len(shot.gpus)) == (True, 3.0, 1)


def test_closing_waits_for_nobody(stand_in: StandIn, machine: Tree) -> None:
    with stand_in.in_this_process():
        watch = Watch(Sampler(machine.proc, machine.sys, load_pynvml))
        settled(watch)
        stand_in.show([FakeGpu(hangs=["memory"])])
        watch.sample(wait_s=0)
        watch.close()
        left = [thread for thread in threading.enumerate() if thread.name == "measure GPUs"]
        assert all(thread.daemon for thread in left)
        stand_in.show(two_gpus())
        for thread in left:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def test_the_room_for_models_is_told_of_a_folder_that_is_not_there_yet(machine: Tree) -> None:
    watch = Watch(Sampler(machine.proc, machine.sys, None), disk_folder=lambda: str(machine.folder / "not/yet"))
    watch.sample(wait_s=PATIENCE_S)
    assert watch._disk.wait(PATIENCE_S)
    found = watch.sample(wait_s=PATIENCE_S).disk
    watch.close()
    assert found is not None
    assert found.free_bytes is not None
    assert found.total_bytes is not None
    assert 0 <= found.free_bytes <= found.total_bytes


class Mount:
    """A file system that answers when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers = threading.Event()

    def __call__(self, folder: str) -> Disk:
        self.asked += 1
        assert self.answers.wait(PATIENCE_S)
        assert folder == "/models"
        return Disk(100 * GIB, self.asked * GIB)


def test_the_disk_is_asked_now_and_then_and_a_silent_one_holds_nobody_up(
    machine: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, mount = Clock(), Mount()
    monkeypatch.setattr("tui.hardware.disk.disk", mount)
    mount.answers.set()
    watch = Watch(Sampler(machine.proc, machine.sys, None, clock), disk_folder=lambda: "/models", clock=clock)
    watch.sample(wait_s=0)
    assert watch._disk.wait(PATIENCE_S)
    for _ in range(5):
        assert watch.sample(wait_s=0).disk == Disk(100 * GIB, GIB)
        clock.now += DISK_S / 5 - 0.1
    assert mount.asked == 1
    mount.answers.clear()
    clock.now += 1.0
    # It is asked again; until it has been silent for a while, what it said last holds.
    assert watch.sample(wait_s=0).disk == Disk(100 * GIB, GIB)
    clock.now += DISK_PATIENCE_S
    shot = watch.sample(wait_s=0)
    assert shot.disk == Disk()
    assert shot.ram.total_bytes == 32 * GIB
    mount.answers.set()
    assert watch._disk.wait(PATIENCE_S)
    assert watch.sample(wait_s=0).disk == Disk(100 * GIB, 2 * GIB)
    watch.close()


@pytest.fixture
def threads_refused() -> Iterator[None]:
    """No thread can be started, as for somebody who may have no more of them: none has room for so large a stack."""
    before = threading.stack_size(1 << 47)
    yield
    threading.stack_size(before)


@pytest.mark.usefixtures("threads_refused")
def test_without_threads_gpus_are_measured_by_who_asks_and_the_disk_is_left_out(
    stand_in: StandIn, machine: Tree
) -> None:
    with pytest.raises(RuntimeError):
        threading.Thread(target=print).start()
    with stand_in.in_this_process(), stand_in.calls() as calls:
        watch = Watch(Sampler(machine.proc, machine.sys, load_pynvml), disk_folder=lambda: "/")
        shot = watch.sample()
        assert [gpu.used_bytes for gpu in shot.gpus] == [3 * GIB, 70 * GIB]
        assert (shot.gpus_stale, shot.disk, shot.ram.total_bytes) == (False, None, 32 * GIB)
        # As soon as there are threads again, it has its own.
        threading.stack_size(0)
        watch.sample(wait_s=PATIENCE_S)
        assert {"measure GPUs", "measure disk"} <= {thread.name for thread in threading.enumerate()}
        calls()
        watch.close()
        assert "shutdown" in calls()


@pytest.mark.usefixtures("threads_refused")
def test_without_threads_the_driver_is_let_go_of_too(stand_in: StandIn, machine: Tree) -> None:
    with stand_in.in_this_process(), stand_in.calls() as calls:
        watch = Watch(Sampler(machine.proc, machine.sys, load_pynvml))
        watch.sample()
        calls()
        watch.close()
        assert "shutdown" in calls()


HANGING = """
import sys
from tui.hardware.watch import Watch
watch = Watch()
shot = watch.sample(wait_s=0)
print(shot.ram.total_bytes, len(shot.gpus), flush=True)
"""


def test_a_program_ends_though_its_driver_hangs(stand_in: StandIn) -> None:
    stand_in.show(two_gpus(), init_hangs=True)
    ran = subprocess.run(
        [sys.executable, "-c", HANGING], env=stand_in.environ, capture_output=True, text=True, cwd=ROOT, check=True
    )
    total, gpus = ran.stdout.split()
    assert int(total) > 0
    assert gpus == "0"
    assert BUDGET_S < FIRST_S
