"""Sees when the list of downloads is another than before, whoever changed it, and says so once."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tui.hub.downloads.values import Entry, Watch


class Lookout:
    """Compares the list with what it was. How far an item is makes no difference: the items themselves tell of that."""

    def __init__(self, watch: Watch | None) -> None:
        self._watch = watch
        self._told: tuple[tuple[Entry, ...], str] | None = None
        self._entries: tuple[Entry, ...] = ()

    def sees(self, entries: Iterable[Entry]) -> None:
        """The list can be read, and this is it."""
        self._entries = tuple(entries)
        self._tell("")

    def fails(self, problem: str) -> None:
        """The list cannot be worked on; what it was before is told with the reason."""
        self._tell(problem)

    def _tell(self, problem: str) -> None:
        if self._watch is None:
            return
        now = tuple(msgspec.structs.replace(entry, done_bytes=0, told=None) for entry in self._entries), problem
        if now != self._told:
            self._told = now
            self._watch(self._entries, problem)
