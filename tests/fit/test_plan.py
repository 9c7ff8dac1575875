"""Automatic settings as stories: a model, a machine, and what becomes of "auto"."""

from __future__ import annotations

import msgspec
import pytest

from tests.fit.rig import MIB, MIXTURE, Model, Rig, gpu, machine
from tui.fit.plan import ALL_MOVABLE, Movable, Plan, plan
from tui.fit.values import Machine, Refused
from tui.llama.settings import NO_DEVICES, LoadSettings

DENSE = Model()
GIB = 1 << 30
ALL_AUTO = LoadSettings()


async def _planned(
    here: Machine,
    wished: LoadSettings = ALL_AUTO,
    model: Model = DENSE,
    *,
    least: int | None = None,
    most: int | None = None,
    may: frozenset[Movable] = ALL_MOVABLE,
    formula: bool = False,
) -> Plan:
    rig = Rig(model, here)
    reckon = Rig(model, here).ask if formula else None
    found = await plan(wished, model, here, rig.ask, least_n_ctx=least, most_n_ctx=most, may_move=may, formula=reckon)
    assert found.asks == len(rig.asked)
    return found


async def test_with_room_for_all_one_question_is_enough() -> None:
    found = await _planned(machine(24))
    assert (found.assessment.verdict, found.settings.n_gpu_layers, found.settings.n_ctx) == ("gpu", 33, 8192)
    assert (found.asks, found.said) == (1, ())


async def test_the_kv_cache_is_quantized_before_a_layer_leaves() -> None:
    found = await _planned(machine(6.5))
    assert (found.assessment.verdict, found.settings.n_ctx, found.settings.type_v) == ("gpu", 8192, "q8_0")
    assert found.said == ("The KV cache is q8_0 instead of f16, to fit more: a small cost in quality.",)


async def test_all_on_the_gpu_is_worth_a_smaller_context_and_it_is_said() -> None:
    found = await _planned(machine(6))
    assert found.assessment.verdict == "gpu"
    assert found.settings.n_ctx == 6144
    assert found.said[0] == (
        "The context is 6144 tokens, not 8192: more does not fit beside the whole model on the GPU."
    )


async def test_the_persons_minimum_is_worth_layers() -> None:
    found = await _planned(machine(6), least=16_384)
    assert (found.assessment.verdict, found.settings.n_ctx) == ("partial", 16_384)
    assert found.said[-1] == "28 of 33 layers are on the GPU; the CPU computes the rest."


async def test_experts_leave_before_whole_layers() -> None:
    found = await _planned(machine(12), model=MIXTURE)
    assert (found.assessment.verdict, found.settings.n_gpu_layers, found.settings.n_cpu_moe) == ("partial", 49, 20)
    assert found.said[-1] == "The experts of 20 of 48 layers stay in RAM."


async def test_a_small_gpu_gets_layers_without_their_experts() -> None:
    found = await _planned(machine(1.8), model=MIXTURE)
    assert (found.settings.n_gpu_layers, found.settings.n_cpu_moe) == (12, 48)


async def test_context_beyond_the_usual_is_taken_from_what_is_left_only() -> None:
    found = await _planned(machine(8), most=131_072)
    assert (found.assessment.verdict, found.settings.type_k) == ("gpu", "f16")
    assert isinstance(found.settings.n_ctx, int)
    assert 8192 < found.settings.n_ctx < 131_072
    partial = await _planned(machine(4), most=131_072)
    assert (partial.assessment.verdict, partial.settings.n_gpu_layers) == ("partial", 18)


async def test_the_context_stops_at_what_the_model_was_trained_with() -> None:
    found = await _planned(machine(24), model=Model(n_ctx_train=2048), least=4096)
    assert found.settings.n_ctx == 2048
    assert found.said == ("The context is 2048 tokens, not the 4096 asked for: the model was trained with 2048.",)
    assert (await _planned(machine(24), model=Model(n_ctx_train=2048))).said == ()


async def test_a_machine_without_gpus_moves_the_context_alone() -> None:
    found = await _planned(machine(ram_gib=6))
    assert (found.assessment.verdict, found.settings.n_gpu_layers) == ("ram", 0)
    assert found.said[0] == "The context is 2048 tokens, not 8192: more does not fit."


