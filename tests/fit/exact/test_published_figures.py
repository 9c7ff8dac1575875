"""Stand-in GPUs against what real ones reported, and a table of models over several devices.

The figures of the MI300X were published by users of another estimator (gguf-parser-go, issues 42 and 45): compute
buffers of ROCm0 and of the host at 4096 tokens with flash attention and a q8_0 KV cache, half and all layers on the
GPU.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fit.exact.test_conservation import described
from tests.rigs.architectures import PUBLISHED, published_model
from tui.fit.oracle import DryRun
from tui.fit.values import Prediction
from tui.gguf.layout import read_layout
from tui.gguf.stripped import strip
from tui.llama.receipt import DeviceBytes
from tui.llama.settings import LoadSettings

pytestmark = pytest.mark.asyncio(loop_scope="package")

Row = tuple[int, int, int]
"""MiB of weights, context and compute, rounded."""

_MI300X = {
    "olmoe-1b-7b": (172.37, 64.09),
    "granite-3.0-3b-a800m": (73.02, 61.04),
    "qwen3-0.6b": (41.64, 32.09),
}
"""MiB of compute on the GPU with half of the layers on it, and with all."""

_TABLE: dict[str, tuple[str, tuple[int, ...], LoadSettings, tuple[Row, ...], Row]] = {
    "experts on the GPU": (
        "qwen3-30b-a3b",
        (80,),
        LoadSettings(n_gpu_layers="all", n_ctx=32768, type_k="q8_0", type_v="q8_0"),
        ((17524, 1632, 120),),
        (167, 0, 40),
    ),
    "experts on the CPU": (
        "qwen3-30b-a3b",
        (80,),
        LoadSettings(n_gpu_layers="all", n_ctx=32768, type_k="q8_0", type_v="q8_0", n_cpu_moe=48),
        ((784, 1632, 250),),
        (16907, 0, 40),
    ),
    "three GPUs": (
        "llama3-70b",
        (24, 24, 12),
        LoadSettings(n_gpu_layers="all", n_ctx=8192),
        ((16182, 1056, 312), (15369, 1024, 376), (8429, 480, 376)),
        (564, 0, 112),
    ),
    "the whole context in sliding windows": (
        "gemma3-12b",
        (80,),
        LoadSettings(n_gpu_layers="all", n_ctx=32768, swa_full=True),
        ((6956, 12288, 177),),
        (788, 0, 79),
    ),
    "windows of their own size": (
        "gemma3-12b",
        (80,),
        LoadSettings(n_gpu_layers="all", n_ctx=32768),
        ((6956, 2528, 147),),
        (788, 0, 49),
    ),
}


@pytest.mark.parametrize("name", _MI300X)
async def test_compute_on_an_mi300x(dry_run: DryRun, tmp_path: Path, name: str) -> None:
    n_layer = PUBLISHED[name].sizes.n_layer
    found = [
        await predicted(
            dry_run,
            tmp_path,
            name,
            (191,),
            LoadSettings(n_gpu_layers=layers, n_ctx=4096, type_k="q8_0", type_v="q8_0", flash_attn="on"),
        )
        for layers in (n_layer // 2, n_layer + 1)
    ]
    assert tuple(round(each.devices[0].compute_bytes / (1 << 20), 2) for each in found) == _MI300X[name]


@pytest.mark.parametrize("case", _TABLE)
async def test_the_table_of_devices(dry_run: DryRun, tmp_path: Path, case: str) -> None:
    name, sizes, settings, devices, host = _TABLE[case]
    found = await predicted(dry_run, tmp_path, name, sizes, settings)
    assert tuple(mib(device) for device in found.devices) == devices
    assert mib(found.host) == host


async def predicted(
    dry_run: DryRun, folder: Path, name: str, sizes: tuple[int, ...], settings: LoadSettings
) -> Prediction:
    """The dry run of a published model on devices of these sizes, in GiB."""
    header = strip(read_layout(published_model(folder / f"{name}.gguf", name)))
    found = await dry_run.predict(header, settings, described(*sizes))
    assert found.source == "dry-run", found.reason
    return found


def mib(bytes_there: DeviceBytes) -> Row:
    """Its parts in MiB, rounded."""
    parts = (bytes_there.weights_bytes, bytes_there.context_bytes, bytes_there.compute_bytes)
    weights, context, compute = (round(part / (1 << 20)) for part in parts)
    return weights, context, compute
