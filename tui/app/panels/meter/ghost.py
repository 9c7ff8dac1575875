"""Where the selected model would go, roughly: its file's bytes, on the GPUs for as many layers as go there, the rest in
RAM. Context and compute memory are not in it; the meter marks it as an estimate.
"""

from __future__ import annotations

from tui.hardware.history import RAM
from tui.hardware.snapshot import Snapshot, loadable

RESERVE_BYTES = 1 << 30
"""Kept free on each GPU, as automatic layers do."""


def ghost_of(
    file_bytes: int, snapshot: Snapshot, n_gpu_layers: int | str = "auto", n_layer: int | None = None
) -> dict[str, int]:
    """Bytes by the key of a GPU, and of RAM."""
    wanted = file_bytes
    if isinstance(n_gpu_layers, int):
        wanted = (
            round(file_bytes * min(1.0, n_gpu_layers / (n_layer + 1)))
            if n_layer
            else (file_bytes if n_gpu_layers else 0)
        )
    left, ghost = wanted, {}
    for gpu in loadable(snapshot.gpus):
        room = max(0, (gpu.free_bytes or 0) - RESERVE_BYTES)
        part = min(left, room)
        if part:
            ghost[gpu.key] = part
            left -= part
    ghost[RAM] = left + file_bytes - wanted
    return {key: amount for key, amount in ghost.items() if amount}
