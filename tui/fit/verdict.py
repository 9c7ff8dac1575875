"""Whether a prediction fits a machine: what lies where, what is free, and one word for it. Values only; it never asks
anybody anything.

A device or the host fits when what it would hold, the driver's share included, is at most what is free less the margin
that is kept. A device that would hold nothing fits however full it is, and nothing is added for its driver. Where a
device's memory is the host's, what it holds counts in the host's pool too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from tui.fit.values import DeviceSpec, Machine, Prediction, Source
from tui.llama.receipt import DeviceBytes

Verdict = Literal["gpu", "partial", "ram", "no"]
"""`gpu`: every layer and the output on devices. `partial`: some of them. `ram`: none, and the host fits. `no`: some
device or the host does not fit.
"""


class DeviceFit(msgspec.Struct, frozen=True, kw_only=True):
    """One device under a prediction."""

    name: str
    description: str
    total_bytes: int
    free_bytes: int
    weights_bytes: int
    context_bytes: int
    compute_bytes: int
    overhead_bytes: int
    """What the driver takes besides; 0 where nothing would lie on the device."""
    room_bytes: int
    """What may be taken: free less the margin. Negative where less than the margin is free."""
    shares_host: bool
    """What it holds counts in the host's pool, too."""
    fits: bool

    @property
    def need_bytes(self) -> int:
        """All that the device would hold, in bytes."""
        return self.weights_bytes + self.context_bytes + self.compute_bytes + self.overhead_bytes

    @property
    def over_bytes(self) -> int:
        """How much more than may be taken it would hold, in bytes; negative is what stays."""
        return self.need_bytes - self.room_bytes


class HostFit(msgspec.Struct, frozen=True, kw_only=True):
    """The host's memory under a prediction."""

    weights_bytes: int
    context_bytes: int
    compute_bytes: int
    output_bytes: int
    shared_bytes: int
    """What devices that use the host's memory hold, their drivers' share included."""
    overhead_bytes: int = 0
    """What loads here took beyond their predictions."""
    available_bytes: int
    room_bytes: int
    """What may be taken: available less the margin. Negative where less than the margin is available."""
    fits: bool

    @property
    def need_bytes(self) -> int:
        """All that the host's memory would hold, in bytes."""
        own = self.weights_bytes + self.context_bytes + self.compute_bytes + self.output_bytes
        return own + self.shared_bytes + self.overhead_bytes

    @property
    def over_bytes(self) -> int:
        """How much more than may be taken it would hold, in bytes; negative is what stays."""
        return self.need_bytes - self.room_bytes


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """What a prediction means on a machine."""

    devices: tuple[DeviceFit, ...]
    """One for each device of the machine, in its order."""
    host: HostFit
    verdict: Verdict
    source: Source

    @property
    def pools(self) -> tuple[DeviceFit | HostFit, ...]:
        """The devices, and last the host."""
        return (*self.devices, self.host)

    @property
    def missing_bytes(self) -> int:
        """What is missing on everything that does not fit, together, in bytes; 0 where all fits. Of one pool that the
        host and devices share the larger lack counts, once.
        """
        own = sum(device.over_bytes for device in self.devices if not (device.fits or device.shares_host))
        shared = sum(device.over_bytes for device in self.devices if device.shares_host and not device.fits)
        return own + max(shared, 0 if self.host.fits else self.host.over_bytes)

    @property
    def need_bytes(self) -> int:
        """All that would be held, on devices and the host together, in bytes."""
        return sum(device.need_bytes for device in self.devices) + self.host.need_bytes - self.host.shared_bytes

    @property
    def devices_over_bytes(self) -> int:
        """How far the worst device is over its room, in bytes; at most 0 where all of them fit."""
        holding = [device.over_bytes for device in self.devices if device.need_bytes]
        return max(holding) if holding else min(0, -max((device.room_bytes for device in self.devices), default=0))

    @property
    def over_bytes(self) -> int:
        """How far the worst of the devices and the host is over its room, in bytes; at most 0 where all fits."""
        return max([self.host.over_bytes, *(device.over_bytes for device in self.devices if device.need_bytes)])


def assess(prediction: Prediction, machine: Machine, n_block: int, *, n_cpu_moe: int = 0) -> Assessment:
    """Set `prediction` against what is free on `machine`.

    `n_block` counts the model's layers as n_gpu_layers does, the output not counted. `n_cpu_moe` is the number of
    layers whose experts stay on the host, 0 for a model without experts: a layer without its experts is not all on a
    device, so the verdict is then `partial` at best. The token embedding always stays on the host and counts for
    nothing here.

    Raises ValueError when the prediction is not about this machine's devices.
    """
    devices = tuple(
        _device_fit(held, spec, machine.margins.device_bytes)
        for held, spec in zip(prediction.devices, machine.devices, strict=True)
    )
    host = _host_fit(prediction, machine, devices)
    on_devices = prediction.n_gpu_layers if devices else 0
    return Assessment(
        devices=devices,
        host=host,
        verdict=_verdict((*devices, host), on_devices, n_block, n_cpu_moe),
        source=prediction.source,
    )


def _device_fit(held: DeviceBytes, spec: DeviceSpec, margin_bytes: int) -> DeviceFit:
    overhead = spec.overhead_bytes if held.sum_bytes else 0
    room = spec.free_bytes - margin_bytes
    return DeviceFit(
        name=spec.name,
        description=spec.description,
        total_bytes=spec.total_bytes,
        free_bytes=spec.free_bytes,
        weights_bytes=held.weights_bytes,
        context_bytes=held.context_bytes,
        compute_bytes=held.compute_bytes,
        overhead_bytes=overhead,
        room_bytes=room,
        shares_host=spec.shares_host,
        fits=not held.sum_bytes or held.sum_bytes + overhead <= room,
    )


def _host_fit(prediction: Prediction, machine: Machine, devices: Sequence[DeviceFit]) -> HostFit:
    shared = sum(fit.need_bytes for fit, spec in zip(devices, machine.devices, strict=True) if spec.shares_host)
    room = machine.host_available_bytes - machine.margins.host_bytes
    held, overhead = prediction.host, machine.host_overhead_bytes
    return HostFit(
        weights_bytes=held.weights_bytes,
        context_bytes=held.context_bytes,
        compute_bytes=held.compute_bytes,
        output_bytes=prediction.output_bytes,
        shared_bytes=shared,
        overhead_bytes=overhead,
        available_bytes=machine.host_available_bytes,
        room_bytes=room,
        fits=held.sum_bytes + prediction.output_bytes + shared + overhead <= room,
    )


def _verdict(pools: Sequence[DeviceFit | HostFit], on_devices: int, n_block: int, n_cpu_moe: int) -> Verdict:
    if not all(pool.fits for pool in pools):
        return "no"
    if not on_devices:
        return "ram"
    return "gpu" if on_devices > n_block and not n_cpu_moe else "partial"
