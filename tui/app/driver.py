"""Textual's terminal driver with three things that it lacks: a lost terminal ends the program, standard error may be a
file, and Alt with a digit or Enter is a key. Pinned to one Textual version, since it replaces the reading of keys.
"""

from __future__ import annotations

import os
import selectors
import sys
from codecs import getincrementaldecoder
from collections.abc import Iterable
from typing import Any, TextIO, cast

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message


class TerminalLost(Message):
    """The terminal is gone: nothing more can be read from it or shown on it."""


class _Output:
    """The terminal as a file that never fails: what cannot be written any more is dropped. Textual's writing thread
    would die of an error, and the program then wait for it for ever."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        try:
            return self._file.write(text)
        except (OSError, ValueError):
            return len(text)

    def flush(self) -> None:
        try:
            self._file.flush()
        except (OSError, ValueError):
            pass  # the reading thread notices, and ends the program

    def fileno(self) -> int:
        return self._file.fileno()


class Keyboard(XTermParser):
    """Bytes of a terminal as keys. Every terminal sends Esc and the key for Alt with it. Textual takes that with a
    digit for the sign that a Mac writes so, and with Enter for two keys."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if sequence == "\x1b\r":
            return (events.Key("alt+enter", None),)
        if len(sequence) == 2 and isinstance(ANSI_SEQUENCES_KEYS.get(sequence), str):
            return super()._sequence_to_key_events(sequence[1], alt=True)
        return super()._sequence_to_key_events(sequence, alt)


class PunaDriver(LinuxDriver):
    """The driver. Keys arrive as with Textual's own."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        # `puna 2>errors.txt` still shows the screen.
        file = sys.__stderr__ if sys.__stderr__ is not None and sys.__stderr__.isatty() else sys.__stdout__
        assert file is not None
        self._file = cast("Any", _Output(file))

    def _sigcont_application(self, *arguments: object) -> None:
        """Come back from a stop. Hanging up sends SIGCONT to a program that was never stopped: nothing happens then."""
        if self._must_signal_resume:
            super()._sigcont_application(*arguments)

    def write(self, data: str) -> None:
        """Send something to the terminal; while another program has it, nothing: all is drawn anew afterwards."""
        if self._writer_thread is not None:
            super().write(data)

    def give_back(self) -> None:
        """Restore the terminal from any thread, for an end that the loop does not come to."""
        self._disable_mouse_support()  # Textual does this behind a call that only its main thread may make
        self.stop_application_mode()
        self.close()

    def run_input_thread(self) -> None:
        """Read keys until told to stop, or until the terminal is gone."""
        parser = Keyboard(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(0.1):
                    try:
                        data = os.read(self.fileno, 4096)
                    except OSError:
                        data = b""
                    if not data:  # end of file: select would come back at once, for ever
                        self.process_message(TerminalLost())
                        return
                    for event in parser.feed(decode(data)):
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)
        try:
            for _event in parser.feed(""):
                pass
        except (EOFError, ParseError):
            pass
