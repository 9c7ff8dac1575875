"""Downloads on the screen: what is fetched is shown wherever one is, and what a person wants of it is done.

The queue itself is on disk and shared with every other puna; this only tells of it and passes wishes on.
"""

from __future__ import annotations

import asyncio
import os
import time
from functools import partial
from typing import TYPE_CHECKING

from tui.app.flows.arrived import Arrived
from tui.app.flows.download_wishes import DownloadWishes
from tui.app.flows.fetching import PACE_S, Fetching
from tui.app.flows.pulling import PullFlow
from tui.app.keys import install, show_key
from tui.app.panels.downloads.values import Row, row_of, summed
from tui.app.panels.downloads.words import amount, for_title, in_short
from tui.app.text import clean, plural, sentence, size
from tui.app.title import TerminalTitle
from tui.gguf.names import is_projector

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.app.desk import Desk
    from tui.app.flows.fetching import DownloadKept, DownloadRefused, DownloadsListed, DownloadsMoved
    from tui.app.flows.pulling import Ordered
    from tui.app.messages import ConfigRead
    from tui.app.panels.downloads.list import DownloadList
    from tui.app.panels.downloads.panel import DownloadsPanel
    from tui.app.panels.downloads.values import Live
    from tui.app.panels.finder.wanted import PullWanted
    from tui.hub.downloads.control import Downloads
    from tui.hub.downloads.values import Entry, Event, Item
    from tui.library import Model

CLOSE_S = 2.0
"""How long the end of the program waits for each download to let go; what it has written is safe before."""
COUNT_S = 1.0
"""How often the time before a next try is drawn."""
_KEYS = ("pull", "find", "downloads", "load_fetched")


