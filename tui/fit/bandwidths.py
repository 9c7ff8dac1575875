"""How fast the memories of this machine are read: measured once in a child process, then remembered.

Measuring keeps every core busy for a second, and each GPU for half of one, so it is done when nothing is computed here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from tui.fit.measured import SpeedStore
from tui.fit.values import Machine
from tui.process.once import OnceError, run_once

RAM_MODULE, DEVICES_MODULE = "tui.hardware.ram_bandwidth", "tui.llama.bandwidth"
_TIMEOUT_S = 60.0
"""A driver's first start on a machine compiles its kernels, which takes long."""


_Answer = TypeVar("_Answer")


class BandwidthError(Exception):
    """Nothing could be measured; the text says why."""


class _Ram(msgspec.Struct):
    read_bytes_s: float


class _Device(msgspec.Struct):
    description: str
    read_bytes_s: float | None


class _Devices(msgspec.Struct):
    devices: list[_Device]


async def ram_bandwidth(store: SpeedStore, threads: int) -> float:
    """Bytes a second that `threads` (as many as there are cores to use) read from RAM: remembered, or measured now.

    Raises BandwidthError.
    """
    known = await asyncio.to_thread(store.read)
    if known.ram_bytes_s is not None:
        return known.ram_bytes_s
    found = await _ask(RAM_MODULE, _Ram, str(threads))
    await asyncio.to_thread(lambda: store.keep_bandwidth(ram_bytes_s=found.read_bytes_s))
    return found.read_bytes_s


async def device_bandwidths(store: SpeedStore, machine: Machine) -> Mapping[str, float]:
    """Bytes a second that each GPU of `machine` reads from its memory, by its description: remembered, or measured now.

    A GPU that cannot be measured is left out, and is not tried again. Raises BandwidthError.
    """
    known = await asyncio.to_thread(store.read)
    here = {device.description for device in machine.devices if device.profile == "real"}
    if here <= known.device_bytes_s.keys() | known.unmeasured:
        return {description: known.device_bytes_s[description] for description in here - known.unmeasured}
    try:
        found = await _ask(DEVICES_MODULE, _Devices)
    except BandwidthError:
        await asyncio.to_thread(lambda: store.keep_bandwidth(unmeasured=here - known.device_bytes_s.keys()))
        raise
    measured = {device.description: device.read_bytes_s for device in found.devices if device.read_bytes_s}
    failed = here - known.device_bytes_s.keys() - measured.keys()
    await asyncio.to_thread(lambda: store.keep_bandwidth(device_bytes_s=measured, unmeasured=failed))
    return measured


async def _ask(module: str, kind: type[_Answer], *arguments: str) -> _Answer:
    try:
        return msgspec.json.decode(await run_once(module, arguments, timeout_s=_TIMEOUT_S), type=kind)
    except (OnceError, msgspec.DecodeError) as error:
        raise BandwidthError(f"the memory's speed could not be measured: {error}") from error
