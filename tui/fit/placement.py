"""Which layers go to which device, the way llama.cpp decides it (`llama_model_base::load_tensors`)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from tui.fit.values import DeviceSpec, Machine
from tui.llama.settings import LoadSettings

HOST = -1


@dataclass(frozen=True, slots=True)
class Placement:
    """Where each layer of a model lies."""

    n_gpu_layers: int
    """Layers on devices, the output counted as one."""
    starts: tuple[tuple[int, int, int], ...]
    """(device, first layer, one past its last) of each device with layers, in order; the output is the last layer.
    Devices are indices into the machine's.
    """
    main: int
    """The device that computes large batches of layers in host memory too; HOST without devices."""
    n_devices: int
    """Devices in use, those without a layer included."""

    @property
    def n_host(self) -> int:
        """Layers in host memory; they are the first ones."""
        return self.starts[0][1] if self.starts else -1


def place(n_block: int, settings: LoadSettings, machine: Machine) -> Placement:
    """Spread `n_block` layers and the output over the devices that `settings` names."""
    used = used_devices(settings, machine)
    wanted = settings.n_gpu_layers
    count = n_block + 1
    on_devices = min(wanted, count) if isinstance(wanted, int) else count
    if not used or on_devices == 0:
        return Placement(0, (), used[0] if used else HOST, len(used))
    first = count - on_devices
    ends = _shares(settings.tensor_split, [machine.devices[index] for index in used])
    starts: list[tuple[int, int, int]] = []
    for layer in range(first, count):
        share = _f32((layer - first) / on_devices)
        device = used[next((index for index, end in enumerate(ends) if end > share), len(ends) - 1)]
        if starts and starts[-1][0] == device:
            starts[-1] = (device, starts[-1][1], layer + 1)
        else:
            starts.append((device, layer, layer + 1))
    return Placement(on_devices, tuple(starts), used[0], len(used))


def used_devices(settings: LoadSettings, machine: Machine) -> tuple[int, ...]:
    """Indices of the devices in use, in the order they are filled; names that the machine lacks are passed over."""
    names = [device.name for device in machine.devices]
    if settings.devices:
        used = tuple(names.index(name) for name in settings.devices if name in names)
    else:
        used = tuple(range(len(names)))
    if settings.split_mode == "none" and used:
        return (used[min(settings.main_device, len(used) - 1)],)
    return used


def _shares(split: Sequence[float], devices: Sequence[DeviceSpec]) -> list[float]:
    """Where the share of each device ends, from 0 to 1, by `split` or else by free memory, in single precision."""
    given = [*split[: len(devices)], *[0.0] * (len(devices) - len(split))]
    parts = given if any(given) else [_f32(max(0, device.free_bytes)) for device in devices]
    if not any(parts):
        parts = [1.0] * len(devices)
    ends: list[float] = []
    for part in parts:
        ends.append(_f32((ends[-1] if ends else 0.0) + _f32(part)))
    return [_f32(end / ends[-1]) for end in ends]


def _f32(value: float) -> float:
    rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    return rounded
