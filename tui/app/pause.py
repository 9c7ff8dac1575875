"""Something that is done once a person pauses: each key puts it off, and none of them costs more than a timer."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import App
from textual.timer import Timer


class Pause:
    """One thing at a time that waits."""

    def __init__(self, app: App[int]) -> None:
        self._app = app
        self._timer: Timer | None = None

    def wait(self, seconds: float, then: Callable[[], None]) -> None:
        """Do it after so many seconds, in place of what has been waiting; at once after none."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if seconds:
            self._timer = self._app.set_timer(seconds, then)
        else:
            then()
