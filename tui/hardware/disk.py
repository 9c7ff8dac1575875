"""How much room a folder has for models. Asked rarely, and never by who cannot wait: a network folder may hang."""

from __future__ import annotations

import os

from tui.hardware.snapshot import Disk


def disk(folder: str) -> Disk:
    """Room in a folder, or in the nearest one above it that exists. Figures are None where it cannot be told."""
    place = os.path.abspath(folder)  # noqa: PTH100 - a plain string is wanted
    while True:
        try:
            found = os.statvfs(place)
        except (OSError, ValueError):
            above = os.path.dirname(place)  # noqa: PTH120 - as above
            if above == place:
                return Disk()
            place = above
            continue
        return Disk(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)
