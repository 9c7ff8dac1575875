"""What this machine has taught, between two runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.config.paths import Paths, paths
from tui.fit.receipts import LoadRecord, Parts
from tui.llama.receipt import DeviceBytes
from tui.models import lessons
from tui.models.lessons import keep_load, keep_speed, learnt, speeds
from tui.models.machine import Lessons


@pytest.fixture
def here(tmp_path: Path) -> Paths:
    return paths({"PUNA_HOME": str(tmp_path)})


def load(number: int) -> LoadRecord:
    nothing = DeviceBytes(name="host")
    host = Parts(name="host", predicted=nothing, allocated=nothing)
    return LoadRecord(time=float(number), model="m", settings={"n_ctx": 512}, source="dry-run", host=host)


def test_nothing_is_known_at_first(here: Paths) -> None:
    assert learnt(here) == Lessons()


def test_loads_and_speeds_come_back(here: Paths) -> None:
    keep_load(here, load(1))
    keep_load(here, load(2))
    speeds(here).keep_bandwidth(ram_bytes_s=3e10)
    keep_speed(here, None)
    found = learnt(here)
    assert found.loads == (load(1), load(2))
    assert found.speeds.ram_bytes_s == 3e10
    assert found.speeds.measurements == ()


def test_another_machine_with_the_same_home_learns_by_itself(here: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_load(here, load(1))
    speeds(here).keep_bandwidth(ram_bytes_s=3e10)
    monkeypatch.setattr(lessons, "machine_identity", lambda: "another computer, 64 cores")
    assert learnt(here) == Lessons()
    keep_load(here, load(2))
    assert learnt(here).loads == (load(2),)
    monkeypatch.undo()
    assert learnt(here).loads == (load(1),)


def test_old_loads_go(here: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "MOST_LOADS", 2)
    for number in range(4):
        keep_load(here, load(number))
    assert learnt(here).loads == (load(2), load(3))


def test_a_damaged_cache_counts_as_empty_and_one_in_the_way_is_let_go(here: Paths) -> None:
    keep_load(here, load(1))
    for file in here.cache.glob("loads-*.json"):
        file.write_text("{not json")
    assert learnt(here) == Lessons()
    keep_load(here, load(2))
    assert learnt(here).loads == (load(2),)


def test_a_cache_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in the way")
    here = paths({"PUNA_HOME": str(tmp_path)})
    keep_load(here, load(1))
    assert learnt(here) == Lessons()
