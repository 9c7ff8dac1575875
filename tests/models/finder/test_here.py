"""The machine that rows are priced on."""

from __future__ import annotations

from pathlib import Path

from tests.models.finder.examples import GIB, machine
from tui.config.paths import paths
from tui.config.settings import FitSettings, Settings
from tui.fit.described import described_devices
from tui.models.finder.here import Place, place_described, place_here


def test_this_machine_is_looked_at_with_the_person_s_margins(tmp_path: Path) -> None:
    settings = Settings(fit=FitSettings(margin_host_mib=3000))
    here = place_here(paths({"PUNA_HOME": str(tmp_path)}), settings)
    assert here.machine.host_available_bytes > 0
    assert here.machine.margins.host_bytes == 3000 << 20
    assert here.measured == ()


def test_another_machine_is_not_this_one_s_measurements() -> None:
    described = place_described(Place(machine(24)), described_devices(["4090", "4090"]), 64 * GIB)
    assert described.machine.host_available_bytes == 64 * GIB
    assert [device.name for device in described.machine.devices] == ["4090", "4090#2"]
    assert described.measured == ()
    assert place_described(Place(machine(24)), None, 8 * GIB).machine.devices == machine(24).devices


def test_what_is_free_in_words() -> None:
    assert Place(machine(ram_gib=31)).words == "31.0 GiB of RAM, no GPU"
    assert Place(machine(24, ram_gib=31)).words == "CUDA0 24.0 GiB and 31.0 GiB of RAM"
    assert Place(machine(24, 8, ram_gib=31)).words == "CUDA0 24.0 GiB, CUDA1 8.0 GiB and 31.0 GiB of RAM"