async def test_a_gpu_with_nothing_free_leaves_all_to_the_cpu() -> None:
    found = await _planned(machine(0.5))
    assert (found.assessment.verdict, found.settings.n_gpu_layers, found.settings.type_k) == ("ram", 0, "f16")
    assert found.settings.devices == NO_DEVICES
    assert found.said == (
        "No layer is on the GPU; the CPU computes the rest.",
        "CUDA0 has too little free to be used.",
    )


async def test_gpus_that_hold_not_even_what_they_compute_with_leave_all_to_the_cpu() -> None:
    found = await _planned(machine(1.05, 1.02))
    assert (found.assessment.verdict, found.settings.n_gpu_layers) == ("ram", 0)
    assert found.settings.devices == NO_DEVICES


async def test_one_pool_is_not_spent_twice() -> None:
    def here(gib: float) -> Machine:
        return Machine(devices=(gpu(0, int(gib * GIB), shares_host=True),), host_available_bytes=int((gib + 0.5) * GIB))

    assert (await _planned(here(9))).assessment.verdict == "gpu"
    tight = await _planned(here(6))
    assert tight.assessment.verdict == "ram"  # without the device's own buffers and driver it fits
    assert (await _planned(here(4))).assessment.verdict == "no"


async def test_several_gpus_are_filled_by_what_each_has_room_for() -> None:
    found = await _planned(machine(6, 2))
    assert (found.assessment.verdict, found.settings.tensor_split) == ("gpu", (30.0, 3.0))
    shares = [device.need_bytes / device.room_bytes for device in found.assessment.devices]
    assert max(shares) <= 1


async def test_a_gpu_without_room_is_left_out_and_named() -> None:
    found = await _planned(machine(8, 0.9))
    assert (found.assessment.verdict, found.settings.devices) == ("gpu", ("CUDA0",))
    assert found.said == ("CUDA1 has too little free to be used.",)


GROWN = {
    # The first GPU could hold the output alone, but not beside what it computes with.
    "a roomier one takes a lone layer": (
        Model(layer_bytes=327 * MIB, output_bytes=823 * MIB, compute_bytes=407 * MIB),
        machine(1.39, 2.63, 1.83),
        [174, 174, 174],
        2,
    ),
    # Without a layer on any of them it is RAM that is too small by most.
    "a small one is left out though RAM overflows": (
        Model(63, 300, 128, 104_192_237, 324_601_419, 662_415_036, 276_520_870, 10_335, 162_051_434, 3164),
        machine(0.674454, 16.508626, ram_gib=20.3638, overhead_bytes=300 * MIB),
        [180, 76],
        64,
    ),
    # Left without the first, the next one would have to compute, and lacks even more.
    "two that are too small are both left out": (
        Model(
            54,
            8192,
            128,
            31_153_394,
            677_511_044,
            410_692_298,
            419_821_091,
            13_928,
            298_556_132,
            3264,
            frozenset({"q8_0"}),
        ),
        machine(0.218683, 0.162814, 2.892654, 2.502111, 2.667837, ram_gib=78.866),
        [1050] * 5,
        50,
    ),
}


@pytest.mark.parametrize(("model", "here", "more_mib", "layers"), GROWN.values(), ids=GROWN.keys())
async def test_a_gpu_with_a_little_more_free_is_never_in_the_way(
    model: Model, here: Machine, more_mib: list[int], layers: int
) -> None:
    devices = tuple(
        msgspec.structs.replace(device, free_bytes=device.free_bytes + more * MIB)
        for device, more in zip(here.devices, more_mib, strict=True)
    )
    grown = msgspec.structs.replace(here, devices=devices)
    for formula in (False, True):
        before, after = (
            await _planned(here, model=model, formula=formula),
            await _planned(grown, model=model, formula=formula),
        )
        assert after.rank >= before.rank
        assert after.settings.n_gpu_layers == layers


