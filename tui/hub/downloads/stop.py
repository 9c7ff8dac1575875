"""Ending a download from another thread: an event that also wakes whoever waits for the network."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.hub.errors import Cancelled

if TYPE_CHECKING:
    import httpx2


class Stop:
    """Set once, from any thread; nothing is undone by it."""

    def __init__(self) -> None:
        self._is_set = False
        self._changed = threading.Condition()
        self._line: socket.socket | None = None

    def set(self) -> None:
        """End it: whoever waits goes on at once."""
        with self._changed:
            self._is_set = True
            self._changed.notify_all()
            if self._line is not None:
                with contextlib.suppress(OSError):
                    self._line.shutdown(socket.SHUT_RDWR)

    def is_set(self) -> bool:
        """True from the call of `set` on."""
        return self._is_set

    def check(self) -> None:
        """Raise Cancelled when it is set."""
        if self._is_set:
            raise Cancelled

    def wait(self, seconds: float) -> None:
        """Sleep, until somebody hurries. Raises Cancelled as soon as it is set."""
        with self._changed:
            if not self._is_set:
                self._changed.wait(seconds)
        self.check()

    def hurry(self) -> None:
        """Whoever waits now has waited long enough."""
        with self._changed:
            self._changed.notify_all()

    @contextlib.contextmanager
    def reading(self, response: httpx2.Response) -> Iterator[None]:
        """While the block reads this response, `set` ends its connection, however long nothing comes."""
        self._hold(_line(response))
        try:
            self.check()
            yield
        finally:
            self._hold(None)

    def _hold(self, line: socket.socket | None) -> None:
        with self._changed:
            before, self._line = self._line, line
        if before is not None:
            before.close()


def _line(response: httpx2.Response) -> socket.socket | None:
    """The connection under a response, by a descriptor of our own: TLS above it belongs to the reading thread."""
    stream = response.extensions.get("network_stream")
    under = stream.get_extra_info("socket") if stream is not None else None
    if not isinstance(under, socket.socket):
        return None
    try:
        return socket.socket(fileno=os.dup(under.fileno()))
    except OSError:
        return None  # closed already
