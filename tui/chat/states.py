"""The files in which engines keep what conversations' contexts hold: their names, and how many of them stay.

Deleting any of them loses speed only. What is in them is the engine's business.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from tui.engine.protocol import STATE_ENDING

LEFT_OVER_S = 3600.0
"""Age in seconds from which a file that was being written or read when its engine ended is of no use to anybody."""
LEAST_TOKENS = 128
"""A conversation of fewer tokens is read again as quickly as a file."""


def state_name(conversation_id: int) -> str:
    """What the states of a conversation are called."""
    return f"c{conversation_id}"


def sweep(folder: Path, budget_bytes: int, *, now: float | None = None) -> int:
    """Delete the least recently used states until the rest takes no more than the budget, and what is left over of
    engines that are gone; bytes that came free. `now` is Unix seconds.
    """
    now = time.time() if now is None else now
    kept: list[tuple[float, int, Path]] = []
    freed = 0
    for path in _files(folder):
        with contextlib.suppress(OSError):  # another puna may sweep, too
            stat = path.stat()
            if path.suffix == STATE_ENDING:
                kept.append((stat.st_mtime, stat.st_size, path))
            elif now - stat.st_mtime > LEFT_OVER_S:
                path.unlink()
                freed += stat.st_size
    room = budget_bytes
    for _, size, path in sorted(kept, reverse=True):
        room -= size
        if room < 0:
            with contextlib.suppress(OSError):
                path.unlink()
                freed += size
    return freed


def forget(folder: Path, conversation_id: int) -> None:
    """Delete what is kept of a conversation."""
    for path in _files(folder):
        if path.name.startswith(f"{state_name(conversation_id)}-"):
            with contextlib.suppress(OSError):
                path.unlink()


def _files(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_file()]
    except OSError:
        return []
