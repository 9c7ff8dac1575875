"""A question over the screen that one says yes to, or closes."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.app.keys import Keymap, install


class ConfirmScreen(ModalScreen[bool | None]):
    """Ends with True, or None. `keys` says which keys do what."""

    def __init__(self, title: str, lines: tuple[str, ...], keys: str, keymap: Keymap) -> None:
        super().__init__()
        self._title, self._lines, self._keys = title, lines, keys
        install(self, keymap, "dialog", "list")

    def compose(self) -> ComposeResult:
        words = Content.assemble("\n".join(self._lines), "\n\n", (self._keys, "$accent"))
        box = Vertical(Static(words, id="question"), id="dialog")
        box.border_title = Content(self._title)
        yield box

    def action_choose(self) -> None:
        self.dismiss(True)

    def action_close(self) -> None:
        self.dismiss(None)
