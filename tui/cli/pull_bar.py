"""How a pull is told: JSON lines for programs, a bar on a terminal, some lines in a pipe or a log."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Protocol

from tui.cli.main import say
from tui.cli.output import write_json
from tui.config.plain import one_line
from tui.config.sizes import size
from tui.hub.downloads.values import Event

_BAR_CELLS = 24
_STEP = 10
"""Per cent between two lines where there is no terminal."""


class Voice(Protocol):
    """Tells events."""

    def tell(self, event: Event) -> None:
        """One that happened."""

    def clear(self) -> None:
        """Make room for other lines."""


def voice_for(names: Mapping[str, str], *, as_json: bool) -> Voice:
    """The voice for what stdout and stderr are; `names` are the items' by their ids."""
    if as_json:
        return _Json()
    return _Bar(names) if sys.stderr.isatty() else _Lines(names)


class _Json:
    def tell(self, event: Event) -> None:
        write_json(event.to_json())

    def clear(self) -> None:
        """Nothing is in the way."""


class _Lines:
    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._said: dict[tuple[str, str], int] = {}

    def tell(self, event: Event) -> None:
        name = self._names.get(event.item, event.file)
        if event.event == "retry" or (event.event == "progress" and event.message):
            say(f"{name}: {event.sentence}")
        elif event.event in ("progress", "verify"):
            step = _percent(event) // _STEP
            if self._said.get((event.item, event.event)) != step:
                self._said[event.item, event.event] = step
                say(_figures(name, event))

    def clear(self) -> None:
        """Nothing is in the way."""


class _Bar:
    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._drawn = False
        self._fancy = (sys.stderr.encoding or "").lower().startswith("utf")

    def tell(self, event: Event) -> None:
        name = self._names.get(event.item, event.file)
        if event.event == "retry" or (event.event == "progress" and event.message):
            self.clear()
            say(f"{name}: {event.sentence}")
        elif event.event in ("progress", "verify"):
            full, empty = ("█", "░") if self._fancy else ("#", ".")
            cells = _BAR_CELLS * event.done_bytes // (event.total_bytes or 1)
            line = f"{full * cells}{empty * (_BAR_CELLS - cells)} {_figures(name, event)}"
            print(f"\r{line[: _columns() - 1]}\x1b[K", end="", file=sys.stderr, flush=True)
            self._drawn = True

    def clear(self) -> None:
        if self._drawn:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._drawn = False


def _figures(name: str, event: Event) -> str:
    done = f"{_percent(event):3d}% {size(event.done_bytes)} of {size(event.total_bytes)}"
    speed = f" {size(event.bytes_s)}/s" if event.bytes_s is not None else ""
    left = f" {_clock(event.eta_s)} left" if event.eta_s is not None and event.event == "progress" else ""
    what = "checking " if event.event == "verify" else ""
    return f"{what}{done}{speed}{left} {one_line(name)}"


def _percent(event: Event) -> int:
    return 100 * event.done_bytes // event.total_bytes if event.total_bytes else 100


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _columns() -> int:
    try:
        return max(20, os.get_terminal_size(sys.stderr.fileno()).columns)
    except OSError:
        return 80