async def test_where_nothing_fits_the_closest_plan_says_what_is_missing() -> None:
    found = await _planned(machine(2, ram_gib=3))
    assert found.assessment.verdict == "no"
    assert found.settings.n_ctx == 512
    assert found.said[0].startswith("It does not fit: ")
    assert found.assessment.missing_bytes == -found.rank.not_missing_bytes > 0


async def test_what_the_person_gave_is_kept_even_where_it_does_not_fit() -> None:
    wished = LoadSettings(n_gpu_layers="all", n_ctx=8192)
    found = await _planned(machine(4), wished, may=frozenset())
    assert found.assessment.verdict == "no"
    assert (found.settings.n_gpu_layers, found.settings.n_ctx, found.settings.type_k) == (33, 8192, "f16")
    assert found.asks == 1


async def test_only_what_may_move_moves() -> None:
    found = await _planned(machine(12), model=MIXTURE, may=frozenset({"kv"}))
    assert found.settings.n_cpu_moe == 0
    assert found.settings.n_gpu_layers == 30


async def test_a_given_split_is_kept() -> None:
    found = await _planned(machine(12, 12), LoadSettings(tensor_split=(1.0, 3.0)))
    assert found.settings.tensor_split == (1.0, 3.0)


async def test_a_refused_candidate_is_passed_over() -> None:
    found = await _planned(machine(6.5), model=Model(refuses=frozenset({"q8_0"})))
    assert (found.assessment.verdict, found.settings.type_k) == ("gpu", "f16")
    assert found.settings.n_ctx == 7168


async def test_refused_values_of_the_person_are_raised() -> None:
    with pytest.raises(Refused, match="q4_0"):
        await _planned(machine(24), LoadSettings(type_v="q4_0"), model=Model(refuses=frozenset({"q4_0"})))


def _here(*free_gib: float) -> Machine:
    """Devices that the installed llama.cpp has."""
    described = machine(*free_gib)
    devices = tuple(msgspec.structs.replace(device, profile="real") for device in described.devices)
    return msgspec.structs.replace(described, devices=devices)


@pytest.mark.parametrize(
    ("wished", "split"),
    [
        (LoadSettings(n_gpu_layers="all", n_ctx=2048), (22.0, 11.0)),
        (LoadSettings(n_gpu_layers=9, n_ctx=2048, devices=("CUDA1", "CUDA0")), (3.0, 6.0)),
        (LoadSettings(n_gpu_layers=1, n_ctx=2048), (1.0, 0.0)),
        (LoadSettings(n_gpu_layers="all", n_ctx=2048, tensor_split=(1.0, 2.0)), (1.0, 2.0)),
        (LoadSettings(n_gpu_layers="all", n_ctx=2048, split_mode="none"), ()),
        (LoadSettings(n_gpu_layers="all", n_ctx=2048, devices=("CUDA0",)), ()),
        (LoadSettings(n_gpu_layers=0, n_ctx=2048), ()),
    ],
)
async def test_a_load_over_several_gpus_is_split_as_it_was_planned(
    wished: LoadSettings, split: tuple[float, ...]
) -> None:
    """And not by what is free at its own moment, when the engine that makes room is still there."""
    found = await _planned(_here(24, 12), wished, may=frozenset())
    assert found.settings.tensor_split == split
    rig = Rig(DENSE, _here(24, 12))
    assert await rig.ask(found.settings) == found.prediction


async def test_devices_that_are_described_are_split_by_llama_cpp() -> None:
    found = await _planned(machine(24, 12), LoadSettings(n_gpu_layers="all", n_ctx=2048), may=frozenset())
    assert found.settings.tensor_split == ()


async def test_settings_that_do_nothing_and_a_padded_context_are_said() -> None:
    wished = LoadSettings(n_ctx=100_000, n_gpu_layers="all", n_cpu_moe=4, swa_full=True)
    assert (await _planned(machine(80), wished)).said == (
        "n_cpu_moe does nothing: this model has no experts.",
        "swa_full does nothing: this model has no sliding windows.",
        "The context is 100 096 tokens instead of 100 000: llama.cpp pads it to a multiple of 256.",
    )
    useful = Model(n_expert=8, slides=True, expert_bytes=MIB)
    assert not any("nothing" in sentence for sentence in (await _planned(machine(80), wished, useful)).said)
