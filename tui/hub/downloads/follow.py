"""What another process fetches, told here as if it were our own: nothing is fetched twice, and nobody waits blindly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.hub.downloads.teller import Teller
from tui.hub.downloads.values import Entry, Sink


@dataclass(slots=True)
class _Followed:
    teller: Teller
    done_bytes: int
    owner: int | None = None


class Follower:
    """Compares the queue with what it was a moment ago. For the thread that watches it."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._followed: dict[str, _Followed] = {}

    def ours(self, item: str) -> None:
        """It is fetched here from now on, and tells of itself."""
        self._followed.pop(item, None)

    def look(self, others: Sequence[Entry]) -> None:
        """Tell how the items that are not fetched here have moved on, and how they ended."""
        there = {entry.item.id for entry in others}
        self._followed = {item: followed for item, followed in self._followed.items() if item in there}
        for entry in others:
            if entry.item.open:
                self._moved(entry)
            else:
                self._ended(entry)

    def _moved(self, entry: Entry) -> None:
        followed = self._followed.get(entry.item.id)
        if followed is None:
            followed = _Followed(Teller(entry.item, self._sink), entry.done_bytes)
            self._followed[entry.item.id] = followed
        if entry.owner is None:
            return
        if followed.owner != entry.owner:
            followed.teller.joined(entry.done_bytes, entry.owner)
        else:
            followed.teller.fetched(entry.done_bytes, max(0, entry.done_bytes - followed.done_bytes))
        followed.owner, followed.done_bytes = entry.owner, entry.done_bytes

    def _ended(self, entry: Entry) -> None:
        followed = self._followed.pop(entry.item.id, None)
        if followed is not None and entry.state == "done":
            followed.teller.done(entry.item.path)
        elif followed is not None:
            followed.teller.failed(entry.item.reason)
