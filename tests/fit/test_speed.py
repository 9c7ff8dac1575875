"""Estimates of speed: what each origin adds, in which order they count, and what moves the figures which way."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fit.shapes import Even, gpu_machine, host_machine, laid_out
from tui.fit.cards import card_named
from tui.fit.from_header import shape_of_layout
from tui.fit.measured import Kind, Measurement
from tui.fit.parts import parts_of
from tui.fit.roofline import ASSUMED_RAM_BYTES_S
from tui.fit.speed import Speed, estimate, measurement
from tui.fit.values import DeviceSpec, Machine, Prediction
from tui.gguf.layout import read_layout
from tui.llama.settings import LoadSettings

SETTINGS = LoadSettings(n_gpu_layers=0, n_ctx=4096)
ON_HOST = laid_out(0)
DENSE = Even()
HERE = host_machine()
CARD = DeviceSpec(name="CUDA0", description="A card", total_bytes=1 << 40, free_bytes=1 << 40, bandwidth_bytes_s=1000e9)


def seen(
    decode: float | None,
    prefill: float | None = None,
    *,
    shape: Even = DENSE,
    machine: Machine = HERE,
    prediction: Prediction = ON_HOST,
    settings: LoadSettings = SETTINGS,
    model: str = "this",
    kind: Kind = "answer",
    n_past: int = 512,
) -> Measurement:
    return measurement(
        shape,
        settings,
        prediction,
        machine,
        model=model,
        kind=kind,
        time=1.0,
        n_past=n_past,
        decode_tok_s=decode,
        prefill_tok_s=prefill,
    )


def told(*measured: Measurement, machine: Machine = HERE, **more: Any) -> Speed:
    arguments: dict[str, Any] = {"shape": DENSE, "settings": SETTINGS, "prediction": ON_HOST, "model": "this", **more}
    speed = estimate(measured=measured, machine=machine, **arguments)
    assert speed is not None
    return speed


def width(speed: Speed) -> float:
    return speed.decode_tok_s[1] / speed.decode_tok_s[0]


# ---- where the bytes are read ------------------------------------------------------------


def test_everything_is_read_on_the_host_without_devices() -> None:
    (part,) = parts_of(DENSE, SETTINGS, ON_HOST, 1000)
    assert (part.name, part.layers) == ("host", 33)
    assert part.read_bytes == 32 * 140_000_000 + 430_000_000 + 1000 * 131_072


def test_the_last_layers_go_to_the_device_and_the_output_first() -> None:
    host, device = parts_of(DENSE, SETTINGS, laid_out(11, ("CUDA0", 5)), 0)
    assert (host.name, host.read_bytes, host.layers) == ("host", 22 * 140_000_000, 22)
    assert (device.name, device.read_bytes, device.layers) == ("CUDA0", 10 * 140_000_000 + 430_000_000, 11)
    host, device = parts_of(DENSE, SETTINGS, laid_out(1, ("CUDA0", 5)), 0)
    assert (host.layers, device.read_bytes) == (32, 430_000_000)


def test_devices_share_as_their_weights_do() -> None:
    one, two = parts_of(DENSE, SETTINGS, laid_out(33, ("CUDA0", 3), ("CUDA1", 1)), 0)
    assert one.read_bytes == pytest.approx(3 * two.read_bytes)
    assert one.layers + two.layers == pytest.approx(33)


def test_experts_are_read_in_their_share_and_where_they_are_kept() -> None:
    moe = Even(layer_bytes=10_000_000, expert_bytes=800_000_000, expert_share=1 / 16, output_bytes=0)
    (device,) = parts_of(moe, SETTINGS, laid_out(33, ("CUDA0", 1)), 0)
    assert (device.read_bytes, device.layers) == (32 * 60_000_000, 65)
    settings = msgspec.structs.replace(SETTINGS, n_cpu_moe=8)
    host, device = parts_of(moe, settings, laid_out(33, ("CUDA0", 1)), 0)
    assert (host.read_bytes, host.layers) == (8 * 50_000_000, 0)
    assert device.read_bytes == 32 * 60_000_000 - 8 * 50_000_000


def test_a_quantized_cache_reads_less_at_depth() -> None:
    light = msgspec.structs.replace(SETTINGS, type_k="q8_0", type_v="q8_0")
    (heavy_part,), (light_part,) = (parts_of(DENSE, each, ON_HOST, 10_000) for each in (SETTINGS, light))
    assert heavy_part.read_bytes - light_part.read_bytes == pytest.approx(10_000 * 131_072 * (1 - 34 / 64))


# ---- the roofline ------------------------------------------------------------


def test_the_plain_roofline_of_a_cpu() -> None:
    speed = told()
    assert speed.source == "roofline"
    assert speed.bandwidth_measured
    at_best = 50e9 / (32 * 140_000_000 + 430_000_000)
    assert 0.2 * at_best < speed.decode_tok_s[0] < speed.decode_tok_s[1] < at_best
    assert speed.answer_s() == pytest.approx(400 / speed.decode_tok_s[0])


def test_more_bandwidth_fewer_bytes_and_less_depth_are_faster() -> None:
    base = told().decode_tok_s
    assert told(machine=host_machine(bandwidth=100e9)).decode_tok_s > base
    assert told(shape=Even(layer_bytes=70_000_000)).decode_tok_s > base
    assert told(n_past=30_000).decode_tok_s < base
    with_card = told(machine=gpu_machine(CARD), prediction=laid_out(17, ("CUDA0", 1))).decode_tok_s
    assert base < with_card < told(machine=gpu_machine(CARD), prediction=laid_out(33, ("CUDA0", 1))).decode_tok_s


def test_a_vendors_figure_is_told_from_a_measured_one() -> None:
    assert not told(machine=gpu_machine(CARD), prediction=laid_out(33, ("CUDA0", 1))).bandwidth_measured
    measured = msgspec.structs.replace(CARD, bandwidth_origin="measured")
    assert told(machine=gpu_machine(measured), prediction=laid_out(33, ("CUDA0", 1))).bandwidth_measured


def test_nothing_is_said_without_a_bandwidth_or_a_measurement() -> None:
    unknown = gpu_machine(msgspec.structs.replace(CARD, bandwidth_bytes_s=None))
    on_card = laid_out(33, ("CUDA0", 1))
    assert estimate(DENSE, SETTINGS, on_card, unknown) is None
    run = seen(70.0, machine=unknown, prediction=on_card)
    assert told(run, machine=unknown, prediction=on_card).source == "measured"


def test_ram_that_was_not_measured_is_assumed_and_said_to_be() -> None:
    unmeasured = Machine(cores=8)
    assert told(machine=unmeasured).decode_tok_s == told(machine=host_machine(ASSUMED_RAM_BYTES_S)).decode_tok_s
    assert not told(machine=unmeasured).bandwidth_measured


def test_a_prompt_is_bound_by_arithmetic() -> None:
    card = card_named("4090")
    assert card is not None
    machine = gpu_machine(card.spec("CUDA0"))
    whole = told(machine=machine, prediction=laid_out(33, ("CUDA0", 1))).prefill_tok_s
    half = told(machine=machine, prediction=laid_out(17, ("CUDA0", 1))).prefill_tok_s
    host = told().prefill_tok_s
    assert whole is not None
    assert half is not None
    assert host is not None
    assert host < half < whole
    unknown = told(machine=gpu_machine(CARD), prediction=laid_out(33, ("CUDA0", 1)))
    assert unknown.prefill_tok_s is None
    assert told(machine=host_machine(cores=None)).prefill_tok_s is None


def test_a_tiny_model_on_a_large_gpu_reads_no_million_tokens_a_second() -> None:
    card = card_named("H100")
    assert card is not None
    speed = told(shape=TINY, machine=gpu_machine(card.spec("CUDA0")), prediction=laid_out(31, ("CUDA0", 1)))
    assert speed.prefill_tok_s is not None
    assert 10_000 < speed.prefill_tok_s[0] < speed.prefill_tok_s[1] <= 100_000


# ---- measurements, the most telling first ------------------------------------------------------------


def test_a_files_own_measurement_counts_most() -> None:
    speed = told(seen(6.0, 90.0), seen(6.6, 100.0), seen(3.0, model="that"), seen(9.0, kind="phantom"))
    assert speed.source == "measured"
    low, high = speed.decode_tok_s
    assert 0.9 * 6.0 < low < 6.0 < 6.6 < high < 1.1 * 6.6
    assert speed.prefill_tok_s is not None
    assert 60 < speed.prefill_tok_s[0] < 90 < 100 < speed.prefill_tok_s[1] < 140


def test_a_measurement_is_moved_to_the_depth_that_is_asked_for() -> None:
    shallow = told(seen(6.0), n_past=512).decode_tok_s
    deep = told(seen(6.0), n_past=40_000).decode_tok_s
    assert deep[1] < 0.7 * shallow[1]
    assert told(seen(6.0, n_past=40_000), n_past=40_000).decode_tok_s == pytest.approx(shallow)


def test_a_phantom_counts_before_another_model() -> None:
    speed = told(seen(9.0, kind="phantom"), seen(3.0, model="that"))
    assert speed.source == "phantom"
    assert speed.decode_tok_s == pytest.approx((0.70 * 9.0, 1.12 * 9.0))


def test_other_settings_of_the_file_are_a_similar_model() -> None:
    speed = told(seen(6.0, settings=msgspec.structs.replace(SETTINGS, type_k="q8_0")))
    assert speed.source == "similar"


def test_a_similar_model_is_of_the_same_family_size_and_place() -> None:
    bigger = Even(parameters=9_000_000_000, layer_bytes=160_000_000)
    speed = told(seen(6.0, shape=bigger, model="that"))
    assert speed.source == "similar"
    assert speed.decode_tok_s[0] > 0.85 * 6.0  # it reads more than this one
    machine = gpu_machine(CARD)
    on_card = laid_out(33, ("CUDA0", 1))
    for other in (
        seen(6.0, shape=Even(architecture="gemma3"), model="that"),
        seen(6.0, shape=Even(parameters=20_000_000_000), model="that"),
        seen(90.0, machine=machine, prediction=on_card, model="that"),
    ):
        assert told(other, machine=machine, prediction=laid_out(0, ("CUDA0", 0))).source != "similar"


ANOTHER = Even(architecture="gemma3", parameters=7_000_000_000, layer_bytes=120_000_000)
TINY = Even(architecture="gemma3", n_layer=30, parameters=135_000_000, layer_bytes=2_500_000, output_bytes=28_000_000)
MIXTURE = Even(architecture="olmoe", active=1_300_000_000, layer_bytes=120_000_000)


def test_models_that_are_alike_calibrate_the_roofline() -> None:
    plain, bounds = told(), told(shape=ANOTHER).decode_tok_s
    for rate in bounds:
        speed = told(seen(rate, shape=ANOTHER, model="that"))
        assert speed.source == "calibrated"
        assert width(speed) < 0.9 * width(plain)
    slow, fast = (told(seen(rate, shape=ANOTHER, model="that")).decode_tok_s for rate in bounds)
    assert slow[1] < plain.decode_tok_s[1]
    assert plain.decode_tok_s[0] < fast[0]
    several = [seen(bounds[0] * 1.5, shape=ANOTHER, model=f"m{number}") for number in range(6)]
    assert width(told(*several)) < width(told(several[0]))


def test_the_less_alike_a_model_is_the_less_it_says() -> None:
    widths = [
        width(told(seen(told(shape=shape).decode_tok_s[0] * 1.3, shape=shape, model="that")))
        for shape in (ANOTHER, MIXTURE, TINY)
    ]
    assert widths == sorted(widths)
    assert widths[-1] > 0.75 * width(told())


def test_a_run_on_a_busy_machine_hardly_moves_what_others_are_told() -> None:
    plain, low = told().decode_tok_s, told(shape=TINY).decode_tok_s[0]
    told_then = told(seen(low / 20, shape=TINY, model="that")).decode_tok_s
    assert told_then == pytest.approx(plain, rel=0.15)


def test_of_several_runs_of_one_model_the_quick_ones_count() -> None:
    low, high = told(shape=ANOTHER).decode_tok_s
    usual = [seen(math.sqrt(low * high), shape=ANOTHER, model="that")] * 3
    assert told(*usual).decode_tok_s == told(*usual, seen(low / 9, shape=ANOTHER, model="that")).decode_tok_s


def test_a_files_own_runs_leave_out_the_slowest_of_many() -> None:
    assert told(*[seen(6.0)] * 3, seen(0.4)).decode_tok_s == told(seen(6.0)).decode_tok_s


@given(
    st.lists(st.tuples(st.sampled_from((ANOTHER, TINY, MIXTURE)), st.floats(1e-6, 1e9)), min_size=1, max_size=12),
    st.integers(1, 3),
)
def test_other_models_never_lead_far_from_the_roofline(runs: list[tuple[Even, float]], models: int) -> None:
    low, high = told().decode_tok_s
    measured = [seen(rate, shape=shape, model=f"m{index % models}") for index, (shape, rate) in enumerate(runs)]
    speed = told(*measured, model="another")
    assert low / 3 < speed.decode_tok_s[0] <= speed.decode_tok_s[1] < 3 * high


def test_a_similar_model_does_not_lead_far_from_the_roofline() -> None:
    low, _ = told().decode_tok_s
    assert told(seen(0.01, model="that")).decode_tok_s[0] > low / 3


def test_what_was_measured_elsewhere_in_the_machine_does_not_calibrate() -> None:
    machine = gpu_machine(CARD)
    other = Even(architecture="gemma3", parameters=1_000_000_000)
    on_card = laid_out(33, ("CUDA0", 1))
    card_run = seen(150.0, shape=other, machine=machine, prediction=on_card, model="that")
    assert told(card_run, machine=machine, prediction=laid_out(0, ("CUDA0", 0))).source == "roofline"
    assert told(card_run, machine=machine, prediction=on_card).source == "calibrated"


def test_a_prompts_rate_is_taken_from_another_model_by_its_active_parameters() -> None:
    other = Even(architecture="gemma3", parameters=1_000_000_000)
    speed = told(seen(None, 800.0, shape=other, model="that"))
    assert speed.source == "roofline"
    assert speed.prefill_tok_s == pytest.approx((0.75 * 800 / 8.03, 1.30 * 800 / 8.03))


# ---- a real model ------------------------------------------------------------


def test_the_demo_model_reads_nearly_its_whole_file_for_a_token(demo_model: Path) -> None:
    shape = shape_of_layout(read_layout(demo_model))
    (part,) = parts_of(shape, SETTINGS, ON_HOST, 0)
    assert 0.9 * demo_model.stat().st_size < part.read_bytes < demo_model.stat().st_size
    (deep,) = parts_of(shape, SETTINGS, ON_HOST, 1000)
    assert deep.read_bytes - part.read_bytes == pytest.approx(1000 * 30 * 2 * 192 * 2)  # layers × K and V × width × f16
    speed = estimate(shape, SETTINGS, ON_HOST, HERE)
    assert speed is not None
    assert 20 < speed.decode_tok_s[0] < speed.decode_tok_s[1] < 600
    assert speed.prefill_tok_s is not None
