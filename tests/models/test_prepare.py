"""The look at the machine before a load: our own engines are known, and no driver holds it up."""

from __future__ import annotations

import os
from pathlib import Path

from tests.rigs.nvml import GIB, FakeGpu, StandIn
from tui.config.paths import paths
from tui.engine.registry import Entry
from tui.hardware.watch import SILENT
from tui.models.prepare import look


def test_engines_of_this_user_are_known_as_ours(tmp_path: Path, stand_in: StandIn) -> None:
    here = paths({"PUNA_HOME": str(tmp_path)})
    stranger = os.getppid()
    stand_in.show([FakeGpu(compute=[(os.getpid(), 2 * GIB), (stranger, GIB)])])
    Entry(here.engines_dir, model="tiny", n_ctx=512)
    with stand_in.in_this_process():
        (gpu,) = look(here).gpus
    assert {process.pid: process.mine for process in gpu.processes} == {os.getpid(): True, stranger: False}


def test_a_driver_that_hangs_does_not_hold_up_a_load(tmp_path: Path, stand_in: StandIn) -> None:
    stand_in.show([FakeGpu()], init_hangs=True)
    with stand_in.in_this_process():
        shot = look(paths({"PUNA_HOME": str(tmp_path)}))
        stand_in.show([FakeGpu()])
    assert (shot.gpus, shot.nvml_error) == ((), SILENT)
    assert shot.ram.available_bytes
