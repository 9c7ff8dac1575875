"""How questions to the dry run are put: without what no layout depends on, so that questions which mean the same have
one answer. Values only.
"""

from __future__ import annotations

import msgspec

from tui.fit.questions import AskedDevice
from tui.fit.values import DeviceSpec, Machine
from tui.llama.settings import NO_PROJECTOR, LoadSettings


def relevant(settings: LoadSettings) -> LoadSettings:
    """The settings without those that no layout depends on, so that questions which differ in them are one."""
    return msgspec.structs.replace(
        settings,
        threads=1,
        load_mode="none",
        mlock=False,
        lora=(),
        draft_model="",
        chat_template="",
        mmproj=NO_PROJECTOR,
    )


def asked_devices(settings: LoadSettings, machine: Machine) -> tuple[AskedDevice, ...]:
    """The devices as far as a layout depends on them. What is free only decides how layers are spread over several."""
    n_used = len(settings.devices or machine.devices)
    spread = n_used > 1 and settings.split_mode != "none" and not any(settings.tensor_split)
    return tuple(asked_device(device, spread=spread) for device in machine.devices)


def asked_device(device: DeviceSpec, *, spread: bool = False) -> AskedDevice:
    """A device of the machine as a question names it, which may `spread` layers over several."""
    free_bytes = device.free_bytes if spread else device.total_bytes
    return AskedDevice(device.name, device.profile, device.total_bytes, free_bytes)
