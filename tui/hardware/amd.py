"""AMD's GPUs as rows of a snapshot, from what the amdgpu driver shows in /sys; no library is needed.

A discrete card has memory of its own. An APU has a carved-out part of the host's (VRAM) and may use more of it (GTT):
both are its memory, and what is free of the second is bounded by the host's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import replace

from tui.hardware.drm_cards import DrmCard, drm_cards
from tui.hardware.drm_clients import DrmClients, Held
from tui.hardware.files import names_in, read, read_int, read_word
from tui.hardware.processes import clean
from tui.hardware.rest import Rest
from tui.hardware.snapshot import Gpu, Ram
from tui.hardware.unified import sum_of

VENDOR = "0x1002"


class AmdReader:
    """Reads all cards of amdgpu. Not for two threads at a time. `ram` is asked for an APU only."""

    def __init__(
        self,
        clients: DrmClients,
        sys_root: str = "/sys",
        ram: Callable[[], Ram] = Ram,
        names_file: str = "/usr/share/libdrm/amdgpu.ids",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clients, self._ram, self._rest = clients, ram, Rest(clock)
        apus = _apus_by_topology(sys_root)
        self._cards = [card for card in drm_cards(VENDOR, sys_root) if card.driver in ("amdgpu", None)]
        self._rows = [
            Gpu(
                index=index,
                uuid=_unique_id(card),
                name=_name(card, names_file),
                vendor="amd",
                pci=card.pci,
                pool="shared" if _is_apu(card) or card.pci in apus else "own",
            )
            for index, card in enumerate(self._cards)
        ]

    def read(self, engine_pids: Collection[int] = ()) -> tuple[Gpu, ...]:
        """A row for each card, in the kernel's order."""
        for place, card in enumerate(self._cards):
            self._rows[place] = self._rested(card, self._rows[place], engine_pids)
        return tuple(self._rows)

    def close(self) -> None:
        """Nothing is held open."""

    def _rested(self, card: DrmCard, before: Gpu, engine_pids: Collection[int]) -> Gpu:
        """The row of a card, which is not read each time where nobody uses it and it may power down."""
        alone = self._rest.left_alone(card.pci, engine_pids)
        if alone is not None and card.may_sleep and not card.asleep:
            return alone
        row = self._row(card, before, engine_pids)
        if row.asleep:
            self._rest.forget(card.pci)
            return row
        noted = self._rest.noted(card.pci, row, engine_pids)
        return noted if noted.idle_s is not None and card.may_sleep else row

    def _row(self, card: DrmCard, before: Gpu, engine_pids: Collection[int]) -> Gpu:
        bare = Gpu(before.index, before.uuid, before.name, "amd", before.total_bytes, pci=before.pci, pool=before.pool)
        if card.asleep:
            return replace(bare, asleep=True)
        total, used = _memory(card, "vram")
        if total is None and read_word(f"{card.device}/vendor") is None:
            return replace(bare, error="gone: the driver no longer lists it")
        free = max(0, total - used) if total is not None and used is not None else None
        if before.pool == "shared":
            total, used, free = self._with_gtt(card, total, used, free)
        watts = card.sensor("power1_average")
        watts = card.sensor("power1_input") if watts is None else watts
        degrees = card.sensor("temp1_input")
        processes = self._clients.processes(card.pci or "", engine_pids, _both if before.pool == "shared" else _own)
        held = sum_of(processes)
        return replace(
            bare,
            total_bytes=total,
            used_bytes=used,
            free_bytes=free,
            utilization=_percent(read_int(f"{card.device}/gpu_busy_percent")),
            temperature_c=round(degrees / 1000) if degrees is not None else None,
            power_w=watts / 1e6 if watts is not None else None,
            clock_mhz=_megahertz(card.sensor("freq1_input")),
            memory_clock_mhz=_megahertz(card.sensor("freq2_input")),
            processes=processes,
            unattributed_bytes=max(0, used - held) if used is not None and held is not None else None,
        )

    def _with_gtt(
        self, card: DrmCard, total: int | None, used: int | None, free: int | None
    ) -> tuple[int | None, int | None, int | None]:
        gtt_total, gtt_used = _memory(card, "gtt")
        if total is None or used is None or free is None or gtt_total is None or gtt_used is None:
            return total, used, free
        available = self._ram().available_bytes
        gtt_free = max(0, gtt_total - gtt_used)
        return total + gtt_total, used + gtt_used, free + (gtt_free if available is None else min(gtt_free, available))


def _memory(card: DrmCard, kind: str) -> tuple[int | None, int | None]:
    base = f"{card.device}/mem_info_{kind}"
    return read_int(f"{base}_total"), read_int(f"{base}_used")


def _own(held: Held) -> int:
    return held.device_bytes


def _both(held: Held) -> int:
    return held.device_bytes + held.host_bytes


def _percent(value: int | None) -> int | None:
    return None if value is None else min(100, max(0, value))


def _megahertz(value: int | None) -> int | None:
    return None if value is None else round(value / 1e6)


def _is_apu(card: DrmCard) -> bool:
    """Only APUs show the voltage of their northbridge (vddnb) among their sensors."""
    return card.hwmon is not None and read_word(f"{card.hwmon}/in1_label") == "vddnb"


def _apus_by_topology(sys_root: str) -> frozenset[str]:
    """PCI addresses of GPUs that are one node with CPU cores; the compute driver writes them as numbers."""
    base = f"{sys_root}/class/kfd/kfd/topology/nodes"
    found = set()
    for node in names_in(base):
        words = (line.split() for line in (read(f"{base}/{node}/properties") or b"").splitlines())
        values = {pair[0]: int(pair[1]) for pair in words if len(pair) == 2 and pair[1].isdigit()}
        if values.get(b"cpu_cores_count") and values.get(b"simd_count"):
            place, domain = values.get(b"location_id", 0), values.get(b"domain", 0)
            found.add(f"{domain:04x}:{place >> 8 & 0xFF:02x}:{place >> 3 & 0x1F:02x}.{place & 7}")
    return frozenset(found)


def _unique_id(card: DrmCard) -> str | None:
    """The card's own number, in ROCm's way of writing a UUID; None where the card has none."""
    text = read_word(f"{card.device}/unique_id")
    return f"GPU-{clean(text, 32)}" if text and text.strip("0x") else None


def _name(card: DrmCard, names_file: str) -> str:
    given = read_word(f"{card.device}/product_name")
    if given:
        return clean(given)
    device = (read_word(f"{card.device}/device") or "").removeprefix("0x").upper()
    revision = (read_word(f"{card.device}/revision") or "").removeprefix("0x").upper()
    for line in (read(names_file, 1 << 20) or b"").decode("utf-8", "replace").splitlines():
        parts = [part.strip() for part in line.split(",", 2)]
        if len(parts) == 3 and parts[0].upper() == device and parts[1].upper() == revision:
            return clean(parts[2])
    return f"AMD GPU {device}".strip()
