"""What is said to the person: sentences that stay for a while, and text that goes to the terminal's clipboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from tui.app import clipboard
from tui.app.keys import Keymap, show_key
from tui.app.text import clean_lines

if TYPE_CHECKING:
    from tui.app.app import PunaApp

NOTICE_S = 8.0
"""How long a notice stays; errors stay longer."""


class Told(Message):
    """Something a worker has to say."""

    def __init__(self, words: str, severity: str = "information") -> None:
        super().__init__()
        self.words, self.severity = words, severity


class Speech:
    """Says things on the screen of an app."""

    app: PunaApp
    keymap: Keymap

    def tell(self, words: str, severity: str = "information") -> None:
        """Show a sentence for a while."""
        if not words:
            return
        if severity == "error":
            self.app.notify(clean_lines(words), severity="error", markup=False, timeout=NOTICE_S * 2)
        elif severity == "warning":
            self.app.notify(clean_lines(words), severity="warning", markup=False, timeout=NOTICE_S)
        else:
            self.app.notify(clean_lines(words), markup=False, timeout=NOTICE_S)

    def copy(self, text: str, what: str) -> None:
        """Send text to the terminal's clipboard, and say so; `what` begins the sentence."""
        self.app.to_terminal(clipboard.sequence(text))
        words = f"{what} was sent to the terminal's clipboard."
        write = self.keymap.keys["write_answer"]
        if clipboard.too_long(text):
            words = f"{what} is too long for most terminals' clipboards; it was sent all the same."
        if write:
            words += f" {show_key(write[0])} writes the answer to a file instead."
        self.app.notify(words, markup=False)

    def on_told(self, event: Told) -> None:
        """A worker has something to say."""
        self.tell(event.words, event.severity)
