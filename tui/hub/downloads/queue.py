"""The list of downloads on disk: what is wanted, in which order, and how each ended. Every running puna shares it.

Who fetches what right now is not written here but held as locks (see `claim`), so nothing in it is wrong after a kill.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tui.config.files import locked, read_text, write_atomic
from tui.config.paths import Paths
from tui.hub.downloads.claim import Claim, claim, owner
from tui.hub.downloads.errors import disk_trouble
from tui.hub.downloads.values import Item, Told
from tui.hub.files import is_safe

KEPT = 50
"""Finished items that are remembered."""
_PAST = ("done", "kept")


class Queue:
    """The list in one person's data folder. Safe to use from several threads and processes.

    Everything that changes it raises ConfigError when it cannot be written.
    """

    def __init__(self, paths: Paths) -> None:
        self.file = paths.downloads_file
        self._locks = paths.state / "downloads"

    def read(self) -> tuple[Item, ...]:
        """Every item in its order; none of a list that is damaged. Raises ConfigError when it may not be read."""
        text = read_text(self.file)
        return () if text is None else (_decoded(text) or ())

    def stamp(self) -> tuple[int, int]:
        """Differs after each change."""
        try:
            found = self.file.stat()
        except OSError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_ino)

    def get(self, item: str) -> Item | None:
        """The item with this id."""
        return next((known for known in self.read() if known.id == item), None)

    def put(self, item: Item) -> None:
        """Add an item at the end, or in place of the one with its id, unless that one had left the line."""

        def change(items: list[Item]) -> list[Item]:
            if any(known.id == item.id and known.outcome not in _PAST for known in items):
                return [item if known.id == item.id else known for known in items]
            return [*(known for known in items if known.id != item.id), item]

        self._change(change)

    def update(self, item: str, **changes: Any) -> Item | None:
        """Change fields of an item and return it as it is then; None when it is not there any more."""

        def change(items: list[Item]) -> list[Item]:
            return [msgspec.structs.replace(known, **changes) if known.id == item else known for known in items]

        return next((known for known in self._change(change) if known.id == item), None)

    def pause(self, *, paused: bool) -> None:
        """Let every open item rest, or none."""

        def change(items: list[Item]) -> list[Item]:
            return [msgspec.structs.replace(known, paused=paused) if known.open else known for known in items]

        self._change(change)

    def clear(self) -> None:
        """Take what is done off the list."""
        self._change(lambda items: [known for known in items if known.outcome != "done"])

    def remove(self, item: str) -> Item | None:
        """Take an item off the list and return it as it was."""
        found: list[Item] = []

        def change(items: list[Item]) -> list[Item]:
            found.extend(known for known in items if known.id == item)
            return [known for known in items if known.id != item]

        self._change(change)
        return found[0] if found else None

    def move(self, item: str, places: int) -> None:
        """Let an item come so many places later, or earlier when negative."""

        def change(items: list[Item]) -> list[Item]:
            at = next((index for index, known in enumerate(items) if known.id == item), None)
            if at is not None:
                items.insert(max(0, min(len(items) - 1, at + places)), items.pop(at))
            return items

        self._change(change)

    def claim(self, item: str) -> Claim | None:
        """Make an item this process's; None while another one has it. Raises DownloadError."""
        path = self._lock(item)
        try:
            return claim(path)
        except OSError as error:
            raise disk_trouble(error, path) from error

    def owner(self, item: str) -> tuple[int, Told | None] | None:
        """The process that has an item, and what it says of it; None when nobody does."""
        found = owner(self._lock(item))
        return None if found is None else (found[0], _told(found[1]))

    def _lock(self, item: str) -> Path:
        return self._locks / f"{item}.lock"

    def _change(self, change: Callable[[list[Item]], Sequence[Item]]) -> tuple[Item, ...]:
        with locked(self.file):
            text = read_text(self.file)
            before = () if text is None else _decoded(text)
            if before is None:
                self._set_aside()
                before = ()
            after = _forgotten(change(list(before)))
            if after != before or text is None:
                write_atomic(self.file, msgspec.json.format(msgspec.json.encode(after), indent=1) + b"\n")
            return after

    def _set_aside(self) -> None:
        """A list that cannot be understood is kept for whoever wants to look, and makes room."""
        with contextlib.suppress(OSError):
            self.file.replace(self.file.with_suffix(".damaged"))


def _decoded(text: str) -> tuple[Item, ...] | None:
    """The items of a list; None for one that is damaged, or that names what puna would not have written."""
    try:
        items = msgspec.json.decode(text, type=tuple[Item, ...])
    except (msgspec.MsgspecError, RecursionError):
        return None
    return items if all(_is_sound(item) for item in items) else None


def _told(words: bytes) -> Told | None:
    """None where nothing is said, and for what was read while it was written."""
    try:
        return msgspec.json.decode(words, type=Told) if words else None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _is_sound(item: Item) -> bool:
    return (
        bool(item.files)
        and item.id.isalnum()
        and item.repo.count("/") == 1
        and is_safe(item.repo)
        and all(is_safe(file.path) and file.sha256.isalnum() and file.size_bytes >= 0 for file in item.files)
    )


def _forgotten(items: Sequence[Item]) -> tuple[Item, ...]:
    """Of finished items only the last ones stay."""
    done = [item.id for item in items if item.outcome in _PAST]
    gone = set(done[: max(0, len(done) - KEPT)])
    return tuple(item for item in items if item.id not in gone)
