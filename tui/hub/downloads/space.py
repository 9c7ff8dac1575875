"""Whether there is room for what is to come."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tui.config.plain import clean
from tui.config.sizes import size
from tui.hub.downloads.errors import NoSpace

RESERVE_BYTES = 64 << 20
"""Left free on any disk, so that nothing else breaks."""


@dataclass(frozen=True, slots=True)
class Room:
    """A disk, as far as it matters."""

    device: int
    free_bytes: int


Look = Callable[[Path], Room | None]
"""The disk on which a folder lies or would lie; None where it cannot be told."""


def look(folder: Path) -> Room | None:
    """Ask the system."""
    for place in (folder, *folder.parents):
        try:
            found = os.statvfs(place)
            return Room(place.stat().st_dev, found.f_bavail * found.f_frsize)
        except OSError:
            continue
    return None


def check_room(folder: Path, missing_bytes: int, others: Iterable[tuple[Path, int]], look: Look = look) -> None:
    """Raise NoSpace unless `missing_bytes` fit into `folder` after what `others` (folder, bytes) will take there."""
    room = look(folder)
    if room is None:
        return
    ahead = 0
    for place, wanted in others:
        other = look(place)
        ahead += wanted if other is not None and other.device == room.device else 0
    lacking = missing_bytes + ahead + RESERVE_BYTES - room.free_bytes
    if missing_bytes and lacking > 0:
        queue = f" and what is ahead in the queue {size(ahead)}" if ahead else ""
        raise NoSpace(
            f"it needs {size(missing_bytes)}{queue}, and {clean(str(folder))} has {size(room.free_bytes)} free; "
            f"free {size(lacking)} more, then retry"
        )


def check_going_on(folder: Path, look: Look = look) -> None:
    """Raise NoSpace when hardly anything is left while a file comes."""
    room = look(folder)
    if room is not None and room.free_bytes < RESERVE_BYTES:
        raise NoSpace(f"{clean(str(folder))} has only {size(room.free_bytes)} left; free some space, then retry")
