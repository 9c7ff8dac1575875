"""Which graphics cards are plugged into this machine, whether or not any driver answers for them.

Read from the PCI bus, which needs no library and wakes no card: a person whose card is idle because its driver is
missing must be told, and a person without a card must not be bothered.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from tui.hardware.files import names_in, read_word

Vendor = Literal["nvidia", "amd", "intel"]

_VENDORS: dict[str, Vendor] = {"0x10de": "nvidia", "0x1002": "amd", "0x8086": "intel"}

_DISPLAY, _ACCELERATOR = "0x03", "0x12"
"""PCI base classes. AMD's Instinct cards are processing accelerators, not display controllers."""


@dataclass(frozen=True, slots=True)
class Card:
    """A graphics card on the PCI bus."""

    vendor: Vendor
    address: str
    """PCI address such as 0000:01:00.0; empty where only the driver's own folder tells of the card."""
    driver: str | None
    """The kernel driver bound to it (nvidia, nouveau, amdgpu, i915, vfio-pci, …); None without one."""
    sleeping: bool
    """True while it is powered down; reading it would wake it."""


def cards(proc_root: str = "/proc", sys_root: str = "/sys") -> tuple[Card, ...]:
    """Every graphics card of the three vendors, in PCI order."""
    found = [card for name in plugged_in(sys_root) if (card := card_at(name, sys_root)) is not None]
    if not any(card.vendor == "nvidia" for card in found):
        # A sandbox may hide the bus and still show the driver.
        listed = names_in(f"{proc_root}/driver/nvidia/gpus")
        found += [Card("nvidia", address, "nvidia", sleeping=False) for address in listed]
        if not listed and read_word(f"{proc_root}/driver/nvidia/version"):
            found.append(Card("nvidia", "", "nvidia", sleeping=False))
    return tuple(found)


def has_card(vendor: Vendor, proc_root: str = "/proc", sys_root: str = "/sys") -> bool:
    """True when such a card is in this machine."""
    return any(card.vendor == vendor for card in cards(proc_root, sys_root))


def plugged_in(sys_root: str = "/sys") -> list[str]:
    """The addresses of all PCI devices: a server has hundreds, and looking into each takes milliseconds."""
    return names_in(f"{sys_root}/bus/pci/devices")


def card_at(address: str, sys_root: str = "/sys") -> Card | None:
    """The graphics card at an address; None where there is something else, or nothing."""
    folder = f"{sys_root}/bus/pci/devices/{address}"
    vendor = _VENDORS.get(read_word(f"{folder}/vendor") or "")
    if vendor is None:
        return None
    kind = read_word(f"{folder}/class") or ""
    if not (kind.startswith(_DISPLAY) or (vendor == "amd" and kind.startswith(_ACCELERATOR))):
        return None
    sleeping = read_word(f"{folder}/power/runtime_status") == "suspended"
    return Card(vendor, address, _driver(folder), sleeping)


def _driver(folder: str) -> str | None:
    try:
        return os.readlink(f"{folder}/driver").rpartition("/")[2] or None  # noqa: PTH115 - a plain string is wanted
    except OSError:
        return None
