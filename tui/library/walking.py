"""Walking folders for GGUF files: finds them, opens none.

Folders may hold anything: they are walked to a limited depth and number, a folder reached twice is entered once, and
what may not be looked into is noted and passed over.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tui.library.model import Source, shown

MAX_DEPTH = 10
MAX_ENTRIES = 100_000
"""Names looked at below one folder; walking more means that a whole disk was named."""

_TICK_NS = 50_000_000
"""Two changes this close together may have the same time of change."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that may be a model."""

    path: Path
    source: Source
    file: str
    repo: str | None = None
    revision: str = ""
    """Commit of a repository; shards of one model must come from the same."""
    title: str = ""
    """What its owner calls it, where the file's name does not tell."""


class Trail:
    """What a search leaves behind besides files: what it passed over, and how it found the folders that it read."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        """What was passed over and why, one sentence each."""
        self.stamps: dict[Path, int | None] = {}
        """When each folder had last changed, in ns of the system's clock, before it was read; None for one that was
        not there, 0 for one that was changing."""

    def enter(self, folder: Path) -> os.stat_result | None:
        """Remember how the folder is; None, and a note, when it cannot be looked at."""
        try:
            found = folder.stat()
        except OSError as error:
            self.stamps[folder] = None
            self.pass_over(folder, error)
            return None
        self.remember(folder, found)
        return found

    def remember(self, folder: Path, found: os.stat_result) -> None:
        """Keep how a folder is before it is read."""
        self.stamps[folder] = stamp_of(found)

    def expect(self, folder: Path) -> bool:
        """True for a folder that is there. One that is not is remembered without a note: it may come."""
        if is_folder(folder):
            return True
        self.stamps[folder] = None
        return False

    def listed(self, folder: Path) -> list[Path]:
        """What lies in a folder, in a steady order."""
        if self.enter(folder) is None:
            return []
        try:
            return sorted(folder.iterdir())
        except OSError as error:
            self.pass_over(folder, error)
            return []

    def pass_over(self, place: Path, error: OSError) -> None:
        """Note that a place could not be read."""
        self.notes.append(f"{shown(place)}: passed over, {(error.strerror or str(error)).lower()}")


def stamp_of(found: os.stat_result) -> int:
    """When it last changed, in ns of the system's clock; 0 for what may be changing at this moment."""
    changing = 0 <= time.time_ns() - found.st_mtime_ns < _TICK_NS
    return 0 if changing else found.st_mtime_ns


def is_folder(path: Path) -> bool:
    """True for a folder that can be looked at; pathlib's own question raises where permission is missing."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: Path) -> bool:
    """True for a regular file that can be looked at."""
    return os.path.isfile(path)  # noqa: PTH113


def walk(root: Path, trail: Trail, ends: str = ".gguf") -> list[Path]:
    """The files below `root` whose names end so, in a steady order. Hidden folders and files are left out."""
    return list(_Walk(trail, ends).files(root, 0))


class _Walk:
    """One walk: what it has seen, and how much."""

    def __init__(self, trail: Trail, ends: str) -> None:
        self._trail = trail
        self._ends = ends
        self._entered: set[tuple[int, int]] = set()
        self._entries = 0

    def files(self, folder: Path, depth: int) -> Iterator[Path]:
        if not self._enter(folder):
            return
        folders: list[Path] = []
        for name, is_folder in self._names(folder):
            if is_folder:
                folders.append(folder / name)
            else:
                yield folder / name
        if depth < MAX_DEPTH:
            for inner in folders:
                yield from self.files(inner, depth + 1)

    def _enter(self, folder: Path) -> bool:
        """False for a folder that was entered before by another way, so that links in a circle end."""
        found = self._trail.enter(folder)
        if found is None or (found.st_dev, found.st_ino) in self._entered:
            return False
        self._entered.add((found.st_dev, found.st_ino))
        return True

    def _names(self, folder: Path) -> list[tuple[str, bool]]:
        """The folders and wanted files of one folder."""
        names: list[tuple[str, bool]] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._entries += 1
                    if self._entries > MAX_ENTRIES:
                        self._stopped(folder)
                        break
                    if entry.name.startswith("."):
                        continue
                    if _is_folder(entry):
                        names.append((entry.name, True))
                    elif entry.name.lower().endswith(self._ends):
                        names.append((entry.name, False))
        except OSError as error:
            self._trail.pass_over(folder, error)
        return sorted(names)

    def _stopped(self, folder: Path) -> None:
        if self._entries == MAX_ENTRIES + 1:
            told = f"{shown(folder)}: stopped after {MAX_ENTRIES} names; name a folder that holds fewer files"
            self._trail.notes.append(told)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link in a circle; as a file it says so when it is opened
