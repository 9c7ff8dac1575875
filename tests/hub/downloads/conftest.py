"""A queue in a folder of its own, the loopback hub, and everything that was told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tui.config.paths import Paths
from tui.config.settings import DownloadSettings
from tui.hub.choice import locate
from tui.hub.client import Hub
from tui.hub.downloads.control import Downloads
from tui.hub.downloads.persistence import Persistence
from tui.hub.downloads.values import Event, Item, item_of

QUICK = Persistence(tries=5, first_pause_s=0.01, longest_pause_s=0.05, longest_wait_s=3.0)
"""As a person's, with short pauses."""


@dataclass(slots=True)
class Told:
    """What a sink was told, to be waited for."""

    events: list[Event] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait(self, test: Callable[[Event], object], limit_s: float = 60.0) -> Event:
        """The first event that passes, now or later."""

        def found() -> Event | None:
            return next((event for event in self.events if test(event)), None)

        with self._changed:
            assert self._changed.wait_for(lambda: found() is not None, limit_s), self.events[-3:]
            event = found()
        assert event is not None
        return event

    def end(self, item: str = "") -> Event:
        """How it ended."""
        return self.wait(lambda event: event.event in ("done", "failed") and item in ("", event.item))

    def moving(self, item: str = "") -> Event:
        """The first sign that bytes came."""
        return self.wait(lambda event: event.done_bytes > 0 and item in ("", event.item))

    def messages(self, kind: str = "retry") -> list[str]:
        """What was said with the events of one kind."""
        return [event.sentence or "" for event in self.events if event.event == kind]


@pytest.fixture
def puna_home(tmp_path: Path) -> Paths:
    return Paths(*(tmp_path / "puna" / name for name in ("config", "data", "cache", "state")))


@pytest.fixture
def cache(home: Path) -> Path:
    """The Hugging Face cache of this test."""
    return home / "hub"


Open = Callable[..., tuple[Downloads, Told]]


@pytest.fixture
def open_downloads(puna_home: Paths, cache: Path) -> Iterator[Open]:
    """Downloads that run until the test ends, and what they tell."""
    with ExitStack() as stack:

        def start(hub: Hub, *, run: bool = True, **options: object) -> tuple[Downloads, Told]:
            told = Told()
            chosen: dict[str, object] = {"cache": cache, "persistence": QUICK, **options}
            settings = chosen.pop("settings", DownloadSettings())
            made = Downloads(hub, puna_home, settings, told, **chosen)  # type: ignore[arg-type]
            stack.callback(made.close)
            if run:
                made.start()
            return made, told

        yield start


def item(hub: Hub, text: str = "org/m", folder: str = "") -> Item:
    """What would be queued for MODEL."""
    return item_of(locate(hub, text), folder)
