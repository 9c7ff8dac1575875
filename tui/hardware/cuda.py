"""Which rows CUDA programs started here can see, and which row is llama.cpp's CUDA0.

NVML lists every card in PCI order and knows no CUDA_VISIBLE_DEVICES; CUDA sorts the fastest card first unless it is
told otherwise. So a card is named only where that is certain: by PCI address, by UUID, in PCI order, or where it is the
only one. Everything else is None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tui.hardware.snapshot import Gpu

VISIBLE, ORDER = "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"


class Named(Protocol):
    """What is known of a card, or of a MIG instance, before it is measured."""

    @property
    def uuid(self) -> str | None: ...
    @property
    def parent(self) -> str | None: ...
    @property
    def divided(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Mark:
    """Whether CUDA programs started here see a row, and as which number; None where that cannot be told."""

    visible: bool | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class EngineDevice:
    """A GPU as llama.cpp tells of it."""

    name: str
    """Such as CUDA0."""
    device_id: str | None = None
    """ggml_backend_dev_props.device_id: the PCI address where the backend knows it."""
    description: str | None = None
    """The card's name."""


def pci_address(text: str | None) -> str | None:
    """A PCI address in one way of writing, 0000:c1:00.0; None for anything else. NVML writes eight digits of domain."""
    found = _PCI.fullmatch((text or "").strip().lower())
    if found is None:
        return None
    domain = int(found[1] or "0", 16)
    return f"{domain:04x}:{found[2]}:{found[3]}.{found[4] or '0'}"


_PCI = re.compile(r"(?:([0-9a-f]{1,8}):)?([0-9a-f]{2}):([0-9a-f]{2})(?:\.([0-7]))?")


def marks(rows: Sequence[Named], environ: Mapping[str, str]) -> list[Mark]:
    """For each row of the driver's list, in its order, what CUDA_VISIBLE_DEVICES makes of it."""
    text = environ.get(VISIBLE)
    cards = [row for row in rows if row.parent is None]
    in_order = environ.get(ORDER) == "PCI_BUS_ID" or len(cards) == 1
    words = [word.strip() for word in (text or "").split(",")]
    if text is not None and words[0].startswith(("GPU-", "MIG-")):
        return _by_uuid(rows, words)
    chosen = list(range(len(cards))) if text is None else _numbers(words, len(cards))
    if not chosen:
        return [Mark(visible=False)] * len(rows)
    if any(card.divided for card in cards):
        # CUDA then offers one instance, and does not say which.
        return [Mark()] * len(rows)
    if in_order:
        return [Mark(n in chosen, chosen.index(n) if n in chosen else None) for n in range(len(cards))]
    # All of them are all of them in any order; some of them are not known without the order.
    return [Mark(visible=True if len(chosen) == len(cards) else None)] * len(rows)


def _numbers(words: Sequence[str], count: int) -> list[int]:
    """Device numbers up to the first that is none, as CUDA reads them; a repeated one voids the list."""
    found: list[int] = []
    for word in words:
        digits = _NUMBER.match(word)
        if digits is None or int(digits[0]) >= count:
            break
        if int(digits[0]) in found:
            return []
        found.append(int(digits[0]))
    return found


_NUMBER = re.compile(r"\+?\d{1,9}")


def _by_uuid(rows: Sequence[Named], words: Sequence[str]) -> list[Mark]:
    """The list names its devices: the n-th is CUDA's number n. A card's UUID may be cut short while it stays unique."""
    order: list[Named] = []
    for word in words:
        row = _of_uuid(rows, word)
        if row is None:
            break
        if any(row is before for before in order):
            order = []
            break
        order.append(row)
    return [_placed(row, order) for row in rows]


def _of_uuid(rows: Sequence[Named], word: str) -> Named | None:
    if word.startswith("MIG-"):
        return next((row for row in rows if row.parent is not None and row.uuid == word), None)
    if not word.startswith("GPU-"):
        return None
    found = [row for row in rows if row.parent is None and (row.uuid or "").lower().startswith(word.lower())]
    return found[0] if len(found) == 1 else None


def _placed(row: Named, order: Sequence[Named]) -> Mark:
    place = next((n for n, other in enumerate(order) if other is row), None)
    if row.divided and place is not None:
        return Mark()
    if row.parent is not None and any(other.divided and other.uuid == row.parent for other in order):
        # The whole card was named; which of its instances CUDA takes is not said.
        return Mark()
    return Mark(place is not None, place)


def match_devices(devices: Sequence[EngineDevice], gpus: Sequence[Gpu]) -> tuple[Gpu | None, ...]:
    """For each of llama.cpp's devices the row that is the same card; None where that cannot be proven."""
    return tuple(_row_of(device, devices, gpus) for device in devices)


def _row_of(device: EngineDevice, devices: Sequence[EngineDevice], gpus: Sequence[Gpu]) -> Gpu | None:
    address = pci_address(device.device_id)
    if address is not None:
        found = [gpu for gpu in gpus if gpu.parent is None and gpu.pci == address]
        return _whole_or_instance(found[0], gpus) if len(found) == 1 else None
    number = _CUDA.fullmatch(device.name)
    if number is not None:
        found = [gpu for gpu in gpus if gpu.cuda_index == int(number[1])]
        if len(found) == 1 and device.description in (None, "", found[0].name):
            return found[0]
    alike = [other for other in devices if other.description == device.description]
    found = [gpu for gpu in gpus if device.description and gpu.name == device.description and not gpu.divided]
    return found[0] if len(found) == len(alike) == 1 else None


_CUDA = re.compile(r"CUDA(\d{1,4})")


def _whole_or_instance(card: Gpu, gpus: Sequence[Gpu]) -> Gpu | None:
    if not card.divided:
        return card
    instances = [gpu for gpu in gpus if gpu.parent is not None and gpu.parent == card.uuid]
    seen = [gpu for gpu in instances if gpu.cuda_visible] or instances
    return seen[0] if len(seen) == 1 else None
