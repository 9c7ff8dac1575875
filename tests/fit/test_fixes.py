"""What is offered to somebody whose model does not fit: changes that were asked for, the cheapest first."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fit.rig import GIB, MIXTURE, Model, Rig, machine
from tests.fit.strategies import machines, models
from tui.fit.candidates import experts_on_host
from tui.fit.fixes import SLACK_BYTES, Fix, Holder, Speed, fixes
from tui.fit.values import Machine
from tui.fit.verdict import Assessment, assess
from tui.llama.settings import NO_DEVICES, LoadSettings

DENSE = Model()
WHOLE = LoadSettings(n_gpu_layers=33, n_ctx=8192)


async def _assessed(asked: LoadSettings, rig: Rig) -> Assessment:
    prediction = await rig.ask(asked)
    moe = experts_on_host(asked, rig.model)
    return assess(prediction, rig.machine, rig.model.n_block, n_cpu_moe=moe)


async def _offered(
    asked: LoadSettings,
    here: Machine,
    model: Model = DENSE,
    *,
    others: tuple[Holder, ...] = (),
    quants: tuple[tuple[str, int], ...] = (),
    speed: Speed | None = None,
) -> tuple[Fix, ...]:
    rig = Rig(model, here)
    assessment = await _assessed(asked, rig)
    return await fixes(asked, model, assessment, here, rig.ask, others=others, quant="Q6_K", quants=quants, speed=speed)


async def test_what_is_all_on_the_gpu_needs_nothing() -> None:
    assert await _offered(WHOLE, machine(24)) == ()


async def test_a_machine_without_gpus_that_holds_it_needs_nothing() -> None:
    assert await _offered(msgspec.structs.replace(WHOLE, n_gpu_layers=0), machine()) == ()


async def test_every_single_change_is_offered_the_cheapest_first() -> None:
    offered = await _offered(WHOLE, machine(6.5), speed=lambda s: 50.0 if s.n_gpu_layers == 33 else 20.0)
    assert [fix.words for fix in offered] == [
        "KV cache q8_0: −480 MiB, small quality cost",
        "context 6 656 instead of 8 192 tokens: −194 MiB, a shorter conversation is kept in mind",
        "32 of 33 layers on the GPU: −162 MiB, about 0.4 × the speed",
    ]


async def test_the_context_fix_is_the_largest_that_fits_with_a_little_slack() -> None:
    here = machine(6.5)
    (fix,) = [fix for fix in await _offered(WHOLE, here) if fix.change.startswith("context")]
    assert fix.settings is not None
    assert isinstance(fix.settings.n_ctx, int)
    more = msgspec.structs.replace(fix.settings, n_ctx=fix.settings.n_ctx + 256)
    for tried, has_slack in ((fix.settings, True), (more, False)):
        assessed = await _assessed(tried, Rig(DENSE, here))
        assert (assessed.over_bytes <= -SLACK_BYTES) == has_slack


async def test_the_context_fix_still_fits_when_free_ram_has_moved() -> None:
    asked, here = msgspec.structs.replace(WHOLE, n_gpu_layers=0, n_ctx=2_000_128), machine(ram_gib=64)
    (fix,) = [fix for fix in await _offered(asked, here) if fix.change.startswith("context")]
    assert fix.settings is not None
    available = here.host_available_bytes
    for taken, fits in ((256 << 20, True), (available // 32, True), (available // 16, False)):
        less = msgspec.structs.replace(here, host_available_bytes=available - taken)
        assert ((await _assessed(fix.settings, Rig(DENSE, less))).verdict != "no") == fits


async def test_what_the_settings_waste_comes_first() -> None:
    wasteful = msgspec.structs.replace(WHOLE, n_ctx=2048, swa_full=True, n_ubatch=2048, panes=2)
    changes = [fix.change for fix in await _offered(wasteful, machine(6.6))]
    assert changes[:4] == [
        "sliding windows of their own size",
        "n_ubatch 256 instead of 2048",
        "KV cache q8_0",
        "one pane instead of two",
    ]


async def test_what_lies_beside_the_model_may_be_left_out() -> None:
    seeing = msgspec.structs.replace(WHOLE, n_ctx=1024, mmproj="mmproj.gguf", draft_model="small.gguf")
    offered = await _offered(seeing, machine(6.6))
    assert [fix.words for fix in offered if fix.change.startswith("no ")] == [
        "no draft model: −700 MiB, answers at the model's own speed",
        "no projector (mmproj): −700 MiB, it sees no images",
    ]
    without = [fix.settings for fix in offered if fix.settings is not None and fix.change.startswith("no ")]
    assert [(one.draft_model, one.mmproj) for one in without] == [("", "mmproj.gguf"), ("small.gguf", "none")]


async def test_experts_are_offered_before_layers() -> None:
    offered = await _offered(LoadSettings(n_gpu_layers=49, n_ctx=8192), machine(12), MIXTURE)
    assert [fix.change for fix in offered] == ["experts of 21 of 48 layers in RAM", "30 of 49 layers on the GPU"]
    assert {fix.cost for fix in offered} == {"slower, as the CPU computes the rest"}


async def test_more_layers_on_the_gpu_help_a_host_that_is_short() -> None:
    offered = await _offered(LoadSettings(n_gpu_layers=0, n_ctx=8192), machine(24, ram_gib=4))
    assert [(fix.change, fix.settings) for fix in offered] == [("33 of 33 layers on the GPU", WHOLE)]


async def test_what_is_partly_on_the_gpu_is_brought_there() -> None:
    partial = msgspec.structs.replace(WHOLE, n_gpu_layers=20)
    (whole,) = await _offered(partial, machine(24))
    assert (whole.settings, whole.words) == (WHOLE, "every layer on the GPU: faster, at no cost")
    offered = await _offered(partial, machine(6.5))
    assert [fix.change for fix in offered] == [
        "every layer on the GPU, KV cache q8_0",
        "every layer on the GPU, context 6 656 instead of 8 192 tokens",
    ]
    assert all(fix.settings is not None and fix.settings.n_gpu_layers == 33 for fix in offered)


async def test_another_quantization_gives_up_no_more_than_it_must() -> None:
    quants = (("Q3_K_M", 3 * GIB), ("Q5_K_M", GIB // 32), ("Q4_K_M", 2 * GIB))
    (fix,) = [fix for fix in await _offered(WHOLE, machine(6.5), quants=quants) if fix.settings is None]
    assert fix.words == "quantization Q4_K_M instead of Q6_K: −2.0 GiB, lower quality, another download"


async def test_who_holds_the_memory_is_said_and_left_alone() -> None:
    others = (
        Holder(pid=77, device="CUDA0", used_bytes=GIB, mine=True),
        Holder(pid=4121, device="CUDA0", used_bytes=int(6.2 * GIB), user="another user"),
        Holder(pid=5, device="CUDA1", used_bytes=9 * GIB),
    )
    told = [fix for fix in await _offered(WHOLE, machine(6.5, 0.1), others=others) if fix.change.startswith("PID")]
    here = [fix for fix in await _offered(WHOLE, machine(6.5), others=others) if fix.change.startswith("PID")]
    assert [(fix.change, fix.cost) for fix in here] == [
        ("PID 4121 of another user holds 6.2 GiB", "information only"),
        ("PID 77, your engine, holds 1.0 GiB", "`puna stop 77` ends it"),
    ]
    assert all(fix.settings is None for fix in told)


async def test_a_gpu_that_somebody_fills_is_said_to_be_the_reason_for_ram() -> None:
    others = (Holder(pid=4121, device="CUDA0", used_bytes=23 * GIB, user="another user"),)
    in_ram = msgspec.structs.replace(WHOLE, n_gpu_layers=0, devices=NO_DEVICES)
    (told,) = await _offered(in_ram, machine(0.5), others=others)
    assert told.words == "PID 4121 of another user holds 23.0 GiB: information only"


@settings(max_examples=60, deadline=None)
@given(models(), machines(), st.integers(0, 90), st.sampled_from([700, 4096, 20_000]), st.integers(0, 90))
async def test_every_offer_keeps_its_promise_and_changes_one_thing(
    model: Model, here: Machine, layers: int, n_ctx: int, n_cpu_moe: int
) -> None:
    asked = LoadSettings(n_gpu_layers=layers, n_ctx=n_ctx, n_cpu_moe=n_cpu_moe, n_ubatch=1024, panes=2)
    rig = Rig(model, here)
    assessment = await _assessed(asked, rig)
    rig.asked.clear()
    offered = await fixes(asked, model, assessment, here, rig.ask)
    assert len(rig.asked) <= 50
    base = (
        asked
        if assessment.verdict == "no"
        else msgspec.structs.replace(asked, n_gpu_layers=model.n_block + 1, n_cpu_moe=0)
    )
    for fix in offered:
        assert fix.settings is not None
        after = await _assessed(fix.settings, rig)
        assert after.verdict != "no"
        assert after.verdict == "gpu" or assessment.verdict == "no"
        changed = [
            name for name in LoadSettings.__struct_fields__ if getattr(fix.settings, name) != getattr(base, name)
        ]
        assert len(changed) == 1 or changed in ([], ["type_k", "type_v"])
