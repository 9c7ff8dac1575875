"""The closed form against published figures, and against what must hold for every model."""

from __future__ import annotations

import platform
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from tests.fit.headers import (
    DEEPSEEK_V2_LITE,
    GEMMA_3_12B,
    LFM2_1_2B,
    LLAMA_3_70B,
    MAMBA_2_8B,
    QWEN3_30B_A3B,
    header,
)
from tests.fit.rig import GIB, MIB, gpu, machine
from tests.rigs.demo import demo_model
from tui.fit.closed_form import predict
from tui.fit.from_header import shape_of_header, shape_of_layout
from tui.fit.shape import Bytes, Layer, ModelShape
from tui.fit.values import Machine, Prediction
from tui.gguf.layout import read_layout
from tui.llama.settings import KV_TYPES, LoadSettings

SHAPES = {
    "llama": shape_of_header(header("llama", LLAMA_3_70B, file_bytes=42 * GIB)),
    "qwen3moe": shape_of_header(header("qwen3moe", QWEN3_30B_A3B, n_vocab=151_936, file_bytes=18_556_686_912)),
    "gemma3": shape_of_header(header("gemma3", GEMMA_3_12B, n_vocab=262_208, file_bytes=7_300_000_000)),
    "deepseek2": shape_of_header(header("deepseek2", DEEPSEEK_V2_LITE, n_vocab=102_400, file_bytes=10 * GIB)),
    "mamba": shape_of_header(header("mamba", MAMBA_2_8B, n_vocab=50_280, file_bytes=1_700_000_000)),
    "lfm2": shape_of_header(header("lfm2", LFM2_1_2B, n_vocab=65_536, file_bytes=730_000_000)),
}
SHAPES["smollm2"] = shape_of_layout(read_layout(demo_model()))
ANY_SHAPE = st.sampled_from(list(SHAPES.values()))
ANY_KV = st.sampled_from(KV_TYPES)
ANY_MACHINE = st.sampled_from([machine(), machine(80), machine(24, 24, 12)])


def parts(found: Prediction, part: str) -> list[int]:
    """One part of each device and of the host."""
    return [getattr(place, f"{part}_bytes") for place in (*found.devices, found.host)]


def total(found: Prediction, *names: str) -> int:
    """Parts, or everything, over all places."""
    return sum(sum(parts(found, name)) for name in names or ("weights", "context", "compute"))


def near(mib: float, rel: float = 0.001) -> Any:
    """So many MiB, in bytes."""
    return pytest.approx(mib * MIB, rel=rel)


def test_contexts_of_published_models_to_the_mebibyte() -> None:
    """Figures that llama.cpp reports for these models."""
    mixture = predict(SHAPES["qwen3moe"], LoadSettings(n_ctx=32768, type_k="q8_0", type_v="q8_0"), machine(80))
    assert parts(mixture, "context") == [1632 * MIB, 0]
    split = predict(SHAPES["llama"], LoadSettings(n_ctx=8192), machine(24, 24, 12))
    assert parts(split, "context") == [1056 * MIB, 1024 * MIB, 480 * MIB, 0]
    sliding = predict(SHAPES["gemma3"], LoadSettings(n_ctx=32768), machine(24))
    assert parts(sliding, "context") == [2528 * MIB, 0]
    whole = predict(SHAPES["gemma3"], LoadSettings(n_ctx=32768, swa_full=True), machine(24))
    assert parts(whole, "context") == [12288 * MIB, 0]


def test_compute_buffers_of_published_models() -> None:
    """Figures that llama.cpp reports for these models; the formula is told to be within a tenth of them."""
    mixture = LoadSettings(n_ctx=32768, type_k="q8_0", type_v="q8_0")
    assert parts(predict(SHAPES["qwen3moe"], mixture, machine(80)), "compute") == [near(120, 0.1), near(40, 0.1)]
    split = parts(predict(SHAPES["llama"], LoadSettings(n_ctx=8192), machine(24, 24, 12)), "compute")
    assert split == [near(312, 0.1), near(376, 0.1), near(376, 0.1), near(112, 0.1)]
    sliding = parts(predict(SHAPES["gemma3"], LoadSettings(n_ctx=32768), machine(24)), "compute")
    assert sliding == [near(147, 0.1), near(49, 0.1)]


