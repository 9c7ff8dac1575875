"""What the settings on the load panel come to, as values, and how its sizes read. Pure: it asks nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from tui.app.text import GIB, MIB, clean
from tui.fit.fixes import Fix
from tui.fit.values import Machine
from tui.hardware.names import card_name
from tui.models.fit_report import FitReport

LETTERS: Final = "ABCDEFGH"
"""The keys of the fixes that are offered, in order: more than there are kinds of change, so that each has one."""


class Word(NamedTuple):
    """A piece of a line."""

    text: str
    color: str = "foreground"
    attributes: str = ""


Line = tuple[Word, ...]
Lines = tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Price(FitReport):
    """What the settings on the panel come to: the report of `puna fit`, with what the panel tells besides."""

    notes: tuple[str, ...] = ()
    """What else is worth knowing, in sentences."""

    @property
    def offered(self) -> tuple[Fix, ...]:
        """The fixes that have a key: those that are settings."""
        return tuple(change for change in self.fixes or () if change.settings is not None)[: len(LETTERS)]


def device_names(machine: Machine) -> dict[str, str]:
    """What people call the devices, by llama.cpp's name: the card's name, or that one where two cards are alike."""
    cards = [card_name(clean(device.description)) if device.description else "" for device in machine.devices]
    return {
        device.name: card if card and cards.count(card) == 1 else clean(device.name)
        for card, device in zip(cards, machine.devices, strict=True)
    }


def brief_size(size_bytes: int) -> str:
    """Bytes in at most seven cells: 93 M, 29.9 G."""
    if size_bytes < 0:
        return f"-{brief_size(-size_bytes)}"
    if size_bytes < 999.5 * MIB:
        return f"{size_bytes / MIB:.0f} M" if size_bytes >= 9.95 * MIB else f"{size_bytes / MIB:.1f} M"
    value = size_bytes / GIB
    return f"{value:.1f} G" if value < 99.95 else f"{value:.0f} G"
