"""The terminal while the monitor is on it: another screen, no cursor, keys as they are pressed; and all of it put back.

Only lines that have changed are written, in one write a picture.
"""

from __future__ import annotations

import os
import select
import termios
from collections.abc import Sequence
from typing import Any

from tui.cli.meter.wake import Wake

_OPEN = b"\x1b[?1049h\x1b[?25l\x1b[2J"
_CLOSE = b"\x1b[0m\x1b[?25h\x1b[?1049l"
_CLOSE_PATIENCE_MS = 500


class Screen:
    """A terminal of its own for as long as it is open. `keys` is None where nobody types."""

    def __init__(self, wake: Wake, output: int, keys: int | None) -> None:
        self._wake, self._output, self._keys = wake, output, keys
        self._modes: list[Any] | None = None
        self._shown: list[str] = []
        self.columns, self.rows = 80, 24

    def open(self) -> None:
        """Take the terminal over. Raises OSError when it is gone."""
        if self._keys is not None:
            try:
                self._take_keys(self._keys)
            except termios.error as error:
                raise OSError(*error.args) from error
        self._wake.write(self._output, _OPEN)
        self.measure()

    def _take_keys(self, keys: int) -> None:
        """Have each key at once, and nothing of it shown."""
        self._modes = termios.tcgetattr(keys)
        fresh = termios.tcgetattr(keys)
        fresh[3] &= ~(termios.ICANON | termios.ECHO)
        fresh[6][termios.VMIN], fresh[6][termios.VTIME] = 1, 0
        termios.tcsetattr(keys, termios.TCSANOW, fresh)

    def close(self) -> None:
        """Give the terminal back as it was, as far as it still takes anything."""
        try:
            termios.tcflow(self._output, termios.TCOON)  # a stopped terminal would never take what follows
            poll = select.poll()
            poll.register(self._output, select.POLLOUT)
            if any(state & select.POLLOUT for _fd, state in poll.poll(_CLOSE_PATIENCE_MS)):
                os.write(self._output, _CLOSE)
        except (OSError, termios.error):
            pass  # it is gone, and with it all that was to be put back
        if self._keys is not None and self._modes is not None:
            try:
                termios.tcsetattr(self._keys, termios.TCSANOW, self._modes)
            except (OSError, termios.error):
                pass
            self._modes = None

    def measure(self) -> None:
        """Take note of the terminal's size; the next picture is drawn as a whole."""
        self._shown = []
        try:
            self.columns, self.rows = os.get_terminal_size(self._output)
        except OSError:
            return  # as before; a terminal that is gone is noticed by whoever writes to it
        if not self.columns or not self.rows:  # a serial line does not know
            self.columns, self.rows = 80, 24

    def draw(self, lines: Sequence[str], encoding: str = "utf-8") -> None:
        """Show these lines, each no wider than the terminal. Raises OSError when it is gone."""
        parts = [] if self._shown else ["\x1b[0m\x1b[2J"]
        shown = self._shown or [""] * self.rows
        lines = [*lines, *[""] * (self.rows - len(lines))][: self.rows]
        for row, (line, before) in enumerate(zip(lines, shown, strict=True), start=1):
            if line != before:
                # Erased first: after a line that fills its row, the cursor may stand on the last sign.
                parts.append(f"\x1b[{row}H\x1b[K{line}")
        if parts:
            self._wake.write(self._output, "".join(parts).encode(encoding, "replace"))
        self._shown = list(lines)
