"""What is kept between runs: by machine, bounded, merged with other copies, and never a reason to fail."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import msgspec
import pytest

from tui.fit.measured import (
    MOST_ALIKE,
    MOST_MACHINES,
    MOST_MEASUREMENTS,
    VERSION,
    Known,
    MeasuredPart,
    Measurement,
    SpeedStore,
)

ONE = Measurement(
    model="org/repo/file.gguf",
    settings="(0,)",
    architecture="llama",
    parameters=135,
    active_parameters=135,
    parts=(MeasuredPart("host", 1e8, 31.0),),
    kind="answer",
    time=1.0,
    n_past=40,
    decode_tok_s=90.5,
)


def store(file: Path, machine: str = "here", now: float = 100.0) -> SpeedStore:
    return SpeedStore(file, machine, clock=lambda: now)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "speed.json"


def test_nothing_is_known_before_anything_was_measured(file: Path) -> None:
    assert store(file).read() == Known()
    assert not file.parent.exists()


def test_what_is_recorded_is_read_by_another_copy(file: Path) -> None:
    store(file).record(ONE)
    store(file).keep_bandwidth(ram_bytes_s=30e9, device_bytes_s={"A card": 1e12, "broken": 0.0})
    known = store(file).read()
    assert known == Known(ram_bytes_s=30e9, device_bytes_s={"A card": 1e12}, measurements=(ONE,), time=100.0)


def test_of_two_bandwidths_the_higher_stays(file: Path) -> None:
    store(file).keep_bandwidth(ram_bytes_s=30e9, device_bytes_s={"A card": 2e12})
    store(file).keep_bandwidth(ram_bytes_s=20e9, device_bytes_s={"A card": 1e12, "B card": 1e12})
    known = store(file).read()
    assert (known.ram_bytes_s, known.device_bytes_s) == (30e9, {"A card": 2e12, "B card": 1e12})


def test_machines_that_share_a_home_are_kept_apart(file: Path) -> None:
    store(file, "here").record(ONE)
    assert store(file, "there").read() == Known()
    for index in range(MOST_MACHINES):
        store(file, f"node{index}", now=200.0 + index).keep_bandwidth(ram_bytes_s=1e9)
    assert store(file, "here").read() == Known()
    assert store(file, "node0").read().ram_bytes_s == 1e9


def test_the_newest_of_one_model_with_one_set_of_settings_are_kept(file: Path) -> None:
    here = store(file)
    other = msgspec.structs.replace(ONE, settings="(1,)")
    here.record(other)
    for time in range(MOST_ALIKE + 3):
        here.record(msgspec.structs.replace(ONE, time=float(time)))
    kept = here.read().measurements
    assert kept[0] == other
    assert [one.time for one in kept[1:]] == [float(time) for time in range(3, MOST_ALIKE + 3)]


def test_the_file_is_bounded(file: Path) -> None:
    many = tuple(msgspec.structs.replace(ONE, model=f"model {index}") for index in range(MOST_MEASUREMENTS))
    file.parent.mkdir()
    file.write_bytes(msgspec.json.encode({"version": VERSION, "machines": {"here": Known(measurements=many)}}))
    store(file).record(ONE)
    kept = store(file).read().measurements
    assert len(kept) == MOST_MEASUREMENTS
    assert (kept[0].model, kept[-1].model) == ("model 1", ONE.model)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[]", b"null", json.dumps({"version": 99}).encode(), b'{"version": 1, "machines": 7}'],
)
def test_a_damaged_file_is_empty_and_is_replaced(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    assert store(file).read() == Known()
    store(file).record(ONE)
    assert store(file).read().measurements == (ONE,)


def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in the way of the folder")
    here = store(tmp_path / "cache" / "speed.json")
    here.record(ONE)
    assert here.read() == Known()


def _record_some(file: Path, name: str) -> None:
    for index in range(10):
        store(file).record(msgspec.structs.replace(ONE, model=f"{name} {index}"))


def test_copies_that_write_at_the_same_time_lose_nothing(file: Path) -> None:
    spawning = multiprocessing.get_context("spawn")
    writers = [spawning.Process(target=_record_some, args=(file, name)) for name in ("one", "two")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    assert len(store(file).read().measurements) == 20
