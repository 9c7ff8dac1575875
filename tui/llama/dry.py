"""The dry run: llama.cpp lays a model out for given settings without its weights, without allocating it. Child
processes only.

It can end the process it runs in: some headers are answered with an abort. Nothing may be decoded on what it loads.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from tui.config.plain import one_line
from tui.config.sizes import padded
from tui.llama.answers import UNKNOWN, Answers, Known, KnownGraphs
from tui.llama.binding import L, start_backend
from tui.llama.breakdown import BufferBytes, buffer_type_of, memory_breakdown
from tui.llama.dry_question import DryQuestion
from tui.llama.errors import LlamaError, LlamaErrorKind
from tui.llama.hollow import hollow_file
from tui.llama.log import NativeLog
from tui.llama.params import ModelParams, context_params, model_params
from tui.llama.settings import LoadSettings, SettingsError
from tui.llama.standin import StandIns

_LOG_LINES = 200
_KEPT = 8
"""Models kept loaded; each takes a few megabytes, recurrent ones up to 74 MB of state."""


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
    stand_ins: StandIns
    n_layer: int
    known: dict[bytes, Known] = field(default_factory=dict)
    """Its graphs, by `DryQuestion.graph_key`."""


class DryModels:
    """Loads hollow models and keeps the last few, so that another context costs milliseconds."""

    def __init__(self, log: NativeLog) -> None:
        """`log` must be installed: refusals take their reason from it."""
        start_backend()
        self._log = log
        self._models: OrderedDict[bytes, _Hollow] = OrderedDict()
        self._graphs = KnownGraphs()

    def lay_out(self, question: DryQuestion, adapters: tuple[tuple[AdapterBytes, ...], ...] = ()) -> LaidOut | None:
        """Where the model would lie on the devices and on the host; None where llama.cpp's breakdown cannot be read.

        `adapters` count with their weights; what computing with them takes, llama.cpp knows at the first decode.
        Raises LlamaError for what llama.cpp refuses, with its reason; kind "memory" is not about the model, but about
        this process.
        """
        self._log.clear()
        try:
            hollow = self._model(question)
            beside = tuple(_beside(hollow.model, tensor) for adapter in adapters for tensor in adapter)
            found = self._laid_out(hollow, question)
        except SettingsError as error:
            raise LlamaError("settings", str(error)) from error
        return replace(found, buffers=found.buffers + beside) if found is not None else None

    def _model(self, question: DryQuestion) -> _Hollow:
        key = question.model_key()
        found = self._models.pop(key, None)
        if found is None:
            while len(self._models) >= _KEPT:
                L.llama_model_free(self._models.popitem(last=False)[1].model)
            found = self._load(question)
        self._models[key] = found
        return found

    def _load(self, question: DryQuestion) -> _Hollow:
        made, stand_ins = model_params(question.settings, question.devices), question.stand_ins
        made.params.no_alloc = True
        made.params.load_mode = L.LLAMA_LOAD_MODE_NONE  # mapping what is not there ends the process
        key = question.weights_key_anywhere()
        known = self._graphs.get(key)
        stand_ins.expect(known.answers if known is not None else UNKNOWN)
        with hollow_file(question.header.data, question.header.data_bytes) as path:
            load = partial(L.llama_model_load_from_file, os.fsencode(path), made.params)
            model = self._heard(load, quietly=True)
        if not model:
            raise self._refusal("load", "llama.cpp cannot load this model")
        hollow = _Hollow(model, made, stand_ins, L.llama_model_n_layer(model))
        if known is None and question.is_whole(hollow.n_layer):
            self._graphs.keep(key, Known(stand_ins.answers(), flash_attn=False))
        return hollow

    def _laid_out(self, hollow: _Hollow, question: DryQuestion) -> LaidOut | None:
        key, key_anywhere = question.graph_key(), question.graph_key_anywhere()
        same = hollow.known.get(key)
        if same is not None:
            return self._measure(hollow, question.settings, same.answers, same.flash_attn)[0]
        alike = self._graphs.get(key_anywhere)
        found, answers = self._measure(hollow, question.settings, alike.answers if alike is not None else UNKNOWN)
        if found is not None and alike is not None and found.flash_attn != alike.flash_attn:  # another graph, then
            alike = None
            found, answers = self._measure(hollow, question.settings, UNKNOWN)
        if found is not None:
            hollow.known[key] = known = Known(answers, found.flash_attn)
            if alike is None and question.is_whole(hollow.n_layer):
                self._graphs.keep(key_anywhere, known)
        return found

    def _measure(
        self, hollow: _Hollow, settings: LoadSettings, expected: Answers, flash_attn: bool | None = None
    ) -> tuple[LaidOut | None, Answers]:
        """The layout, and what the rules answered. `flash_attn` is what "auto" comes to, where that is known."""
        params = context_params(settings, threads=1)
        if flash_attn:
            params.flash_attn_type = L.LLAMA_FLASH_ATTN_TYPE_ENABLED  # "auto" lays a graph out to come to it
        hollow.stand_ins.expect(expected)
        make = partial(L.llama_init_from_model, hollow.model, params)
        context = self._heard(make, quietly=flash_attn is not None)
        if not context:
            raise self._refusal("context", "llama.cpp makes no context with these settings")
        try:
            answers = hollow.stand_ins.answers()
            hollow.stand_ins.expect_tensors(padded=expected.tensors_padded)
            buffers = memory_breakdown(context)
            answers = replace(answers, tensors_padded=hollow.stand_ins.was_padded())
            if flash_attn is None:
                flash_attn = _flash_attention(settings, self._log.last(_LOG_LINES, at_least="warning"))
            return _laid_out(hollow, context, settings, buffers, flash_attn=flash_attn), answers
        finally:
            L.llama_free(context)

    def _heard(self, make: Callable[[], Any], *, quietly: bool) -> Any:
        """What `make` returns. What fails `quietly` is tried again, for its reason is in the log."""
        if quietly:
            with self._log.muted():
                made = make()
            if made:
                return made
        return make()

    def _refusal(self, kind: LlamaErrorKind, what: str) -> LlamaError:
        if self._log.ran_out_of_memory():
            return LlamaError("memory", f"{what} here: not even laying it out fits into memory")
        reasons = [line.partition(": ")[2] for line in self._log.errors()]
        reason = next((line for line in reasons if line and not line.startswith("failed to load model")), "")
        return LlamaError(kind, f"{what}: {one_line(reason)}" if reason else f"{what}; its log has no reason")


def _laid_out(
    hollow: _Hollow, context: Any, settings: LoadSettings, buffers: tuple[BufferBytes, ...] | None, *, flash_attn: bool
) -> LaidOut | None:
    if buffers is None:
        return None
    return LaidOut(
        buffers=buffers,
        n_ctx=L.llama_n_ctx(context) // settings.panes,
        n_layer=hollow.n_layer,
        n_vocab=L.llama_vocab_n_tokens(L.llama_model_get_vocab(hollow.model)),
        flash_attn=flash_attn,
    )


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
    weights_bytes = padded(tensor.n_bytes, place.alignment)
    return BufferBytes(place.name, place.device, weights_bytes=weights_bytes, context_bytes=0, compute_bytes=0)
