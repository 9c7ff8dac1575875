"""Tells that nothing is different from the last scan, by what a walk finds and how each file is: no header is read, and
no model made, for files that are what they were.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tui
from tui.library.walking import Found, stamp_of


@dataclass(frozen=True, slots=True)
class State:
    """How the files of a scan are."""

    signature: str
    """The same while every file is; empty where that cannot be told: one is gone, or was changing."""
    stamps: dict[Path, int | None]
    """When each file had last changed."""


def state_of(files: Sequence[Found], besides: Sequence[Path] = ()) -> State:
    """The state of these files. `besides` are files of ours that count, too, whether they are there or not.

    The times of change of a file and of its permissions both count, and which file a link leads to.
    """
    sign, stamps, steady = hashlib.blake2b(tui.__version__.encode(), digest_size=16), {}, True
    for own in besides:
        sign.update(repr(_how(_stat(own))).encode())
    for found in files:
        stat = _stat(found.path)
        stamps[found.path] = stamp = stamp_of(stat) if stat is not None else None
        steady = steady and bool(stamp)
        told = (os.fspath(found.path), found.source, found.file, found.repo, found.revision, found.title, _how(stat))
        sign.update(repr(told).encode())
    return State(sign.hexdigest() if steady else "", stamps)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (OSError, ValueError):
        return None


def _how(stat: os.stat_result | None) -> tuple[int, ...] | None:
    return (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_dev) if stat is not None else None
