"""Cards by the words that tell them apart."""

from __future__ import annotations

import pytest

from tui.hardware.names import card_name


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA A100-SXM4-40GB", "A100"),
        ("NVIDIA GeForce RTX 4090", "4090"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "4090 Laptop"),
        ("NVIDIA GeForce GTX 1080 Ti", "1080 Ti"),
        ("Tesla T4", "T4"),
        ("AMD Radeon RX 7900 XTX", "RX 7900 XTX"),
        ("AMD Radeon Pro W7900 (Navi 31)", "Pro W7900 Navi 31"),
        ("Intel(R) Arc(TM) A770 Graphics", "Arc A770"),
        ("Apple M3 Pro", "M3 Pro"),
        ("NVIDIA GH200 480GB", "GH200"),
        ("NVIDIA", "GPU"),
        ("", "GPU"),
        (None, "GPU"),
    ],
)
def test_cards_have_short_names(name: str | None, short: str) -> None:
    assert card_name(name) == short