def test_smollm2_on_the_host_of_a_gpu_and_on_the_gpu() -> None:
    shape = SHAPES["smollm2"]
    found = predict(shape, LoadSettings(n_ctx=4096, n_gpu_layers="all"), machine(8))
    device, host = found.devices[0], found.host
    assert host.weights_bytes == shape.input.host, "token embeddings are looked up on the host"
    layers = sum(layer.weights.cuda for layer in shape.layers)
    assert device.weights_bytes == layers + shape.output.cuda + shape.tied.cuda, "the tied output is a second copy"
    assert device.context_bytes == 4096 * 30 * 2 * 3 * 64 * 2
    assert found.output_bytes == 4 * 49152


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64", "arm64"), reason="others repack other types")
def test_a_repacked_output_is_a_copy_of_its_own() -> None:
    f32, q4_0 = (replace(SHAPES["smollm2"], tied_type=kind) for kind in (0, 2))
    alone = LoadSettings(n_ctx=512, n_gpu_layers=0)
    assert predict(f32, alone, machine()).host.weights_bytes == f32.weights_bytes
    assert predict(q4_0, alone, machine()).host.weights_bytes == q4_0.weights_bytes + q4_0.tied.host
    assert predict(q4_0, alone, machine(8)).host.weights_bytes == q4_0.weights_bytes, "pinned memory is not repacked"


def test_a_state_has_one_size_whatever_the_context() -> None:
    for n_ctx in (512, 65536):
        found = predict(SHAPES["mamba"], LoadSettings(n_ctx=n_ctx), machine())
        assert found.host.context_bytes == 64 * 4 * (3 * 5120 + 16 * 5120)
    two = predict(SHAPES["lfm2"], LoadSettings(n_ctx=4096, panes=2), machine())
    assert two.host.context_bytes == 6 * 2 * 8 * 64 * 2 * 8192 + 10 * 4 * 2 * 2048 * 2


def test_latent_keys_are_cached_once() -> None:
    found = predict(SHAPES["deepseek2"], LoadSettings(n_ctx=4096), machine())
    assert found.host.context_bytes == 27 * 576 * 2 * 4096


def test_experts_can_stay_on_the_host() -> None:
    shape = SHAPES["qwen3moe"]
    on_device = predict(shape, LoadSettings(n_ctx=4096), machine(80))
    on_host = predict(shape, LoadSettings(n_ctx=4096, n_cpu_moe=48), machine(80))
    moved = on_device.devices[0].weights_bytes - on_host.devices[0].weights_bytes
    assert moved == on_host.host.weights_bytes - on_device.host.weights_bytes == shape.experts_bytes
    assert parts(on_host, "context") == parts(on_device, "context")


def test_blocks_that_only_draft_tokens_are_counted_but_not_loaded() -> None:
    keys = {**QWEN3_30B_A3B, "nextn_predict_layers": 1}
    shape = shape_of_header(header("glm4moe", keys, n_vocab=151_936, file_bytes=18 * GIB))
    assert predict(shape, LoadSettings(n_ctx=512, n_gpu_layers=0), machine()).host.weights_bytes == shape.weights_bytes
    found = predict(shape, LoadSettings(n_ctx=512), machine(80))
    assert (found.n_gpu_layers, found.host.weights_bytes) == (49, shape.input.host)
    assert found.devices[0].context_bytes == 47 * 2 * 4 * 128 * 2 * 512


def test_contexts_are_padded_and_counted_once_for_each_pane() -> None:
    found = predict(SHAPES["llama"], LoadSettings(n_ctx=1000, panes=2), machine())
    assert found.n_ctx == 1024
    assert found.host.context_bytes == 2048 * 80 * 2 * 8 * 128 * 2
    assert found.output_bytes == 2 * 4 * 128_256


def test_what_is_not_asked_for_is_what_the_model_was_trained_for() -> None:
    found = predict(SHAPES["qwen3moe"], LoadSettings(), machine(80))
    assert (found.n_ctx, found.n_gpu_layers, found.source) == (40960, 49, "estimate")
    assert predict(SHAPES["qwen3moe"], LoadSettings(), machine(), "no header yet").reason == "no header yet"


def test_a_head_that_no_kernel_takes_costs_its_scores() -> None:
    odd = shape_of_header(header("llama", {**LLAMA_3_70B, "attention.key_length": 100, "attention.value_length": 100}))
    usual = predict(SHAPES["llama"], LoadSettings(n_ctx=8192, flash_attn="auto"), machine(80))
    without = predict(odd, LoadSettings(n_ctx=8192, flash_attn="auto"), machine(80))
    scores = 64 * 512 * 8192 * 4
    assert without.devices[0].compute_bytes > scores > usual.devices[0].compute_bytes
    assert (usual.flash_attn, without.flash_attn) == ("on", "off")


