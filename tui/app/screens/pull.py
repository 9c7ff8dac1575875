"""A line to name a model on the Hub, and what the Hub says to that: it stays open until there is something to fetch."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.app.keys import Keymap, install
from tui.app.line_input import LineInput
from tui.app.text import clean_lines

_HINT = "org/repo, org/repo:QUANT, or the address of a page or a file; without a quantization the usual one is proposed"


class PullScreen(ModalScreen[None]):
    """Calls `look_up` with what was entered; whoever that is answers with `say`, or by taking the screen away."""

    AUTO_FOCUS = "Input"

    def __init__(self, keymap: Keymap, look_up: Callable[[str], None]) -> None:
        super().__init__()
        self._look_up = look_up
        install(self, keymap, "dialog")

    def compose(self) -> ComposeResult:
        line = LineInput(placeholder="org/repo:QUANT")
        box = Vertical(line, Static(Content(_HINT).stylize("$muted"), id="none"), id="dialog")
        box.border_title = Content("Pull a model from the Hub")
        yield box

    def on_input_submitted(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        if text:
            self.say("Asking the Hub", "$muted")
            self._look_up(text)

    def say(self, words: str, color: str = "$warning") -> None:
        """Show this under the line."""
        self.query_one("#none", Static).update(Content(clean_lines(words)).stylize(color))

    def action_close(self) -> None:
        self.dismiss()
