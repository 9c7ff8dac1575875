"""Bandwidths are measured once, in real child processes, and then remembered."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.fit.shapes import gpu_machine, host_machine
from tui.config.sizes import GIB
from tui.fit import bandwidths
from tui.fit.bandwidths import BandwidthError, device_bandwidths, ram_bandwidth
from tui.fit.measured import SpeedStore
from tui.fit.values import DeviceSpec
from tui.process.once import run_once

CARD = DeviceSpec(
    name="CUDA0", description="NVIDIA GeForce RTX 4090", total_bytes=24 * GIB, free_bytes=24 * GIB, profile="real"
)


@pytest.fixture
def store(tmp_path: Path) -> SpeedStore:
    return SpeedStore(tmp_path / "speed.json")


async def test_ram_is_measured_once_and_remembered(store: SpeedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await ram_bandwidth(store, 1)
    assert 0.1e9 < found < 20e12
    assert store.read().ram_bytes_s == found
    monkeypatch.setattr(bandwidths, "RAM_MODULE", "tests.rigs.nowhere")
    assert await ram_bandwidth(store, 1) == found


async def test_what_fails_is_told(store: SpeedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bandwidths, "RAM_MODULE", "tests.rigs.nowhere")
    with pytest.raises(BandwidthError, match=r"could not be measured: .*nowhere"):
        await ram_bandwidth(store, 1)


async def test_a_machine_without_gpus_starts_no_llama_cpp(store: SpeedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bandwidths, "DEVICES_MODULE", "tests.rigs.nowhere")
    assert await device_bandwidths(store, host_machine()) == {}


async def test_a_remembered_gpu_is_not_measured_again(store: SpeedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bandwidths, "DEVICES_MODULE", "tests.rigs.nowhere")
    store.keep_bandwidth(device_bytes_s={CARD.description: 9e11})
    assert await device_bandwidths(store, gpu_machine(CARD)) == {CARD.description: 9e11}
    other = msgspec.structs.replace(CARD, description="another")
    with pytest.raises(BandwidthError):
        await device_bandwidths(store, gpu_machine(other))


async def test_a_gpu_that_cannot_be_measured_is_not_tried_at_every_start(
    store: SpeedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def silent(module: str, *_: object, **__: object) -> bytes:
        asked.append(module)
        return b'{"devices": [{"description": "another", "read_bytes_s": null}]}'

    monkeypatch.setattr(bandwidths, "run_once", silent)
    other = msgspec.structs.replace(CARD, name="CUDA1", description="another")
    store.keep_bandwidth(device_bytes_s={CARD.description: 9e11})
    assert await device_bandwidths(store, gpu_machine(CARD, other)) == {}
    assert await device_bandwidths(store, gpu_machine(CARD, other)) == {CARD.description: 9e11}
    assert len(asked) == 1
    monkeypatch.setattr(bandwidths, "run_once", run_once)
    monkeypatch.setattr(bandwidths, "DEVICES_MODULE", "tests.rigs.nowhere")
    third = msgspec.structs.replace(CARD, description="a third")
    with pytest.raises(BandwidthError):
        await device_bandwidths(store, gpu_machine(third))
    assert await device_bandwidths(store, gpu_machine(third)) == {}
    store.keep_bandwidth(device_bytes_s={"a third": 1e12})  # as when it is measured by hand
    assert store.read().unmeasured == {"another"}
