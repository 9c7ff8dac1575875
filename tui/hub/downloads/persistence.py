"""Trying again by itself: when, how often, and what is told meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tui.hub.downloads.stop import Stop
from tui.hub.errors import HubError, RateLimited, Unreachable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Persistence:
    """How long a download is not given up."""

    tries: int = 12
    """In a row, without getting on in between: with the pauses below about 7 minutes."""
    first_pause_s: float = 1.0
    """It doubles with each further try."""
    longest_pause_s: float = 60.0
    longest_wait_s: float = 900.0
    """The longest wait that is sat out when the hub asks for one."""

    def pause_s(self, error: HubError, failures: int) -> float | None:
        """Seconds until it is tried again after so many failures in a row; None where it is given up."""
        if not (error.passing or isinstance(error, Unreachable)) or failures >= self.tries:
            return None
        if isinstance(error, RateLimited) and error.wait_s is not None:
            # A second more, as the hub rounds down.
            return error.wait_s + 1.0 if error.wait_s <= self.longest_wait_s else None
        return min(self.longest_pause_s, self.first_pause_s * (1 << min(failures - 1, 30)))


def persist(
    work: Callable[[], T],
    persistence: Persistence,
    stop: Stop,
    tell: Callable[[str, float], None],
    progress: Callable[[], int] = lambda: 0,
) -> T:
    """Do `work` until it succeeds; each failure that may pass is told with the seconds before the next try.

    Failures in a row count as long as `progress` (bytes) stays the same. Raises the last HubError, and Cancelled.
    """
    failures = 0
    while True:
        before = progress()
        try:
            return work()
        except HubError as error:
            failures = 1 if progress() > before else failures + 1
            pause_s = persistence.pause_s(error, failures)
            if pause_s is None:
                raise
            tell(str(error).removesuffix(" in a while").removesuffix("; try again"), pause_s)
            stop.wait(pause_s)
