"""A crash card tells what others took on a GPU since the load, and never counts our own engines."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.rig import LLAMA, Bench, World, home_paths, workbench, write_config
from tests.rigs.nvml import GIB, FakeGpu, StandIn
from tui.app.app import Opening
from tui.app.flows.others import Others
from tui.engine.registry import Entry
from tui.hardware.snapshot import Gpu, GpuProcess, Snapshot


def card(ours: int, others: int) -> FakeGpu:
    """A card on which this process, listed as an engine, and its parent hold so many GiB."""
    held = [(os.getpid(), ours * GIB), (os.getppid(), others * GIB)]
    return FakeGpu(used=(ours + others) * GIB, compute=[one for one in held if one[1]])


async def measured(bench: Bench, used_gib: int) -> None:
    """Wait for a look that began after now and found this."""
    now = time.time()

    def fresh() -> bool:
        shot = bench.app.desk.machine
        return shot is not None and shot.time - shot.gpus_age_s > now and shot.gpus[0].used_bytes == used_gib * GIB

    await bench.until(fresh)


@pytest.mark.parametrize(("ours", "others", "told"), [(8, 7, "took 6.0 GiB more on"), (14, 1, "")])
async def test_only_what_others_took_since_the_load_is_told(
    tmp_path: Path, stand_in: StandIn, ours: int, others: int, told: str
) -> None:
    write_config(tmp_path, "[monitor]\ninterval_s = 0.2\n")
    world = World()
    world.load_gate = asyncio.Event()
    stand_in.show([card(0, 1)])
    with stand_in.in_this_process():
        async with workbench(tmp_path, world, watch=True, opening=Opening(view="chat")) as bench:
            await measured(bench, 1)
            bench.app.desk.loading.load(LLAMA)
            await bench.until(lambda: bench.app.desk.loading.loading)
            Entry(home_paths(tmp_path).engines_dir, model="tiny-llama", n_ctx=512)
            stand_in.show([card(8, 1)])
            world.load_gate.set()
            await bench.until(lambda: bench.app.desk.loading.ready)
            await measured(bench, 9)
            stand_in.show([card(ours, others)])
            await measured(bench, ours + others)
            bench.world.engine.die()
            await bench.shows("the engine stopped")
            assert ("Other processes took" in bench.text()) == bool(told)
            assert told in bench.text()


def shot(at: float, *used_gib: int, age_s: float = 0.0, mine_gib: int = 0) -> Snapshot:
    """Cards of one name, of which the first holds an engine of ours."""
    own = (GpuProcess(7, "engine", "me", mine_gib * GIB, True),)
    gpus = tuple(
        Gpu(index, f"GPU-{index}", "H200", "nvidia", 141 * GIB, used * GIB, (141 - used) * GIB, processes=own)
        for index, used in enumerate(used_gib)
    )
    return Snapshot(at, (gpus[0], *(replace(gpu, processes=()) for gpu in gpus[1:])), gpus_age_s=age_s)


def test_cards_of_one_name_are_told_apart() -> None:
    others = Others()
    others.loaded(10.0)
    others.seen(shot(11.0, 10, 100, mine_gib=8))
    others.seen(shot(12.0, 40, 100, mine_gib=8))
    assert others.suspects() == ("Other processes took 30.0 GiB more on H200 since the load.",)


def test_what_was_measured_before_the_load_was_complete_does_not_count() -> None:
    others = Others()
    others.loaded(10.0)
    others.seen(shot(9.0, 1))
    others.seen(shot(10.5, 1, age_s=2.0))
    assert others.suspects() == ()
    others.seen(shot(11.0, 60))
    assert others.suspects() == ()
    others.loaded(20.0)
    assert others.suspects() == (), "another model, another beginning"
