"""The terminal's title, which a window list or tmux shows while one is elsewhere. What stood there before comes back.

Title and its stack are xterm's sequences (OSC 2, CSI 22 ; 2 t and CSI 23 ; 2 t); terminals without a stack ignore the
latter two and are left with an empty title, which their shell fills.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

EVERY_S: Final = 1.0
"""A title changes at most this often."""
_KEEP, _BACK = "\x1b[22;2t", "\x1b[23;2t"


class TerminalTitle:
    """Writes it with `write`. `clock` is monotonic seconds."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._clock = write, clock
        self._shown = ""
        self._changed_at = float("-inf")

    def show(self, text: str) -> None:
        """Put this there, unless it changed just now; empty puts back what stood there before."""
        if not text:
            self.restore()
            return
        now = self._clock()
        if text == self._shown or now - self._changed_at < EVERY_S:
            return
        keep = "" if self._shown else _KEEP
        self._shown, self._changed_at = text, now
        self._write(f"{keep}\x1b]2;{text}\x07")

    def restore(self) -> None:
        """Put back what stood there before."""
        if self._shown:
            self._shown, self._changed_at = "", float("-inf")
            self._write(f"\x1b]2;\x07{_BACK}")
