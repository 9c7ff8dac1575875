"""The machine that rows are priced on: what is free now, without asking llama.cpp, which takes a process and a moment.

Reads drivers and files, so it blocks for some milliseconds: a front end with a screen calls it in a thread, or has the
machine already.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui.config.paths import Paths
from tui.config.settings import Settings
from tui.config.sizes import size
from tui.fit.measured import Measurement
from tui.fit.values import DeviceSpec, Machine
from tui.models.fitting import margins_of
from tui.models.lessons import learnt
from tui.models.machine import described_machine, machine_of
from tui.models.prepare import look


@dataclass(frozen=True, slots=True)
class Place:
    """Where models would lie."""

    machine: Machine
    measured: tuple[Measurement, ...] = ()
    """What was measured on this very machine."""

    @property
    def words(self) -> str:
        """What is free, for people: CUDA0 22.6 GiB, CUDA1 7.1 GiB and 31.0 GiB of RAM."""
        ram = f"{size(self.machine.host_available_bytes)} of RAM"
        if not self.machine.devices:
            return f"{ram}, no GPU"
        return f"{', '.join(f'{device.name} {size(device.free_bytes)}' for device in self.machine.devices)} and {ram}"


def place_here(paths: Paths, settings: Settings) -> Place:
    """This machine now. Cards that are here count, whether or not the installed llama.cpp was built for them."""
    lessons = learnt(paths)
    seen = machine_of(look(paths), None, margins_of(settings), lessons, potential=True)
    return Place(seen.machine, lessons.speeds.measurements)


def place_described(here: Place, devices: tuple[DeviceSpec, ...] | None, ram_bytes: int | None) -> Place:
    """A machine that is not here: these devices (None: the ones here) and this much memory (None: this machine's)."""
    return Place(described_machine(devices, ram_bytes, here.machine))
