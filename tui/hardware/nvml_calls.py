"""What is asked of every NVIDIA device every second, into buffers that are kept from one call to the next.

pynvml looks a function up under a lock, makes a structure and turns it into an object of its own in each call, which
with eight cards costs more than the driver's answers do. The library and its errors are pynvml's here too; everything
that is asked rarely goes through pynvml itself. Layouts are those of nvml.h.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Any

from tui.hardware.nvml import FUNCTION_NOT_FOUND, INSUFFICIENT_SIZE

_MEMORY, _MEMORY_V2 = struct.Struct("@QQQ"), struct.Struct("@IQQQQ")
"""nvmlMemory_t: total, free, used; nvmlMemory_v2_t: version, total, reserved, free, used."""
_RATES = struct.Struct("@II")
"""nvmlUtilization_t: of the card, of its memory."""
_PROCESS = struct.Struct("@IQII")
"""nvmlProcessInfo_v2_t, which the calls of versions 2 and 3 fill: pid, bytes, GPU instance, compute instance."""
_UNKNOWN_BYTES, _NO_INSTANCE = (1 << 64) - 1, 0xFFFFFFFF
_ROOM = 32
"""Processes that the first buffer takes."""

Entry = tuple[int, "int | None", "int | None"]
"""A process as the driver lists it: pid, bytes and GPU instance; None for what it does not tell."""


class Calls:
    """One opened library. Each method raises pynvml's NVMLError; not for two threads at a time."""

    def __init__(self, lib: Any) -> None:
        native = lib.nvmlLib
        self._error = lib.NVMLError
        # Drivers before 510 know only the first version, where "used" includes what the driver reserves.
        self._memory_call = _call(native, "nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetMemoryInfo")
        self._second = hasattr(native, "nvmlDeviceGetMemoryInfo_v2")
        self._memory = ctypes.create_string_buffer(_MEMORY_V2.size)
        if self._second:
            _MEMORY_V2.pack_into(self._memory, 0, lib.nvmlMemory_v2, 0, 0, 0, 0)
        self._rates_call = _call(native, "nvmlDeviceGetUtilizationRates")
        self._power_call = _call(native, "nvmlDeviceGetPowerUsage")
        compute, graphics = (f"nvmlDeviceGet{kind}RunningProcesses" for kind in ("Compute", "Graphics"))
        self._compute_call = _call(native, f"{compute}_v3", f"{compute}_v2")
        self._graphics_call = _call(native, f"{graphics}_v3", f"{graphics}_v2")
        self._rates, self._number = ctypes.create_string_buffer(_RATES.size), ctypes.c_uint()
        self._number_at = ctypes.byref(self._number)
        self._room = _ROOM
        self._processes = ctypes.create_string_buffer(_PROCESS.size * _ROOM)

    def memory(self, handle: Any) -> tuple[int, int, int]:
        """Total, used and free bytes."""
        code = self._memory_call(handle, self._memory)
        if code:
            raise self._error(code)
        if self._second:
            _, total, _, free, used = _MEMORY_V2.unpack(self._memory)
        else:
            total, free, used = _MEMORY.unpack_from(self._memory)
        return total, used, free

    def utilization(self, handle: Any) -> int:
        """How busy the card was, in percent."""
        code = self._rates_call(handle, self._rates)
        if code:
            raise self._error(code)
        return int(_RATES.unpack(self._rates)[0])

    def milliwatts(self, handle: Any) -> int:
        """Power drawn."""
        code = self._power_call(handle, self._number_at)
        if code:
            raise self._error(code)
        return self._number.value

    def compute(self, handle: Any) -> list[Entry]:
        """Processes that compute."""
        return self._listed(self._compute_call, handle)

    def graphics(self, handle: Any) -> list[Entry]:
        """Processes that draw."""
        return self._listed(self._graphics_call, handle)

    def _listed(self, call: Any, handle: Any) -> list[Entry]:
        number = self._number
        number.value = self._room
        code = call(handle, self._number_at, self._processes)
        if code == INSUFFICIENT_SIZE and number.value > self._room:
            # More than ever before; others may begin until it is asked again.
            self._room = 2 * number.value
            self._processes = ctypes.create_string_buffer(_PROCESS.size * self._room)
            return self._listed(call, handle)
        if code:
            raise self._error(code)
        found = memoryview(self._processes)[: _PROCESS.size * number.value]
        return [
            # Nobody holds a device without memory: with 0 WSL, and MIG on older drivers, say that they cannot tell.
            (pid, None if used in (0, _UNKNOWN_BYTES) else used, None if instance == _NO_INSTANCE else instance)
            for pid, used, instance, _ in _PROCESS.iter_unpack(found)
        ]


def _call(native: Any, *names: str) -> Any:
    """The first of these functions that the library has."""
    return next((found for name in names if (found := getattr(native, name, None)) is not None), _missing)


def _missing(*_: Any) -> int:
    return FUNCTION_NOT_FOUND
