"""Cards by the names that people and drivers give them, and the figures behind the names."""

from __future__ import annotations

import pytest

from tui.config.sizes import GIB
from tui.fit.cards import card_named, card_of_driver, cards


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("4090", "4090"),
        ("RTX 4090", "4090"),
        ("nvidia geforce rtx-4090", "4090"),
        ("A100-80", "A100-80"),
        ("a100 80gb", "A100-80"),
        ("A100", "A100-40"),
        ("4060Ti-16", "4060ti-16"),
        ("4060 ti", "4060ti-8"),
        ("V100-32", "V100-32"),
        ("RTX6000ADA", "RTX6000ADA"),
        ("rtx 6000 ada", "RTX6000ADA"),
        ("RTX A6000", "A6000"),
        ("mi300x", "MI300X"),
        ("RX 7900 XTX", "7900XTX"),
        ("M3 Max", "M3Max-36"),
        ("m2-ultra-192", "M2Ultra-192"),
    ],
)
def test_a_card_by_its_short_name(text: str, name: str) -> None:
    card = card_named(text)
    assert card is not None
    assert card.name == name


@pytest.mark.parametrize("text", ["", "4091", "rtx", "A100-60", "nvidia", "🦙"])
def test_no_card_of_that_name(text: str) -> None:
    assert card_named(text) is None


WANTED = (
    "A100-80 A100-40 H100 H200 B200 4090 5090 3090 3060 4060ti-16 L4 L40S A10 T4 V100-32 A6000 RTX6000ADA MI300X "
    "7900XTX M1Max M1Ultra M2Max M2Ultra M3Max M3Ultra M4Max"
)


@pytest.mark.parametrize("name", WANTED.split())
def test_the_common_cards_are_there(name: str) -> None:
    assert card_named(name) is not None


def test_every_card_is_found_by_its_own_name_and_by_its_description() -> None:
    for card in cards():
        assert card_named(card.name) == card
        assert card_of_driver(card.description, card.sold_bytes) == card


@pytest.mark.parametrize(
    ("description", "total_gib", "name"),
    [
        ("NVIDIA GeForce RTX 4090", 23.6, "4090"),
        ("NVIDIA H100 80GB HBM3", 79.2, "H100"),
        ("NVIDIA H100 PCIe", 79.2, "H100PCIE"),
        ("NVIDIA A100-SXM4-40GB", None, "A100-40"),
        ("NVIDIA A100-SXM4-80GB", None, "A100-80"),
        ("NVIDIA A100 80GB PCIe", 79.3, "A100PCIE-80"),
        ("Tesla V100-SXM2-32GB", None, "V100-32"),
        ("Tesla T4", 14.7, "T4"),
        ("NVIDIA GeForce RTX 4070 Ti SUPER", 15.7, "4070tisuper"),
        ("NVIDIA GeForce RTX 4070", 11.7, "4070"),
        ("NVIDIA GeForce RTX 4060 Ti", 15.6, "4060ti-16"),
        ("NVIDIA GeForce RTX 4060 Ti", 7.6, "4060ti-8"),
        ("NVIDIA RTX 6000 Ada Generation", 47.5, "RTX6000ADA"),
        ("NVIDIA RTX A6000", 47.5, "A6000"),
        ("NVIDIA L4", 22.2, "L4"),
        ("NVIDIA L40S", 44.5, "L40S"),
        ("AMD Radeon RX 7900 XTX (RADV NAVI31)", 24.0, "7900XTX"),
        ("AMD Instinct MI300X", 191.7, "MI300X"),
        ("Apple M3 Max", 96.0, "M3Max-96"),
        ("Apple M1", None, "M1-8"),
    ],
)
def test_a_card_by_its_drivers_name(description: str, total_gib: float | None, name: str) -> None:
    card = card_of_driver(description, None if total_gib is None else int(total_gib * GIB))
    assert card is not None
    assert card.name == name


@pytest.mark.parametrize(
    "description",
    ["", "llvmpipe", "NVIDIA GeForce RTX 4090 Laptop GPU", "NVIDIA A100-SXM4-40GB MIG 3g.20gb", "Quadro RTX 6000"],
)
def test_another_product_is_not_taken_for_the_card(description: str) -> None:
    assert card_of_driver(description) is None


REPORTED_GIB = {
    "4090": 23.64,
    "5090": 31.36,
    "3060": 11.76,
    "H100": 79.1,
    "H200": 139.8,
    "A100-80": 79.15,
    "A100-40": 39.39,
    "V100-32": 31.73,
    "T4": 14.56,
    "A10": 22.05,
    "L40S": 44.39,
    "A6000": 47.53,
    "MI300X": 191.69,
    "M1Max-32": 21.33,
    "M1Max-64": 48.0,
}
"""Total memory as CUDA, ROCm and Metal report it to programs."""


@pytest.mark.parametrize(("name", "reported"), REPORTED_GIB.items())
def test_a_described_card_is_never_larger_than_a_real_one(name: str, reported: float) -> None:
    card = card_named(name)
    assert card is not None
    assert 0.96 * reported <= card.memory_bytes / GIB <= reported + 0.005


def test_the_figures_are_of_the_size_of_such_figures() -> None:
    for card in cards():
        assert 5 * GIB < card.memory_bytes < card.sold_bytes <= 512 * GIB
        assert 60e9 < card.bandwidth_bytes_s <= 8000e9
        assert 10 < card.flops / card.bandwidth_bytes_s < 500, card.name
        assert card.shares_host == (card.profile == "metal" or card.name == "GB10")
