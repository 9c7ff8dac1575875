"""Cards that the meter shows and that none of llama.cpp's devices is: which of them could take a model, and what
llama.cpp would call them. Values only.
"""

from __future__ import annotations

from collections.abc import Sequence

from tui.fit.questions import KnownDevice
from tui.fit.values import Profile
from tui.hardware.snapshot import Gpu, loadable

BACKENDS: dict[str, tuple[str, Profile]] = {
    "nvidia": ("CUDA", "cuda"),
    "amd": ("ROCm", "cuda"),  # the CUDA backend's code, compiled for AMD
    "intel": ("Vulkan", "vulkan"),
    "apple": ("MTL", "metal"),
}
"""By vendor: how llama.cpp would call its devices, and the rules that they lay out memory by."""
_OTHER: tuple[str, Profile] = ("Vulkan", "vulkan")
_VENDORS = {"CUDA": "nvidia", "ROCm": "amd", "MTL": "apple"}
"""Backends that drive the cards of one vendor only."""


def takers(gpus: Sequence[Gpu], *, unified: bool = False) -> tuple[Gpu, ...]:
    """Rows that a load from here could go to, one of MIG instances: a process is given a single one. With `unified`
    those, too, whose memory is the host's.
    """
    found = loadable(gpus, unified=unified)
    instances = [gpu for gpu in found if gpu.parent is not None]
    given = [gpu for gpu in instances if gpu.cuda_visible] or instances
    one = max(given, key=lambda gpu: gpu.free_bytes or 0, default=None)
    return tuple(gpu for gpu in found if gpu.parent is None or gpu is one)


def idle_cards(gpus: Sequence[Gpu], known: Sequence[KnownDevice], rows: Sequence[Gpu | None]) -> tuple[Gpu, ...]:
    """Those of the takers that are provably none of llama.cpp's devices; `rows` are what those are, where it is
    known.
    """
    driven = [row for row in rows if row is not None]
    unproven = [device for device, row in zip(known, rows, strict=True) if row is None]
    return tuple(
        gpu
        for gpu in takers(gpus)
        if not any(_is_or_rules_out(row, gpu) for row in driven)
        and not any(_vendor_of(device) in (None, gpu.vendor) for device in unproven)
    )


def names_of(gpus: Sequence[Gpu]) -> tuple[tuple[str, Profile], ...]:
    """What llama.cpp would call each of them, and the rules that it lays out memory by."""
    counts: dict[str, int] = {}
    found = []
    for gpu in gpus:
        backend, profile = BACKENDS.get(gpu.vendor, _OTHER)
        number = counts.get(backend, 0)
        counts[backend] = number + 1
        found.append((f"{backend}{number}", profile))
    return tuple(found)


def _is_or_rules_out(row: Gpu, gpu: Gpu) -> bool:
    return row.key == gpu.key or (row.parent is not None and gpu.parent is not None)


def _vendor_of(device: KnownDevice) -> str | None:
    """Whose card it is; None where its backend drives any."""
    return _VENDORS.get(device.name.rstrip("0123456789"))
