"""The threads of one process that work on the queue: one watches it, and one fetches each item that is ours."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tui.config.errors import ConfigError
from tui.config.plain import one_line
from tui.hub.downloads.claim import Claim
from tui.hub.downloads.errors import Useless
from tui.hub.downloads.fetch import Means
from tui.hub.downloads.follow import Follower
from tui.hub.downloads.limit import SharedLimit
from tui.hub.downloads.lookout import Lookout
from tui.hub.downloads.places import place_of
from tui.hub.downloads.queue import Queue
from tui.hub.downloads.runner import fetch_item, give_up, present_bytes
from tui.hub.downloads.stop import Stop
from tui.hub.downloads.teller import Teller
from tui.hub.downloads.values import Entry, Item, Sink, State, Watch
from tui.hub.errors import Cancelled, HubError

_LOOK_S = 0.5
"""How soon a process sees what another one wrote."""
_REST_S = 30.0
"""How long an item rests here whose end could not be written down, as on a full disk: the list still wants it."""


@dataclass(slots=True)
class _Job:
    """One item that is fetched here."""

    item: Item
    ahead: Sequence[Item]
    """What needs its room first."""
    claim: Claim
    teller: Teller
    stop: Stop
    hurried: float
    """Unix seconds when somebody asked last that it wait no longer."""

    def keep_to(self, wanted: Item | None) -> None:
        """Do what the list says now, and let other processes know how it stands."""
        if wanted is None or wanted.added != self.item.added:
            self.stop.set()
        elif wanted.hurried != self.hurried:  # a clock may have been set back
            self.hurried = wanted.hurried
            self.stop.hurry()
        self.teller.pulse()
        self.claim.say(msgspec.json.encode(self.teller.told))


class Crew:
    """Takes items of the queue that nobody else has, from `start` to `close`."""

    def __init__(
        self,
        means: Means,
        queue: Queue,
        cache: Path,
        limit: SharedLimit,
        sink: Sink,
        parallel: int,
        only: Container[str] | None,
        watch: Watch | None,
    ) -> None:
        self.parallel = parallel
        self.problem = ""
        """Why the queue cannot be worked on right now; empty when it can."""
        self._means, self._queue, self._cache, self._sink, self._only = means, queue, cache, sink, only
        self._limit = limit
        self._jobs: dict[str, tuple[_Job, threading.Thread]] = {}
        self._lock = threading.Lock()
        self._resting: dict[str, float] = {}
        """Until when, by the item's id, in monotonic seconds."""
        self._follower = Follower(sink)
        self._lookout = Lookout(watch)
        self._calm: tuple[int, int] | None = None
        """Stamp of the list while nothing in it is to be done or followed."""
        self._wake, self._closing = threading.Event(), threading.Event()
        self._watch = threading.Thread(target=self._run, name="downloads", daemon=True)

    def start(self) -> None:
        """Begin to fetch what is in the queue."""
        self._watch.start()

    def close(self, patience_s: float) -> None:
        """End every download of this process; what came is kept. Waits at most so long for each thread."""
        self._closing.set()
        self._wake.set()
        if self._watch.is_alive():
            self._watch.join(patience_s)
        with self._lock:
            jobs = list(self._jobs.values())
        for job, _ in jobs:
            job.stop.set()
        for _, thread in jobs:
            thread.join(patience_s)

    def look(self) -> None:
        """The queue has changed: look at it now."""
        self._wake.set()

    def end(self, item: str) -> None:
        """Stop fetching an item if it is fetched here."""
        with self._lock:
            job = self._jobs.get(item)
        if job is not None:
            job[0].stop.set()

    def hurry(self, item: str) -> None:
        """Let it wait no longer for its next try if it is fetched here."""
        self._resting.pop(item, None)
        with self._lock:
            job = self._jobs.get(item)
        if job is not None:
            job[0].stop.hurry()

    # The thread that watches the queue.

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._tick()
                self.problem = ""
            except (ConfigError, HubError, OSError) as error:
                self.problem = one_line(str(error))
                self._lookout.fails(self.problem)
            self._wake.wait(_LOOK_S)
            self._wake.clear()

    def _tick(self) -> None:
        stamp = self._queue.stamp()
        if stamp == self._calm:
            return
        items = self._queue.read()
        waiting = {item.id: item for item in items if _is_waiting(item)}
        with self._lock:
            jobs = {item: job for item, (job, _) in self._jobs.items()}
        for job in jobs.values():
            job.keep_to(waiting.get(job.item.id))
        entries = entries_of(items, self._queue, self._cache)
        self._lookout.sees(entries)
        others = [entry for entry in entries if entry.item.id not in jobs]
        mine = [entry for entry in others if self._only is None or entry.item.id in self._only]
        self._follower.look(mine)
        held = sum(entry.owner is not None for entry in others)
        self._limit.share(len(jobs), len(jobs) + held)
        self._calm = None if jobs or waiting or held else stamp
        # Those who fetch whatever is queued keep to the number together; who came for some items does not wait.
        busy = len(jobs) + (held if self._only is None else 0)
        for entry in mine:
            if busy >= self.parallel:
                break
            rests = self._resting.get(entry.item.id, 0.0) > time.monotonic()
            if entry.item.id in waiting and not rests and self._begin(entry.item.id):
                busy += 1
                self._wake.set()

    def _begin(self, item: str) -> bool:
        claim = self._queue.claim(item)
        if claim is None:
            return False
        # It may have ended in other hands just before it became ours.
        try:
            items = self._queue.read()
        except ConfigError:
            claim.release()
            raise
        fresh = next((known for known in items if known.id == item and _is_waiting(known)), None)
        if fresh is None or self._closing.is_set():
            claim.release()
            return False
        ahead = [known for known in items[: items.index(fresh)] if _is_waiting(known)]
        job = _Job(fresh, ahead, claim, Teller(fresh, self._sink), Stop(), fresh.hurried)
        thread = threading.Thread(target=self._work, args=(job,), name=f"download {fresh.name}", daemon=True)
        self._follower.ours(item)
        with self._lock:
            self._jobs[item] = job, thread
        thread.start()
        return True

    # The thread of one item.

    def _work(self, job: _Job) -> None:
        try:
            self._fetch(job)
        except Cancelled:
            job.teller.quiet()
        except Useless as error:
            self._fail(job, str(error), str(error.path))
        except (HubError, ConfigError) as error:
            self._fail(job, str(error))
        except Exception as error:  # whatever it is, it ends this item and no other
            self._fail(job, f"{type(error).__name__}: {error}")
        finally:
            self._ended(job)

    def _fetch(self, job: _Job) -> None:
        item = job.item.id

        def renewed(newer: Item) -> None:
            if self._queue.update(item, files=newer.files, commit=newer.commit, replaced=newer.replaced) is None:
                raise Cancelled

        path = os.fspath(
            fetch_item(
                self._means,
                job.item,
                self._cache,
                ahead=job.ahead,
                stop=job.stop,
                teller=job.teller,
                renewed=renewed,
            )
        )
        self._queue.update(item, outcome="done", path=path, reason="", replaced=())
        job.teller.done(path)

    def _fail(self, job: _Job, reason: str, path: str = "") -> None:
        text = one_line(reason)
        try:
            self._queue.update(job.item.id, outcome="failed", reason=text, path=path)
        except ConfigError as error:
            text = f"{text}; and {one_line(str(error))}"
            self._resting[job.item.id] = time.monotonic() + _REST_S
        job.teller.failed(text)

    def _ended(self, job: _Job) -> None:
        try:
            delete_if_gone(job.item, job.claim, self._queue, self._cache)
        finally:
            with self._lock:
                self._jobs.pop(job.item.id, None)
            self._wake.set()


def entries_of(items: Sequence[Item], queue: Queue, cache: Path) -> tuple[Entry, ...]:
    """Items as they stand now; those that left the line are left out."""
    return tuple(_entry(item, queue, cache) for item in items if item.outcome != "kept")


def _entry(item: Item, queue: Queue, cache: Path) -> Entry:
    if item.outcome == "done":
        return Entry(item, "done", item.total_bytes)
    place = place_of(item, cache)
    present = sum(present_bytes(item, file, place) for file in item.files)
    if item.outcome:
        return Entry(item, "failed", present)
    owner, told = queue.owner(item.id) or (None, None)
    state: State = "paused" if item.paused else "running" if owner is not None else "queued"
    return Entry(item, state, present, owner, told)


def delete_if_gone(item: Item, claim: Claim, queue: Queue, cache: Path) -> None:
    """Release an item; of one that is off the list nothing stays. Until then the claim keeps others off."""
    try:
        items = queue.read()
        if all(known.id != item.id for known in items):
            give_up(item, cache, items)
    except ConfigError:
        pass  # nobody can tell whether it is wanted, so it stays
    finally:
        claim.release()


def _is_waiting(item: Item) -> bool:
    return item.open and not item.paused
