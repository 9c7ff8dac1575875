"""What is loaded beside a model: where it lies, and that it is counted once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from tests.fit.asking import NO_GPU, estimate, machine, settings
from tests.rigs.asking import running
from tests.rigs.gguf_maker import plain_gguf
from tests.rigs.headers import with_number
from tests.rigs.lora_maker import tiny_lora
from tests.rigs.projector_maker import tiny_projector
from tui.fit import closed_form
from tui.fit.extras import Draft, Extras, Projector, by_formula
from tui.fit.from_header import shape_of_layout
from tui.fit.oracle import DryRun
from tui.fit.shape import ModelShape
from tui.fit.values import Machine, Prediction, Refused
from tui.gguf.layout import Layout, read_layout
from tui.gguf.stripped import StrippedHeader, strip
from tui.llama.settings import LoraAdapter

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB = 1 << 20
RANK = 512
LORA_BYTES = 2 * 2 * RANK * 64 * 4
"""Pairs of matrices of two layers, in float32."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
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
def projector_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_projector(tmp_path_factory.mktemp("mmproj") / "mmproj.gguf")


@pytest.fixture(scope="module")
def projector(projector_path: Path) -> Projector:
    layout = read_layout(projector_path)
    return Projector(layout, strip(layout))


def total(prediction: Prediction) -> int:
    parts = (*prediction.devices, prediction.host)
    return sum(part.sum_bytes for part in parts) + prediction.output_bytes


def weights(prediction: Prediction) -> list[int]:
    """On each device, then on the host."""
    return [part.weights_bytes for part in (*prediction.devices, prediction.host)]


async def test_an_adapter_lies_beside_what_it_adapts(
    dry_run: DryRun, tiny_header: StrippedHeader, lora: Layout
) -> None:
    extras = Extras(lora=(lora, lora))
    for layers, on in ((0, NO_GPU), ("all", machine(8)), (2, machine(8)), ("all", machine(8, 8)), (0, machine(8))):
        asked = settings(n_gpu_layers=layers, lora=(LoraAdapter("lora.gguf"),) * 2)
        plain = await dry_run.predict(tiny_header, asked, on)
        found = await dry_run.predict(tiny_header, asked, on, extras=extras)
        assert found.source == "dry-run"
        added = [more - less for more, less in zip(weights(found), weights(plain), strict=True)]
        assert sum(added) == 2 * LORA_BYTES
        layers_on = [bool(device.context_bytes) for device in plain.devices]
        assert [bool(more) for more in added[:-1]] == layers_on
        assert added[-1] == {0: 2 * LORA_BYTES, 2: LORA_BYTES, "all": 0}[layers]


async def test_an_adapter_of_another_model(dry_run: DryRun, demo_header: StrippedHeader, tmp_path: Path) -> None:
    other = read_layout(tiny_lora(tmp_path / "deep.gguf", n_layer=40))
    asked = settings(lora=(LoraAdapter("deep.gguf"),))
    with pytest.raises(Refused, match=r"it adapts blk\.30\.attn_q\.weight, which this model does not have"):
        await dry_run.predict(demo_header, asked, NO_GPU, extras=Extras(lora=(other,)))


async def test_a_draft_model_is_a_second_prediction(
    dry_run: DryRun, demo_header: StrippedHeader, tiny_header: StrippedHeader, tiny_llama: Path
) -> None:
    extras = Extras(draft=Draft(tiny_header, shape_of_layout(read_layout(tiny_llama))))
    for layers, on, devices in ((0, machine(8), 0), ("all", machine(8), 1), (3, machine(8, 8), 2), ("all", NO_GPU, 0)):
        asked = settings(n_gpu_layers=layers, type_k="q8_0", type_v="q8_0", draft_model="tiny.gguf")
        one = await dry_run.predict(demo_header, asked, on)
        other = await dry_run.predict(tiny_header, settings(n_gpu_layers="all" if layers else 0), on)
        both = await dry_run.predict(demo_header, asked, on, extras=extras)
        assert (both.source, both.n_ctx, both.n_gpu_layers) == ("dry-run", one.n_ctx, one.n_gpu_layers)
        assert weights(both) == [a + b for a, b in zip(weights(one), weights(other), strict=True)]
        assert both.host.sum_bytes == one.host.sum_bytes + other.host.sum_bytes
        assert both.output_bytes == one.output_bytes + other.output_bytes
        (beside,) = both.beside
        assert (beside.kind, beside.bytes) == ("draft model", total(both) - total(one))
        assert sum(bool(device.weights_bytes) for device in other.devices) == devices
    unnamed = await dry_run.predict(demo_header, settings(), NO_GPU, extras=extras)
    assert unnamed.beside == ()


async def test_a_draft_model_that_is_refused_is_named(dry_run: DryRun, tiny_header: StrippedHeader) -> None:
    deadly = with_number(tiny_header, "llama.attention.head_count", 7)
    extras, asked = Extras(draft=Draft(deadly, ModelShape(architecture="llama", n_layer=2))), settings(draft_model="x")
    with pytest.raises(Refused, match="draft_model: "):
        await dry_run.predict(tiny_header, asked, NO_GPU, extras=extras)


