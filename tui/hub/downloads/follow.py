"""What another process fetches, told here as if it were our own: nothing is fetched twice, and nobody waits blindly."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tui.hub.downloads.teller import Teller
from tui.hub.downloads.values import Entry, Sink, Told


@dataclass(slots=True)
class _Followed:
    teller: Teller
    done_bytes: int
    owner: int | None = None
    trouble: tuple[int, str] = (0, "")
    """The try and the reason that were told last."""


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
        told = entry.told or Told()
        done = told.done_bytes if told.checking else entry.done_bytes
        new_bytes = max(0, done - followed.done_bytes)
        if followed.owner != entry.owner:
            followed.teller.joined(entry.done_bytes, entry.owner)
        elif told.checking:
            followed.teller.checked(done, new_bytes)
        elif new_bytes or not told.reason:
            followed.teller.fetched(done, new_bytes)
        if told.reason and (told.tries, told.reason) != followed.trouble:
            pause_s = max(0.0, round(told.again_at - time.time(), 1)) if told.again_at else None
            followed.teller.again(told.reason, pause_s, told.tries)
        followed.owner, followed.done_bytes, followed.trouble = entry.owner, done, (told.tries, told.reason)

    def _ended(self, entry: Entry) -> None:
        followed = self._followed.pop(entry.item.id, None)
        if followed is not None and entry.state == "done":
            followed.teller.done(entry.item.path)
        elif followed is not None:
            followed.teller.failed(entry.item.reason)
