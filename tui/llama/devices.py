"""The devices that the installed llama.cpp can compute on. Child processes only."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from tui.llama import binding
from tui.llama.settings import NO_DEVICES, SettingsError

GPU_TYPES = frozenset({1, 2})
"""GGML_BACKEND_DEVICE_TYPE_GPU and _IGPU (ggml-backend.h); 0 is the CPU, 3 an accelerator used along with it."""


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU as llama.cpp sees it."""

    name: str
    """llama.cpp's name, such as CUDA0."""
    description: str
    """The card, such as NVIDIA H100 80GB HBM3."""
    total_bytes: int
    free_bytes: int
    handle: int
    """ggml_backend_dev_t"""


def gpu_devices() -> tuple[Device, ...]:
    """Every GPU of the installed build, in llama.cpp's order."""
    binding.start_backend()
    handles = (binding.dev_get(index) for index in range(binding.dev_count()))
    return tuple(_device(handle) for handle in handles if binding.dev_type(handle) in GPU_TYPES)


def select_devices(names: tuple[str, ...], devices: tuple[Device, ...]) -> tuple[Device, ...]:
    """Those of `devices` that are named, in the order of the names; all of them when no name is given, none for
    NO_DEVICES.

    Raises SettingsError for a name that none of them has.
    """
    if not names:
        return devices
    if names == NO_DEVICES:
        return ()
    there = {device.name: device for device in devices}
    missing = [name for name in names if name not in there]
    if missing:
        known = ", ".join(there) or "none: this llama.cpp was built for the CPU"
        raise SettingsError("devices", f"no device {missing[0]!r} here; there is {known}")
    return tuple(there[name] for name in names)


def _device(handle: int) -> Device:
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    binding.dev_memory(handle, ctypes.byref(free), ctypes.byref(total))
    return Device(
        name=binding.dev_name(handle).decode(errors="replace"),
        description=binding.dev_description(handle).decode(errors="replace"),
        total_bytes=total.value,
        free_bytes=free.value,
        handle=handle,
    )
