"""A request to stop that native code polls. Child processes only."""

from __future__ import annotations

import ctypes

from tui.llama.binding import L

_libc = ctypes.CDLL(None)


class CancelFlag:
    """A flag that llama.cpp polls between operations without Python: its abort callback is libc's strlen over two
    bytes.

    A callback written in Python would take the GIL about a thousand times a token. strlen("") is 0, go on;
    strlen("x") is 1, stop. Set it from any thread.
    """

    def __init__(self) -> None:
        self._bytes = ctypes.create_string_buffer(2)
        self.callback = ctypes.cast(_libc.strlen, L.ggml_abort_callback)
        self.data = ctypes.cast(self._bytes, ctypes.c_void_p)

    def set(self) -> None:
        """Ask for a stop."""
        self._bytes[0] = b"x"

    def clear(self) -> None:
        """Forget the request."""
        self._bytes[0] = b"\0"

    def is_set(self) -> bool:
        """True after `set`."""
        return self._bytes[0] != b"\0"
