"""On GPUs that are not there: whatever the number of layers on them, every tensor lies where llama.cpp's rules say, and
nothing is lost or counted twice between devices and host.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.fit.exact.placing import placed
from tests.rigs.architectures import PUBLISHED, RECIPES, published_model, tiny_architecture
from tui.fit.oracle import DryRun
from tui.fit.values import DeviceSpec, Machine, Prediction
from tui.gguf.layout import Layout, read_layout
from tui.gguf.stripped import strip
from tui.llama.settings import LoadSettings

pytestmark = pytest.mark.asyncio(loop_scope="package")

_GIB = 1 << 30


def described(*sizes_gib: int) -> Machine:
    """A machine with CUDA devices of these sizes, all free."""
    return Machine(
        devices=tuple(
            DeviceSpec(name=f"CUDA{index}", total_bytes=size * _GIB, free_bytes=size * _GIB)
            for index, size in enumerate(sizes_gib)
        )
    )


@pytest.mark.parametrize("name", RECIPES)
async def test_every_tensor_lies_somewhere(dry_run: DryRun, tmp_path: Path, name: str) -> None:
    layout = read_layout(tiny_architecture(tmp_path / "tiny.gguf", name))
    n_layer = RECIPES[name].tiny.n_layer
    counts = sorted({0, 1, n_layer // 2, n_layer, n_layer + 1})
    for machine in (described(24), described(24, 24, 12)):
        await check_weights(dry_run, layout, counts, machine)


@pytest.mark.parametrize("name", PUBLISHED)
async def test_every_tensor_of_a_published_model(dry_run: DryRun, tmp_path: Path, name: str) -> None:
    layout = read_layout(published_model(tmp_path / "model.gguf", name))
    await check_weights(dry_run, layout, [PUBLISHED[name].sizes.n_layer // 2], described(80, 80))


async def check_weights(dry_run: DryRun, layout: Layout, counts: Iterable[int], machine: Machine) -> None:
    """Assert that the weights on all devices, and those on the host, are what the tensors add up to."""
    header = strip(layout)
    for n_gpu_layers in counts:
        settings = LoadSettings(n_gpu_layers=n_gpu_layers, n_ctx=512)
        found = await dry_run.predict(header, settings, machine)
        assert found.source == "dry-run", found.reason
        expected = placed(layout, n_gpu_layers)
        copies = max(0, holding_layers(found) - 1) * expected.frequencies
        assert sum(device.weights_bytes for device in found.devices) == expected.device + copies
        assert found.host.weights_bytes == expected.host
        assert found.n_gpu_layers == n_gpu_layers


def holding_layers(found: Prediction) -> int:
    """Devices with at least one layer; for models with a KV cache in all of them."""
    return sum(device.context_bytes > 0 for device in found.devices)
