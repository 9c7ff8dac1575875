"""Which processes hold memory of AMD's and Intel's GPUs, from what the kernel tells of each open device (fdinfo).

Only processes whose files this user may see are counted. Finding them means walking every process, so that is done a
little at a time, within a budget; what is known is read again within another.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from tui.hardware.files import read
from tui.hardware.processes import ProcessNames
from tui.hardware.snapshot import GpuProcess

WALK_S, FIRST_WALK_S = 0.0004, 0.1
"""Seconds spent on looking for clients in one call, and in the first, which has nobody yet."""
READ_S = 0.001
"""Seconds spent on reading known clients in one call; those it does not come to keep their last figures."""
ROUND_S = 5.0
"""A walk over all processes begins again that long after it began, at the earliest."""


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes of one process on one device."""

    device_bytes: int = 0
    """In the device's own memory (vram, local)."""
    host_bytes: int = 0
    """In host memory that the device uses (gtt, system)."""


@dataclass(slots=True)
class _Client:
    """One open device. The same one may be open in several files and processes: the kernel's client number tells."""

    pid: int
    path: str
    pdev: str
    held: Held


class DrmClients:
    """The clients of all devices of one proc tree."""

    def __init__(self, proc_root: str = "/proc", clock: Callable[[], float] = time.monotonic) -> None:
        self._root, self._clock = proc_root, clock
        self._clients: dict[tuple[str, bytes], _Client] = {}
        self._walk: Iterator[None] | None = None
        self._began_at: float | None = None
        self._turn = 0
        self.names = ProcessNames(proc_root, clock, nested=False)

    def refresh(self) -> None:
        """Look for new clients and read the known ones again, both within their budgets."""
        first = self._began_at is None
        self._read_known(READ_S)
        self._walk_on(FIRST_WALK_S if first else WALK_S)
        self.names.keep_only(client.pid for client in self._clients.values())

    def held(self, pdev: str) -> dict[int, Held]:
        """What each process holds on the device at this PCI address, by pid."""
        found: dict[int, Held] = {}
        for client in self._clients.values():
            if client.pdev == pdev:
                before = found.get(client.pid, Held())
                found[client.pid] = Held(
                    before.device_bytes + client.held.device_bytes, before.host_bytes + client.held.host_bytes
                )
        return found

    def processes(
        self, pdev: str, engine_pids: Collection[int], bytes_of: Callable[[Held], int]
    ) -> tuple[GpuProcess, ...]:
        """The same as rows, the largest first; who holds nothing is left out."""
        used = ((pid, bytes_of(held)) for pid, held in self.held(pdev).items())
        found = [GpuProcess(pid, *self.names.look_up(pid), size, pid in engine_pids) for pid, size in used if size]
        return tuple(sorted(found, key=lambda process: (-(process.used_bytes or 0), process.pid)))

    def _read_known(self, budget_s: float) -> None:
        keys = list(self._clients)
        ends = time.monotonic() + budget_s
        for step in range(len(keys)):
            key = keys[(self._turn + step) % len(keys)]
            client = self._clients[key]
            fresh = _parsed(read(client.path))
            if fresh is None or (fresh[0], fresh[1]) != key:
                # Closed, ended, or another file under the same number.
                del self._clients[key]
            else:
                client.held = fresh[2]
            if time.monotonic() >= ends:
                self._turn += step + 1
                return
        self._turn = 0

    def _walk_on(self, budget_s: float) -> None:
        ends = time.monotonic() + budget_s
        if self._walk is None:
            if self._began_at is not None and self._clock() - self._began_at < ROUND_S:
                return
            self._began_at = self._clock()
            self._walk = self._visit_all()
        for _ in self._walk:
            if time.monotonic() >= ends:
                return
        self._walk = None

    def _visit_all(self) -> Iterator[None]:
        """Look into one process after the other."""
        try:
            pids = [int(name) for name in os.listdir(self._root) if name.isdigit()]  # noqa: PTH208 - as in files
        except OSError:
            return
        for pid in sorted(pids):
            self._visit(pid)
            yield

    def _visit(self, pid: int) -> None:
        folder = f"{self._root}/{pid}"
        try:
            numbers = os.listdir(f"{folder}/fd")  # noqa: PTH208
        except OSError:
            # Somebody else's, or ended since it was listed.
            return
        for number in numbers:
            try:
                target = os.readlink(f"{folder}/fd/{number}")  # noqa: PTH115
            except OSError:
                continue
            if target.startswith("/dev/dri/"):
                self._meet(pid, f"{folder}/fdinfo/{number}")

    def _meet(self, pid: int, path: str) -> None:
        found = _parsed(read(path))
        if found is None:
            return
        pdev, number, held = found
        known = self._clients.get((pdev, number))
        if known is None:
            self._clients[pdev, number] = _Client(pid, path, pdev, held)


def _parsed(data: bytes | None) -> tuple[str, bytes, Held] | None:
    """PCI address, client number and memory from one fdinfo file; None where it is no client's."""
    if not data or b"drm-client-id:" not in data:
        return None
    fields = {}
    for line in data.splitlines():
        name, _, value = line.partition(b":")
        if name.startswith(b"drm-"):
            fields[name] = value.strip()
    pdev = fields.get(b"drm-pdev", b"").decode("ascii", "replace").lower()
    return pdev, fields.get(b"drm-client-id", b""), _held(fields)


_KINDS = (b"drm-memory-", b"drm-resident-", b"drm-total-")
"""The same region under several names: the first that is there counts. "total" includes what was swapped out or never
touched.
"""


def _held(fields: dict[bytes, bytes]) -> Held:
    regions: dict[bytes, int] = {}
    for kind in reversed(_KINDS):
        for name, value in fields.items():
            size = _size(value) if name.startswith(kind) else None
            if size is not None:
                regions[name[len(kind) :]] = size
    device = sum(size for region, size in regions.items() if region.startswith((b"vram", b"local")))
    host = sum(size for region, size in regions.items() if region.startswith((b"gtt", b"system")))
    return Held(device, host)


_UNITS = {b"": 1, b"KiB": 1 << 10, b"MiB": 1 << 20, b"GiB": 1 << 30}


def _size(value: bytes) -> int | None:
    number, _, unit = value.partition(b" ")
    factor = _UNITS.get(unit.strip())
    return int(number) * factor if number.isdigit() and factor is not None else None
