"""Tells whether models may have come, gone or changed since a scan, so that a front end knows when another is worth it.

It looks at folders only, and at most at MAX_LOOKED of them: cheap enough for every few seconds, and blind to a file
that is written in place without being renamed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

MAX_LOOKED = 4096
"""Folders looked at, those nearest to the roots first; some 10 ms."""


def changed(stamps: Mapping[Path, int | None]) -> bool:
    """True when a folder of a scan (`Look.stamps`) came, went, or was written to since.

    Also true, once, for a folder that was being written to while it was scanned. Blocking: for a worker thread.
    """
    nearest = stamps if len(stamps) <= MAX_LOOKED else sorted(stamps, key=lambda folder: len(folder.parts))
    return any(_stamp(folder) != stamps[folder] for folder in islice(nearest, MAX_LOOKED))


def _stamp(folder: Path) -> int | None:
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116 - asked of many, again and again
    except OSError:
        return None
