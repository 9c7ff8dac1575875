"""What a session has asked the Hub about repositories, remembered for some minutes. Blocks; safe in several threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tui.hub.card import Card, fetch_card
from tui.hub.client import Hub
from tui.hub.files import RepoFiles, repo_files

K = TypeVar("K")
V = TypeVar("V")
FRESH_S = 300.0
"""How long an answer about a repository's files stands for a new one, in seconds."""
MOST_KEPT = 32
"""Repositories that are remembered, and cards."""


@dataclass(frozen=True, slots=True)
class Source:
    """A repository's files, and where they are."""

    hub: Hub
    files: RepoFiles
    page: str
    """Its address in the web."""
    asked_at: float
    """Seconds of a clock that only goes on."""


class Sources:
    """The Hub, asked as seldom as may be."""

    def __init__(self, connect: Callable[[], Hub]) -> None:
        """`connect` is called before each question: importing the Hub's client takes a moment."""
        self._connect = connect
        self._lock = threading.Lock()
        self._sources: dict[str, Source] = {}
        self._cards: dict[tuple[str, str], Card | None] = {}

    def source(self, repo: str) -> Source:
        """A repository now, or some minutes ago. Raises HubError."""
        with self._lock:
            known = self._sources.get(repo)
        if known is not None and time.monotonic() - known.asked_at < FRESH_S:
            return known
        hub = self._connect()
        found = Source(hub, repo_files(hub, repo), hub.asking(repo).page, time.monotonic())
        with self._lock:
            _put(self._sources, repo, found)
        return found

    def card(self, source: Source, cancel: threading.Event) -> Card | None:
        """Its card; None where it has none. Raises HubError and Cancelled."""
        key = (source.files.repo, source.files.commit)
        with self._lock:
            if key in self._cards:
                return self._cards[key]
        card = fetch_card(source.hub, source.files, cancel=cancel)
        with self._lock:
            _put(self._cards, key, card)
        return card


def _put(kept: dict[K, V], key: K, value: V) -> None:
    """Remember one more, and forget the ones that were remembered first."""
    kept.pop(key, None)
    kept[key] = value
    while len(kept) > MOST_KEPT:
        del kept[next(iter(kept))]
