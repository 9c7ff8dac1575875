"""The monitor on a terminal: keys, ticks, resizes and signals, one after the other in one thread."""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tui.cli.meter.look import Look
from tui.cli.meter.paint import paint
from tui.cli.meter.screen import Screen
from tui.cli.meter.wake import Wake
from tui.hardware.meter.frame import Scene, frame, is_waiting
from tui.hardware.meter.holders import ORDERS
from tui.hardware.meter.marks import Line, Marks
from tui.hardware.meter.pace import faster, slower
from tui.hardware.snapshot import Snapshot

_MESSAGE_S = 2.0
_SOON_S = 0.25
"""The next look while a driver is still being opened, so that its cards do not take a whole interval longer."""
_COLLECT_AFTER = 10_000
"""Objects between two collections: a picture is a few thousand that are gone with the next, and none in a circle."""
HINTS = ("q quit", "? help", "p pause", "s sort", "e processes", "+ - interval")
HELP = (
    "q quit",
    "p or space pause",
    "+ slower, - faster",
    f"s sort by {', '.join(ORDERS)}",
    "m sort by memory",
    "e or t processes on, off",
    "any other key closes this",
)


@dataclass(slots=True)
class _Message:
    text: str = ""
    until: float = 0.0


class Live:
    """Draws what `look` sees every `interval` seconds until somebody ends it."""

    def __init__(
        self, wake: Wake, screen: Screen, look: Look, interval: float, marks: Marks, colours: Mapping[str, str]
    ) -> None:
        self._wake, self._screen, self._look = wake, screen, look
        self._interval, self._marks, self._colours = interval, marks, colours
        self._scene: Scene | None = None
        self._order, self._processes = ORDERS[0], True
        self._paused = self._helping = False
        self._message = _Message()
        self._settled = False
        self._painted: list[tuple[Line, str]] = []

    def run(self) -> int:
        """The exit code. Raises Ended on a signal and OSError when the terminal is gone."""
        due = time.monotonic()
        while True:
            now = time.monotonic()
            if now >= due and not self._paused:
                interval = min(self._interval, _SOON_S) if is_waiting(self._tick()) else self._interval
                due = _after(due, interval, time.monotonic())
            self._draw()
            event = self._wake.wait(self._patience(due))
            if event.gone:
                return 128 + signal.SIGHUP
            keys = _keys(event.keys)
            if "q" in keys or "\x03" in keys:
                return 0
            if self._heard(event.signals, keys):
                due = min(due, time.monotonic() + self._interval)

    def _tick(self) -> Snapshot:
        snapshot, engines = self._look(None)
        if self._scene is None:
            self._scene = Scene(snapshot)
        elif not self._settled:
            self._settled = True
            settle()
        self._scene.snapshot, self._scene.engines = snapshot, engines
        self._scene.history.note(snapshot)
        return snapshot

    def _patience(self, due: float) -> float:
        ends = [due] if not self._paused else []
        if self._message.text:
            ends.append(self._message.until)
        return max(0.0, min(ends) - time.monotonic()) if ends else 3600.0

    def _draw(self) -> None:
        if self._scene is None:
            return
        scene, marks = self._scene, self._marks
        if self._message.text and time.monotonic() >= self._message.until:
            self._message.text = ""
        scene.order, scene.hints = self._order, HINTS
        scene.processes = None if self._processes else 0
        scene.state = f"by {self._order} {marks.dot} every {self._interval:g} s"
        scene.help = HELP if self._helping else ()
        scene.message = self._message.text or ("paused" if self._paused else "")
        lines = frame(scene, self._screen.columns, self._screen.rows, marks)
        self._screen.draw(self._paint(lines), marks.encoding)

    def _paint(self, lines: list[Line]) -> list[str]:
        """The lines as text; those that stayed as they were are not painted anew."""
        before = self._painted
        self._painted = [
            before[row] if row < len(before) and before[row][0] == line else (line, paint(line, self._colours))
            for row, line in enumerate(lines)
        ]
        return [text for _line, text in self._painted]

    def _heard(self, signals: Sequence[int], keys: Sequence[str]) -> bool:
        """Obey keys and signals; True when the interval has changed."""
        before = self._interval
        for number in signals:
            if number == signal.SIGTSTP:
                self._screen.close()
                self._wake.stop()
                self._screen.open()
            elif number == signal.SIGCONT:
                self._screen.close()
                self._screen.open()
            elif number == signal.SIGWINCH:
                self._screen.measure()
        for key in keys:
            self._pressed(key)
        return self._interval != before

    def _pressed(self, key: str) -> None:
        helping, self._helping = self._helping, False
        if key in "p ":
            self._paused = not self._paused
            self._message.text = ""
        elif key in "+=-_":
            self._interval = slower(self._interval) if key in "+=" else faster(self._interval)
            self._say(f"every {self._interval:g} s")
        elif key in "ms":
            following = ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)]
            self._order = ORDERS[0] if key == "m" else following
            self._say(f"sorted by {self._order}")
        elif key in "et":
            self._processes = not self._processes
            self._say(f"processes {'shown' if self._processes else 'hidden'}")
        elif key in "?h":
            self._helping = not helping

    def _say(self, text: str) -> None:
        self._message = _Message(text, time.monotonic() + _MESSAGE_S)


def settle() -> None:
    """Once everything is loaded: what stays for good is never looked at again by the collector, and memory that only
    loading took goes back to the system.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
    ctypes = sys.modules.get("ctypes")  # there already where a driver was opened; not worth loading otherwise
    if ctypes is not None:
        with contextlib.suppress(AttributeError, OSError):  # only some C libraries have it
            ctypes.CDLL(None).malloc_trim(0)


def _after(due: float, interval: float, now: float) -> float:
    """The next tick; those that were missed are not made up for."""
    following = due + interval
    return following if following > now else now + interval


def _keys(data: bytes) -> list[str]:
    """Plain keys; what terminals send for arrows, the mouse or a paste counts as one unknown key."""
    keys, at = [], 0
    while at < len(data):
        if data[at] != 0x1B:
            keys.append(chr(data[at]))
            at += 1
            continue
        keys.append("\x1b")
        at += 1
        if at < len(data) and data[at] in b"[O":
            at += 1
            while at < len(data) and not 0x40 <= data[at] <= 0x7E:
                at += 1
            at += 1
    return keys


def run_on_terminal(
    wake: Wake, output: int, keys: int | None, look: Look, interval: float, marks: Marks, colours: Mapping[str, str]
) -> int:
    """Open the screen, run, and put the terminal back whatever happens."""
    screen = Screen(wake, output, keys)
    try:
        screen.open()
        return Live(wake, screen, look, interval, marks, colours).run()
    finally:
        screen.close()
