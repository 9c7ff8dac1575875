"""GPUs by name: what a card that is not here has, and how fast the memory of one that is here could be.

Looked up by the short name that people use (A100-80, 4090) or by a driver's ("NVIDIA GeForce RTX 4090"). Values only;
the figures and where they come from are in `tui.fit.card_table`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from tui.config.sizes import GIB
from tui.fit.card_table import AMD, APPLE, INTEL, KEPT, NVIDIA, SMALL_MAC_GIB, SMALL_MAC_KEPT, Row
from tui.fit.values import DeviceSpec, Profile

_BRANDS = re.compile(r"^(nvidia|geforce|quadro|tesla|amd|radeon|instinct|intel|arc|apple|rtx|gtx|rx)+")
_OTHER_SILICON = frozenset({"laptop", "mobile", "max-q", "mig", "maxq"})
"""Words of a driver's name that mean another, slower product (or a slice of a card) than the words around them."""


@dataclass(frozen=True, slots=True)
class Card:
    """One card with one size of memory."""

    name: str
    """The short name, with the size where there are several: A100-80."""
    description: str
    memory_bytes: int
    """What programs can have of it, a little less than what is on the card: see `KEPT`."""
    sold_bytes: int
    """Memory as it is sold."""
    bandwidth_bytes_s: float
    """Peak by the vendor's figures."""
    flops: float
    """Matrix arithmetic a second at best, by the vendor's figures."""
    profile: Profile
    shares_host: bool
    """True where its memory is the computer's RAM."""

    def spec(self, name: str) -> DeviceSpec:
        """A described device of this card: all of it free, its speed assumed."""
        return DeviceSpec(
            name=name,
            description=self.description,
            total_bytes=self.memory_bytes,
            free_bytes=self.memory_bytes,
            profile=self.profile,
            bandwidth_bytes_s=self.bandwidth_bytes_s,
            shares_host=self.shares_host,
        )


def cards() -> tuple[Card, ...]:
    """Every card, in the table's order; of several sizes the one that the bare name means first."""
    return tuple(card for _, card in _all())


def card_named(text: str) -> Card | None:
    """The card of a short name; case, spaces, dashes, the brand and a last "GB" do not matter. None where unknown."""
    key = _plain(text)
    names = _by_name()
    return names.get(key) or names.get(re.sub(r"(?<=\d)(gb|gib|g)$", "", key))


def card_of_driver(description: str, total_bytes: int | None = None) -> Card | None:
    """The card that a driver calls so ("NVIDIA H100 80GB HBM3"); None where unknown.

    `total_bytes` tells sizes apart that share a name. Laptop chips and slices of a card are other products: None.
    """
    words = frozenset(re.findall(r"[a-z0-9]+", description.lower()))
    if words & _OTHER_SILICON:
        return None
    found = [(row, card) for row, card in _all() if words.issuperset(row.words.split())]
    if not found:
        return None
    best = max(found, key=lambda pair: len(pair[0].words.split()))[0]
    sizes = [card for row, card in found if row is best]
    named = [card for card in sizes if f"{card.sold_bytes // GIB}gb" in words]
    if total_bytes is None or named:
        return (named or sizes)[0]
    return min(sizes, key=lambda card: abs(card.sold_bytes - total_bytes))


@cache
def _all() -> tuple[tuple[Row, Card], ...]:
    vendors: tuple[tuple[Iterable[Row], Profile], ...] = (
        (NVIDIA, "cuda"),
        (AMD, "cuda"),  # ROCm runs the CUDA backend's code, and lays out memory alike
        (INTEL, "vulkan"),
        (APPLE, "metal"),
    )
    return tuple(
        (row, _card(row, index, profile))
        for rows, profile in vendors
        for row in rows
        for index in range(len(row.sizes_gib))
    )


def _card(row: Row, index: int, profile: Profile) -> Card:
    gib = row.sizes_gib[index]
    kept = SMALL_MAC_KEPT if row.kind == "apple" and gib <= SMALL_MAC_GIB else KEPT[row.kind]
    several = len(row.sizes_gib) > 1
    return Card(
        name=f"{row.name}-{gib}" if several else row.name,
        description=f"{row.description} {gib}GB" if several else row.description,
        memory_bytes=int(gib * GIB * kept),
        sold_bytes=gib * GIB,
        bandwidth_bytes_s=row.gb_s[min(index, len(row.gb_s) - 1)] * 1e9,
        flops=row.tflops * 1e12,
        profile=profile,
        shares_host=row.kind in ("apple", "unified"),
    )


@cache
def _by_name() -> dict[str, Card]:
    names: dict[str, Card] = {}
    for row, card in _all():
        names.setdefault(_plain(row.name), card)
        names[_plain(f"{row.name}-{card.sold_bytes // GIB}")] = card
    return names


def _plain(text: str) -> str:
    letters = re.sub(r"[\s_-]+", "", text.lower())
    return _BRANDS.sub("", letters) or letters
