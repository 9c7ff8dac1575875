"""A line to write something short in, over the screen."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from tui.app.keys import Keymap, install


class WriteScreen(ModalScreen[str | None]):
    """Ends with what was written, or None."""

    AUTO_FOCUS = "Input"

    def __init__(self, title: str, text: str, keymap: Keymap, *, placeholder: str = "") -> None:
        """`text` stands in the line at first."""
        super().__init__()
        self._title, self._line = title, Input(text, placeholder=placeholder, id="filter", compact=True)
        install(self, keymap, "dialog")

    def compose(self) -> ComposeResult:
        box = Vertical(self._line, id="dialog")
        box.border_title = Content(self._title)
        yield box

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)

    def action_close(self) -> None:
        self.dismiss(None)
