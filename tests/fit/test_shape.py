"""What decides a model's memory, read out of the header of a real one and of published ones."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
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
from tests.rigs.demo import demo_model
from tui.fit.closed_form import predict
from tui.fit.facts import Facts
from tui.fit.from_header import bare_shape, shape_of_header, shape_of_layout
from tui.fit.shape import ModelShape
from tui.fit.values import DeviceSpec, Machine
from tui.gguf.header import read_header
from tui.gguf.layout import read_layout
from tui.llama.settings import LoadSettings

MIB = 1 << 20


def kv_bytes(shape: ModelShape, type_k: str = "f16", type_v: str = "f16") -> int:
    """What one token of context takes in all layers."""
    return sum(shape.row_bytes(layer, type_k, type_v) for layer in shape.layers)


def test_smollm2_has_the_bytes_of_its_file() -> None:
    layout = read_layout(demo_model())
    shape = shape_of_layout(layout)
    assert (shape.architecture, shape.n_layer, shape.n_embd, shape.n_vocab) == ("llama", 30, 576, 49152)
    assert shape.weights_bytes == sum(-(-tensor.n_bytes // 32) * 32 for tensor in layout.tensors)
    assert shape.parameters == shape.active_parameters == 134_515_008
    assert shape.tied == shape.input, "its output matrix is the token embeddings"
    assert kv_bytes(shape) == 30 * 2 * 3 * 64 * 2
    read = sum(shape.layer_read_bytes(layer) for layer in range(31))
    assert read == shape.weights_bytes, "all of it: the embeddings are the output matrix"


def test_the_keys_alone_come_close_to_it() -> None:
    exact, close = shape_of_layout(read_layout(demo_model())), shape_of_header(read_header(demo_model()))
    assert close.tied.host > 0
    assert close.parameters == pytest.approx(exact.parameters, rel=0.01)
    assert close.weights_bytes == pytest.approx(exact.weights_bytes, rel=close.weights_spread)
    assert kv_bytes(close, "q8_0", "q4_0") == kv_bytes(exact, "q8_0", "q4_0")


def test_bytes_of_one_token_of_context() -> None:
    assert kv_bytes(bare_shape(header("llama", LLAMA_3_70B))) == 80 * 2 * 8 * 128 * 2
    latent = bare_shape(header("deepseek2", DEEPSEEK_V2_LITE))
    assert kv_bytes(latent) == 27 * 576 * 2, "values share the compressed keys"
    assert kv_bytes(bare_shape(header("mamba", MAMBA_2_8B))) == 0


def test_a_mixture_reads_the_experts_in_use() -> None:
    shape = shape_of_header(header("qwen3moe", QWEN3_30B_A3B, n_vocab=151_936, file_bytes=18_556_686_912))
    assert shape.parameters == pytest.approx(30.5e9, rel=0.01)
    assert shape.active_parameters == pytest.approx(3.35e9, rel=0.01)
    dense = shape.weights_bytes - shape.experts_bytes - shape.input.host
    read = sum(shape.layer_read_bytes(layer) for layer in range(49))
    assert read == pytest.approx(dense + shape.experts_bytes * 8 / 128, abs=49)


def test_depth_is_read_up_to_the_window() -> None:
    shape = bare_shape(header("gemma3", GEMMA_3_12B))
    row = 2 * 8 * 256 * 2
    assert shape.kv_read_bytes(512) == 48 * row * 512
    assert shape.kv_read_bytes(8192) == 8 * row * 8192 + 40 * row * 1024


@pytest.mark.parametrize(
    ("architecture", "pattern"),
    [("gemma3", "sssssf"), ("gpt-oss", "sf"), ("gemma2", "sf"), ("cohere2", "sssf"), ("cohere2moe", "fsss")],
)
def test_which_layers_slide_follows_from_the_architecture(architecture: str, pattern: str) -> None:
    shape = bare_shape(header(architecture, {**GEMMA_3_12B, "block_count": 12}))
    assert "".join("s" if layer.slides else "f" for layer in shape.layers) == (pattern * 6)[:12]


def test_a_header_may_say_which_layers_slide() -> None:
    flags = tuple(layer % 3 == 0 for layer in range(48))
    shape = bare_shape(header("gemma4", {**GEMMA_3_12B, "attention.sliding_window_pattern": flags}))
    assert tuple(layer.slides for layer in shape.layers) == flags
    four = bare_shape(header("gemma3", {**GEMMA_3_12B, "attention.sliding_window_pattern": 4}))
    assert [layer.slides for layer in four.layers[:4]] == [True, True, True, False]


@pytest.mark.parametrize("architecture", ["qwen2", "llama", "phi3", "an architecture of tomorrow"])
def test_a_window_means_nothing_where_llama_cpp_passes_it_over(architecture: str) -> None:
    shape = bare_shape(header(architecture, GEMMA_3_12B))
    assert not shape.window
    assert not any(layer.slides for layer in shape.layers)


def test_hybrids_keep_a_state_where_they_have_no_heads() -> None:
    shape = bare_shape(header("lfm2", LFM2_1_2B))
    assert [layer.recurrent for layer in shape.layers] == [not layer.n_head_kv for layer in shape.layers]
    assert [layer.keeps_cache for layer in shape.layers] == [layer.n_head_kv > 0 for layer in shape.layers]
    assert shape.state.n_bytes == 4 * 2048 * 2


def test_layers_that_only_draft_tokens_compute_nothing() -> None:
    shape = bare_shape(header("glm4moe", {**QWEN3_30B_A3B, "nextn_predict_layers": 1}))
    assert (shape.n_layer, shape.n_block, len(shape.layers)) == (47, 48, 47)


STRANGE = st.sampled_from([-1, 0, 1, 7, 1 << 39, 1 << 62, True, 2.5, "text", (), (0, 3), (-1, 2.5, 99, 1 << 50)])
KEYS = sorted({*GEMMA_3_12B, *DEEPSEEK_V2_LITE, *MAMBA_2_8B, "attention.sliding_window_pattern", "wkv.head_size"})


@settings(max_examples=60)
@given(
    st.sampled_from(["llama", "gemma3", "deepseek2", "lfm2", "qwen3next", "mamba", "falcon-h1", ""]),
    st.integers(0, 5),
    st.dictionaries(st.sampled_from([key for key in KEYS if key != "block_count"]), STRANGE),
)
def test_no_header_is_too_strange(architecture: str, n_layer: int, keys: dict[str, object]) -> None:
    shape = shape_of_header(header(architecture, {**keys, "block_count": n_layer}))
    assert len(shape.layers) == shape.n_layer
    assert shape.weights_bytes >= 0
    for machine in (Machine(), Machine(devices=(DeviceSpec(name="CUDA0", total_bytes=1 << 34, free_bytes=1 << 34),))):
        found = predict(shape, LoadSettings(n_ctx=512, n_gpu_layers=2), machine)
        assert min(found.host.sum_bytes, *(device.sum_bytes for device in found.devices), found.spread) >= 0


def test_counts_that_are_none_count_as_missing() -> None:
    facts = Facts("llama", {"llama.block_count": -1, "llama.head": (1, -5, 7), "llama.text": "three"})
    assert facts.block_counts() == (0, 0)
    assert facts.number("head") == 7
    assert facts.each("head", 4) == (1, 0, 7, 0)
    assert facts.number("text", 5) == 5
