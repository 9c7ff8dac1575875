"""Times as people say them."""

from __future__ import annotations

import time

MINUTE, HOUR, DAY = 60, 3600, 86400


def ago(unix_s: float, now: float | None = None) -> str:
    """How long ago: just now, 5 min, 3 h, yesterday, 4 d, or the date."""
    seconds = max(0.0, (time.time() if now is None else now) - unix_s)
    if seconds < MINUTE:
        return "just now"
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min"
    if seconds < DAY:
        return f"{seconds / HOUR:.0f} h"
    if seconds < 2 * DAY:
        return "yesterday"
    if seconds < 14 * DAY:
        return f"{seconds / DAY:.0f} d"
    return time.strftime("%Y-%m-%d", time.localtime(unix_s))
