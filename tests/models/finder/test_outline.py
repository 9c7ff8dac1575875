"""A model's quantizations out of one outline: the same bytes as the closed form gives each of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.finder.examples import machine
from tui.fit.closed_form import COMPUTE_SPREAD, predict
from tui.fit.from_facts import CardFacts, shape_of_facts, weights_of
from tui.fit.parts import parts_of
from tui.fit.speed import TYPICAL_PAST
from tui.fit.values import Machine
from tui.llama.settings import NO_DEVICES, LoadSettings
from tui.models.finder.outline import context_for, outline_of
from tui.models.quants import COMMON

MACHINES = {"ram": machine(), "one": machine(512), "two": machine(240, 120)}
FACTS = st.builds(
    CardFacts,
    parameters=st.integers(10**7, 10**12),
    architecture=st.sampled_from(["", "llama", "qwen3", "qwen3_moe", "gemma3", "mamba", "jamba", "deepseek_v3"]),
    context_length=st.none() | st.integers(512, 10**6),
    layers=st.none() | st.integers(1, 126),
    heads=st.none() | st.sampled_from([1, 8, 32]),
    kv_heads=st.none() | st.sampled_from([1, 4, 8]),
    head_dim=st.none() | st.sampled_from([64, 128, 256]),
    hidden_size=st.none() | st.sampled_from([576, 2048, 4096]),
    vocab_size=st.none() | st.sampled_from([32_000, 151_936]),
    active_parameters=st.none() | st.integers(10**6, 10**10),
    experts=st.none() | st.sampled_from([8, 128]),
    experts_used=st.none() | st.sampled_from([2, 8]),
).filter(lambda facts: (facts.active_parameters or 0) <= facts.parameters)


def plain(n_gpu_layers: int = 0, n_ctx: int = 4096) -> LoadSettings:
    devices = () if n_gpu_layers else NO_DEVICES
    return LoadSettings(n_ctx=n_ctx, n_gpu_layers=n_gpu_layers, devices=devices)


@given(FACTS, st.sampled_from(COMMON), st.sampled_from(sorted(MACHINES)))
@settings(max_examples=60, deadline=None)
def test_all_or_none_on_the_devices_is_what_the_closed_form_says(facts: CardFacts, quant: str, place: str) -> None:
    here = MACHINES[place]
    outline = outline_of(facts, here, LoadSettings(n_ctx=4096))
    shape = shape_of_facts(facts, quant)
    weights = weights_of(outline.shape, quant)
    assert weights.data_bytes == shape.file_bytes
    for count in {0, outline.most}:
        held, said = outline.held(weights, count), predict(shape, plain(count), here)
        for ours, theirs in zip((*held.devices, held.host), (*said.devices, said.host), strict=True):
            slack = len(shape.layers) + 4  # each layer's share is rounded down
            assert ours.weights_bytes == pytest.approx(theirs.weights_bytes * (1 + shape.weights_spread), abs=2 * slack)
            assert ours.context_bytes == round(theirs.context_bytes * (1 + shape.context_spread))
            assert ours.compute_bytes == pytest.approx(theirs.compute_bytes * (1 + COMPUTE_SPREAD), abs=1)
        assert (held.n_gpu_layers, held.n_ctx, held.output_bytes) == (count, said.n_ctx, said.output_bytes)


@pytest.mark.parametrize("place", ["one", "two"])
@pytest.mark.parametrize("count", [1, 12, 30, 48])
@pytest.mark.parametrize("quant", ["Q8_0", "Q4_K_M", "Q2_K"])
def test_with_some_layers_on_devices_weights_and_context_are_the_closed_form_s(
    place: str, count: int, quant: str
) -> None:
    facts = CardFacts(
        parameters=12_187_325_040,
        architecture="gemma3",
        layers=48,
        heads=16,
        kv_heads=8,
        head_dim=256,
        hidden_size=3840,
        vocab_size=262_144,
    )
    here = MACHINES[place]
    outline = outline_of(facts, here, LoadSettings(n_ctx=8192))
    shape, weights = shape_of_facts(facts, quant), weights_of(outline.shape, quant)
    held, said = outline.held(weights, count), predict(shape, plain(count, 8192), here)
    for ours, theirs in zip((*held.devices, held.host), (*said.devices, said.host), strict=True):
        assert ours.weights_bytes == pytest.approx(theirs.weights_bytes * (1 + shape.weights_spread), abs=200)
        assert ours.context_bytes == pytest.approx(theirs.context_bytes * (1 + shape.context_spread), rel=0.01)


@pytest.mark.parametrize("experts", [None, 64])
@pytest.mark.parametrize("count", [0, 10, 33])
@pytest.mark.parametrize("here", MACHINES.values(), ids=MACHINES)
def test_what_a_token_reads_is_what_the_fit_reckons_with(here: Machine, count: int, experts: int | None) -> None:
    facts = CardFacts(
        parameters=8_030_261_248,
        architecture="llama",
        layers=32,
        heads=32,
        kv_heads=8,
        head_dim=128,
        hidden_size=4096,
        vocab_size=128_256,
        experts=experts,
        experts_used=8 if experts else None,
    )
    outline = outline_of(facts, here, LoadSettings(n_ctx=4096))
    count = min(count, outline.most)
    shape, weights = shape_of_facts(facts, "Q6_K"), weights_of(outline.shape, "Q6_K")
    ours = outline.parts(weights, outline.held(weights, count))
    theirs = parts_of(shape, plain(count), predict(shape, plain(count), here), TYPICAL_PAST)
    assert [part.name for part in ours] == [part.name for part in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert one.read_bytes == pytest.approx(other.read_bytes, rel=1e-3)
        assert one.layers == pytest.approx(other.layers, rel=1e-3)


def test_a_model_is_priced_at_no_more_than_it_was_trained_on() -> None:
    assert context_for(4096, 8192) == 4096
    assert context_for(1000, 8192) == 1024
    assert context_for(None, 8192) == 8192
    assert context_for(131_072, 8192) == 8192
