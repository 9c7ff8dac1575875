"""A model of memory to ask instead of llama.cpp: linear in layers and context, laid out over devices by llama.cpp's
rule for tensor_split. It keeps what it is asked.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate

import msgspec

from tui.fit.values import DeviceSpec, Machine, Prediction, Refused
from tui.llama.receipt import DeviceBytes
from tui.llama.settings import LoadSettings

MIB, GIB = 1 << 20, 1 << 30
BESIDE_BYTES = 700 * MIB
"""A projector, or a draft model."""
_BITS = {"f32": 32.0, "f16": 16.0, "bf16": 16.0, "q8_0": 8.5, "q5_1": 6.0, "q5_0": 5.5, "q4_1": 5.0, "q4_0": 4.5}


@dataclass(frozen=True)
class Model:
    """A model whose layers are all alike. The default is about an 8B one at Q4_K_M."""

    n_block: int = 32
    n_ctx_train: int = 131_072
    n_expert: int = 0
    layer_bytes: int = 130 * MIB
    """One layer without its experts."""
    expert_bytes: int = 0
    """The experts of one layer."""
    embedding_bytes: int = 280 * MIB
    output_bytes: int = 410 * MIB
    kv_cells_bytes: int = 4096
    """One token in one layer, keys and values together, f16."""
    compute_bytes: int = 128 * MIB
    """On each device that holds a layer, and on the host, with n_ubatch 512."""
    compute_token_bytes: int = 1024
    """More of it with each token of context."""
    refuses: frozenset[str] = frozenset()
    """Types of the KV cache that it is not loaded with."""
    slides: bool = False


MIXTURE = Model(n_block=48, n_expert=128, layer_bytes=16 * MIB, expert_bytes=335 * MIB, kv_cells_bytes=2048)
"""About Qwen3-30B-A3B at Q4_K_M."""


@dataclass
class Rig:
    """Answers for `model` on `machine`."""

    model: Model
    machine: Machine
    asked: list[LoadSettings] = field(default_factory=list)

    async def ask(self, settings: LoadSettings) -> Prediction:
        """What the model would take. Raises Refused as llama.cpp would."""
        self.asked.append(settings)
        for kv_type in (settings.type_k, settings.type_v):
            if kv_type in self.model.refuses:
                raise Refused(f"a KV cache of {kv_type} needs flash attention, which this model cannot have")
        assert isinstance(settings.n_ctx, int)
        n_ctx = -(-settings.n_ctx // 256) * 256
        layers = [self._layer(index, n_ctx, settings) for index in range(self.model.n_block + 1)]
        places = self._places(settings)
        compute = self.model.compute_bytes * settings.n_ubatch // 512 + self.model.compute_token_bytes * n_ctx
        beside = BESIDE_BYTES * (bool(settings.draft_model) + (settings.projector is not None))
        first = next((place for place in places if place is not None), None)
        parts = []
        for device in self._devices():
            held = [index for index, place in enumerate(places) if place == device]
            # The first one computes large batches of the layers that are in RAM, too.
            computes = held or (None in places and device in self._used(settings)[:1])
            weights, context = (sum(layers[index][part] for index in held) for part in (0, 1))
            weights += beside if device == first else 0
            parts.append((weights, context, compute if computes else 0))
        host = [layer for layer, place in zip(layers, places, strict=True) if place is None]
        on_host = sum(layer[2] for layer in layers) - sum(layer[2] for layer in host)
        return Prediction(
            devices=tuple(
                DeviceBytes(name=spec.name, weights_bytes=weights, context_bytes=context, compute_bytes=compute_bytes)
                for spec, (weights, context, compute_bytes) in zip(self.machine.devices, parts, strict=True)
            ),
            host=DeviceBytes(
                name="host",
                weights_bytes=self.model.embedding_bytes
                + sum(w + e for w, _, e in host)
                + on_host
                + (beside if first is None else 0),
                context_bytes=sum(context for _, context, _ in host),
                compute_bytes=compute,
            ),
            output_bytes=MIB,
            source="dry-run",
            n_ctx=n_ctx,
            n_gpu_layers=sum(place is not None for place in places),
        )

    def _layer(self, index: int, n_ctx: int, settings: LoadSettings) -> tuple[int, int, int]:
        """Weights and context where the layer is, and its experts that are on the host wherever it is."""
        model = self.model
        if index == model.n_block:
            return model.output_bytes, 0, 0
        share = (_BITS[settings.type_k] + _BITS[settings.type_v]) / 32
        context = int(model.kv_cells_bytes * n_ctx * share) * settings.panes * (2 if settings.swa_full else 1)
        if index < settings.n_cpu_moe:
            return model.layer_bytes, context, model.expert_bytes
        return model.layer_bytes + model.expert_bytes, context, 0

    def _devices(self) -> range:
        return range(len(self.machine.devices))

    def _used(self, settings: LoadSettings) -> list[int]:
        names = [device.name for device in self.machine.devices]
        if settings.devices:
            return [names.index(name) for name in settings.devices if name != "none"]
        return list(self._devices())

    def _places(self, settings: LoadSettings) -> list[int | None]:
        """The device of each layer and of the output; None is the host."""
        everything = self.model.n_block + 1
        used = self._used(settings)
        assert isinstance(settings.n_gpu_layers, int)
        count = min(settings.n_gpu_layers, everything) if used else 0
        shares = settings.tensor_split or tuple(float(self.machine.devices[i].free_bytes) for i in used)
        points = [point / sum(shares) for point in accumulate(shares)]
        on_devices = [used[bisect_right(points, index / count)] for index in range(count)]
        return [None] * (everything - count) + on_devices


def gpu(index: int, free_bytes: int, *, overhead_bytes: int = 512 * MIB, shares_host: bool = False) -> DeviceSpec:
    """A GPU with so much free."""
    return DeviceSpec(
        name=f"CUDA{index}",
        total_bytes=free_bytes,
        free_bytes=free_bytes,
        overhead_bytes=overhead_bytes,
        shares_host=shares_host,
    )


def machine(*free_gib: float, ram_gib: float = 64, overhead_bytes: int = 512 * MIB) -> Machine:
    """A machine with so much free on each GPU and in RAM."""
    return Machine(
        devices=tuple(
            gpu(index, int(free * GIB), overhead_bytes=overhead_bytes) for index, free in enumerate(free_gib)
        ),
        host_total_bytes=int(ram_gib * GIB),
        host_available_bytes=int(ram_gib * GIB),
    )


def with_more(base: Machine, *, devices_bytes: int, host_bytes: int) -> Machine:
    """The same machine with so much more free on each device and the host."""
    devices = tuple(
        msgspec.structs.replace(device, free_bytes=device.free_bytes + devices_bytes) for device in base.devices
    )
    return msgspec.structs.replace(base, devices=devices, host_available_bytes=base.host_available_bytes + host_bytes)
