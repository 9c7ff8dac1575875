"""A real terminal for tests and benchmarks: a program in a pty, with pyte as the screen that a person would see."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyte


class TerminalError(AssertionError):
    """The program did not do what was waited for; the text ends with its screen."""


class Terminal:
    """Runs `command` on a screen of `columns` × `rows`. `raw` holds every byte that it wrote."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 40,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> None:
        self.raw = bytearray()
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._screen.write_process_input = self._answer
        self.begun = time.perf_counter()
        self.status: int | None = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            _become(command, {"TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})}, cwd)
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size; the program gets SIGWINCH."""
        self._screen.resize(rows, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str | bytes) -> None:
        """Send keys as a terminal sends them."""
        os.write(self.fd, text.encode() if isinstance(text, str) else text)

    def pump(self, timeout_s: float, *, draw: bool = True) -> bool | None:
        """Read what is there: True when something came, None at the end. `draw=False` leaves the screen model alone."""
        if not select.select([self.fd], [], [], timeout_s)[0]:
            return False
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:
            return None
        if not data:
            return None
        self.raw += data
        if draw:
            try:
                self._stream.feed(data)
            except Exception:  # pyte knows fewer sequences than terminals do, and raises what it likes
                return True
        return True

    def text(self) -> str:
        """The screen as lines of text."""
        return "\n".join(self._screen.display)

    def wait(self, test: Callable[[str], Any], limit_s: float = 30.0) -> float:
        """Read until `test(screen text)` is true; the moment of it. Raises TerminalError."""
        until = time.perf_counter() + limit_s
        while not test(self.text()):
            left = until - time.perf_counter()
            ended = left > 0 and self.pump(min(left, 0.05)) is None
            if (left <= 0 or ended) and not test(self.text()):
                what = "the program ended" if ended else f"nothing after {limit_s:.0f} s"
                raise TerminalError(f"{what}; the screen was:\n{self.text()}")
        return time.perf_counter()

    def wait_for(self, text: str, limit_s: float = 30.0) -> float:
        """Read until `text` is on the screen."""
        return self.wait(lambda screen: text in screen, limit_s)

    def echo(self, character: str, limit_s: float = 5.0) -> float | None:
        """Milliseconds from typing `character` to its bytes in the output, or None when they never came.

        Choose one that occurs nowhere else. The screen model is left alone meanwhile, so that it costs nothing.
        """
        mark, begun, wanted = len(self.raw), time.perf_counter(), character.encode()
        self.type(wanted)
        while time.perf_counter() - begun < limit_s:
            if self.pump(0.02, draw=False) is None:
                return None
            if wanted in self.raw[mark:]:
                return (time.perf_counter() - begun) * 1000
        return None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        os.kill(self.pid, number)

    def end(self, limit_s: float = 15.0) -> int:
        """Read until the program has ended; its exit code, negative for a signal. Raises TerminalError."""
        until = time.perf_counter() + limit_s
        while self.status is None:
            self.pump(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.perf_counter() > until:
                raise TerminalError(f"it has not ended after {limit_s:.0f} s; the screen was:\n{self.text()}")
        while self.pump(0.05):
            pass
        return self.status

    def close(self) -> None:
        """End the program if it runs, and the terminal."""
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it ended by itself just now
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self, reply: str) -> None:
        os.write(self.fd, reply.encode())


def _become(command: Sequence[str], env: Mapping[str, str], cwd: str | None) -> None:
    for number in (signal.SIGINT, signal.SIGQUIT):  # a shell's background job has them ignored
        signal.signal(number, signal.SIG_DFL)
    os.environ.update(env)
    if cwd:
        os.chdir(cwd)
    try:
        os.execvp(command[0], list(command))
    except OSError as error:
        os.write(2, str(error).encode())
        os._exit(127)
