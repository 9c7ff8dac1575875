"""What is loaded beside a model: LoRA adapters, a draft model, a projector for images. Values only.

A draft model is a second prediction that is added. An adapter's weights are exact, each lies beside the tensor that it
adapts. A projector is laid out by llama.cpp; where that cannot be asked, what it computes with is an estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from tui.fit import closed_form
from tui.fit.questions import AdapterTensor, ProjectorAnswered
from tui.fit.shape import ModelShape
from tui.fit.values import BesideBytes, BesideKind, DeviceSpec, Machine, Prediction
from tui.gguf.layout import Layout
from tui.gguf.stripped import StrippedHeader
from tui.llama.receipt import DeviceBytes
from tui.llama.settings import NO_DEVICES, LoadSettings

_FLOAT_BYTES = 4
_PROJECTOR_SPREAD = 0.5
"""How far off an estimate of the bytes that a projector computes with may be, as a share of them."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A smaller model that guesses tokens for the other."""

    header: StrippedHeader
    shape: ModelShape


@dataclass(frozen=True, slots=True)
class Projector:
    """What lets a model see."""

    layout: Layout
    header: StrippedHeader


@dataclass(frozen=True, slots=True)
class Extras:
    """Headers of what is loaded beside a model."""

    lora: tuple[Layout, ...] = ()
    draft: Draft | None = None
    projector: Projector | None = None

    def named_by(self, settings: LoadSettings) -> Extras:
        """Those that `settings` still name, of all that were named once."""
        return Extras(
            self.lora if settings.lora else (),
            self.draft if settings.draft_model else None,
            self.projector if settings.projector is not None else None,
        )


NOTHING_BESIDE = Extras()


def adapter_tensors(adapter: Layout) -> tuple[AdapterTensor, ...]:
    """What llama.cpp allocates for a LoRA adapter (`llama_adapter_lora_init_impl`): its pairs, no norm vectors."""
    return tuple(
        AdapterTensor(tensor.name.removesuffix(".lora_a").removesuffix(".lora_b"), tensor.n_bytes)
        for tensor in adapter.tensors
        if tensor.name.endswith((".lora_a", ".lora_b"))
    )


def draft_settings(settings: LoadSettings) -> LoadSettings:
    """How a draft model is loaded beside a model with these settings: with the same context, an f16 KV cache, and all
    of it on devices where any layer of the other is.
    """
    return msgspec.structs.replace(
        settings,
        n_gpu_layers="all" if settings.n_gpu_layers else 0,
        n_cpu_moe=0,
        type_k="f16",
        type_v="f16",
        flash_attn="auto",
        lora=(),
        draft_model="",
    )


def added(one: Prediction, other: Prediction, kind: BesideKind) -> Prediction:
    """Both at once. The context and the layers are those of `one`; the less certain of both says how certain."""
    total = _sum_bytes(one) + _sum_bytes(other)
    off = one.spread * _sum_bytes(one) + other.spread * _sum_bytes(other)
    estimate = next((each for each in (one, other) if each.source == "estimate"), one)
    return msgspec.structs.replace(
        one,
        devices=tuple(_plus(a, b) for a, b in zip(one.devices, other.devices, strict=True)),
        host=_plus(one.host, other.host),
        output_bytes=one.output_bytes + other.output_bytes,
        source=estimate.source,
        reason=estimate.reason,
        spread=off / total if total else 0.0,
        beside=(*one.beside, BesideBytes(kind, _sum_bytes(other) + other.output_bytes)),
    )


def with_adapters(adapters: Sequence[Layout], prediction: Prediction) -> Prediction:
    """The prediction with its adapters named; in an estimate they are not counted yet."""
    alone = _adapters_alone(adapters, prediction)
    if prediction.source == "estimate":
        return added(prediction, alone, "adapters")
    return msgspec.structs.replace(prediction, beside=(BesideBytes("adapters", _sum_bytes(alone)),))


def _adapters_alone(adapters: Sequence[Layout], beside: Prediction) -> Prediction:
    """Their weights, all on the first device that has some of the model, or on the host."""
    weights = sum(tensor.n_bytes for adapter in adapters for tensor in adapter_tensors(adapter))
    first = next((index for index, device in enumerate(beside.devices) if device.weights_bytes), None)
    here = DeviceBytes(name="", weights_bytes=weights)
    return _all_in_one_place(here, first, beside.devices, reason=beside.reason)


