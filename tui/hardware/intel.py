"""Intel's GPUs as rows of a snapshot: memory by what the kernel tells of each process, and by /sys where it tells any.

A GPU inside the processor uses the host's memory, as one pool. A card of its own tells its total only where the driver
shows it; where it does not, that is None.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import replace

from tui.hardware.drm_cards import DrmCard, drm_cards
from tui.hardware.drm_clients import DrmClients, Held
from tui.hardware.files import names_in, read_int, read_word
from tui.hardware.snapshot import Gpu, Ram
from tui.hardware.unified import sum_of, with_host_memory

VENDOR = "0x8086"

_INSIDE = "0000:00:02.0"
"""Where the GPU inside Intel's processors sits on the PCI bus."""


class IntelReader:
    """Reads all cards of i915 and xe. Not for two threads at a time. `ram` is asked for a GPU in the processor only."""

    def __init__(
        self,
        clients: DrmClients,
        sys_root: str = "/sys",
        ram: Callable[[], Ram] = Ram,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clients, self._ram, self._clock = clients, ram, clock
        self._cards = [card for card in drm_cards(VENDOR, sys_root) if card.driver in ("i915", "xe")]
        self._energy: dict[str, tuple[float, int]] = {}

    def read(self, engine_pids: Collection[int] = ()) -> tuple[Gpu, ...]:
        """A row for each card, in the kernel's order."""
        return tuple(self._row(index, card, engine_pids) for index, card in enumerate(self._cards))

    def close(self) -> None:
        """Nothing is held open."""

    def _row(self, index: int, card: DrmCard, engine_pids: Collection[int]) -> Gpu:
        inside = card.pci == _INSIDE
        bare = Gpu(index, None, _name(card, inside), "intel", pci=card.pci, pool="unified" if inside else "own")
        if card.asleep:
            return replace(bare, asleep=True)
        if read_word(f"{card.device}/vendor") is None:
            return replace(bare, error="gone: the driver no longer lists it")
        processes = self._clients.processes(card.pci or "", engine_pids, _both if inside else _own)
        degrees = card.sensor("temp2_input")
        row = replace(
            bare,
            processes=processes,
            temperature_c=round(degrees / 1000) if degrees is not None else None,
            power_w=self._watts(card),
            clock_mhz=_clock_mhz(card),
        )
        if not inside:
            return _with_own_memory(row, card)
        pooled = with_host_memory(row, self._ram())
        # Older kernels tell of nobody; that is not the same as nobody holding any.
        return pooled if processes else replace(pooled, used_bytes=None, unattributed_bytes=None)

    def _watts(self, card: DrmCard) -> float | None:
        """Mean power since the last reading, from the energy (µJ) that the card has used so far."""
        now, energy = self._clock(), card.sensor("energy1_input")
        before = self._energy.get(card.folder)
        if energy is None:
            return None
        self._energy[card.folder] = (now, energy)
        if before is None or now <= before[0] or energy < before[1]:
            return None
        return (energy - before[1]) / 1e6 / (now - before[0])


def _with_own_memory(row: Gpu, card: DrmCard) -> Gpu:
    total, free = _local_memory(card)
    held = sum_of(row.processes)
    if total is None or free is None:
        # What the visible processes hold is the least that is used; it does not say what is free.
        return replace(row, total_bytes=total, used_bytes=held or None)
    used = max(0, total - free)
    return replace(
        row,
        total_bytes=total,
        used_bytes=used,
        free_bytes=free,
        unattributed_bytes=max(0, used - held) if held is not None else None,
    )


def _local_memory(card: DrmCard) -> tuple[int | None, int | None]:
    """Total and free bytes of the card's own memory, as far as its driver shows them."""
    total, free = read_int(f"{card.folder}/lmem_total_bytes"), read_int(f"{card.folder}/lmem_avail_bytes")
    if total is None:
        tiles = [name for name in names_in(card.device) if name.startswith("tile")]
        sizes = [read_int(f"{card.device}/{tile}/physical_vram_size_bytes") for tile in tiles]
        known = [size for size in sizes if size]
        total = sum(known) if known and len(known) == len(sizes) else None
    return total, free


def _clock_mhz(card: DrmCard) -> int | None:
    """The clock at work; 0 is how a GPU that rests says it has none."""
    places = (f"{card.device}/tile0/gt0/freq0/act_freq", f"{card.folder}/gt_act_freq_mhz")
    return next((value for place in places if (value := read_int(place)) is not None), None)


def _own(held: Held) -> int:
    return held.device_bytes


def _both(held: Held) -> int:
    return held.device_bytes + held.host_bytes


def _name(card: DrmCard, inside: bool) -> str:
    number = (read_word(f"{card.device}/device") or "").removeprefix("0x")
    kind = "Intel graphics in the processor" if inside else "Intel GPU"
    return f"{kind} {number}".strip()
