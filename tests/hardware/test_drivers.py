"""Cards on the PCI bus, with or without a driver."""

from __future__ import annotations

from tests.hardware.conftest import Tree
from tui.hardware.drivers import Card, cards, has_card


def plug_in(tree: Tree, address: str, vendor: str, kind: str, driver: str = "", status: str = "") -> None:
    base = f"sys/bus/pci/devices/{address}"
    tree.write({f"{base}/vendor": f"{vendor}\n", f"{base}/class": f"{kind}\n"})
    if status:
        tree.write({f"{base}/power/runtime_status": f"{status}\n"})
    if driver:
        (tree.folder / base / "driver").symlink_to(f"../../../../bus/pci/drivers/{driver}")


def test_graphics_cards_are_told_from_sound_and_bridges(tree: Tree) -> None:
    plug_in(tree, "0000:00:02.0", "0x8086", "0x030000", "i915")
    plug_in(tree, "0000:01:00.0", "0x10de", "0x030000", "nouveau", "suspended")
    plug_in(tree, "0000:01:00.1", "0x10de", "0x040300", "snd_hda_intel")
    plug_in(tree, "0000:02:00.0", "0x1002", "0x120000", "amdgpu", "active")
    plug_in(tree, "0000:03:00.0", "0x10de", "0x068000")
    plug_in(tree, "0000:04:00.0", "0x8086", "0x120000")
    assert cards(tree.proc, tree.sys) == (
        Card("intel", "0000:00:02.0", "i915", sleeping=False),
        Card("nvidia", "0000:01:00.0", "nouveau", sleeping=True),
        Card("amd", "0000:02:00.0", "amdgpu", sleeping=False),
    )


def test_a_data_centre_card_without_a_driver(tree: Tree) -> None:
    plug_in(tree, "0000:17:00.0", "0x10de", "0x030200")
    assert cards(tree.proc, tree.sys) == (Card("nvidia", "0000:17:00.0", None, sleeping=False),)
    assert has_card("nvidia", tree.proc, tree.sys)
    assert not has_card("amd", tree.proc, tree.sys)


def test_a_sandbox_that_hides_the_bus_but_not_the_driver(tree: Tree) -> None:
    tree.write({"proc/driver/nvidia/version": "NVRM version: x\n"})
    assert cards(tree.proc, tree.sys) == (Card("nvidia", "", "nvidia", sleeping=False),)
    tree.write({"proc/driver/nvidia/gpus/0000:65:00.0/": ""})
    assert [card.address for card in cards(tree.proc, tree.sys)] == ["0000:65:00.0"]


def test_no_bus_no_cards(tree: Tree) -> None:
    assert cards(tree.proc, tree.sys) == ()
