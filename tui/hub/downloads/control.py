"""What a front end does with downloads: one object that adds, orders, pauses, resumes, retries, cancels and shows.

Everything asked for is written to the queue, so that it holds for whichever puna fetches the item, and after a restart.
"""

from __future__ import annotations

import time
from collections.abc import Container
from pathlib import Path

import msgspec

from tui.config.paths import Paths
from tui.config.settings import DownloadSettings
from tui.hub.client import Hub
from tui.hub.downloads.crew import Crew, delete_if_gone, entries_of
from tui.hub.downloads.fetch import Means
from tui.hub.downloads.limit import SharedLimit
from tui.hub.downloads.persistence import Persistence
from tui.hub.downloads.places import hub_cache, place_of
from tui.hub.downloads.queue import Queue
from tui.hub.downloads.runner import in_place_of, missing_bytes, needs
from tui.hub.downloads.space import Look, check_room, look
from tui.hub.downloads.throttle import Throttle
from tui.hub.downloads.values import Entry, Item, Sink, Watch


class Downloads:
    """The queue, and the threads that work on it from `start` to `close`.

    `sink` is told what happens and `watch` how the list stands, in other threads. With `only`, no other items than
    these ids are fetched here. Methods that change the queue block for a moment and raise ConfigError when it cannot be
    written.
    """

    def __init__(
        self,
        hub: Hub,
        paths: Paths,
        settings: DownloadSettings,
        sink: Sink,
        *,
        cache: Path | None = None,
        only: Container[str] | None = None,
        persistence: Persistence | None = None,
        look: Look = look,
        watch: Watch | None = None,
    ) -> None:
        self._look, throttle = look, Throttle()
        self._limit = SharedLimit(paths, settings.limit_mib_s, throttle)
        self._queue, self._cache = Queue(paths), cache or hub_cache()
        means = Means(hub, throttle, persistence or Persistence(), look)
        self._crew = Crew(means, self._queue, self._cache, self._limit, sink, settings.parallel, only, watch)

    @property
    def problem(self) -> str:
        """Why the queue cannot be worked on right now; empty when it can."""
        return self._crew.problem

    def start(self) -> None:
        """Begin to fetch what is in the queue."""
        self._crew.start()

    def close(self, patience_s: float = 5.0) -> None:
        """End every download of this process; what came is kept, and any puna goes on with it."""
        self._crew.close(patience_s)

    def limit(self, mib_s: float) -> None:
        """The most that all downloads take together from now on; 0 is no limit. Other processes go by the settings."""
        self._limit.set(mib_s)

    def parallel(self, count: int) -> None:
        """How many are fetched at once from now on; what runs goes on."""
        self._crew.parallel = count
        self._crew.look()

    def add(self, item: Item) -> Item:
        """Queue an item, at the end unless it is there already; one that had ended or was paused goes on.

        Raises NoSpace when it would not fit after what is queued.
        """
        known = self._queue.get(item.id)
        if known is not None and known.files == item.files:
            item = msgspec.structs.replace(known, commit=item.commit, revision=item.revision)
        elif known is not None:
            item = in_place_of(known, item)
        item = msgspec.structs.replace(item, paused=False, outcome="")
        self._check_room(item)
        if item != known:
            self._queue.put(item)
        self._crew.look()
        return item

    def pause(self, item: str) -> None:
        """Let it rest until `resume`, over restarts, too."""
        self._queue.update(item, paused=True)
        self._crew.end(item)

    def resume(self, item: str) -> None:
        """Go on with a paused one."""
        self._queue.update(item, paused=False)
        self._crew.look()

    def pause_all(self) -> None:
        """Let everything rest that has not ended."""
        self._queue.pause(paused=True)
        self._crew.look()

    def resume_all(self) -> None:
        """Go on with everything that was paused."""
        self._queue.pause(paused=False)
        self._crew.look()

    def retry(self, item: str) -> None:
        """Go on with one that failed."""
        self._queue.update(item, paused=False, outcome="", reason="")
        self._crew.hurry(item)
        self._crew.look()

    def hurry(self, item: str) -> None:
        """Try one again now that waits for its next try, in whichever process."""
        self._crew.hurry(item)
        self._queue.update(item, hurried=time.time())
        self._crew.look()

    def move(self, item: str, places: int) -> None:
        """Let it come so many places later, or earlier when negative."""
        self._queue.move(item, places)
        self._crew.look()

    def clear(self) -> None:
        """Take finished ones off the list; their files stay."""
        self._queue.clear()
        self._crew.look()

    def drop(self, item: str) -> None:
        """Take it off the list and keep what came of it: whoever asks for it again goes on from there."""
        self._queue.update(item, outcome="kept", paused=False, reason="")
        self._crew.end(item)
        self._crew.look()

    def cancel(self, item: str) -> None:
        """Take it off the list and delete what came of it; a finished file stays."""
        gone = self._queue.remove(item)
        self._crew.end(item)
        self._crew.look()
        if gone is None or gone.outcome == "done":
            return
        # Whoever fetches it now deletes it; where nobody does, we do.
        claim = self._queue.claim(item)
        if claim is not None:
            delete_if_gone(gone, claim, self._queue, self._cache)

    def entries(self) -> tuple[Entry, ...]:
        """Every item in its order, as it stands now."""
        return entries_of(self._queue.read(), self._queue, self._cache)

    def _check_room(self, item: Item) -> None:
        place = place_of(item, self._cache)
        others = [other for other in self._queue.read() if other.id != item.id and other.open and not other.paused]
        check_room(place.parts, missing_bytes(item, place), needs(others, self._cache), self._look)
