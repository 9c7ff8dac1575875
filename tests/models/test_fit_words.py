"""A report in words: what both front ends say of it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.test_fit_report import CARD, MACHINE, PREDICTION, report
from tui.fit.speed import Speed
from tui.fit.verdict import assess
from tui.llama.settings import LoadSettings
from tui.models.fit_words import (
    answer_words,
    explained,
    facts,
    free_bytes,
    goal,
    origins,
    parts_of,
    range_words,
    settings_words,
    speed_words,
)

GIB = 1 << 30


def test_the_model_and_its_settings() -> None:
    assert facts(report().subject) == "llama, 99 B, 2 layers, trained with 4096 tokens"
    assert settings_words(report()) == "n_ctx 512, 3 of 3 layers on GPUs, KV f16/f16, flash attention off"
    two = settings_words(report(LoadSettings(panes=2, type_v="q8_0", flash_attn="on")))
    assert two.endswith("KV f16/q8_0, flash attention on, 2 panes")


def test_the_parts_of_a_pool_are_what_it_would_hold() -> None:
    device, host = report().assessment.pools
    assert (parts_of(device), free_bytes(device)) == ((1, 2, 3, 5), 20 * GIB)
    assert (parts_of(host), free_bytes(host)) == ((10, 20, 70, 0), 8 * GIB)
    assert all(sum(parts_of(pool)) == pool.need_bytes for pool in (device, host))


@pytest.mark.parametrize(
    ("rates", "rate", "answer"),
    [
        ((6.0, 9.2), "6.0-9.2 tok/s", "300 words in 43-67 s"),
        ((6.0, 12.0), "6-12 tok/s", "300 words in 33-67 s"),
        ((61.2, 61.4), "61 tok/s", "300 words in 6.5 s"),
        ((0.5, 2.0), "0.5-2.0 tok/s", "300 words in 3-13 min"),
        ((1234.0, 5678.0), "1200-5700 tok/s", "300 words in 0.1-0.3 s"),
    ],
)
def test_speeds(rates: tuple[float, float], rate: str, answer: str) -> None:
    speed = Speed(decode_tok_s=rates, source="roofline")
    assert (speed_words(speed), answer_words(speed)) == (rate, answer)


@given(st.floats(0.01, 1e5), st.floats(1, 10))
def test_a_range_has_its_ends_in_order_and_few_digits(low: float, times: float) -> None:
    ends = [float(end) for end in range_words((low, low * times), "|").split("|")]
    assert ends == sorted(ends)
    assert abs(ends[0] - low) <= max(0.5, 0.05 * low)
    assert abs(ends[-1] - low * times) <= max(0.5, 0.05 * low * times)


def test_where_the_bytes_come_from() -> None:
    assert origins(report()) == ["dry run of the header", "driver assumed"]
    measured = msgspec.structs.replace(CARD, overhead_origin="measured", profile="vulkan")
    machine = msgspec.structs.replace(MACHINE, devices=(measured,))
    guessed = msgspec.structs.replace(PREDICTION, source="estimate", reason="the dry run does not start")
    told = report(machine=machine, prediction=guessed, assessment=assess(guessed, machine, 2))
    assert origins(told) == [
        "estimate: the dry run does not start", "vulkan's rules are unproven", "driver measured here",
    ]  # fmt: skip


def test_each_number_is_explained() -> None:
    card = msgspec.structs.replace(CARD, bandwidth_bytes_s=1e12, bandwidth_origin="measured")
    machine = msgspec.structs.replace(MACHINE, devices=(card,), host_bandwidth_bytes_s=5e10)
    told = report(machine=machine, speed=Speed(decode_tok_s=(6, 9), source="roofline"))
    assert list(explained(told, {"4090": "RTX 4090"})) == [
        "weights, context, compute: llama.cpp's own allocator, asked with the model's header (dry run)",
        "RTX 4090: a stand-in with the rules of cuda",
        "  driver: 5 B, assumed",
        "  memory speed: 1000 GB/s, measured",
        "free: what is free now, less 512 MiB a device and 1.0 GiB of RAM",
        "RAM speed: 50.0 GB/s, assumed",
        "speed: roofline, from the memory's speed alone, after 512 tokens",
    ]
    ram_alone = msgspec.structs.replace(MACHINE, devices=())
    assert list(explained(report(machine=ram_alone)))[1:] == ["free: what is free now, less 1.0 GiB of RAM"]
    guessed = msgspec.structs.replace(PREDICTION, source="estimate", spread=0.04)
    assert next(explained(report(prediction=guessed))) == (
        "weights, context, compute: a formula, off by up to 4%; llama.cpp was not asked"
    )


def test_what_changes_are_for() -> None:
    assert goal(report()) == "have it all on the GPU"
    full = msgspec.structs.replace(MACHINE, host_available_bytes=0)
    assert goal(report(assessment=assess(PREDICTION, full, 2))) == "make it fit"
    assert not report().may_be_better
