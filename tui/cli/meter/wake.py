"""Waits for whatever comes first: the next tick, a key, a signal, or the end of the terminal or pipe.

Signals that end a program are kept until they can be obeyed in order; a write that a stopped terminal blocks is broken
off by them.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType, TracebackType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_OTHERS = (signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT)
_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL


class Ended(BaseException):
    """A signal asks this program to end. The exit code is 128 + its number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number


@dataclass(frozen=True, slots=True)
class Event:
    """Why the wait is over; nothing set means that the time is."""

    keys: bytes = b""
    signals: tuple[int, ...] = ()
    gone: bool = False
    """Nobody is at the other end any more."""


class Wake:
    """A context: signals are its own inside. `keys` is a terminal's descriptor or None; `output` is watched for its
    end; with `screen` it is a terminal that is drawn on, so its size and being stopped matter.
    """

    def __init__(self, keys: int | None, output: int, *, screen: bool = False) -> None:
        self._keys, self._output, self._screen = keys, output, screen
        self._received: list[int] = []
        self._breakable = False
        self._before: dict[int, object] = {}
        self._poll = select.poll()
        self._reader = self._writer = -1

    def __enter__(self) -> Wake:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in (*ENDING, *(_OTHERS if self._screen else ())):
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup, or a shell's background job: left as it is
                self._before[number] = signal.signal(number, self._handle)
        self._poll.register(self._reader, select.POLLIN)
        self._poll.register(self._output, 0)
        if self._keys is not None:
            self._poll.register(self._keys, select.POLLIN)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]  # whatever getsignal gave
        signal.set_wakeup_fd(-1)
        os.close(self._reader)
        os.close(self._writer)

    def wait(self, seconds: float) -> Event:
        """Wait at most so long. Raises Ended for a signal that ends the program."""
        ready = dict(self._poll.poll(max(0, round(seconds * 1000))))
        if self._reader in ready:
            os.read(self._reader, 4096)
        # One by one: another may be received meanwhile, and none is lost.
        signals = tuple(self._received.pop(0) for _ in range(len(self._received)))
        for number in signals:
            if number in ENDING:
                raise Ended(number)
        if self._keys is not None and ready.get(self._keys, 0) & select.POLLIN:
            try:
                keys = os.read(self._keys, 256)
            except OSError:
                keys = b""
            return Event(keys, signals, gone=not keys)
        return Event(b"", signals, gone=any(state & _GONE for state in ready.values()))

    def write(self, descriptor: int, data: bytes) -> None:
        """Write all of it. Raises OSError when nobody reads any more, Ended for a signal meanwhile."""
        with self.breakable():
            view = memoryview(data)
            while view:
                try:
                    view = view[os.write(descriptor, view) :]
                except BlockingIOError:
                    select.select([], [descriptor], [])

    def stop(self) -> None:
        """Do what the key for suspending asks for; returns when the shell lets this program go on."""
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._handle)

    @contextmanager
    def breakable(self) -> Iterator[None]:
        """Inside, a signal that ends the program is obeyed at once: whatever waits is broken off by Ended."""
        self._breakable = True
        try:
            for number in self._received:
                if number in ENDING:
                    raise Ended(number)
            yield
        finally:
            self._breakable = False

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self._received.append(number)
        if self._breakable and number in ENDING:
            self._breakable = False
            raise Ended(number)
