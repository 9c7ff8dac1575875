"""Which memory reads how much for one token: the weights and the context of each layer, where the layer lies.

Values only. What a model reads is asked of its shape; where its layers lie follows llama.cpp's rules, and how several
GPUs share them follows the bytes of the prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tui.fit.values import Prediction
from tui.llama.settings import LoadSettings

HOST = "host"


class PaddedBytes(Protocol):
    """Bytes of tensors."""

    @property
    def host(self) -> int:
        """In a buffer of the host."""


class LayerShape(Protocol):
    """One layer."""

    @property
    def experts(self) -> PaddedBytes:
        """The tensors of its experts; nothing in a dense layer."""


class SpeedShape(Protocol):
    """What of a model decides how fast it is. `tui.fit.shape.ModelShape` is one."""

    @property
    def architecture(self) -> str: ...
    @property
    def n_layer(self) -> int:
        """Layers that compute."""

    @property
    def n_block(self) -> int:
        """Layers as n_gpu_layers counts them."""

    @property
    def parameters(self) -> int:
        """0 where it is not known."""

    @property
    def active_parameters(self) -> int:
        """Parameters that one token passes; 0 where it is not known."""

    @property
    def expert_share(self) -> float:
        """Share of the routed experts that one token passes."""

    @property
    def layers(self) -> Sequence[LayerShape]:
        """Every layer that computes."""

    def layer_read_bytes(self, layer: int) -> int:
        """Bytes of weights in a layer that one token reads; the output is layer `n_layer`."""

    def kv_read_bytes(self, n_tokens: int, type_k: str = ..., type_v: str = ...) -> float:
        """Bytes of context that one token reads after `n_tokens`."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one memory does for one token."""

    name: str
    """A device's name, or "host"."""
    read_bytes: float
    """Bytes of weights and of context that it reads."""
    layers: float
    """Layers that are computed there, the output counted as one and a layer with experts as two: routing starts about
    as many kernels again.
    """


def parts_of(shape: SpeedShape, settings: LoadSettings, prediction: Prediction, n_past: int) -> tuple[Part, ...]:
    """What each device and the host read for the token after `n_past`; places that do nothing are left out.

    llama.cpp puts layer i on a GPU where i ≥ n_block + 1 - n_gpu_layers, the output first of all; its part of the KV
    cache lies with it. `n_cpu_moe` keeps the experts of the first layers on the host.
    """
    offloaded = prediction.n_gpu_layers if prediction.devices else 0
    first = max(shape.n_block, shape.n_layer) + 1 - offloaded
    context = shape.kv_read_bytes(n_past, settings.type_k, settings.type_v) / max(1, shape.n_layer)
    host = device = host_layers = device_layers = 0.0
    for layer in range(shape.n_layer + 1):
        is_output = layer == shape.n_layer
        read = shape.layer_read_bytes(layer) + (0.0 if is_output else context)
        on_device = offloaded > 0 if is_output else layer >= first
        experts = 0.0 if is_output else _experts_bytes(shape, layer)
        count = 2 if experts else 1
        if not on_device:
            host, host_layers = host + read, host_layers + count
            continue
        kept = experts if layer < settings.n_cpu_moe else 0.0
        host, device, device_layers = host + kept, device + read - kept, device_layers + count
    parts = (Part(HOST, host, host_layers), *_shared(prediction, device, device_layers))
    return tuple(part for part in parts if part.read_bytes or part.layers)


def _experts_bytes(shape: SpeedShape, layer: int) -> float:
    return shape.layers[layer].experts.host * shape.expert_share if layer < len(shape.layers) else 0.0


def _shared(prediction: Prediction, read_bytes: float, layers: float) -> list[Part]:
    """The devices' part, divided among them as the weights are."""
    weights = [device.weights_bytes for device in prediction.devices]
    total = sum(weights)
    shares = [value / total for value in weights] if total else [1.0] + [0.0] * (len(weights) - 1)
    return [
        Part(device.name, read_bytes * share, layers * share)
        for device, share in zip(prediction.devices, shares, strict=False)
    ]
