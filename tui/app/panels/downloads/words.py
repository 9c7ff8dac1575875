"""What the screen says of downloads: amounts, times, states and reasons, in few words. Text only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.app.text import clean
from tui.config.sizes import GIB, gib, size

if TYPE_CHECKING:
    from tui.app.glyphs import Glyphs
    from tui.app.panels.downloads.values import Row, Sum

_STATES = {"waits": "waits", "connects": "connecting", "paused": "paused", "done": "done"}


def speed(bytes_s: int | None) -> str:
    """Bytes a second: 42 MiB/s; empty where it is not known."""
    return "" if bytes_s is None else f"{size(bytes_s)}/s"


def clock(seconds: float | None) -> str:
    """Time that is left, in at most seven cells: 0:42, 12:05, 3:07 h, 2 d; empty where it is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} d"
    return f"{hours}:{minutes:02d} h" if hours else f"{minutes}:{rest:02d}"


def amount(done_bytes: int, total_bytes: int) -> str:
    """How much of how much, the unit once where it is the same: 11.7/18.6 GiB. Of nothing and of all, the whole."""
    if done_bytes in (0, total_bytes):
        return size(total_bytes)
    if total_bytes >= GIB:
        return f"{gib(done_bytes)}/{gib(total_bytes)} GiB"
    done, total = size(done_bytes), size(total_bytes)
    same = done.rpartition(" ")[2] == total.rpartition(" ")[2]
    return f"{done.partition(' ')[0] if same else done}/{total}"


def state(row: Row) -> str:
    """Where a download is, in a few words; empty while it simply comes."""
    if row.phase == "checks":
        return f"checking {int(row.share * 100)} %"
    if row.phase == "again":
        return reason(row)
    if row.phase == "failed":
        return clean(row.reason) or "failed"
    if row.phase == "fetches":
        return "nothing comes" if row.rate == 0 else ""
    return _STATES[row.phase]


def reason(row: Row) -> str:
    """Why it is tried again, and when: the time first, as the rest may be cut off."""
    text = clean(row.reason)
    if row.again_s is None:
        return text
    return f"again in {row.again_s} s: {text}" if row.again_s else f"trying again: {text}"


def all_together(what: Sum, dot: str) -> str:
    """What is left, how fast it comes, and for how long; empty when nothing is to come."""
    if not what.total_bytes:
        return ""
    parts = [f"{size(what.left_bytes)} to come", speed(what.rate or None), clock(what.left_s)]
    return f" {dot} ".join(part for part in parts if part)


def in_short(what: Sum, glyphs: Glyphs, width: int) -> str:
    """The same for one corner of the screen: how many, how fast, how far; less of it where it is narrow."""
    if not what.active:
        return ""
    short = f"{glyphs.fetching} {what.percent} %"
    if width < 60:
        return short
    return "  ".join(part for part in (f"{glyphs.fetching} {what.active}", speed(what.rate), f"{what.percent} %"))


def for_title(what: Sum, fetching: str) -> str:
    """The same for the terminal's title; empty when nothing is fetched."""
    return f"{what.percent} % {fetching} {what.active} - puna" if what.active else ""


def where_to(row: Row) -> str:
    """Where its file goes, or lies."""
    if row.item.path:
        return clean(row.item.path)
    return clean(row.item.folder) or "the Hugging Face cache, which other programs use, too"


def files(row: Row) -> str:
    """What is fetched."""
    item = row.item
    count = f" and {len(item.files) - 1} more" if len(item.files) > 1 else ""
    return f"{clean(item.file)}{count}"
