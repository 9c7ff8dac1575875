"""Turns what happens to one item into events: not too many of them, with speed and what is left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tui.hub.downloads.speed import Speed, eta_s
from tui.hub.downloads.values import Event, Item, Kind, Sink, Told

EVERY_S = 0.25
"""Progress is told at most this often."""


class Teller:
    """The voice of one item. The thread that fetches speaks, and another one may ask for a `pulse`."""

    def __init__(self, item: Item, sink: Sink, clock: Callable[[], float] = time.monotonic) -> None:
        self._item, self._sink, self._clock = item, sink, clock
        self._lock = threading.RLock()
        self._speeds = {"progress": Speed(clock), "verify": Speed(clock)}
        self._kind: Kind = "progress"
        self._told_at = -EVERY_S
        self._done_bytes = 0
        self._ended = False
        self._tries, self._reason, self._again_at = 0, "", 0.0

    @property
    def told(self) -> Told:
        """How it stands, for other processes."""
        with self._lock:
            return Told(self._kind == "verify", self._done_bytes, self._tries, self._reason, self._again_at)

    def renew(self, item: Item) -> None:
        """It is about other files of the same item from here on."""
        with self._lock:
            self._item, self._done_bytes = item, 0

    def fetched(self, done_bytes: int, new_bytes: int) -> None:
        """So much of the item is there; `new_bytes` of it came just now."""
        self._moved("progress", done_bytes, new_bytes)

    def checked(self, done_bytes: int, new_bytes: int) -> None:
        """So much of the item is checked."""
        self._moved("verify", done_bytes, new_bytes)

    def pulse(self) -> None:
        """Nothing may have happened: the same figures, with the speed of now."""
        with self._lock:
            if not self._ended and self._clock() - self._told_at >= EVERY_S:
                self._figures()

    def joined(self, done_bytes: int, owner: int | None) -> None:
        """Another process fetches it."""
        with self._lock:
            self._done_bytes = done_bytes
            self._say("progress", done_bytes, message=f"another puna (process {owner or '?'}) is fetching it")

    def again(self, why: str, pause_s: float | None = None, tries: int | None = None) -> None:
        """Something went wrong, and it goes on: after so many seconds, or at once. `tries` is how often it did so by
        now where that was counted elsewhere.
        """
        with self._lock:
            self._tries, self._reason = tries or self._tries + 1, why
            self._again_at = time.time() + pause_s if pause_s is not None else 0.0
            self._say("retry", self._done_bytes, message=why, again_s=pause_s)

    def done(self, path: str) -> None:
        """It lies there."""
        with self._lock:
            self._ended = True
            self._say("done", self._item.total_bytes, message=path)

    def failed(self, why: str) -> None:
        """It does not go on by itself."""
        with self._lock:
            self._ended = True
            self._say("failed", self._done_bytes, message=why)

    def quiet(self) -> None:
        """Nothing more is told of it."""
        with self._lock:
            self._ended = True

    def _moved(self, kind: Kind, done_bytes: int, new_bytes: int) -> None:
        with self._lock:
            changed = kind != self._kind
            if new_bytes or kind == "verify":
                self._reason, self._again_at = "", 0.0
            self._kind, self._done_bytes = kind, done_bytes
            self._speeds[kind].add(new_bytes)
            if changed or done_bytes >= self._item.total_bytes or self._clock() - self._told_at >= EVERY_S:
                self._figures()

    def _figures(self) -> None:
        rate = self._speeds[self._kind].rate()
        self._say(self._kind, self._done_bytes, rate, eta_s(self._item.total_bytes - self._done_bytes, rate))

    def _say(
        self,
        kind: Kind,
        done: int,
        rate: int | None = None,
        eta: float | None = None,
        message: str | None = None,
        again_s: float | None = None,
    ) -> None:
        self._told_at = self._clock()
        self._sink(
            Event(
                item=self._item.id,
                event=kind,
                file=self._item.file,
                done_bytes=done,
                total_bytes=self._item.total_bytes,
                bytes_s=rate,
                eta_s=eta,
                message=message,
                again_s=again_s,
                tries=self._tries,
            )
        )
