"""Shapes of models of which no more than a card is known."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fit.rig import GIB, machine
from tui.fit.closed_form import predict
from tui.fit.from_facts import GGUF_NAMES, CardFacts, shape_of_facts
from tui.fit.labels import LABELS, UNKNOWN, label_of
from tui.llama.settings import LoadSettings

QWEN3_8B = CardFacts(
    parameters=8_190_735_360,
    architecture="qwen3",
    context_length=40960,
    layers=36,
    heads=32,
    kv_heads=8,
    head_dim=128,
    hidden_size=4096,
    vocab_size=151_936,
)
QWEN3_30B_A3B = CardFacts(
    parameters=30_532_122_624,
    architecture="qwen3_moe",
    context_length=40960,
    layers=48,
    heads=32,
    kv_heads=4,
    head_dim=128,
    hidden_size=2048,
    vocab_size=151_936,
    active_parameters=3_345_000_000,
    experts=128,
    experts_used=8,
)


@pytest.mark.parametrize(
    ("label", "published"),
    [("Q4_K_M", 5_027_783_488), ("Q5_K_M", 5_851_112_256), ("Q6_K", 6_725_899_072), ("Q8_0", 8_709_518_112)],
)
def test_a_label_makes_the_bytes_of_the_published_file(label: str, published: int) -> None:
    shape = shape_of_facts(QWEN3_8B, label)
    assert shape.weights_bytes == pytest.approx(published, rel=shape.weights_spread)
    assert shape.weights_spread < 0.15


def test_widths_follow_from_the_parameters() -> None:
    assert shape_of_facts(QWEN3_8B, "Q4_K_M").layers[0].n_ff == pytest.approx(12288, rel=0.01)
    mixture = shape_of_facts(QWEN3_30B_A3B, "Q4_K_M")
    assert mixture.architecture == "qwen3moe"
    assert mixture.n_ff_expert == pytest.approx(768, rel=0.01)
    assert mixture.active_parameters == pytest.approx(3.345e9, rel=0.01)
    assert mixture.kv_read_bytes(1) == 48 * 2 * 4 * 128 * 2
    assert mixture.context_spread == 0


def test_what_the_card_leaves_out_is_estimated_and_said() -> None:
    little = shape_of_facts(CardFacts(parameters=8_000_000_000, architecture="llama"), "Q4_K_M")
    assert 24 <= little.n_layer <= 40
    assert little.context_spread >= 0.5
    assert predict(little, LoadSettings(n_ctx=8192), machine(24)).spread > 0.1
    assert shape_of_facts(QWEN3_8B, "no such label").weights_spread >= UNKNOWN.spread


@pytest.mark.parametrize(
    ("parameters", "architecture", "label", "published"),
    [
        (70_553_706_496, "llama", "Q4_K_M", 42_520_395_584),
        (70_553_706_496, "llama", "Q2_K", 26_375_110_432),
        (8_190_735_360, "qwen3", "Q4_K_M", 5_027_783_488),
        (30_532_122_624, "qwen3moe", "Q4_K_M", 18_556_686_912),
    ],
)
def test_of_a_model_whose_shape_nobody_tells_the_bytes_are_as_near(
    parameters: int, architecture: str, label: str, published: int
) -> None:
    shape = shape_of_facts(CardFacts(parameters=parameters, architecture=architecture), label)
    assert shape.weights_bytes == pytest.approx(published, rel=shape.weights_spread)
    assert shape.weights_spread < 0.16


@given(st.integers(8 * 10**9, 10**12), st.sampled_from([(None, None), (3 * 10**9, None), (3 * 10**9, 128)]))
def test_a_width_that_is_a_guess_makes_no_type_larger(parameters: int, mixture: tuple[int | None, int | None]) -> None:
    facts = CardFacts(parameters=parameters, active_parameters=mixture[0], experts=mixture[1], experts_used=8)
    shape = shape_of_facts(facts, "Q4_K_M")
    assert shape.weights_bytes == pytest.approx(parameters * LABELS["Q4_K_M"].layers, rel=0.06)


def test_labels_that_others_made_count_as_their_nearest() -> None:
    assert label_of("UD-Q4_K_XL").layers == LABELS["Q4_K_M"].layers
    assert label_of("UD-Q4_K_XL").spread > LABELS["Q4_K_M"].spread
    assert label_of("MXFP4") == label_of("MXFP4_MOE")._replace(spread=label_of("MXFP4").spread)
    assert label_of(None) is UNKNOWN


def test_more_bits_are_more_bytes() -> None:
    sizes = [shape_of_facts(QWEN3_8B, label).weights_bytes for label in ("Q2_K", "Q3_K_M", "Q4_K_M", "Q6_K", "F16")]
    assert sizes == sorted(sizes)


@settings(max_examples=80, deadline=None)
@given(
    st.builds(
        CardFacts,
        parameters=st.sampled_from([0, 1, 10**6, 8 * 10**9, 10**12]),
        architecture=st.sampled_from(["", "gemma3", "mamba", "kimi_linear", "falcon_h1", *GGUF_NAMES]),
        layers=st.none() | st.integers(1, 120),
        heads=st.none() | st.integers(1, 128),
        kv_heads=st.none() | st.integers(1, 128),
        head_dim=st.none() | st.sampled_from([64, 128, 100]),
        hidden_size=st.none() | st.sampled_from([1, 1000, 8192]),
        vocab_size=st.none() | st.sampled_from([1, 256_000]),
        active_parameters=st.none() | st.sampled_from([1, 3 * 10**9]),
        experts=st.none() | st.integers(0, 512),
        experts_used=st.none() | st.integers(1, 600),
    ),
    st.sampled_from([*LABELS, "Q9_Z"]),
)
def test_every_card_has_a_shape(facts: CardFacts, label: str) -> None:
    shape = shape_of_facts(facts, label)
    found = predict(shape, LoadSettings(n_ctx=4096), machine(24))
    assert found.devices[0].sum_bytes > 0
    assert found.devices[0].weights_bytes + found.host.weights_bytes <= 2 * shape.weights_bytes + GIB
    assert 0 <= shape.active_parameters <= max(1, facts.parameters)