class DownloadsFlow:
    """Keeps the panel, the footer and the terminal's title true."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._fetching: Fetching | None = None
        self._wishes = DownloadWishes(desk, self)
        self._pulling = PullFlow(desk, self)
        self.arrived = Arrived(desk)
        """What came."""
        self._title = TerminalTitle(desk.app.to_terminal)
        self._entries: tuple[Entry, ...] = ()
        self._lives: dict[str, Live] = {}
        self._problem = ""
        self._panel: DownloadsPanel | None = None
        self._begun, self._told_at_start = time.time(), False
        self._waiting: list[Callable[[], object]] = []
        self._counts_down = False
        self.limit_mib_s: float | None = None
        """The most that downloads take, in MiB a second, where it was set here; 0 is no limit."""
        self.rows: tuple[Row, ...] = ()
        """Every download in its order."""

    @property
    def fetching(self) -> Fetching:
        """The downloads; only once the settings are known."""
        if self._fetching is None:
            settings = self._desk.settings
            assert settings is not None
            self._fetching = Fetching(self._desk.app, self._desk.paths, settings.downloads)
        return self._fetching

    @property
    def limit(self) -> float:
        """The most that downloads take, in MiB a second; 0 is no limit."""
        settings = self._desk.settings
        if self.limit_mib_s is None:
            return settings.downloads.limit_mib_s if settings is not None else 0.0
        return self.limit_mib_s

    def with_settings(self, work: Callable[[], object]) -> None:
        """Do something once the settings are known: now, except in the first moments."""
        if self._desk.settings is not None:
            work()
        else:
            self._waiting.append(work)

    async def close(self) -> str:
        """End what is fetched here; what has to be said about that, empty when nothing was."""
        self._title.restore()
        if self._fetching is None:
            return ""
        here = [row for row in self.rows if row.elsewhere is None and (row.active or row.phase == "waits")]
        await asyncio.to_thread(self._fetching.close, CLOSE_S)
        if not here:
            return ""
        first, others = here[0], len(here) - 1
        what = f"{clean(first.item.name)} is stopped with {amount(first.done_bytes, first.item.total_bytes)} kept"
        more = f", and {plural(others, 'other')}" if others else ""
        return f"{what}{more}; downloads go on when puna is started again."

    # ---- the view

    async def open_view(self) -> None:
        """Show the downloads."""
        bench = self._desk.bench
        if self._panel is None:
            from tui.app.panels.downloads.panel import DownloadsPanel

            keymap, ascii_only = self._desk.keymap, self._desk.app.glyphs.ascii
            keys = {name: show_key(keymap.keys[name][0], ascii_only) for name in _KEYS if keymap.keys.get(name)}
            self._panel = DownloadsPanel(keys)
            await bench.mount(self._panel, after=bench.library)
            bench.join("downloads", self._panel.rows.focus)
            self.install_keys()
        self.with_settings(lambda: self.fetching.do(lambda downloads: None, "read the list of downloads"))
        bench.go("downloads")
        self.draw()

    def install_keys(self) -> None:
        """Give the list its keys, once it is there."""
        if self._panel is not None:
            install(self._panel.rows, self._desk.keymap, "list", "downloads")

    # ---- what is to be fetched

    def ask(self) -> None:
        """Let the person name a model."""
        self._pulling.ask()

    def pull(self, repo: str, quant: str = "", file: str = "") -> None:
        """Fetch a model: a quantization of a repository, a file of it, or what is usually taken."""
        self._pulling.want(f"{repo}:{quant}" if quant else repo, repo, file)

    def want_projector(self, model: Model) -> None:
        """Fetch what lets a model of this disk see."""
        self._pulling.want_projector(model)

    def on_pull_wanted(self, event: PullWanted) -> None:
        """The finder wants a model fetched."""
        self.pull(event.repo, event.quant, event.file)

    def on_ordered(self, event: Ordered) -> None:
        """The Hub has answered what was asked of it."""
        self._pulling.ordered(event)

    def add(self, items: tuple[Item, ...], reason: str) -> None:
        """Queue these."""
        for item in items:
            self.fetching.do(partial(_add, item), f"queue {item.name}")
        if self._in_sight:
            return
        total, why = size(sum(item.total_bytes for item in items)), f", {reason}" if reason else ""
        key = self.key("downloads")
        self._desk.tell(f"{clean(items[0].name)}: {total} to fetch{why}. {key} shows the downloads.")

    # ---- what is told

    def on_downloads_listed(self, event: DownloadsListed) -> None:
        """The list is another than before."""
        first = not self._told_at_start
        self._told_at_start = True
        self._entries, self._problem = event.entries, event.problem
        self._lives = self.fetching.lives()
        self._update()
        if first:
            self._tell_of_unfinished()

    def on_downloads_moved(self, _event: DownloadsMoved) -> None:
        """Downloads got on, or ended."""
        if self._fetching is None:
            return
        self._lives, ended = self._fetching.take()
        for event in ended:
            self._ended(event)
        self._update()
        self._desk.app.set_timer(PACE_S, self._fetching.rest_over)

    def on_download_kept(self, event: DownloadKept) -> None:
        """A file that came is where the library finds it."""
        self._desk.tell(event.problem, "warning")
        self._desk.library.look()

    def on_download_refused(self, event: DownloadRefused) -> None:
        """Something that was wanted cannot be done."""
        self._desk.tell(sentence(event.words), "error")

    def on_config_read(self, _event: ConfigRead) -> None:
        """The first time: what was not finished goes on, and what was wanted meanwhile begins."""
        if self._fetching is None:
            self.fetching.look()
            if self._desk.watches:
                self.fetching.look_out()
        waiting, self._waiting = self._waiting, []
        for work in waiting:
            work()

    def on_download_list_wish(self, event: DownloadList.Wish) -> None:
        """Something of the panel's keys."""
        self._wishes.do(event)

    def _tell_of_unfinished(self) -> None:
        before = [row for row in self.rows if row.item.added < self._begun]
        going = sum(row.active or row.phase == "waits" for row in before)
        paused = sum(row.phase == "paused" for row in before)
        failed = sum(row.phase == "failed" for row in before)
        if self._in_sight or not (going or paused or failed):
            return
        parts = [f"{plural(going, 'download')} on the way" if going else ""]
        parts += [f"{paused} paused" if paused else "", f"{failed} failed" if failed else ""]
        words = ", ".join(part for part in parts if part)
        self._desk.tell(f"From before: {words}. {self.key('downloads')} shows them.")

    def _ended(self, event: Event) -> None:
        item = next((entry.item for entry in self._entries if entry.item.id == event.item), None)
        name = clean(item.name) if item is not None else clean(event.file)
        words = f"{name} is here."
        if event.event == "failed":
            words = f"{name} failed: {event.message}."
        elif item is not None:
            self.fetching.keep(item)
            if not is_projector(item.file):
                self.arrived.came(item, event.message or "")
                words = f"{name} is here, {size(item.total_bytes)}, and checked. {self.key('load_fetched')} loads it."
        if not self._in_sight:
            self._desk.tell(words, "error" if event.event == "failed" else "information")

    # ---- what is drawn

    def _update(self) -> None:
        own, now = os.getpid(), time.time()
        self.rows = tuple(row_of(entry, self._lives.get(entry.item.id), own, now) for entry in self._entries)
        what, app = summed(self.rows), self._desk.app
        app.key_bar.note = in_short(what, app.glyphs, app.size.width)
        settings = self._desk.settings
        if settings is not None and settings.ui.title:
            self._title.show(for_title(what, app.glyphs.fetching))
        self.draw()
        self._wishes.follow(self.rows)
        if any(row.again_s for row in self.rows) and not self._counts_down:
            self._counts_down = True
            app.set_timer(COUNT_S, self._count_down)

    def _count_down(self) -> None:
        """The seconds before a next try are fewer."""
        self._counts_down = False
        self._update()

    def draw(self) -> None:
        """Bring the panel up to date."""
        if self._panel is not None and self._in_sight:
            self._panel.show(self.rows, self.limit, self._problem)

    @property
    def _in_sight(self) -> bool:
        """True while the panel shows what would be told otherwise."""
        return self._desk.bench.view == "downloads"

    def key(self, action_id: str) -> str:
        """A key that works while a person writes, where there is one."""
        keys = self._desk.keymap.keys[action_id]
        return show_key(keys[-1], self._desk.app.glyphs.ascii) if keys else "^p"


def _add(item: Item, downloads: Downloads) -> None:
    downloads.add(item)
