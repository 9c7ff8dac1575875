"""One download as the screen knows it: what the list says of it, and what was told of it since. Values only."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from tui.gguf.names import is_projector, quant_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.hub.downloads.values import Entry, Event, Item

Phase = Literal["waits", "connects", "fetches", "checks", "again", "paused", "failed", "done"]
"""Where a download is: `again` is between two tries."""

_REST: dict[str, Phase] = {"queued": "waits", "paused": "paused", "failed": "failed", "done": "done"}


@dataclass(frozen=True, slots=True)
class Live:
    """What was told of one item while it was fetched, here or by another puna."""

    done_bytes: int = 0
    """Fetched; while it is checked, checked."""
    rate: int | None = None
    """Bytes a second; None while nobody can tell."""
    left_s: float | None = None
    checking: bool = False
    reason: str = ""
    """Why it is tried again; empty once it gets on."""
    tries: int = 0
    """How often it was tried again."""
    last_reason: str = ""
    """Why it was tried again last, also when it has got on since."""
    again_at: float | None = None
    """Unix seconds of the next try, where one is waited for."""
    fetched_bytes: int = 0
    """Fetched, also while it is checked: of several shards one may be, before the others come."""

    def after(self, event: Event, now: float) -> Live:
        """The same once this was told, too, at `now` in Unix seconds."""
        if event.event == "retry":
            why, again_at = event.message or "", now + event.again_s if event.again_s is not None else None
            return replace(
                self, rate=None, left_s=None, reason=why, last_reason=why, tries=event.tries, again_at=again_at
            )
        checking = event.event == "verify"
        got_on = checking or event.done_bytes > self.done_bytes
        return replace(
            self,
            done_bytes=event.done_bytes,
            fetched_bytes=max(self.fetched_bytes, event.done_bytes) if checking else event.done_bytes,
            rate=event.bytes_s,
            left_s=event.eta_s,
            checking=checking,
            reason="" if got_on else self.reason,
            again_at=None if got_on else self.again_at,
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One download."""

    item: Item
    phase: Phase
    done_bytes: int
    """Fetched; of one that is checked, checked."""
    rate: int | None = None
    """Bytes a second."""
    left_s: float | None = None
    reason: str = ""
    """Why it failed or is tried again, in a sentence."""
    tries: int = 0
    last_reason: str = ""
    again_s: int | None = None
    """Seconds until the next try, 0 once it has begun; None where none is waited for."""
    elsewhere: int | None = None
    """Process of another puna that fetches it; None when none does."""
    checked_of: int | None = None
    """Of one that is checked, what has come; None for all of it."""

    @property
    def came_bytes(self) -> int:
        """What is on this disk, checked or not."""
        if self.phase != "checks":
            return self.done_bytes
        return self.item.total_bytes if self.checked_of is None else self.checked_of

    @property
    def quant(self) -> str:
        """Its quantization; empty where its file's name has none."""
        return quant_of(self.item.file) or quant_of(self.item.file.rpartition("/")[0]) or ""

    @property
    def title(self) -> str:
        """The repository's own name, which people know the model by; of a file that belongs to a model, the file's."""
        if self.projector:
            return self.item.file.rpartition("/")[2]
        name = self.item.repo.rpartition("/")[2]
        return name[:-5] if name.lower().endswith(("-gguf", "_gguf")) else name

    @property
    def projector(self) -> bool:
        """True for what lets a model see or hear."""
        return is_projector(self.item.file)

    @property
    def active(self) -> bool:
        """True while somebody works on it."""
        return self.phase in ("connects", "fetches", "checks", "again")

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        return self.done_bytes / self.item.total_bytes if self.item.total_bytes else 1.0


def row_of(entry: Entry, live: Live | None, own_pid: int, now: float) -> Row:
    """What the list says of an item, and what was told of it, together; at `now` in Unix seconds."""
    item, elsewhere = entry.item, entry.owner if entry.owner not in (None, own_pid) else None
    known = live or Live()
    if entry.state in _REST:
        phase, reason = _REST[entry.state], item.reason
        return Row(
            item, phase, entry.done_bytes, None, None, reason, known.tries, known.last_reason, elsewhere=elsewhere
        )
    if live is None:
        return Row(item, "connects", entry.done_bytes, elsewhere=elsewhere)
    phase = "checks" if live.checking else "again" if live.reason else "fetches"
    again_s = math.ceil(max(0.0, live.again_at - now)) if live.again_at is not None else None
    return Row(
        item, phase, live.done_bytes, live.rate, live.left_s, live.reason, live.tries, live.last_reason, again_s,
        elsewhere, live.fetched_bytes if live.checking else None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sum:
    """All downloads together."""

    active: int = 0
    done_bytes: int = 0
    """Of what is fetched or waits for its turn."""
    total_bytes: int = 0
    rate: int = 0
    """Bytes a second of all that are fetched."""

    @property
    def left_bytes(self) -> int:
        """What is still to come."""
        return self.total_bytes - self.done_bytes

    @property
    def left_s(self) -> float | None:
        """Seconds that are left at this speed; None where it cannot be told."""
        return self.left_bytes / self.rate if self.rate and self.left_bytes else None

    @property
    def percent(self) -> int:
        """How much of it is done."""
        return 100 * self.done_bytes // self.total_bytes if self.total_bytes else 100


def summed(rows: Iterable[Row]) -> Sum:
    """What is fetched now or waits for its turn. What is checked has come."""
    active = done = total = rate = 0
    for row in rows:
        if not row.active and row.phase != "waits":
            continue
        active += row.active
        total += row.item.total_bytes
        done += row.came_bytes
        rate += 0 if row.phase == "checks" else row.rate or 0
    return Sum(active, done, total, rate)
