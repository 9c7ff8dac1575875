"""What NVML's errors mean to the person in front of the screen, and getting hold of the library at all.

Only this module names pynvml, and it imports it when a GPU is first asked for: a machine without one never pays for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LoadNvml = Callable[[], Any]
"""Returns the pynvml module (or, in a test, the same module bound to another library). Raises ImportError."""

UNINITIALIZED, NOT_SUPPORTED, NO_PERMISSION, NOT_FOUND, INSUFFICIENT_SIZE = 1, 3, 4, 6, 7
DRIVER_NOT_LOADED, TIMEOUT, LIBRARY_NOT_FOUND, FUNCTION_NOT_FOUND = 9, 10, 12, 13
GPU_IS_LOST, RESET_REQUIRED, VERSION_MISMATCH, ARGUMENT_VERSION = 15, 16, 18, 25

HARMLESS = frozenset({NOT_SUPPORTED, NO_PERMISSION, NOT_FOUND, FUNCTION_NOT_FOUND, ARGUMENT_VERSION})
"""One figure is missing; the device is well."""
NEEDS_REOPENING = frozenset({UNINITIALIZED, DRIVER_NOT_LOADED, GPU_IS_LOST, RESET_REQUIRED, VERSION_MISMATCH})
"""The driver or the device went away; opening the library again may find it back."""
FATAL = NEEDS_REOPENING | {TIMEOUT}
"""Whichever figure was asked for, the device has no others. Any other error costs that figure alone."""


@dataclass(frozen=True, slots=True)
class DriverProblem:
    """What is wrong with the driver, and the one thing to do about it."""

    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.what}: {self.fix}"


def load_pynvml() -> Any:
    """The pynvml module, imported now."""
    import pynvml

    return pynvml


_DRIVER = {
    NO_PERMISSION: DriverProblem(
        "the NVIDIA driver refuses to answer you",
        "join the group that owns /dev/nvidiactl (often video or render), then log in again",
    ),
    DRIVER_NOT_LOADED: DriverProblem(
        "the NVIDIA driver is installed but not loaded",
        "run sudo modprobe nvidia; after a kernel update the driver must be installed again",
    ),
    LIBRARY_NOT_FOUND: DriverProblem(
        "the NVIDIA driver's library libnvidia-ml.so.1 is not here",
        "install the NVIDIA driver; in a container, start it with --gpus all",
    ),
    FUNCTION_NOT_FOUND: DriverProblem(
        "the NVIDIA driver is too old to be asked",
        "install a newer NVIDIA driver",
    ),
    VERSION_MISMATCH: DriverProblem(
        "the NVIDIA driver was updated, but the old one is still running",
        "restart the machine, a container in which puna runs, or only puna where nvidia-smi works",
    ),
}

_DEVICE = {
    NO_PERMISSION: "no permission to read it",
    DRIVER_NOT_LOADED: "its driver was unloaded",
    UNINITIALIZED: "its driver was unloaded",
    TIMEOUT: "its driver did not answer in time",
    GPU_IS_LOST: "lost: it has fallen off the bus; reset it or restart the machine",
    RESET_REQUIRED: "it must be reset: run nvidia-smi --gpu-reset, or restart the machine",
    NOT_FOUND: "gone: the driver no longer lists it",
    VERSION_MISMATCH: "the driver was updated under it; restart the machine",
}


def driver_problem(error: Exception) -> DriverProblem:
    """Why NVML could not be opened."""
    if isinstance(error, ImportError):
        return DriverProblem("the Python package nvidia-ml-py is missing", "run pip install nvidia-ml-py")
    known = _DRIVER.get(code_of(error))
    return known or DriverProblem(f"the NVIDIA driver failed ({error})", "see what nvidia-smi says")


def device_problem(code: int, error: Exception | None = None) -> str:
    """Why one GPU does not answer, short enough for its row."""
    return _DEVICE.get(code) or f"the driver failed ({error or f'NVML error {code}'})"


def code_of(error: Exception) -> int:
    """NVML's number for an error; a missing pynvml counts as a missing library, anything else as 999 (unknown)."""
    if isinstance(error, ImportError):
        return LIBRARY_NOT_FOUND
    value = getattr(error, "value", None)
    return value if isinstance(value, int) else 999
