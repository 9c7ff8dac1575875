"""A line to write something short in, over the screen."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.app.keys import Keymap, install
from tui.app.line_input import LineInput


class WriteScreen(ModalScreen[str | None]):
    """Ends with what was written, or None."""

    AUTO_FOCUS = "Input"

    def __init__(
        self,
        title: str,
        text: str,
        keymap: Keymap,
        *,
        placeholder: str = "",
        hint: str = "",
        problem: Callable[[str], str] = lambda text: "",
    ) -> None:
        """`text` stands in the line at first, `hint` under it. What has a `problem`, in words, is not taken."""
        super().__init__()
        self._title, self._hint, self._problem = title, hint, problem
        self._line = LineInput(text, placeholder=placeholder)
        install(self, keymap, "dialog")

    def compose(self) -> ComposeResult:
        words = Static(Content(self._hint).stylize("$muted"), id="none")
        words.display = bool(self._hint)
        box = Vertical(self._line, words, id="dialog")
        box.border_title = Content(self._title)
        yield box

    def on_input_submitted(self, event: Input.Submitted) -> None:
        problem = self._problem(event.value)
        if not problem:
            self.dismiss(event.value)
            return
        words = self.query_one("#none", Static)
        words.update(Content(problem).stylize("$warning"))
        words.display = True

    def action_close(self) -> None:
        self.dismiss(None)
