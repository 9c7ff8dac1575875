"""How a model is going to be loaded: what was asked for, what was kept for it, the person's defaults, and the best
numbers for "auto" on this machine as it is now.

Precedence: flag, then models.toml, then config.toml, then automatic.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tui.config.model_file import read_models
from tui.config.paths import Paths
from tui.config.settings import Settings
from tui.engine.registry import running
from tui.fit.order import USUAL_N_CTX
from tui.fit.plan import ALL_MOVABLE, Movable, Plan
from tui.fit.values import Prediction, Refused
from tui.fit.verdict import Assessment
from tui.hardware.snapshot import Snapshot
from tui.hardware.watch import FIRST_S, Watch
from tui.library import Model
from tui.llama.settings import NO_PROJECTOR, LoadSettings
from tui.models.beside import engine_settings
from tui.models.fitting import Fitting
from tui.models.headers import headers_dir
from tui.models.installed import has_no_gpus
from tui.models.machine import Seen
from tui.models.subject import Subject, subject_or_none
from tui.models.wishes import wished_settings

MACHINE_BOUND = frozenset(
    {"n_gpu_layers", "n_cpu_moe", "devices", "main_device", "split_mode", "tensor_split", "threads", "mlock"}
)
"""Settings that mean this machine: kept ones say nothing about another."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """How a model is going to be loaded."""

    wished: LoadSettings
    """As asked for, "auto" still in it."""
    settings: LoadSettings
    """With numbers, for this machine as it was a moment ago."""
    said: tuple[str, ...] = ()
    """What is less than was asked for, in sentences."""
    prediction: Prediction | None = None
    """What the load is expected to take; None where the header could not be read."""
    assessment: Assessment | None = None
    subject: Subject | None = None
    seen: Seen | None = None


def wished_for(
    paths: Paths,
    model: Model | Subject,
    settings: Settings,
    flags: Mapping[str, Any] | None = None,
    *,
    elsewhere: bool = False,
) -> LoadSettings:
    """What flags, models.toml and config.toml together ask for; with `elsewhere` for GPUs that are not here, to which
    MACHINE_BOUND settings that are kept mean nothing. Raises SettingsError.
    """
    kept, defaults = read_models(paths)[0].get(model.identity, {}), settings.load.values()
    if elsewhere:
        kept, defaults = (
            {name: value for name, value in table.items() if name not in MACHINE_BOUND} for table in (kept, defaults)
        )
    return wished_settings(flags or {}, kept, defaults)


async def prepare(
    fitting: Fitting, paths: Paths, model: Model, wished: LoadSettings, settings: Settings, *, light: bool = False
) -> Prepared:
    """Plan the load of `model` for the machine as it is now.

    With `light`, no process is started to ask llama.cpp where it is known to have no GPU and there is room for twice of
    what a formula says. What llama.cpp refuses is left to the load, which says so with its log.
    """
    given, left_out = engine_settings(wished)
    snapshot, subject = await asyncio.gather(
        asyncio.to_thread(look, paths), asyncio.to_thread(subject_or_none, model, headers_dir(paths))
    )
    if subject is None:
        return Prepared(wished, _blind(given), left_out)
    try:
        if light and await asyncio.to_thread(has_no_gpus, paths):
            seen = await fitting.seen(snapshot, settings, without_gpus=True)
            made = await fitting.plan(subject, given, seen.machine, settings, may_move=may_move(given), unasked=True)
            host = made.assessment.host
            if 2 * host.need_bytes <= host.room_bytes:
                return _prepared(wished, made, subject, seen, left_out)
        seen = await fitting.seen(snapshot, settings)
        movable = may_move(given, asked=seen.asked)
        made = await fitting.plan(subject, given, seen.machine, settings, may_move=movable)
    except Refused:
        return Prepared(wished, _blind(given), left_out, subject=subject)
    await fitting.release()
    return _prepared(wished, made, subject, seen, left_out)


def may_move(wished: LoadSettings, given: Collection[str] = (), *, asked: bool = True) -> frozenset[Movable]:
    """What automatic settings may change besides "auto": not what a person has set, and nothing but the split where
    neither layers nor context are automatic. `given` are settings that count as set even with their usual value.
    Where llama.cpp could not be `asked` for its GPUs, it may have other names for them, and another order.
    """
    fixed = "auto" not in (wished.n_gpu_layers, wished.n_ctx)
    unusual_kv = (wished.type_k, wished.type_v) != ("f16", "f16") or wished.flash_attn == "off"
    own: set[Movable] = set()
    if fixed or unusual_kv or not {"type_k", "type_v"}.isdisjoint(given):
        own.add("kv")
    if fixed or wished.n_cpu_moe or "n_cpu_moe" in given:
        own.add("experts")
    if not asked or wished.devices or wished.tensor_split or wished.split_mode != "layer":
        own.add("split")
    return ALL_MOVABLE - own


def look(paths: Paths) -> Snapshot:
    """The machine now, with this user's engines known as theirs. A driver that hangs is waited for a few seconds, then
    done without.
    """
    watch = Watch()
    try:
        return watch.sample([engine.pid for engine in running(paths.engines_dir)], wait_s=FIRST_S)
    finally:
        watch.close()


def _prepared(wished: LoadSettings, made: Plan, subject: Subject, seen: Seen, left_out: tuple[str, ...]) -> Prepared:
    said = (*left_out, *made.said, *seen.doubts)
    return Prepared(wished, made.settings, said, made.prediction, made.assessment, subject, seen)


def _blind(wished: LoadSettings) -> LoadSettings:
    """Numbers for a model of which nothing is known: llama.cpp is about to say what is wrong with it."""
    layers = 0 if wished.n_gpu_layers == "auto" else wished.n_gpu_layers
    n_ctx = USUAL_N_CTX if wished.n_ctx == "auto" else wished.n_ctx
    mmproj = wished.projector or NO_PROJECTOR
    return msgspec.structs.replace(wished, n_ctx=n_ctx, n_gpu_layers=layers, mmproj=mmproj)
