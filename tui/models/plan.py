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

from tui.fit.values import Margins
from tui.gguf.header import Header
from tui.hardware.snapshot import Snapshot, loadable
from tui.llama.settings import LoadSettings, SamplingSettings, SettingsError

AUTO_N_CTX = 8192
"""Context that auto takes where the model was trained for as much."""
LEAST_N_CTX = 512
"""Below this a conversation makes no sense, so auto does not go there however little is free."""
DEVICE_BUFFERS_BYTES = 512 << 20
"""Assumed on a GPU for the context, compute buffers and the driver; with the margin it is what llama.cpp's own fit
keeps.
"""
KEPT_FREE = Margins()
_F16_BYTES = 2

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


def resolve(wished: LoadSettings, facts: ModelFacts, machine: Snapshot, margins: Margins = KEPT_FREE) -> LoadSettings:
    """`wished` with numbers in place of "auto", for this machine as it is now."""
    layers = _auto_layers(facts, machine, margins) if wished.n_gpu_layers == "auto" else wished.n_gpu_layers
    n_ctx = _auto_context(facts, machine, margins) if wished.n_ctx == "auto" else wished.n_ctx
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


def _auto_context(facts: ModelFacts, machine: Snapshot, margins: Margins) -> int:
    """As much as is trained for and usual, halved until an f16 KV cache of it fits beside the weights."""
    header = facts.header
    n_ctx = min(header.n_ctx_train or AUTO_N_CTX, AUTO_N_CTX) if header is not None else AUTO_N_CTX
    cell_bytes = _kv_bytes_per_token(header) if header is not None else 0
    host = max(0, (machine.ram.available_bytes or 0) - margins.host_bytes)
    room = host + _device_room(machine, margins) - facts.file_bytes
    while n_ctx > LEAST_N_CTX and n_ctx * cell_bytes > room:
        n_ctx = max(LEAST_N_CTX, n_ctx // 2)
    return n_ctx


def _kv_bytes_per_token(header: Header) -> int:
    """Bytes of one token in an f16 KV cache, every layer counted in full; 0 where the header does not say."""

    def fact(name: str) -> int:
        value = header.metadata.get(f"{header.architecture}.{name}", 0)
        values = value if isinstance(value, tuple) else (value,)
        return max((item for item in values if isinstance(item, int)), default=0)

    heads = fact("attention.head_count")
    head_dim = fact("embedding_length") // heads if heads else 0
    kv_heads = fact("attention.head_count_kv") or heads
    lengths = (fact("attention.key_length") or head_dim) + (fact("attention.value_length") or head_dim)
    return _F16_BYTES * (header.n_layer or 0) * kv_heads * lengths


def _device_room(machine: Snapshot, margins: Margins) -> int:
    """Bytes of weights that the GPUs could take."""
    kept = margins.device_bytes + DEVICE_BUFFERS_BYTES
    return sum(max(0, (gpu.free_bytes or 0) - kept) for gpu in loadable(machine.gpus))


def _auto_layers(facts: ModelFacts, machine: Snapshot, margins: Margins) -> int | str:
    """All layers, or as many as the free memory of the GPUs holds of the file, the output layer counted as one."""
    room = _device_room(machine, margins)
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
