"""Long blocking work of a dialog: in a thread, telling how far it is, and stopped when the dialog goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from textual.message import Message
from textual.screen import Screen
from textual.worker import get_current_worker

from tui.app.glyphs import Glyphs
from tui.app.text import size

Progress = Callable[[int], None]
"""Told how many bytes were done since."""

_EVERY_S = 0.1
_BAR = 24


class Stopped(Exception):
    """The person does not want it any more; whoever works puts everything back and lets this pass."""


@dataclass
class WorkProgressed(Message):
    """So many bytes are done."""

    done_bytes: int
    bytes_s: float


@dataclass
class WorkEnded(Message):
    """The work has ended with a result, or with what went wrong."""

    result: Any = None
    error: Exception | None = None


def begin(
    screen: Screen[Any],
    description: str,
    work: Callable[[Progress], Any],
    *expected: type[Exception],
    undo: Callable[[Any], None] | None = None,
) -> None:
    """Have `work` done; `screen` gets WorkProgressed and at last WorkEnded, with an error that is one of `expected`.

    Work that is stopped ends without a word, and `undo` gets the result of work that ends when nobody wants it any
    more. All else is a failure of the worker.
    """

    def run() -> None:
        counted = _Counted(screen)
        try:
            ended = WorkEnded(work(counted))
        except Stopped:
            return
        except expected as error:
            ended = WorkEnded(error=error)
        if undo is not None and get_current_worker().is_cancelled:
            undo(ended.result)
        else:
            screen.post_message(ended)

    screen.run_worker(run, group="work", description=description, thread=True, exclusive=True, exit_on_error=False)


def told(done_bytes: int, total_bytes: int, bytes_s: float, glyphs: Glyphs) -> str:
    """How far it is, on one line: a bar, per cent, bytes, how fast."""
    share = min(1.0, done_bytes / total_bytes) if total_bytes else 1.0
    full = round(share * _BAR)
    bar = glyphs.ours * full + glyphs.free * (_BAR - full)
    fast = f"  {size(round(bytes_s))}/s" if bytes_s else ""
    return f"{bar}  {int(100 * share)} %  {size(done_bytes)} of {size(total_bytes)}{fast}"


class _Counted:
    """Adds up, tells now and then, and stops the work where it is no longer wanted."""

    def __init__(self, screen: Screen[Any]) -> None:
        self._screen, self._worker = screen, get_current_worker()
        self._begun = self._told = time.monotonic()
        self._done = 0

    def __call__(self, n_bytes: int) -> None:
        if self._worker.is_cancelled:
            raise Stopped
        self._done += n_bytes
        now = time.monotonic()
        if now - self._told >= _EVERY_S:
            self._told = now
            self._screen.post_message(WorkProgressed(self._done, self._done / (now - self._begun)))
