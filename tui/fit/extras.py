"""What is loaded beside a model: LoRA adapters, a draft model, a projector for images. Values only.

A draft model is a second prediction that is added. An adapter's weights are exact, each lies beside the tensor that it
adapts; a projector's weights are exact, what it computes with is an estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from tui.fit.questions import AdapterTensor
from tui.fit.values import DeviceSpec, Machine, Prediction
from tui.gguf.layout import Layout
from tui.gguf.stripped import StrippedHeader
from tui.llama.receipt import DeviceBytes
from tui.llama.settings import LoadSettings

_FLOAT_BYTES = 4
_PROJECTOR_SPREAD = 0.5
"""How far off the bytes that a projector computes with may be, as a share of them."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft model with settings of its own."""

    header: StrippedHeader
    settings: LoadSettings


@dataclass(frozen=True, slots=True)
class Extras:
    """Headers of what is loaded beside a model."""

    lora: tuple[Layout, ...] = ()
    draft: Draft | None = None
    projector: Layout | None = None


def adapter_tensors(adapter: Layout) -> tuple[AdapterTensor, ...]:
    """What llama.cpp allocates for a LoRA adapter (`llama_adapter_lora_init_impl`): its pairs, no norm vectors."""
    return tuple(
        AdapterTensor(tensor.name.removesuffix(".lora_a").removesuffix(".lora_b"), tensor.n_bytes)
        for tensor in adapter.tensors
        if tensor.name.endswith((".lora_a", ".lora_b"))
    )


def added(one: Prediction, other: Prediction) -> Prediction:
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
    )


def adapters_prediction(adapters: Sequence[Layout], beside: Prediction) -> Prediction:
    """The adapters' weights beside a model whose layout is an estimate itself: all on the first device that has some of
    it, or on the host.
    """
    weights = sum(tensor.n_bytes for adapter in adapters for tensor in adapter_tensors(adapter))
    first = next((index for index, device in enumerate(beside.devices) if device.weights_bytes), None)
    here = DeviceBytes(name="", weights_bytes=weights)
    return _all_in_one_place(here, first, beside.devices, reason=beside.reason)


def projector_prediction(projector: Layout, machine: Machine) -> Prediction:
    """A projector on the first device, or on the host without one, as mtmd places it (`clip_ctx`).

    It computes with the activations of one image: of each patch its embedding four times over (residual, normalised,
    queries with keys and values, result) and the hidden layer, in float32; with flash attention no scores are stored.
    """
    weights = sum(tensor.n_bytes for tensor in projector.tensors)
    compute = _image_bytes(projector)
    here = DeviceBytes(name="", weights_bytes=weights, compute_bytes=compute)
    spread = _PROJECTOR_SPREAD * compute / (weights + compute) if weights + compute else 0.0
    reason = "what the projector computes with is an estimate"
    return _all_in_one_place(here, 0 if machine.devices else None, machine.devices, reason=reason, spread=spread)


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
