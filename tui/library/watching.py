"""Tells whether models may have come, gone or changed since a scan, so that a front end knows when another is worth it.

It looks at folders and at the files of models, and at most at MAX_LOOKED of them: cheap enough for every few seconds.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from itertools import chain, islice
from pathlib import Path

MAX_LOOKED = 4096
"""Folders and files looked at; some 10 ms."""


def to_watch(
    folders: Mapping[Path, int | None], files: Mapping[Path, int | None], unfinished: Collection[Path]
) -> dict[Path, int | None]:
    """What is worth looking at again of what a scan has read, with how it was found.

    First the files that cannot be loaded, which may still be written, then the folders nearest to the roots, then the
    other files.
    """
    first = ((file, files[file]) for file in unfinished if file in files)
    nearest = sorted(folders.items(), key=lambda folder: len(folder[0].parts))
    return dict(islice(chain(first, nearest, files.items()), MAX_LOOKED))


def changed(stamps: Mapping[Path, int | None]) -> bool:
    """True when a folder or a file of a scan (`Look.stamps`) came, went, or was written to since.

    Also true, once, for what was being written to while it was scanned. Blocking: for a worker thread.
    """
    return any(_stamp(place) != stamp for place, stamp in stamps.items())


def _stamp(place: Path) -> int | None:
    try:
        return os.stat(place).st_mtime_ns  # noqa: PTH116 - asked of many, again and again
    except OSError:
        return None