async def test_a_projector_lies_where_the_first_layers_do(
    dry_run: DryRun, tiny_header: StrippedHeader, projector: Projector
) -> None:
    """On the first device that is used, all of it; its operands on the host besides."""
    two = machine(8, 8)
    cases: list[tuple[Machine, dict[str, Any], int | None]] = [
        (NO_GPU, {}, None),
        (machine(8), {}, 0),
        (two, {}, 0),
        (two, {"devices": ("CUDA1",)}, 1),
        (two, {"n_gpu_layers": 0}, None),
        (two, {"devices": ("none",)}, None),
    ]
    taken = set()
    for on, changes, place in cases:
        asked = settings(**changes, mmproj="mmproj.gguf")
        plain = await dry_run.predict(tiny_header, asked, on)
        found = await dry_run.predict(tiny_header, asked, on, extras=Extras(projector=projector))
        assert (found.source, found.reason, found.spread, found.n_ctx) == ("dry-run", "", 0.0, plain.n_ctx)
        more = [a - b for a, b in zip(weights(found), weights(plain), strict=True)]
        assert [index for index, weight in enumerate(more) if weight] == [len(on.devices) if place is None else place]
        assert sum(more) == projector.header.data_bytes
        assert found.beside[0].bytes == total(found) - total(plain) > sum(more)
        taken.add((place is None, found.beside[0].bytes))
    assert len(taken) == 2


async def test_a_load_takes_what_was_said(
    dry_run: DryRun,
    tiny_header: StrippedHeader,
    tiny_llama: Path,
    engines_dir: Path,
    projector: Projector,
    projector_path: Path,
    lora_path: Path,
) -> None:
    """A real one, to the byte; llama.cpp tells of an adapter in its log alone."""
    loaded: dict[str, Any] = {"n_ctx": 1024, "n_ubatch": 64, "n_batch": 64, "mmproj": str(projector_path)}
    found = await dry_run.predict(tiny_header, settings(**loaded), NO_GPU, extras=Extras(projector=projector))
    async with running(tiny_llama, engines_dir, **loaded, lora=(LoraAdapter(str(lora_path)),)) as engine:
        assert engine.receipt.host.sum_bytes == found.host.sum_bytes
        sizes = [re.search(r"LoRA buffer size = +([\d.]+) MiB", line) for line in engine._child.stderr]
    logged = sum(float(size[1]) for size in sizes if size)
    assert abs(logged - LORA_BYTES / MIB) < 0.01


async def test_a_projector_that_llama_cpp_refuses(dry_run: DryRun, tiny_header: StrippedHeader, tmp_path: Path) -> None:
    layout = read_layout(plain_gguf(tmp_path / "mmproj.gguf", {"clip.has_vision_encoder": True}, architecture="clip"))
    extras = Extras(projector=Projector(layout, strip(layout)))
    with pytest.raises(Refused, match=r"mmproj: llama\.cpp cannot load this projector"):
        await dry_run.predict(tiny_header, settings(mmproj="x"), NO_GPU, extras=extras)


async def test_beside_an_estimate(
    dry_run: DryRun, tiny_header: StrippedHeader, lora: Layout, projector: Projector
) -> None:
    deadly = with_number(tiny_header, "llama.block_count", 4000)
    asked = settings(lora=(LoraAdapter("lora.gguf"),))
    found = await dry_run.predict(deadly, asked, machine(8), estimate, Extras(lora=(lora,)))
    assert found.host.weights_bytes == 4711 + LORA_BYTES
    assert "SIGABRT" in found.reason


async def test_without_llama_cpp_all_of_it_is_an_estimate(
    tiny_header: StrippedHeader, tiny_llama: Path, lora: Layout, projector: Projector
) -> None:
    """By the closed form at once, and of a dry run that is closed: both say the same."""
    shape = shape_of_layout(read_layout(tiny_llama))
    extras = Extras((lora,), Draft(tiny_header, shape), projector)
    asked = settings(lora=(LoraAdapter("lora.gguf"),), draft_model="tiny.gguf", mmproj="mmproj.gguf")
    closed = DryRun()
    await closed.close()
    for on in (NO_GPU, machine(8), machine(8, 8)):
        at_once = by_formula(shape, asked, on, extras)
        found = await closed.predict(tiny_header, asked, on, partial(closed_form.predict, shape), extras)
        assert found.reason == "the dry run is closed"
        assert msgspec.structs.replace(found, reason="") == at_once
        assert [one.kind for one in at_once.beside] == ["adapters", "draft model", "projector"]
        alone = closed_form.predict(shape, asked, on)
        assert sum(one.bytes for one in at_once.beside) == total(at_once) - total(alone)
        assert 0 < at_once.spread < 0.5
