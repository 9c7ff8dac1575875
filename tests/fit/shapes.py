"""Shapes of models that are not at hand, as far as speed asks for them: every layer alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tui.fit.values import DeviceSpec, Machine, Prediction
from tui.llama.receipt import DeviceBytes


class Bytes(NamedTuple):
    """As in `tui.fit.shape`."""

    host: int = 0


class Layer(NamedTuple):
    """As in `tui.fit.shape`."""

    experts: Bytes = Bytes()


@dataclass(frozen=True, kw_only=True)
class Even:
    """A model of equal layers."""

    architecture: str = "llama"
    n_layer: int = 32
    parameters: int = 8_030_000_000
    layer_bytes: int = 140_000_000
    """Weights of a layer without its experts."""
    expert_bytes: int = 0
    output_bytes: int = 430_000_000
    expert_share: float = 1.0
    active: int | None = None
    token_kv_bytes: int = 131_072
    """Of an f16 KV cache."""

    @property
    def n_block(self) -> int:
        return self.n_layer

    @property
    def active_parameters(self) -> int:
        return self.parameters if self.active is None else self.active

    @property
    def layers(self) -> tuple[Layer, ...]:
        return (Layer(Bytes(self.expert_bytes)),) * self.n_layer

    def layer_read_bytes(self, layer: int) -> int:
        if layer == self.n_layer:
            return self.output_bytes
        return self.layer_bytes + round(self.expert_bytes * self.expert_share)

    def kv_read_bytes(self, n_tokens: int, type_k: str = "f16", type_v: str = "f16") -> float:
        wide = {"f16": 1.0, "q8_0": 34 / 64}
        return n_tokens * self.token_kv_bytes * (wide[type_k] + wide[type_v]) / 2


def host_machine(bandwidth: float | None = 50e9, cores: int | None = 8) -> Machine:
    """A computer without GPUs."""
    return Machine(host_bandwidth_bytes_s=bandwidth, host_bandwidth_origin="measured", cores=cores)


def gpu_machine(*devices: DeviceSpec, bandwidth: float | None = 50e9) -> Machine:
    """A computer with GPUs."""
    return Machine(devices=devices, host_bandwidth_bytes_s=bandwidth, host_bandwidth_origin="measured", cores=8)


def laid_out(n_gpu_layers: int, *device_weights: tuple[str, int]) -> Prediction:
    """A prediction with these weights on these devices."""
    devices = tuple(DeviceBytes(name=name, weights_bytes=weights) for name, weights in device_weights)
    return Prediction(
        devices=devices, host=DeviceBytes(name="host"), source="dry-run", n_ctx=4096, n_gpu_layers=n_gpu_layers
    )