def test_a_hybrid_that_is_cut_behind_attention_goes_without_flash_attention() -> None:
    """Seen of llama.cpp: the first state on the device draws the attention before it there, away from its cache."""
    cut_behind_layer = {
        n_host: predict(SHAPES["lfm2"], LoadSettings(n_ctx=4096, n_gpu_layers=17 - n_host), machine(8)).flash_attn
        for n_host in (8, 9, 10, 17)
    }
    assert cut_behind_layer == {8: "on", 9: "off", 10: "on", 17: "on"}


def test_layers_in_host_memory_are_fetched_by_the_gpu_that_computes_them() -> None:
    shape = SHAPES["llama"]
    found = predict(shape, LoadSettings(n_ctx=8192, n_gpu_layers=1), machine(24))
    whole = predict(shape, LoadSettings(n_ctx=8192, n_gpu_layers="all"), machine(80))
    cache = 2 * 8 * 128 * 2 * 8192
    assert found.devices[0].compute_bytes > whole.devices[0].compute_bytes + cache
    assert found.spread > whole.spread


@bounded(max_examples=40, deadline=None)
@given(ANY_SHAPE, ANY_MACHINE, ANY_KV, st.integers(1, 20_000), st.integers(1, 20_000), st.integers(0, 90))
def test_more_context_is_never_less_memory(
    shape: ModelShape, there: Machine, kind: Any, one: int, other: int, layers: int
) -> None:
    few, many = sorted((one, other))
    less, more = (
        predict(shape, LoadSettings(n_ctx=n_ctx, type_k=kind, type_v=kind, n_gpu_layers=layers), there)
        for n_ctx in (few, many)
    )
    assert total(less, "context") <= total(more, "context")
    assert total(less, "weights") == total(more, "weights")
    if few >= 512:  # as many tokens at once
        assert total(less, "compute") <= total(more, "compute") * 1.2, "holes may be of another size"


@bounded(max_examples=40, deadline=None)
@given(ANY_SHAPE, ANY_MACHINE, st.integers(1, 40_000), st.integers(0, 90), st.integers(1, 3))
def test_a_quantized_cache_is_never_larger(
    shape: ModelShape, there: Machine, n_ctx: int, layers: int, panes: int
) -> None:
    sizes = [
        total(
            predict(
                shape, LoadSettings(n_ctx=n_ctx, n_gpu_layers=layers, type_k=kind, type_v=kind, panes=panes), there
            ),
            "context",
        )
        for kind in ("q4_0", "q5_0", "q8_0", "f16", "f32")
    ]
    assert sizes == sorted(sizes)


@bounded(max_examples=40, deadline=None)
@given(ANY_SHAPE, st.integers(0, 90), st.lists(st.integers(1, 80), min_size=1, max_size=4), st.integers(0, 50))
def test_weights_are_conserved_over_devices(shape: ModelShape, layers: int, free: list[int], n_cpu_moe: int) -> None:
    there = Machine(devices=tuple(gpu(index, gib * GIB) for index, gib in enumerate(free)))
    plain = Machine(devices=tuple(device_as(device, "vulkan") for device in there.devices))
    found = predict(shape, LoadSettings(n_ctx=512, n_gpu_layers=layers, n_cpu_moe=n_cpu_moe), plain)
    used = sum(place.weights_bytes > 0 for place in found.devices)
    copies = shape.tied.host if found.n_gpu_layers else 0
    tables = shape.repeated.host * max(0, used - 1)
    assert total(found, "weights") - tables == pytest.approx(shape.weights_bytes + copies, abs=shape.repeated.host)
    context = total(predict(shape, LoadSettings(n_ctx=512, n_gpu_layers=0), plain), "context")
    assert total(found, "context") == pytest.approx(context, rel=0.001)


def device_as(device: Any, profile: str) -> Any:
    """The same device with the rules of another backend."""
    return type(device)(name=device.name, total_bytes=device.total_bytes, free_bytes=device.free_bytes, profile=profile)


@pytest.mark.parametrize("layers", [(), (Layer(),), (Layer(n_head=7, n_head_kv=3, key_length=1, slides=True),)])
@pytest.mark.parametrize("there", [machine(), machine(0), machine(8, 0)])
def test_odd_shapes_have_an_answer(layers: tuple[Layer, ...], there: Machine) -> None:
    odd = ModelShape(architecture="", n_layer=len(layers), layers=layers, n_embd=0, input=Bytes(64, 128))
    found = predict(odd, LoadSettings(n_ctx=1, n_gpu_layers=3, panes=16, flash_attn="off"), there)
    assert found.host.weights_bytes == 64
    assert found.spread < 1
