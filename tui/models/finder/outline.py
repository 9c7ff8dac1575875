"""What one model takes on one machine for any quantization of it: the closed form asked once or a few times, and the
bytes of the weights put in afterwards.

Caches and compute buffers do not depend on how weights are stored, and weights are divided among layers in proportion.
So a model's seven quantizations cost little more than one. What lies beside devices in host memory is computed for half
of the layers there. Values only; it never asks llama.cpp.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

import msgspec

from tui.config.sizes import padded
from tui.fit import closed_form
from tui.fit.closed_form import COMPUTE_SPREAD, COMPUTE_SPREAD_PARTIAL
from tui.fit.from_facts import CardFacts, Weights, shape_of_facts
from tui.fit.labels import LABELS
from tui.fit.parts import HOST, Part
from tui.fit.placement import HOST as NO_DEVICE
from tui.fit.placement import Placement, place
from tui.fit.shape import ModelShape
from tui.fit.speed import TYPICAL_PAST
from tui.fit.values import Machine, Prediction
from tui.llama.receipt import DeviceBytes
from tui.llama.settings import CONTEXT_MULTIPLE, NO_DEVICES, LoadSettings

REFERENCE = "Q4_K_M"
"""The label that shapes are made with; its weights are replaced."""
_REFERENCE_BYTES = LABELS[REFERENCE].layers
NOWHERE = Placement(0, (), NO_DEVICE, 0)


class _Shares(NamedTuple):
    """Up to which share the first layers hold of what all layers hold; one value more than there are layers."""

    weights: tuple[float, ...]
    read: tuple[float, ...]
    """Bytes that a token reads of the weights, as a share of all weights: of experts only some are read."""
    context: tuple[float, ...]
    counts: tuple[float, ...]
    """Layers, those with experts counted twice."""


@dataclass(frozen=True)
class Outline:
    """One model at one context on one machine."""

    shape: ModelShape
    settings: LoadSettings
    """With n_ctx as a number; its n_gpu_layers does not count."""
    machine: Machine

    @property
    def most(self) -> int:
        """Layers that devices can hold, the output counted as one; 0 without devices."""
        return self.shape.output_at + 1 if self.machine.devices else 0

    def held(self, weights: Weights, n_gpu_layers: int) -> Prediction:
        """What the model takes with so many layers on devices, none of which leaves the devices alone: the upper end of
        what is expected.
        """
        known, whole = self._known(n_gpu_layers), n_gpu_layers in (0, self.most)
        placed = self._placed(n_gpu_layers) if n_gpu_layers else NOWHERE
        rows = {index: (first, last) for index, first, last in placed.starts}
        devices = tuple(
            self._device(weights, device, *rows.get(index, (0, 0)), whole=whole)
            for index, device in enumerate(known.devices)
        )
        n_host = placed.n_host if placed.starts else self.shape.output_at + 1
        host = self._host(weights, known.host, n_host, whole=whole)
        return msgspec.structs.replace(known, devices=devices, host=host, n_gpu_layers=n_gpu_layers)

    def parts(self, weights: Weights, held: Prediction) -> tuple[Part, ...]:
        """What each place reads for one token, as `tui.fit.parts.parts_of` has it."""
        n_layer, first = self.shape.n_layer, self.shape.output_at + 1 - held.n_gpu_layers
        split = min(n_layer, first)
        read, counts = self._shares.read, self._shares.counts
        past = self._past_bytes
        output = weights.output_bytes + (weights.input_bytes if weights.tied else 0)
        on_host = read[split] * weights.layers_bytes + past * split / max(1, n_layer)
        on_devices = (read[-1] - read[split]) * weights.layers_bytes + past * (1 - split / max(1, n_layer))
        if not held.n_gpu_layers:
            return (Part(HOST, on_host + output, counts[-1] + 1),)
        total = sum(device.weights_bytes for device in held.devices) or 1
        layers = counts[-1] - counts[split] + 1
        devices = (
            Part(device.name, (on_devices + output) * share, layers * share)
            for device in held.devices
            if (share := device.weights_bytes / total)
        )
        return (*((Part(HOST, on_host, counts[split]),) if split else ()), *devices)

    def _device(self, weights: Weights, known: DeviceBytes, first: int, last: int, *, whole: bool) -> DeviceBytes:
        own = weights.output_bytes + (weights.input_bytes if weights.tied else 0)
        held = self._between(self._shares.weights, first, last) * weights.layers_bytes
        held += own if last > self.shape.output_at else 0
        context = known.context_bytes if whole else self._context(first, last)
        return self._upper(known, held, context, weights, whole=whole)

    def _host(self, weights: Weights, known: DeviceBytes, n_host: int, *, whole: bool) -> DeviceBytes:
        held = weights.input_bytes + self._between(self._shares.weights, 0, n_host) * weights.layers_bytes
        if n_host > self.shape.output_at:
            held += weights.output_bytes + (weights.input_bytes if self._host_copies else 0)
        context = known.context_bytes if whole else self._context(0, n_host)
        return self._upper(known, held, context, weights, whole=whole)

    def _upper(self, known: DeviceBytes, held: float, context: float, weights: Weights, *, whole: bool) -> DeviceBytes:
        """The upper end of each part."""
        compute, spread = float(known.compute_bytes), COMPUTE_SPREAD
        if not whole:  # weights are copied over for large batches as they are stored
            compute, spread = compute * max(1.0, weights.label.layers / _REFERENCE_BYTES), COMPUTE_SPREAD_PARTIAL
        return DeviceBytes(
            name=known.name,
            description=known.description,
            weights_bytes=round(held * (1 + weights.spread)),
            context_bytes=round(context * (1 + self.shape.context_spread)),
            compute_bytes=round(compute * (1 + spread)),
        )

    def _context(self, first: int, last: int) -> float:
        total = sum(device.context_bytes for device in self._all.devices)
        return self._between(self._shares.context, first, last) * total

    def _between(self, running: tuple[float, ...], first: int, last: int) -> float:
        n_layer = self.shape.n_layer
        return running[min(last, n_layer)] - running[min(first, n_layer)]

    def _known(self, n_gpu_layers: int) -> Prediction:
        """The closed form for all, none, or about half of the layers on devices."""
        if not n_gpu_layers:
            return self._none
        return self._all if n_gpu_layers == self.most else self._half

    @cached_property
    def _all(self) -> Prediction:
        return self._predicted(self.most)

    @cached_property
    def _none(self) -> Prediction:
        return self._predicted(0)

    @cached_property
    def _half(self) -> Prediction:
        return self._predicted(max(1, self.most // 2))

    def _predicted(self, n_gpu_layers: int) -> Prediction:
        return closed_form.predict(self.shape, self._with(n_gpu_layers), self.machine)

    def _placed(self, n_gpu_layers: int) -> Placement:
        if len(self.machine.devices) == 1:
            return Placement(n_gpu_layers, ((0, self.most - n_gpu_layers, self.most),), 0, 1)
        if n_gpu_layers not in self._placements:
            self._placements[n_gpu_layers] = place(self.shape.output_at, self._with(n_gpu_layers), self.machine)
        return self._placements[n_gpu_layers]

    @cached_property
    def _placements(self) -> dict[int, Placement]:
        return {}

    def _with(self, n_gpu_layers: int) -> LoadSettings:
        devices = () if n_gpu_layers else NO_DEVICES
        return msgspec.structs.replace(self.settings, n_gpu_layers=n_gpu_layers, devices=devices)

    @cached_property
    def _past_bytes(self) -> float:
        """Context that one token reads after a short conversation."""
        return self.shape.kv_read_bytes(TYPICAL_PAST, self.settings.type_k, self.settings.type_v)

    @cached_property
    def _host_copies(self) -> bool:
        """The output is a second copy of tied embeddings, repacked for this CPU."""
        return self._none.host.weights_bytes > self.shape.weights_bytes

    @cached_property
    def _shares(self) -> _Shares:
        shape, n_ctx = self.shape, int(self.settings.n_ctx)
        layers = shape.layers
        total = sum(layer.weights.host + layer.experts.host for layer in layers) or 1
        window = min(n_ctx, shape.window + self.settings.n_ubatch)
        contexts = [
            shape.row_bytes(layer, self.settings.type_k, self.settings.type_v) * (window if layer.slides else n_ctx)
            + (shape.state.n_bytes if layer.recurrent else 0)
            for layer in layers
        ]
        return _Shares(
            weights=_running((layer.weights.host + layer.experts.host for layer in layers), total),
            read=_running((shape.layer_read_bytes(index) for index in range(len(layers))), total),
            context=_running(contexts, sum(contexts) or 1),
            counts=_running((2 if layer.experts.host else 1 for layer in layers), 1),
        )


def outline_of(facts: CardFacts, machine: Machine, settings: LoadSettings) -> Outline:
    """The outline of a model that a catalogue knows these facts of; `settings.n_ctx` is a number."""
    return Outline(shape_of_facts(facts, REFERENCE), settings, machine)


def context_for(context_length: int | None, n_ctx: int) -> int:
    """Tokens of context that a model is priced at: `n_ctx`, or less where it was trained on less."""
    return padded(min(n_ctx, context_length or n_ctx), CONTEXT_MULTIPLE)


def _running(values: Iterable[float], total: float) -> tuple[float, ...]:
    return tuple(value / total for value in accumulate(values, initial=0.0))
