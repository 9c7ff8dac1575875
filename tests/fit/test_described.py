"""Machines in words: every form of `--device`, and what is said of the forms that are none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.config.sizes import GIB, MIB
from tui.fit.described import described_devices
from tui.fit.values import DeviceSpec


def test_a_size_of_ones_own() -> None:
    (device,) = described_devices(["big=48GiB"])
    assert device == DeviceSpec(name="big", total_bytes=48 * GIB, free_bytes=48 * GIB, profile="cuda")
    assert device.bandwidth_bytes_s is None


@pytest.mark.parametrize("profile", ["cuda", "vulkan", "metal"])
def test_a_profile(profile: str) -> None:
    (device,) = described_devices([f"a=512MiB:{profile.upper()}"])
    assert (device.total_bytes, device.profile) == (512 * MIB, profile)


def test_a_card_brings_its_memory_speed_and_profile() -> None:
    (device,) = described_devices(["A100-80"])
    assert (device.name, device.description) == ("A100-80", "NVIDIA A100 80GB")
    assert 78 * GIB < device.free_bytes == device.total_bytes < 80 * GIB
    assert (device.bandwidth_bytes_s, device.bandwidth_origin) == (2039e9, "assumed")


def test_a_card_with_another_size_keeps_its_speed() -> None:
    (device,) = described_devices(["4090 = 20 GiB"])
    assert (device.name, device.total_bytes, device.bandwidth_bytes_s) == ("4090", 20 * GIB, 1008e9)
    (mac,) = described_devices(["M2 Max=90GiB"])
    assert (mac.profile, mac.shares_host) == ("metal", True)
    (told,) = described_devices(["M2 Max=90GiB:vulkan"])
    assert told.profile == "vulkan"


@pytest.mark.parametrize(
    ("text", "bytes_s"),
    [("a=48GiB@960GB/s", 960e9), ("a=48GiB @ 1.8 tb/s :vulkan", 1.8e12), ("4090=20GiB@900GB/s:cuda", 900e9)],
)
def test_a_speed_of_ones_own(text: str, bytes_s: float) -> None:
    (device,) = described_devices([text])
    assert (device.bandwidth_bytes_s, device.bandwidth_origin) == (bytes_s, "given")
    assert device.profile == ("vulkan" if "vulkan" in text else "cuda")


def test_names_become_unique() -> None:
    names = [device.name for device in described_devices(["4090", "4090#2=1GiB", "4090", "x=1GiB", "4090", "x=2GiB"])]
    assert names == ["4090", "4090#2", "4090#3", "x", "4090#4", "x#2"]


def test_none_is_a_machine_without_gpus() -> None:
    assert described_devices([" None "]) == ()
    assert described_devices([]) == ()


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["4091"], "did you mean 4090"),
        (["gpu"], "NAME=SIZE"),
        ([""], "has no name"),
        (["=8GiB"], "has no name"),
        (["gpu="], "is not a size"),
        (["gpu=lots"], "is not a size"),
        (["gpu=0"], "has no memory"),
        (["gpu=8GiB@"], "gpu: '' is not a memory speed; write it as 960GB/s"),
        (["gpu=8GiB@960"], "'960' is not a memory speed"),
        (["gpu=8GiB@960GB"], "'960GB' is not a memory speed"),
        (["gpu=8GiB@fast:cuda"], "'fast' is not a memory speed"),
        (["gpu=8GiB@0GB/s"], "no GPU reads its memory at 0GB/s"),
        (["gpu=8GiB@101TB/s"], "from 1GB/s to 100TB/s"),
        (["gpu@960GB/s"], "NAME=SIZE"),
        (["gpu=8GiB:opencl"], "none of cuda, vulkan, metal"),
        (["gpu=8GiB:"], "none of cuda, vulkan, metal"),
        (["gpu=8GiB:real"], "none of cuda, vulkan, metal"),
        (["a\nb=8GiB"], "cannot be a device's name"),
        (["n" * 65 + "=8GiB"], "cannot be a device's name"),
        (["none", "4090"], "cannot be given together"),
        (["a=1GiB"] * 17, "the most is 16"),
    ],
)
def test_what_cannot_be_understood_is_said(texts: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        described_devices(texts)


@settings(max_examples=200)
@given(st.lists(st.text(max_size=20), max_size=4))
def test_any_text_is_a_machine_or_a_value_error(texts: list[str]) -> None:
    try:
        devices = described_devices(texts)
    except ValueError:
        return
    assert len({device.name for device in devices}) == len(devices)
    assert all(0 < device.free_bytes == device.total_bytes for device in devices)
