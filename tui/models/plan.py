"""How a model is going to be loaded: what was asked for, what was kept for it, the person's defaults, and numbers for
"auto".

Precedence: flag, then models.toml, then config.toml, then automatic. Until a dry run answers for it, "auto" is an
estimate: the file's size against what is free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tui.gguf.header import Header
from tui.hardware.snapshot import Snapshot, loadable
from tui.llama.settings import LoadSettings, SamplingSettings, SettingsError

AUTO_N_CTX = 8192
"""Context that auto takes where the model was trained for as much."""
DEVICE_RESERVE_BYTES = 1 << 30
"""Left free on a GPU for the context, compute buffers and the driver; llama.cpp's own fit keeps as much."""

_LOAD_FIELDS = frozenset(field.name for field in msgspec.structs.fields(LoadSettings))


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a model's file before it is loaded."""

    file_bytes: int
    header: Header | None
    """None where the header could not be read; llama.cpp then says why."""


def wished_settings(flags: Mapping[str, Any], kept: Mapping[str, Any], defaults: Mapping[str, Any]) -> LoadSettings:
    """The settings by precedence, "auto" still in them. Keys that are no load settings are left out of `kept`.

    Raises SettingsError naming the first value that cannot be.
    """
    merged = {
        **{name: value for name, value in defaults.items() if name in _LOAD_FIELDS},
        **{name: value for name, value in kept.items() if name in _LOAD_FIELDS},
        **{name: value for name, value in flags.items() if value is not None},
    }
    try:
        return msgspec.convert(merged, LoadSettings)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, SettingsError):
            raise error.__cause__ from None
        raise _as_settings_error(error) from error


def resolve(wished: LoadSettings, facts: ModelFacts, machine: Snapshot) -> LoadSettings:
    """`wished` with numbers in place of "auto", for this machine as it is now."""
    n_ctx = _auto_context(facts) if wished.n_ctx == "auto" else wished.n_ctx
    layers = _auto_layers(facts, machine) if wished.n_gpu_layers == "auto" else wished.n_gpu_layers
    return msgspec.structs.replace(wished, n_ctx=n_ctx, n_gpu_layers=layers)


def sampling(flags: Mapping[str, Any], defaults: Mapping[str, Any]) -> SamplingSettings:
    """Sampling settings: flags over the person's defaults. Raises SettingsError."""
    merged = {**defaults, **{name: value for name, value in flags.items() if value is not None}}
    try:
        return msgspec.convert(merged, SamplingSettings)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, SettingsError):
            raise error.__cause__ from None
        raise _as_settings_error(error) from error


def _auto_context(facts: ModelFacts) -> int:
    trained = facts.header.n_ctx_train if facts.header is not None else None
    return min(trained, AUTO_N_CTX) if trained else AUTO_N_CTX


def _auto_layers(facts: ModelFacts, machine: Snapshot) -> int | str:
    """All layers, or as many as the free memory of the GPUs holds of the file, the output layer counted as one."""
    room = sum(max(0, (gpu.free_bytes or 0) - DEVICE_RESERVE_BYTES) for gpu in loadable(machine.gpus))
    if not room:
        return 0
    if facts.file_bytes <= room:
        return "all"
    n_layer = facts.header.n_layer if facts.header is not None else None
    return int((n_layer + 1) * room / facts.file_bytes) if n_layer else 0


def _as_settings_error(error: msgspec.ValidationError) -> SettingsError:
    """msgspec's "Expected `int`, got `str` - at `$.n_ctx`" as an error that names the setting."""
    text = str(error)
    what, _, where = text.partition(" - at `$.")
    return SettingsError(where.rstrip("`") or "settings", what)
