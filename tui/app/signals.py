"""SIGTERM, SIGHUP, SIGINT and SIGQUIT: end the program in order, give the terminal back as it was, and say 128 + N.

Handlers are in place before the screen opens. While the app runs, a signal asks it to end; should that take too long,
or the signal come twice, the terminal is restored through its driver and the process ends at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final, Protocol

HANDLED: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
PATIENCE_S: Final = 4.0
"""How long an orderly end may take."""


class Terminal(Protocol):
    """The part of our driver that is needed here."""

    def give_back(self) -> None: ...


class Signals:
    """The handlers. Give it the app with `attach`, once there is one."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._ask: Callable[[int], None] | None = None
        self._terminal: Callable[[], Terminal | None] = lambda: None

    def install(self) -> None:
        """Take over the signals. Only from the main thread."""
        for number in HANDLED:
            signal.signal(number, self._handle)

    def attach(self, ask: Callable[[int], None], terminal: Callable[[], Terminal | None]) -> None:
        """`ask` ends the app in order and may be called at any point of the main thread; `terminal` is its driver."""
        self._ask, self._terminal = ask, terminal

    def detach(self) -> None:
        """The app is over; signals end the process from now on."""
        self._ask, self._terminal = None, lambda: None

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        again, self.received = self.received is not None, number
        if self._ask is None:
            raise SystemExit(128 + number)
        if again:
            self.end_now()
        self.expect_end()
        self._ask(number)

    def expect_end(self, code: int | None = None) -> None:
        """End the process by force should it still be there after a while: a thread that reads from a disk that does
        not answer would hold it up for ever."""
        timer = threading.Timer(PATIENCE_S, self.end_now, (code,))
        timer.daemon = True
        timer.start()

    def end_now(self, code: int | None = None) -> None:
        """Restore the terminal and leave, whatever else is going on."""
        restore = threading.Thread(target=self._restore, daemon=True)
        restore.start()
        restore.join(1.0)  # a terminal that is gone may never take the bytes
        os._exit(128 + (self.received or signal.SIGHUP) if code is None else code)

    def _restore(self) -> None:
        terminal = self._terminal()
        if terminal is not None:
            terminal.give_back()


def is_terminal() -> bool:
    """True when a person can read and type here."""
    return all(stream is not None and stream.isatty() for stream in (sys.__stdin__, sys.__stdout__))
