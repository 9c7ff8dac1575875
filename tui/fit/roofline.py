"""How long one token takes by what memory and arithmetic can do at best, as a range: nothing here was measured on
models.

A decoded token reads every active weight and its context once, so the time of a place is bytes / (bandwidth ×
efficiency) and some time for each layer, in which kernels start and threads meet. A prompt is bound by arithmetic
instead.

The ranges hold for published runs of llama.cpp with dense models of 7B to 70B and a mixture of experts, from an M1 to
an H100 (the figures are in tests/fit/test_published.py), and for small models on the CPU.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from tui.fit.cards import card_of_driver
from tui.fit.parts import HOST, Part
from tui.fit.values import DeviceSpec, Machine


class Range(NamedTuple):
    """From the lowest to the highest that is expected."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """The geometric mean: as many times the low as the high is of it."""
        return math.sqrt(self.low * self.high)


class Pace(NamedTuple):
    """How well a kind of place does."""

    efficiency: Range
    """Share of the bandwidth that is reached."""
    layer_s: Range
    """Seconds for each layer besides."""


DEVICE = Pace(Range(0.45, 0.95), Range(10e-6, 100e-6))
CPU = Pace(Range(0.30, 0.95), Range(10e-6, 120e-6))
ASSUMED_RAM_BYTES_S = 40e9
"""What a computer with two channels of DDR4-3200 or slow DDR5 reads, for as long as it is not measured."""
MATRIX_EFFICIENCY = Range(0.15, 0.90)
"""Share of a GPU's matrix arithmetic that reading a prompt reaches."""
CORE_FLOPS = Range(12e9, 130e9)
"""Arithmetic of one core a second while it reads a prompt: from an old virtual core to a desktop's with AVX-512."""
BUS_BYTES_S = Range(6e9, 25e9)
"""What a PCIe bus carries, for weights that stay in RAM and are copied to a GPU for every batch of a prompt."""
BATCH_LAYER_S = Range(30e-6, 300e-6)
"""Seconds for each layer of a batch of a prompt besides: kernels start, however little they compute."""
LEAST_PREFILL_S = 10e-6
"""Seconds that a token of a prompt takes at least on a GPU, tokenizing and handing over included; without it a tiny
model would read a million tokens a second.
"""
FLOPS_PER_PARAMETER = 2
"""A multiplication and an addition for each active parameter and token."""


def host_bandwidth(machine: Machine) -> float:
    """Bytes a second that the host reads from RAM: measured, or assumed."""
    return machine.host_bandwidth_bytes_s or ASSUMED_RAM_BYTES_S


def decode_s(parts: Sequence[Part], machine: Machine) -> Range | None:
    """Seconds for one token; None where the bandwidth of a device is not known."""
    low = high = 0.0
    devices = {device.name: device for device in machine.devices}
    for part in parts:
        device = devices.get(part.name)
        bandwidth = host_bandwidth(machine) if part.name == HOST else device.bandwidth_bytes_s if device else None
        if not bandwidth:
            return None
        pace = CPU if part.name == HOST else DEVICE
        low += part.read_bytes / (bandwidth * pace.efficiency.high) + part.layers * pace.layer_s.low
        high += part.read_bytes / (bandwidth * pace.efficiency.low) + part.layers * pace.layer_s.high
    return Range(low, high) if low > 0 else None


def prefill_s(parts: Sequence[Part], machine: Machine, active_parameters: int, n_ubatch: int) -> Range | None:
    """Seconds for one token of a long prompt; None where the arithmetic of a device, or the model's, is not known.

    With a GPU all of it is computed there: llama.cpp copies the weights that lie in RAM over for each batch.
    """
    flops = FLOPS_PER_PARAMETER * active_parameters
    if not flops:
        return None
    on_devices = [part for part in parts if part.name != HOST]
    if not on_devices:
        cores = machine.cores
        return None if cores is None else Range(flops / (cores * CORE_FLOPS.high), flops / (cores * CORE_FLOPS.low))
    devices = {device.name: device for device in machine.devices}
    rates = [_flops(devices.get(part.name)) for part in on_devices]
    total = sum(part.layers for part in on_devices) or 1.0
    if not all(rates):
        return None
    at_best = sum(part.layers / total * flops / rate for part, rate in zip(on_devices, rates, strict=True) if rate)
    copied = sum(part.read_bytes for part in parts if part.name == HOST) / n_ubatch
    started = total / n_ubatch
    low = at_best / MATRIX_EFFICIENCY.high + copied / BUS_BYTES_S.high + started * BATCH_LAYER_S.low
    high = at_best / MATRIX_EFFICIENCY.low + copied / BUS_BYTES_S.low + started * BATCH_LAYER_S.high
    return Range(max(low, LEAST_PREFILL_S), max(high, LEAST_PREFILL_S))


def _flops(device: DeviceSpec | None) -> float | None:
    card = card_of_driver(device.description, device.total_bytes) if device is not None else None
    return card.flops if card is not None else None
