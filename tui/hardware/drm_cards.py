"""The kernel's graphics cards as folders of /sys/class/drm, and the small sensors beside them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from tui.hardware.cuda import pci_address
from tui.hardware.files import names_in, read_int, read_word

_CARD = re.compile(r"card(\d{1,4})")


@dataclass(frozen=True, slots=True)
class DrmCard:
    """One card of one vendor."""

    folder: str
    """/sys/class/drm/cardN"""
    device: str
    """The same card's folder on its bus."""
    driver: str | None
    pci: str | None
    hwmon: str | None

    @property
    def asleep(self) -> bool:
        """True while it is powered down: reading its sensors would wake it, or fail."""
        return read_word(f"{self.device}/power/runtime_status") == "suspended"

    @property
    def may_sleep(self) -> bool:
        """True where the kernel powers it down when nobody uses it."""
        return read_word(f"{self.device}/power/control") == "auto"

    def sensor(self, name: str) -> int | None:
        """A figure of the card's hwmon folder."""
        return read_int(f"{self.hwmon}/{name}") if self.hwmon is not None else None


def drm_cards(vendor: str, sys_root: str = "/sys") -> tuple[DrmCard, ...]:
    """The cards of a vendor (0x1002), in the kernel's order. Connectors (card0-HDMI-A-1) are no cards."""
    base = f"{sys_root}/class/drm"
    numbers = sorted(int(found[1]) for name in names_in(base) if (found := _CARD.fullmatch(name)))
    folders = (f"{base}/card{number}" for number in numbers)
    return tuple(_card(folder) for folder in folders if read_word(f"{folder}/device/vendor") == vendor)


def _card(folder: str) -> DrmCard:
    device = f"{folder}/device"
    monitors = names_in(f"{device}/hwmon")
    hwmon = f"{device}/hwmon/{monitors[0]}" if monitors else None
    return DrmCard(folder, device, _uevent(device, "DRIVER"), _address(device), hwmon)


def _address(device: str) -> str | None:
    return pci_address(_uevent(device, "PCI_SLOT_NAME")) or pci_address(os.path.realpath(device).rpartition("/")[2])


def _uevent(device: str, key: str) -> str | None:
    for line in (read_word(f"{device}/uevent") or "").splitlines():
        name, _, value = line.partition("=")
        if name == key:
            return value
    return None
