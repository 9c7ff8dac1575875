"""What is kept of measurements between runs: the best, the newest, and not too many."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tui.fit.measured import (
    MOST_ALIKE,
    MOST_MEASUREMENTS,
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


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "speed.json"


def test_nothing_is_known_before_anything_was_measured(file: Path) -> None:
    assert SpeedStore(file).read() == Known()
    assert not file.parent.exists()


def test_what_is_recorded_is_read_by_another_copy(file: Path) -> None:
    SpeedStore(file).record(ONE)
    SpeedStore(file).keep_bandwidth(ram_bytes_s=30e9, device_bytes_s={"A card": 1e12, "broken": 0.0})
    known = SpeedStore(file).read()
    assert known == Known(ram_bytes_s=30e9, device_bytes_s={"A card": 1e12}, measurements=(ONE,))


def test_of_two_bandwidths_the_higher_stays(file: Path) -> None:
    SpeedStore(file).keep_bandwidth(ram_bytes_s=30e9, device_bytes_s={"A card": 2e12})
    SpeedStore(file).keep_bandwidth(ram_bytes_s=20e9, device_bytes_s={"A card": 1e12, "B card": 1e12})
    known = SpeedStore(file).read()
    assert (known.ram_bytes_s, known.device_bytes_s) == (30e9, {"A card": 2e12, "B card": 1e12})


def test_the_newest_of_one_model_with_one_set_of_settings_are_kept(file: Path) -> None:
    here = SpeedStore(file)
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
    file.write_bytes(msgspec.json.encode(Known(measurements=many)))
    SpeedStore(file).record(ONE)
    kept = SpeedStore(file).read().measurements
    assert len(kept) == MOST_MEASUREMENTS
    assert (kept[0].model, kept[-1].model) == ("model 1", ONE.model)
