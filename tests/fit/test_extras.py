"""What is loaded beside a model: where it lies, and that it is counted once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fit.asking import NO_GPU, estimate, machine, settings
from tests.rigs.asking import running
from tests.rigs.gguf_maker import plain_gguf
from tests.rigs.headers import with_number
from tests.rigs.lora_maker import tiny_lora
from tui.fit.extras import Draft, Extras
from tui.fit.oracle import DryRun
from tui.fit.values import Prediction, Refused
from tui.gguf.layout import Layout, read_layout
from tui.gguf.stripped import StrippedHeader
from tui.llama.settings import LoraAdapter

MIB = 1 << 20
RANK = 512
LORA_BYTES = 2 * 2 * RANK * 64 * 4
"""Pairs of matrices of two layers, in float32."""


@pytest.fixture
async def dry_run() -> AsyncIterator[DryRun]:
    async with DryRun() as running:
        yield running


@pytest.fixture(scope="module")
def lora_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_lora(tmp_path_factory.mktemp("lora") / "lora.gguf", rank=RANK)


@pytest.fixture(scope="module")
def lora(lora_path: Path) -> Layout:
    return read_layout(lora_path)


@pytest.fixture(scope="module")
def projector(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """The keys of a vision tower with 576 patches an image, and two of its tensors."""
    vision = {"image_size": 336, "patch_size": 14, "embedding_length": 64, "feed_forward_length": 256}
    keys = {f"clip.vision.{key}": value for key, value in vision.items()}
    path = tmp_path_factory.mktemp("mmproj") / "mmproj.gguf"
    tensors = {"v.patch_embd.weight": (64, 32), "mm.0.weight": (64, 64)}
    return read_layout(plain_gguf(path, keys, architecture="clip", tensors=tensors))


def weights(prediction: Prediction) -> list[int]:
    """On each device, then on the host."""
    return [part.weights_bytes for part in (*prediction.devices, prediction.host)]


async def test_an_adapter_lies_beside_what_it_adapts(
    dry_run: DryRun, tiny_header: StrippedHeader, lora: Layout
) -> None:
    extras = Extras(lora=(lora, lora))
    for layers, on in ((0, NO_GPU), ("all", machine(8)), (2, machine(8)), ("all", machine(8, 8)), (0, machine(8))):
        asked = settings(n_gpu_layers=layers)
        plain = await dry_run.predict(tiny_header, asked, on)
        found = await dry_run.predict(tiny_header, asked, on, extras=extras)
        assert found.source == "dry-run"
        added = [more - less for more, less in zip(weights(found), weights(plain), strict=True)]
        assert sum(added) == 2 * LORA_BYTES
        layers_on = [bool(device.context_bytes) for device in plain.devices]
        assert [bool(more) for more in added[:-1]] == layers_on
        assert added[-1] == {0: 2 * LORA_BYTES, 2: LORA_BYTES, "all": 0}[layers]


async def test_an_adapter_takes_what_llama_cpp_says(tiny_llama: Path, engines_dir: Path, lora_path: Path) -> None:
    async with running(tiny_llama, engines_dir, lora=(LoraAdapter(str(lora_path)),)) as engine:
        sizes = [re.search(r"LoRA buffer size = +([\d.]+) MiB", line) for line in engine._child.stderr]
    logged = sum(float(size[1]) for size in sizes if size)
    assert abs(logged - LORA_BYTES / MIB) < 0.01


async def test_an_adapter_of_another_model(dry_run: DryRun, demo_header: StrippedHeader, tmp_path: Path) -> None:
    other = read_layout(tiny_lora(tmp_path / "deep.gguf", n_layer=40))
    with pytest.raises(Refused, match=r"it adapts blk\.30\.attn_q\.weight, which this model does not have"):
        await dry_run.predict(demo_header, settings(), NO_GPU, extras=Extras(lora=(other,)))


async def test_a_draft_model_is_a_second_prediction(
    dry_run: DryRun, demo_header: StrippedHeader, tiny_header: StrippedHeader
) -> None:
    on = machine(8)
    draft = Draft(tiny_header, settings(n_gpu_layers=0))
    one = await dry_run.predict(demo_header, settings(), on)
    other = await dry_run.predict(tiny_header, draft.settings, on)
    both = await dry_run.predict(demo_header, settings(), on, extras=Extras(draft=draft))
    assert (both.source, both.n_ctx, both.n_gpu_layers) == ("dry-run", one.n_ctx, one.n_gpu_layers)
    assert weights(both) == [a + b for a, b in zip(weights(one), weights(other), strict=True)]
    assert both.host.sum_bytes == one.host.sum_bytes + other.host.sum_bytes
    assert both.output_bytes == one.output_bytes + other.output_bytes


async def test_a_projector_is_on_the_first_device(
    dry_run: DryRun, tiny_header: StrippedHeader, projector: Layout
) -> None:
    extras = Extras(projector=projector)
    for on in (NO_GPU, machine(8), machine(8, 8)):
        plain = await dry_run.predict(tiny_header, settings(), on)
        found = await dry_run.predict(tiny_header, settings(), on, extras=extras)
        where = (*found.devices, found.host)[0]
        before = (*plain.devices, plain.host)[0]
        assert where.weights_bytes - before.weights_bytes == 4 * (64 * 32 + 64 * 64)
        assert where.compute_bytes - before.compute_bytes == 4 * 24 * 24 * (6 * 64 + 256)
        assert (found.source, found.n_ctx) == ("estimate", plain.n_ctx)
        assert "projector" in found.reason
        assert 0 < found.spread < 0.5
        assert [each.name for each in found.devices] == [each.name for each in on.devices]


async def test_beside_an_estimate(dry_run: DryRun, tiny_header: StrippedHeader, lora: Layout) -> None:
    deadly = with_number(tiny_header, "llama.block_count", 4000)
    found = await dry_run.predict(deadly, settings(), machine(8), estimate, Extras(lora=(lora,)))
    assert found.host.weights_bytes == 4711 + LORA_BYTES
    assert "SIGABRT" in found.reason
