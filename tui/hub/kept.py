"""Answers to searches, kept on this disk for some minutes, and for longer as something to show while the hub is down.

The token decides what a hub shows, so it is part of what an answer is known by: within a digest, never in clear. An
answer that cannot be kept or read costs time only.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

import msgspec

from tui.config.errors import ConfigError
from tui.config.files import write_atomic
from tui.hub.client import Hub
from tui.hub.errors import HubError
from tui.hub.listing import Listing
from tui.hub.search import USUAL_LIMIT, Question, search_listings

FRESH_S = 600.0
"""How long an answer stands for a new one, in seconds."""
LONGEST_S = 14 * 86_400.0
"""Older ones are of no use, even while nothing else is to be had."""
MOST_KEPT = 64
"""Answers on disk; of more the ones that were written first go."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has found so far."""

    listings: tuple[Listing, ...]
    age_s: float = 0.0
    """Seconds since the hub said so; 0 for what it says now."""
    problem: HubError | None = None
    """Why no newer answer is to be had; None where all went well."""


class _Kept(msgspec.Struct, frozen=True):
    asked_at: float
    listings: tuple[Listing, ...]


class SearchCache:
    """The answers in one folder, shared by every puna of this person."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives Unix seconds."""
        self._folder, self._clock = folder, clock

    def search(
        self,
        hub: Hub,
        question: Question,
        *,
        limit: int = USUAL_LIMIT,
        renew: bool = False,
        cancel: Event | None = None,
    ) -> Iterator[Found]:
        """As `search_listings`, but each result holds all that was found until then. Blocks; for a worker thread.

        A fresh answer is not asked for again, unless to `renew` it. While the hub cannot be asked, an old answer comes
        with its age and the problem. Raises HubError where there is none, after what came before it; and Cancelled.
        """
        file = self._file(hub, question, limit)
        kept = self._read(file)
        if kept is not None and kept.age_s < FRESH_S and not renew:
            yield kept
            return
        listings: tuple[Listing, ...] = ()
        try:
            for page in search_listings(hub, question, limit=limit, cancel=cancel):
                listings += page
                yield Found(listings)
        except HubError as error:
            if kept is None:
                raise
            yield replace(kept, problem=error)
            return
        self._write(file, listings)

    def _file(self, hub: Hub, question: Question, limit: int) -> Path:
        parts = (hub.endpoint, hub.headers().get("authorization", ""), repr(question), str(limit))
        return self._folder / f"{hashlib.sha256(repr(parts).encode()).hexdigest()[:40]}.json"

    def _read(self, file: Path) -> Found | None:
        try:
            kept = msgspec.json.decode(file.read_bytes(), type=_Kept)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        age_s = self._clock() - kept.asked_at
        # One from the future was written under another clock: nobody knows its age.
        return Found(kept.listings, age_s) if 0 <= age_s < LONGEST_S else None

    def _write(self, file: Path, listings: tuple[Listing, ...]) -> None:
        with suppress(ConfigError, OSError):
            write_atomic(file, msgspec.json.encode(_Kept(self._clock(), listings)))
            kept = sorted(self._folder.glob("*.json"), key=lambda other: other.stat().st_mtime)
            for old in kept[:-MOST_KEPT]:
                old.unlink(missing_ok=True)
