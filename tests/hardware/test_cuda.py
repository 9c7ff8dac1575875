"""CUDA_VISIBLE_DEVICES, CUDA's order, and llama.cpp's devices: what is certain is said, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui.hardware.cuda import EngineDevice, Mark, marks, match_devices, pci_address
from tui.hardware.snapshot import Gpu

A, B, C = "GPU-aaaa1111-0000", "GPU-aaaa2222-0000", "GPU-bbbb3333-0000"
HIDDEN, UNKNOWN = Mark(visible=False), Mark()
CARDS = [
    Gpu(0, A, "NVIDIA H100", "nvidia", pci="0000:01:00.0"),
    Gpu(1, B, "NVIDIA H100", "nvidia", pci="0000:41:00.0"),
    Gpu(2, C, "NVIDIA T400", "nvidia", pci="0000:c1:00.0"),
]
M1, M2 = "MIG-1111-5000", "MIG-2222-5000"
CUT = [
    replace(CARDS[0], divided=True),
    Gpu(0, M1, "NVIDIA H100 MIG 1g.10gb", "nvidia", pci="0000:01:00.0", parent=A, instance=0),
    Gpu(0, M2, "NVIDIA H100 MIG 3g.40gb", "nvidia", pci="0000:01:00.0", parent=A, instance=3),
]
IN_ORDER = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


def seen(*indices: int | None) -> list[Mark]:
    """Marks of cards that are visible under a known number, or hidden."""
    return [HIDDEN if index is None else Mark(True, index) for index in indices]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0,1,2", seen(0, 1, 2)),
        ("2,0", seen(1, None, 0)),
        (" 1 , 2", seen(None, 0, 1)),
        ("", seen(None, None, None)),
        ("-1", seen(None, None, None)),
        ("0,-1,1", seen(0, None, None)),
        ("1,7,0", seen(None, 0, None)),
        ("0,0", seen(None, None, None)),
        ("NoDevFiles", seen(None, None, None)),
        (A, seen(0, None, None)),
        (f"{C},{A}", seen(1, None, 0)),
        ("GPU-bbbb", seen(None, None, 0)),
        ("GPU-aaaa", seen(None, None, None)),
        ("GPU-AAAA2", seen(None, 0, None)),
        (f"{B},GPU-nobody,{A}", seen(None, 0, None)),
        (f"{B},{B}", seen(None, None, None)),
        (f"{B},0", seen(None, 0, None)),
    ],
)
def test_the_list_of_visible_cards_in_pci_order(text: str, expected: list[Mark]) -> None:
    assert marks(CARDS, {"CUDA_VISIBLE_DEVICES": text, **IN_ORDER}) == expected


def test_without_a_list_all_cards_are_visible() -> None:
    assert marks(CARDS, IN_ORDER) == seen(0, 1, 2)
    assert marks([], {}) == []


def test_numbers_say_nothing_while_cuda_sorts_by_speed() -> None:
    assert marks(CARDS, {}) == [Mark(visible=True)] * 3
    assert marks(CARDS, {"CUDA_VISIBLE_DEVICES": "0"}) == [UNKNOWN] * 3
    # All three are all three in any order, and none is none.
    assert marks(CARDS, {"CUDA_VISIBLE_DEVICES": "2,1,0"}) == [Mark(visible=True)] * 3
    assert marks(CARDS, {"CUDA_VISIBLE_DEVICES": ""}) == [HIDDEN] * 3
    # UUIDs bring their own order, and one card has only one.
    assert marks(CARDS, {"CUDA_VISIBLE_DEVICES": f"{C},{B}"}) == seen(None, 1, 0)
    assert marks(CARDS[:1], {}) == seen(0)


def test_instances_are_chosen_by_their_own_uuid() -> None:
    assert marks(CUT, {"CUDA_VISIBLE_DEVICES": M2}) == [HIDDEN, HIDDEN, Mark(True, 0)]
    assert marks(CUT, {"CUDA_VISIBLE_DEVICES": f"{M2},{M1}"}) == [HIDDEN, Mark(True, 1), Mark(True, 0)]
    # An instance's UUID is not to be cut short.
    assert marks(CUT, {"CUDA_VISIBLE_DEVICES": "MIG-2222"}) == [HIDDEN] * 3


def test_which_instance_cuda_takes_by_itself_is_not_known() -> None:
    assert marks(CUT, {}) == [UNKNOWN] * 3
    assert marks(CUT, {"CUDA_VISIBLE_DEVICES": "0", **IN_ORDER}) == [UNKNOWN] * 3
    assert marks(CUT, {"CUDA_VISIBLE_DEVICES": A}) == [UNKNOWN] * 3
    assert marks(CUT, {"CUDA_VISIBLE_DEVICES": "-1"}) == [HIDDEN] * 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0000:c1:00.0", "0000:c1:00.0"),
        ("00000000:C1:00.0", "0000:c1:00.0"),
        ("0000000F:01:00.0", "000f:01:00.0"),
        ("c1:00.0", "0000:c1:00.0"),
        ("C1:00", "0000:c1:00.0"),
        ("", None),
        (None, None),
        ("GPU0", None),
    ],
)
def test_pci_addresses_are_written_one_way(text: str | None, expected: str | None) -> None:
    assert pci_address(text) == expected


def test_llama_cpps_devices_are_matched_by_pci_address_whatever_their_order() -> None:
    devices = [
        EngineDevice("CUDA0", "0000:41:00.0", "NVIDIA H100"),
        EngineDevice("CUDA1", "0000:01:00.0", "NVIDIA H100"),
    ]
    assert match_devices(devices, CARDS) == (CARDS[1], CARDS[0])
    assert match_devices([EngineDevice("CUDA0", "0000:99:00.0")], CARDS) == (None,)


def test_without_an_address_only_what_is_certain_is_matched() -> None:
    rows = [replace(card, cuda_index=place) for card, place in zip(CARDS, (1, 0, None), strict=True)]
    # By the number, where the order is known.
    assert match_devices([EngineDevice("CUDA1"), EngineDevice("CUDA0", None, "NVIDIA H100")], rows) == (
        rows[0],
        rows[1],
    )
    # The number says one card and the name another: not certain.
    assert match_devices([EngineDevice("CUDA0", None, "NVIDIA A2")], rows) == (None,)
    # By the name, where there is one card of it.
    assert match_devices([EngineDevice("Vulkan0", None, "NVIDIA T400")], CARDS) == (CARDS[2],)
    assert match_devices([EngineDevice("Vulkan0", None, "NVIDIA H100")], CARDS) == (None,)
    twins = [EngineDevice("Vulkan0", None, "NVIDIA T400"), EngineDevice("Vulkan1", None, "NVIDIA T400")]
    assert match_devices(twins, CARDS) == (None, None)
    assert match_devices([EngineDevice("CUDA0")], CARDS) == (None,)


def test_on_a_divided_card_the_device_is_the_visible_instance() -> None:
    device = EngineDevice("CUDA0", "0000:01:00.0", "NVIDIA H100 MIG 3g.40gb")
    assert match_devices([device], CUT) == (None,)
    chosen = [CUT[0], replace(CUT[1], cuda_visible=False), replace(CUT[2], cuda_visible=True, cuda_index=0)]
    assert match_devices([device], chosen) == (chosen[2],)
    assert match_devices([device], CUT[:2]) == (CUT[1],)
