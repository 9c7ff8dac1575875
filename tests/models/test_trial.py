"""A trial of a model's speed without its weights, from the plan to the measurement that is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.rigs.gguf_maker import tiny_model
from tui.config.paths import Paths, paths
from tui.config.settings import Settings
from tui.fit.phantom import NoRoom
from tui.hardware.snapshot import Cpu, EngineMemory, Ram, Snapshot
from tui.library.single import entry_for
from tui.llama.settings import LoadSettings
from tui.models.fitting import Fitting
from tui.models.lessons import learnt
from tui.models.subject import Subject, subject_of
from tui.models.trial import try_speed

GIB = 1 << 30


@pytest.fixture
def here(tmp_path: Path) -> Paths:
    return paths({"PUNA_HOME": str(tmp_path / "home")})


@pytest.fixture
async def fitting(here: Paths) -> AsyncIterator[Fitting]:
    made = Fitting(here)
    yield made
    await made.close()


@pytest.fixture
def tiny(tmp_path: Path) -> Subject:
    return subject_of(entry_for(tiny_model(tmp_path / "tiny.gguf")), tmp_path / "headers")


def machine(available: int) -> Snapshot:
    return Snapshot(time=1.0, ram=Ram(64 * GIB, available), cpu=Cpu(cores=2))


@pytest.mark.live
async def test_what_was_tried_is_remembered_for_this_file(fitting: Fitting, here: Paths, tiny: Subject) -> None:
    tried = await try_speed(fitting, here, tiny, LoadSettings(n_ctx=512), Settings(), machine(60 * GIB))
    (kept,) = learnt(here).speeds.measurements
    assert (kept.model, kept.kind, kept.decode_tok_s, kept.n_past) == (
        tiny.identity,
        "phantom",
        tried.decode_tok_s,
        tried.n_past,
    )


async def test_nothing_is_tried_that_does_not_fit(fitting: Fitting, here: Paths, tiny: Subject) -> None:
    """What an engine holds that would make room for a load is room for the plan, but it is not there yet."""
    full = replace(machine(GIB), engines=(EngineMemory(77, anon_bytes=30 * GIB),))
    for snapshot, leaving in ((machine(GIB), None), (full, 77)):
        with pytest.raises(NoRoom, match="fit") as refusal:
            await try_speed(fitting, here, tiny, LoadSettings(n_ctx=512), Settings(), snapshot, leaving)
        assert refusal.value.over_bytes > 0
    assert learnt(here).speeds.measurements == ()
