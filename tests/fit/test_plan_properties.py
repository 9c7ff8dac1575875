"""What holds for every automatic plan: within what is free, no step from a better one, never worse with more memory,
the person's own values kept, and few questions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fit.rig import GIB, Model, Rig, with_more
from tests.fit.strategies import machines, models, wishes
from tui.fit.candidates import experts_on_host, saving_kv
from tui.fit.order import USUAL_N_CTX, Goals, Rank, goals, rank
from tui.fit.plan import Plan, plan
from tui.fit.values import Ask, Machine, Refused
from tui.fit.verdict import assess
from tui.llama.settings import NO_DEVICES, LoadSettings

ONE_GPU_ASKS, MORE_GPUS_ASKS, RIGHT_FORMULA_ASKS = 50, 60, 12
EXAMPLES = 60
"""The same ones each time, so that a run says the same twice; thousands of others hold, too."""
OFF = st.sampled_from([None, 0.4, 1.0, 1.5])
"""How many times too much a formula says that layers take, and a context; None without one."""


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(
    models(),
    machines(),
    wishes(),
    st.sampled_from([None, 1024, 16_384]),
    st.sampled_from([None, 4096, 131_072]),
    OFF,
)
async def test_never_above_what_is_free_and_the_persons_values_kept(
    model: Model, machine: Machine, wished: LoadSettings, least: int | None, most: int | None, off: float | None
) -> None:
    rig, formula = Rig(model, machine), _formula(model, machine, off)
    try:
        found = await plan(wished, model, machine, rig.ask, least_n_ctx=least, most_n_ctx=most, formula=formula)
    except Refused:
        assert {wished.type_k, wished.type_v} & model.refuses
        return
    _assert_within_what_is_free(found, machine)
    _assert_kept(wished, found, model)
    assert found.prediction == await rig.ask(found.settings)
    fits = found.assessment.verdict != "no"
    if fits and wished.n_ctx == "auto" and found.prediction.n_ctx < min(model.n_ctx_train or USUAL_N_CTX, least or 0):
        assert any("context" in sentence for sentence in found.said)


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(models(), machines(most_devices=1), st.sampled_from([None, 1024, 16_384]), OFF)
async def test_no_single_step_is_better(model: Model, machine: Machine, least: int | None, off: float | None) -> None:
    rig = Rig(model, machine)
    wished = LoadSettings()
    found = await plan(wished, model, machine, rig.ask, least_n_ctx=least, formula=_formula(model, machine, off))
    assert found.asks == len(rig.asked) <= ONE_GPU_ASKS
    aims = goals(wished, model, least, None)
    for changed in _steps(found.settings, model, aims, machine):
        other = await _rank(rig, changed, wished, aims)
        assert other is None or not other.fits or other <= found.rank, changed


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(models(), machines(), st.integers(0, 20 * GIB), st.integers(0, 20 * GIB), OFF)
async def test_more_memory_is_never_worse(
    model: Model, machine: Machine, devices: int, host: int, off: float | None
) -> None:
    before, after = Rig(model, machine), Rig(model, with_more(machine, devices_bytes=devices, host_bytes=host))
    worse, better = [
        await plan(LoadSettings(), model, rig.machine, rig.ask, formula=_formula(model, rig.machine, off))
        for rig in (before, after)
    ]
    # Where nothing fits, the closest of what was asked for is offered, which need not be the closest of all.
    assert better.rank >= worse.rank or not (better.rank.fits or worse.rank.fits)
    assert max(len(before.asked), len(after.asked)) <= MORE_GPUS_ASKS


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(models(), machines(most_devices=1), OFF)
async def test_a_formula_changes_nothing_but_the_questions(model: Model, machine: Machine, off: float | None) -> None:
    rig, plain = Rig(model, machine), Rig(model, machine)
    found = await plan(LoadSettings(), model, machine, rig.ask, formula=_formula(model, machine, off))
    without = await plan(LoadSettings(), model, machine, plain.ask)
    assert found.rank == without.rank or not (found.rank.fits or without.rank.fits)
    if off == 1:
        assert len(rig.asked) <= RIGHT_FORMULA_ASKS


def _formula(model: Model, machine: Machine, off: float | None) -> Ask | None:
    if off is None:
        return None
    wrong = replace(
        model,
        layer_bytes=int(model.layer_bytes * off),
        kv_cells_bytes=int(model.kv_cells_bytes * off),
        refuses=frozenset(),
    )
    return Rig(wrong, machine).ask


def _assert_within_what_is_free(found: Plan, machine: Machine) -> None:
    """Counted here anew, from the prediction."""
    if found.assessment.verdict == "no":
        assert "does not fit" in found.said[0]
        return
    shared = 0
    for held, device in zip(found.prediction.devices, machine.devices, strict=True):
        need = held.sum_bytes + device.overhead_bytes if held.sum_bytes else 0
        assert not need or need <= device.free_bytes - machine.margins.device_bytes
        shared += need if device.shares_host else 0
    host = found.prediction.host.sum_bytes + found.prediction.output_bytes + shared
    assert host <= machine.host_available_bytes - machine.margins.host_bytes


def _assert_kept(wished: LoadSettings, found: Plan, model: Model) -> None:
    kept = found.settings
    assert not {kept.n_gpu_layers, kept.n_ctx} & {"auto", "all"}
    assert wished.n_ctx in ("auto", kept.n_ctx)
    if wished.n_gpu_layers != "auto":
        everything = model.n_block + 1
        assert kept.n_gpu_layers == (
            everything if wished.n_gpu_layers == "all" else min(wished.n_gpu_layers, everything)
        )
    assert (kept.type_k, kept.type_v) in ((wished.type_k, wished.type_v), saving_kv(wished))
    assert kept.n_cpu_moe >= wished.n_cpu_moe
    same = msgspec.structs.replace(
        kept,
        n_ctx=wished.n_ctx,
        n_gpu_layers=wished.n_gpu_layers,
        type_k=wished.type_k,
        type_v=wished.type_v,
        n_cpu_moe=wished.n_cpu_moe,
        devices=(),
        tensor_split=(),
    )
    assert same == wished


def _steps(found: LoadSettings, model: Model, aims: Goals, machine: Machine) -> Iterator[LoadSettings]:
    """Every setting that may move, one step to either side."""
    assert isinstance(found.n_ctx, int)
    assert isinstance(found.n_gpu_layers, int)
    contexts = (min(found.n_ctx + 256, aims.most), max(found.n_ctx - 256, aims.least))
    yield from (msgspec.structs.replace(found, n_ctx=n_ctx) for n_ctx in contexts)
    if machine.devices and found.devices != NO_DEVICES:
        layers = (min(found.n_gpu_layers + 1, model.n_block + 1), max(found.n_gpu_layers - 1, 0))
        yield from (msgspec.structs.replace(found, n_gpu_layers=count) for count in layers)
    if model.n_expert and machine.devices:
        moes = (min(found.n_cpu_moe + 1, model.n_block), max(found.n_cpu_moe - 1, 0))
        yield from (msgspec.structs.replace(found, n_cpu_moe=count) for count in moes)
    yield from (msgspec.structs.replace(found, type_k=kv, type_v=kv) for kv in ("f16", "q8_0"))


async def _rank(rig: Rig, changed: LoadSettings, wished: LoadSettings, aims: Goals) -> Rank | None:
    try:
        prediction = await rig.ask(changed)
    except Refused:
        return None
    n_cpu_moe = experts_on_host(changed, rig.model)
    assessment = assess(prediction, rig.machine, rig.model.n_block, n_cpu_moe=n_cpu_moe)
    return rank(changed, assessment, aims, kv_as_asked=changed.type_k == wished.type_k)
