"""Bytes as people read them, in one way everywhere: binary units, which are those of memory."""

from __future__ import annotations

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


def gib(size_bytes: int) -> str:
    """Bytes as GiB without the unit: 0.4, 31.2, 251."""
    value = size_bytes / GIB
    return f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def size(size_bytes: int | None) -> str:
    """Bytes with their unit: 812 B, 93 MiB, 4.1 GiB; a question mark where they are not known."""
    if size_bytes is None:
        return "?"
    if size_bytes < KIB:
        return f"{size_bytes} B"
    if size_bytes < 999.5 * KIB:
        return f"{size_bytes / KIB:.0f} KiB"
    if size_bytes < 999.5 * MIB:
        return f"{size_bytes / MIB:.0f} MiB"
    return f"{gib(size_bytes)} GiB"
