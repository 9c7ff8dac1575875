"""Which layers go to which device: llama.cpp's rule, by numbers that it was seen to follow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fit.rig import machine
from tui.fit.placement import HOST, place
from tui.llama.settings import LoadSettings


def spread(n_block: int, settings: LoadSettings, *free_gib: float) -> list[int]:
    return [last - first for _, first, last in place(n_block, settings, machine(*free_gib)).starts]


def test_layers_are_spread_by_free_memory_and_the_output_counts_as_one() -> None:
    assert spread(80, LoadSettings(n_gpu_layers="all"), 24, 24, 12) == [33, 32, 16]
    assert spread(48, LoadSettings(n_gpu_layers=999), 80) == [49]


def test_a_split_that_is_given_counts_instead() -> None:
    assert spread(31, LoadSettings(n_gpu_layers="all", tensor_split=(3, 1)), 8, 24) == [24, 8]
    assert spread(31, LoadSettings(n_gpu_layers="all", tensor_split=(0, 1)), 8, 24) == [32]


def test_the_first_layers_stay_on_the_host() -> None:
    found = place(32, LoadSettings(n_gpu_layers=10), machine(24))
    assert (found.n_gpu_layers, found.n_host, found.starts) == (10, 23, ((0, 23, 33),))


@pytest.mark.parametrize("settings", [LoadSettings(n_gpu_layers=0), LoadSettings(n_gpu_layers=5, devices=("CUDA9",))])
def test_without_layers_on_devices_there_are_none(settings: LoadSettings) -> None:
    found = place(32, settings, machine(24))
    assert found.n_gpu_layers == 0
    assert not found.starts
    assert found.main == (HOST if settings.devices else 0)


def test_only_named_devices_are_used_in_the_order_they_are_named() -> None:
    both = LoadSettings(n_gpu_layers="all", devices=("CUDA2", "CUDA0"))
    assert [index for index, _, _ in place(31, both, machine(8, 8, 24)).starts] == [2, 0]
    alone = LoadSettings(n_gpu_layers="all", split_mode="none", main_device=1)
    assert place(31, alone, machine(8, 8, 24)).starts == ((1, 0, 32),)


@given(
    st.integers(0, 100),
    st.integers(0, 120),
    st.lists(st.integers(0, 80), min_size=1, max_size=5),
    st.lists(st.sampled_from([0.0, 0.1, 1.0, 7.5]), max_size=5),
)
def test_every_layer_has_one_place(n_block: int, n_gpu_layers: int, free: list[int], split: list[float]) -> None:
    settings = LoadSettings(n_gpu_layers=n_gpu_layers, tensor_split=tuple(split) if any(split) else ())
    found = place(n_block, settings, machine(*free))
    held = [layer for _, first, last in found.starts for layer in range(first, last)]
    assert held == list(range(n_block + 1 - found.n_gpu_layers, n_block + 1))
    assert len(held) == min(n_gpu_layers, n_block + 1)