def projector_place(settings: LoadSettings, machine: Machine) -> int | None:
    """The device that a projector lies on: the first one that is used, where any layer of the model is on devices.
    None is the host.
    """
    if not machine.devices or settings.devices == NO_DEVICES or not settings.n_gpu_layers:
        return None
    names = [device.name for device in machine.devices]
    return names.index(settings.devices[0]) if settings.devices and settings.devices[0] in names else 0


def projector_laid_out(
    found: ProjectorAnswered, projector: Projector, place: int | None, machine: Machine
) -> Prediction:
    """What llama.cpp says that a projector takes: all tensors are in one place, the rest is what it computes with."""
    there = found.host_bytes if place is None else found.device_bytes
    weights = min(projector.header.data_bytes, there)
    here = DeviceBytes(name="", weights_bytes=weights, compute_bytes=there - weights)
    laid_out = _all_in_one_place(here, place, machine.devices, reason="")
    if place is not None:
        on_host = DeviceBytes(name="host", compute_bytes=found.host_bytes)
        laid_out = msgspec.structs.replace(laid_out, host=on_host)
    return msgspec.structs.replace(laid_out, source="dry-run")


def projector_estimate(projector: Projector, place: int | None, machine: Machine, reason: str) -> Prediction:
    """A projector where llama.cpp is not asked, for this `reason`.

    It computes with the activations of one image: of each patch its embedding four times over (residual, normalised,
    queries with keys and values, result) and the hidden layer, in float32; with flash attention no scores are stored.
    """
    weights = sum(tensor.n_bytes for tensor in projector.layout.tensors)
    compute = _image_bytes(projector.layout)
    here = DeviceBytes(name="", weights_bytes=weights, compute_bytes=compute)
    spread = _PROJECTOR_SPREAD * compute / (weights + compute) if weights + compute else 0.0
    return _all_in_one_place(here, place, machine.devices, reason=reason, spread=spread)


def by_formula(shape: ModelShape, settings: LoadSettings, machine: Machine, extras: Extras) -> Prediction:
    """The closed form of a model and of what `settings` name of `extras`."""
    named = extras.named_by(settings)
    prediction = closed_form.predict(shape, settings, machine)
    if named.lora:
        prediction = with_adapters(named.lora, prediction)
    if named.draft is not None:
        draft = closed_form.predict(named.draft.shape, draft_settings(settings), machine)
        prediction = added(prediction, draft, "draft model")
    if named.projector is not None:
        place = projector_place(settings, machine)
        prediction = added(prediction, projector_estimate(named.projector, place, machine, ""), "projector")
    return prediction


def _all_in_one_place(
    here: DeviceBytes,
    device: int | None,
    devices: Sequence[DeviceSpec | DeviceBytes],
    *,
    reason: str,
    spread: float = 0.0,
) -> Prediction:
    """`here` on the device of that index, or on the host without one; nothing anywhere else."""
    nothing = DeviceBytes(name="")
    return Prediction(
        devices=tuple(
            msgspec.structs.replace(here if index == device else nothing, name=each.name, description=each.description)
            for index, each in enumerate(devices)
        ),
        host=msgspec.structs.replace(here if device is None else nothing, name="host"),
        source="estimate",
        reason=reason,
        n_ctx=0,
        n_gpu_layers=0,
        spread=spread,
    )


def _image_bytes(projector: Layout) -> int:
    side, patch = _number(projector, "image_size"), _number(projector, "patch_size")
    if not side or not patch:
        return 0
    n_embd, n_ff = _number(projector, "embedding_length"), _number(projector, "feed_forward_length")
    return _FLOAT_BYTES * (side // patch) ** 2 * (6 * n_embd + n_ff)


def _number(projector: Layout, key: str) -> int:
    value = projector.header.metadata.get(f"clip.vision.{key}")
    return value if isinstance(value, int) and value > 0 else 0


def _sum_bytes(prediction: Prediction) -> int:
    return sum(device.sum_bytes for device in prediction.devices) + prediction.host.sum_bytes


def _plus(one: DeviceBytes, other: DeviceBytes) -> DeviceBytes:
    return msgspec.structs.replace(
        one,
        weights_bytes=one.weights_bytes + other.weights_bytes,
        context_bytes=one.context_bytes + other.context_bytes,
        compute_bytes=one.compute_bytes + other.compute_bytes,
    )
