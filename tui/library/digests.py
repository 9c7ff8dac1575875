"""The sha256 of files, where it is known: from the name that a content store gave a file, or remembered since it was
worked out on request. Reading a whole file is slow, so nothing here does it unasked.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tui.library.index import read_json, write_json
from tui.library.model import LibraryError, shown

_BLOB = re.compile(r"(?:sha256-)?([0-9a-f]{64})")
_PIECE_BYTES = 4 << 20


class DigestStore:
    """Sums by file. They are remembered by size and time, so that a file that changes has none."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        known = read_json(file).get("digests") if file is not None else None
        self._known: dict[str, Any] = known if isinstance(known, dict) else {}

    def known(self, path: Path) -> str | None:
        """The file's sum in hexadecimal, if it is known without reading it."""
        named = _BLOB.fullmatch(path.name) or _BLOB.fullmatch(_link_target(path))
        if named is not None:
            return named[1]
        record = self._known.get(str(path)) if self._known else None
        if not isinstance(record, dict) or record.get("stamp") != _stamp(path):
            return None
        digest = record.get("sha256")
        return digest if isinstance(digest, str) else None

    def learn(self, path: Path, progress: Callable[[int], None] | None = None) -> str:
        """Work out the file's sum and remember it; one that is remembered is not worked out again. A name is not
        believed. Raises LibraryError.
        """
        record = self._known.get(str(path))
        stamp = _stamp(path)
        if isinstance(record, dict) and record.get("stamp") == stamp and isinstance(record.get("sha256"), str):
            return str(record["sha256"])
        digest = sha256_of(path, progress)
        self._known[str(path)] = {"stamp": stamp, "sha256": digest}
        return digest

    def save(self) -> None:
        """Keep the sums of files that are still there."""
        if self._file is not None:
            there = {path: record for path, record in self._known.items() if os.path.exists(path)}  # noqa: PTH110
            write_json(self._file, {"digests": there})


def sha256_of(path: Path, progress: Callable[[int], None] | None = None) -> str:
    """The sum of a file's bytes in hexadecimal; `progress` is told how many bytes came since. Raises LibraryError."""
    sum_so_far = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE_BYTES):
                sum_so_far.update(piece)
                if progress is not None:
                    progress(len(piece))
    except OSError as error:
        raise LibraryError(f"{shown(path)}: cannot be read ({(error.strerror or str(error)).lower()})") from error
    return sum_so_far.hexdigest()


def _link_target(path: Path) -> str:
    """The last part of what a link says; empty for a file."""
    try:
        return os.path.basename(os.readlink(path))  # noqa: PTH115, PTH119 - asked of every file of a scan
    except OSError:
        return ""


def _stamp(path: Path) -> list[int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]
