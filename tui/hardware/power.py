"""Which NVIDIA cards are powered down now. Only the PCI bus is read, which wakes nothing; NVML's mere opening would.

Laptops power a card down when nobody uses it. A card that the kernel keeps on for ever, as on every server, is never
looked at again.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui.hardware.drivers import Card, card_at, cards, plugged_in
from tui.hardware.files import read, read_word


@dataclass(frozen=True, slots=True)
class _Slot:
    address: str
    status: str
    may_sleep: bool


class NvidiaPower:
    """Looks at the cards that NVIDIA's driver holds."""

    def __init__(self, proc_root: str = "/proc", sys_root: str = "/sys") -> None:
        self._roots = proc_root, sys_root
        self._plugged: list[str] = []
        self._cards: list[Card] = []
        self._slots: dict[str, _Slot] = {}

    def rescan(self) -> None:
        """See which cards are plugged in. Other devices are looked into only where what is plugged in has changed."""
        _, sys_root = self._roots
        plugged = plugged_in(sys_root)
        if plugged and plugged == self._plugged:
            again = (card_at(card.address, sys_root) for card in self._cards)
            self._cards = [card for card in again if card is not None]
        else:
            self._plugged = plugged
            self._cards = [card for card in cards(*self._roots) if card.vendor == "nvidia"]
        self._slots = {}
        for card in self._cards:
            if card.driver != "nvidia":
                continue
            folder = f"{sys_root}/bus/pci/devices/{card.address}/power"
            may_sleep = card.sleeping or read_word(f"{folder}/control") == "auto"
            self._slots[card.address.lower()] = _Slot(card.address.lower(), f"{folder}/runtime_status", may_sleep)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The cards' PCI addresses, in PCI order, which is NVML's."""
        return tuple(self._slots)

    def asleep(self, address: str | None) -> bool:
        """True while that card is powered down."""
        slot = self._slots.get(address or "")
        return slot is not None and slot.may_sleep and (read(slot.status, 32) or b"").startswith(b"suspended")

    def may_sleep(self, address: str | None) -> bool:
        """True where the kernel powers that card down when nobody uses it."""
        slot = self._slots.get(address or "")
        return slot is not None and slot.may_sleep

    def all_asleep(self) -> bool:
        """True where there are cards and each of them is powered down: opening NVML would wake them."""
        return bool(self._slots) and all(self.asleep(address) for address in self._slots)
