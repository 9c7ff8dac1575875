"""The downloads of this process as the screen works with them: made when first needed, asked in order, heard in time.

Everything here blocks in threads, and what happens there arrives as messages: how the list stands whenever it is
another, and how far downloads are a few times a second for all of them together.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from tui.app.panels.downloads.values import Live

if TYPE_CHECKING:
    from tui.app.app import PunaApp
    from tui.config.paths import Paths
    from tui.config.settings import DownloadSettings
    from tui.hub.client import Hub
    from tui.hub.downloads.control import Downloads
    from tui.hub.downloads.values import Entry, Event, Item

PACE_S = 0.2
"""How long what was told waits for what comes right behind it."""
LOOK_S = 1.0
"""How soon it is seen that another puna has begun to fetch something."""


@dataclass
class DownloadsListed(Message, bubble=False):
    """The list is another than before; `problem` is why it cannot be worked on."""

    entries: tuple[Entry, ...]
    problem: str


class DownloadsMoved(Message, bubble=False):
    """Downloads got on, or ended: `Fetching.take` has what was told."""


@dataclass
class DownloadKept(Message, bubble=False):
    """What was fetched is where the library looks for it; `problem` is why it is not."""

    item: Item
    problem: str


@dataclass
class DownloadRefused(Message, bubble=False):
    """Something that a person wanted cannot be done."""

    words: str


class Fetching:
    """Downloads, their client and their threads. Made at no cost; nothing is imported before it is needed."""

    def __init__(self, app: PunaApp, paths: Paths, settings: DownloadSettings) -> None:
        self._app, self._paths, self._settings = app, paths, settings
        self._downloads: Downloads | None = None
        self._works: deque[Callable[[], object]] = deque()
        self._in_order, self._lock = threading.Lock(), threading.Lock()
        self._lives: dict[str, Live] = {}
        self._ended: list[Event] = []
        self._told = self._more = False
        self._closed = threading.Event()
        self._hub: Hub | None = None

    # ---- what is asked

    def do(self, work: Callable[[Downloads], object], what: str) -> None:
        """Do something with the downloads, after everything that was asked before; what refuses it is told."""
        self._in_a_thread(lambda: work(self._made()), what)

    def look(self) -> None:
        """Go on with the list if there is something on it to go on with."""
        self._in_a_thread(self._go_on, "read the list of downloads")

    def look_out(self) -> None:
        """The same as soon as another puna changes the list, from now on."""
        threading.Thread(target=self._look_out, name="look out for downloads", daemon=True).start()

    def _look_out(self) -> None:
        seen = None
        while self._downloads is None and not self._closed.wait(LOOK_S):
            try:
                found = self._paths.downloads_file.stat()
            except OSError:
                continue
            if (stamp := (found.st_mtime_ns, found.st_ino)) != seen:
                seen = stamp
                self._guarded(self._go_on)

    def _go_on(self) -> None:
        if self._downloads is None and self._paths.downloads_file.exists():
            from tui.hub.downloads.queue import Queue

            if any(item.open for item in Queue(self._paths).read()):
                self._made()

    def keep(self, item: Item) -> None:
        """Let the library know of what was fetched."""

        def work() -> None:
            from tui.models.pulling import keep_in_library

            self._post(DownloadKept(item, keep_in_library(self._paths, item)))

        self._in_a_thread(work, "tell the library")

    def hub(self) -> Hub:
        """The way to the hub. Blocks. Raises HubError."""
        from tui.hub.client import connect

        if self._hub is None:
            self._hub = connect()
        return self._hub

    def close(self, patience_s: float) -> None:
        """End every download of this process; what came is kept. Blocks."""
        self._closed.set()
        with self._in_order:
            if self._downloads is not None:
                self._downloads.close(patience_s)

    def _made(self) -> Downloads:
        if self._downloads is None:
            from tui.hub.downloads.control import Downloads

            self._downloads = Downloads(self.hub(), self._paths, self._settings, self._sink, watch=self._watch)
            self._downloads.start()
        return self._downloads

    def _in_a_thread(self, work: Callable[[], object], what: str) -> None:
        self._works.append(work)

        def run() -> None:
            self._guarded(lambda: self._works.popleft()())

        self._app.run_worker(run, group="downloads", description=what, thread=True, exit_on_error=False)

    def _guarded(self, work: Callable[[], object]) -> None:
        from tui.config.errors import ConfigError
        from tui.hub.errors import HubError

        with self._in_order:
            if self._closed.is_set():
                return
            try:
                work()
            except (HubError, ConfigError) as error:
                self._post(DownloadRefused(str(error)))

    # ---- what is told, in threads of the downloads

    def _watch(self, entries: tuple[Entry, ...], problem: str) -> None:
        running = {entry.item.id for entry in entries if entry.state == "running"}
        with self._lock:  # what rests begins anew when it goes on
            self._lives = {item: live for item, live in self._lives.items() if item in running}
        self._post(DownloadsListed(entries, problem))

    def _sink(self, event: Event) -> None:
        with self._lock:
            if event.event in ("done", "failed"):
                self._ended.append(event)
            else:
                self._lives[event.item] = self._lives.get(event.item, Live()).after(event, time.time())
            told, self._told, self._more = self._told, True, True
        if not told:
            self._post(DownloadsMoved())

    def _post(self, message: Message) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it whoever would hear
            self._app.post_message(message)

    # ---- what the screen takes

    def take(self) -> tuple[dict[str, Live], list[Event]]:
        """How far everything is, and what has ended since the last time. To be followed by `rest_over`."""
        with self._lock:
            ended, self._ended, self._more = self._ended, [], False
            return dict(self._lives), ended

    def lives(self) -> dict[str, Live]:
        """How far everything is."""
        with self._lock:
            return dict(self._lives)

    def rest_over(self) -> None:
        """PACE_S have passed since `take`: more may be told."""
        with self._lock:
            self._told = self._more
        if self._told:
            self._post(DownloadsMoved())
