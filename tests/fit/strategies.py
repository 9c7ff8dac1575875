"""Models and machines of every size, for properties that hold on all of them."""

from __future__ import annotations

from typing import get_args

from hypothesis import strategies as st

from tests.fit.rig import GIB, MIB, Model, gpu
from tui.fit.values import Machine
from tui.llama.settings import FlashAttention, LoadSettings


@st.composite
def models(draw: st.DrawFn) -> Model:
    """A dense model, or one of experts, from a few hundred MiB to about 80 GiB."""
    experts = draw(st.booleans())
    layer_bytes = draw(st.integers(4 * MIB, (100 if experts else 700) * MIB))
    return Model(
        n_block=draw(st.integers(1, 80)),
        n_ctx_train=draw(st.sampled_from([0, 300, 2048, 8192, 32_768, 131_072])),
        n_expert=128 if experts else 0,
        layer_bytes=layer_bytes,
        expert_bytes=draw(st.integers(100 * MIB, 900 * MIB)) if experts else 0,
        embedding_bytes=draw(st.integers(0, GIB)),
        output_bytes=draw(st.integers(MIB, GIB)),
        kv_cells_bytes=draw(st.integers(256, 16_384)),
        compute_bytes=draw(st.integers(MIB, 512 * MIB)),
        compute_token_bytes=draw(st.integers(0, 4096)),
        refuses=frozenset(draw(st.sampled_from([(), (), ("q8_0",)]))),
    )


@st.composite
def machines(draw: st.DrawFn, *, most_devices: int = 3) -> Machine:
    """A machine with no GPU, some, or one that uses the host's memory."""
    shares = draw(st.booleans()) and draw(st.booleans())
    free = draw(st.lists(st.integers(100 * MIB, 40 * GIB), max_size=1 if shares else most_devices))
    overhead = draw(st.sampled_from([0, 300 * MIB, 512 * MIB]))
    devices = (
        gpu(index, free_bytes, overhead_bytes=overhead, shares_host=shares) for index, free_bytes in enumerate(free)
    )
    return Machine(devices=tuple(devices), host_available_bytes=draw(st.integers(GIB, 96 * GIB)))


@st.composite
def wishes(draw: st.DrawFn) -> LoadSettings:
    """What a person may have given: all automatic, or some of it."""
    flash: FlashAttention = draw(st.sampled_from(get_args(FlashAttention)))
    return LoadSettings(
        n_gpu_layers=draw(st.sampled_from(["auto", "auto", "auto", "all", 0, 7, 1000])),
        n_ctx=draw(st.sampled_from(["auto", "auto", "auto", 777, 4096, 20_000])),
        type_k=draw(st.sampled_from(["f16", "q8_0", "q4_0"])),
        type_v="f16" if flash == "off" else draw(st.sampled_from(["f16", "q4_0"])),
        flash_attn=flash,
        n_cpu_moe=draw(st.sampled_from([0, 0, 0, 3])),
    )
