"""The dry run: llama.cpp lays a model out for given settings without its weights, without allocating it. Child
processes only.

It can end the process it runs in: some headers are answered with an abort. Nothing may be decoded on what it loads.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tui.config.plain import one_line
from tui.llama.binding import L, start_backend
from tui.llama.breakdown import BufferBytes, buffer_type_of, memory_breakdown
from tui.llama.devices import Device
from tui.llama.errors import LlamaError, LlamaErrorKind
from tui.llama.hollow import hollow_file
from tui.llama.log import NativeLog
from tui.llama.params import ModelParams, context_params, model_params
from tui.llama.settings import LoadSettings, SettingsError
from tui.llama.standin import StandIns

Devices = tuple[Device, ...] | None
"""What a model may be laid out on; None is the GPUs of the installed llama.cpp."""

_LOG_LINES = 200
_KEPT = 8
"""Models kept loaded; each takes a few megabytes, recurrent ones up to 74 MB of state."""
_CONTEXT_ONLY = {
    "n_ctx": 256,
    "n_batch": 512,
    "n_ubatch": 512,
    "type_k": "f16",
    "type_v": "f16",
    "flash_attn": "auto",
    "swa_full": False,
    "panes": 1,
    "threads": 1,
    "rope_scaling": "model",
    "rope_freq_base": 0.0,
    "rope_freq_scale": 0.0,
    "yarn_ext_factor": -1.0,
    "yarn_orig_ctx": 0,
}
"""Settings that a loaded model does not depend on, as its key has them."""


@dataclass(frozen=True, slots=True)
class HeaderBytes:
    """A header without its vocabulary, as `tui.gguf` strips it."""

    digest: str
    data: bytes
    data_bytes: int


@dataclass(frozen=True, slots=True)
class AdapterBytes:
    """A tensor of a LoRA adapter."""

    adapts: str
    """Name of the model's tensor; llama.cpp puts the adapter's beside it (`llama_adapter_lora_init_impl`)."""
    n_bytes: int


@dataclass(frozen=True, slots=True)
class LaidOut:
    """Where one model with one context would lie."""

    buffers: tuple[BufferBytes, ...]
    n_ctx: int
    """Context of one pane after padding, in tokens."""
    n_layer: int
    n_vocab: int
    flash_attn: bool
    """What "auto" came to."""


@dataclass
class _Hollow:
    """A model without weights, and everything that llama.cpp's pointers into Python's memory need."""

    model: Any
    params: ModelParams
    stand_ins: StandIns | None
    without_refusal: set[bytes] = field(default_factory=set)
    """Settings of contexts, n_ctx aside, in which the stand-ins refused no operation. No rule of a backend depends on
    n_ctx, which llama.cpp pads to what kernels want, so other contexts need not ask them again.
    """


class DryModels:
    """Loads hollow models and keeps the last few, so that another context costs milliseconds."""

    def __init__(self, log: NativeLog) -> None:
        """`log` must be installed: refusals take their reason from it."""
        start_backend()
        self._log = log
        self._models: OrderedDict[bytes, _Hollow] = OrderedDict()

    def lay_out(
        self,
        header: HeaderBytes,
        settings: LoadSettings,
        devices: Devices,
        *,
        adapters: tuple[tuple[AdapterBytes, ...], ...] = (),
        stand_ins: StandIns | None = None,
    ) -> LaidOut | None:
        """Where the model would lie on `devices` and on the host; None where llama.cpp's breakdown cannot be read.

        `adapters` count with their weights; what computing with them takes, llama.cpp knows at the first decode.
        `stand_ins` are those among the devices. Raises LlamaError for what llama.cpp refuses, with its reason; kind
        "memory" is not about the model, but about this process.
        """
        self._log.clear()
        try:
            hollow = self._model(header, settings, devices, stand_ins)
            params = context_params(settings, threads=1)
        except SettingsError as error:
            raise LlamaError("settings", str(error)) from error
        beside = tuple(_beside(hollow.model, tensor) for adapter in adapters for tensor in adapter)
        with self._context(hollow, settings, params) as context:
            buffers = memory_breakdown(context)
            if buffers is None:
                return None
            return LaidOut(
                buffers=buffers + beside,
                n_ctx=L.llama_n_ctx(context) // settings.panes,
                n_layer=L.llama_model_n_layer(hollow.model),
                n_vocab=L.llama_vocab_n_tokens(L.llama_model_get_vocab(hollow.model)),
                flash_attn=_flash_attention(settings, self._log.last(_LOG_LINES, at_least="warning")),
            )

    def _model(
        self,
        header: HeaderBytes,
        settings: LoadSettings,
        devices: Devices,
        stand_ins: StandIns | None,
    ) -> _Hollow:
        key = _key(header, settings, devices)
        found = self._models.pop(key, None)
        if found is None:
            while len(self._models) >= _KEPT:
                L.llama_model_free(self._models.popitem(last=False)[1].model)
            found = self._load(header, settings, devices, stand_ins)
        self._models[key] = found
        return found

    def _load(
        self,
        header: HeaderBytes,
        settings: LoadSettings,
        devices: Devices,
        stand_ins: StandIns | None,
    ) -> _Hollow:
        if stand_ins is not None:
            stand_ins.ask_rules(again=True)
        made = model_params(settings, devices)
        made.params.no_alloc = True
        made.params.load_mode = L.LLAMA_LOAD_MODE_NONE  # mapping what is not there ends the process
        with hollow_file(header.data, header.data_bytes) as path:
            model = L.llama_model_load_from_file(os.fsencode(path), made.params)
        if not model:
            raise self._refusal("load", "llama.cpp cannot load this model")
        return _Hollow(model, made, stand_ins)

    @contextmanager
    def _context(self, hollow: _Hollow, settings: LoadSettings, params: Any) -> Iterator[Any]:
        graph = msgspec.msgpack.encode(msgspec.structs.replace(settings, n_ctx=1))
        if hollow.stand_ins is not None:
            hollow.stand_ins.ask_rules(again=graph not in hollow.without_refusal)
        context = L.llama_init_from_model(hollow.model, params)
        if not context:
            raise self._refusal("context", "llama.cpp makes no context with these settings")
        if hollow.stand_ins is not None and not hollow.stand_ins.was_refused():
            hollow.without_refusal.add(graph)
        try:
            yield context
        finally:
            L.llama_free(context)

    def _refusal(self, kind: LlamaErrorKind, what: str) -> LlamaError:
        if self._log.ran_out_of_memory():
            return LlamaError("memory", f"{what} here: not even laying it out fits into memory")
        reasons = [line.partition(": ")[2] for line in self._log.errors()]
        reason = next((line for line in reasons if line and not line.startswith("failed to load model")), "")
        return LlamaError(kind, f"{what}: {one_line(reason)}" if reason else f"{what}; its log has no reason")


def _flash_attention(settings: LoadSettings, logged: tuple[str, ...]) -> bool:
    """Whether a context was made with flash attention. llama.cpp has no call that tells, but it warns where it takes
    it back (`resolve_fused_ops`, `llama_init_from_model`).
    """
    taken_back = ("Flash Attention not supported", "flash_attn is not compatible")
    return settings.flash_attn != "off" and not any(sign in line for line in logged for sign in taken_back)


def _beside(model: Any, tensor: AdapterBytes) -> BufferBytes:
    """The adapter's tensor as bytes where the one that it adapts lies. Raises LlamaError for an adapter of another
    model.
    """
    place = buffer_type_of(model, tensor.adapts)
    if place is None:
        raise LlamaError("settings", f"lora: it adapts {tensor.adapts}, which this model does not have")
    padded = -(-tensor.n_bytes // place.alignment) * place.alignment
    return BufferBytes(place.name, place.device, weights_bytes=padded, context_bytes=0, compute_bytes=0)


def _key(header: HeaderBytes, settings: LoadSettings, devices: Devices) -> bytes:
    plain = msgspec.structs.replace(settings, **_CONTEXT_ONLY, lora=(), draft_model="", chat_template="")
    there = None if devices is None else [(device.name, device.handle) for device in devices]
    return msgspec.msgpack.encode((header.digest, plain, there))
