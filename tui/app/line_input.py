"""A line that is typed into: what is pasted comes as one line, without anything that a terminal would obey.

Textual's own line takes a paste as it came and draws it so.
"""

from __future__ import annotations

from textual import events
from textual.widgets import Input

from tui.app.text import clean
from tui.app.typed import is_typed

MOST_TYPED = 4096
"""Characters that a line takes: longer than any path."""


class LineInput(Input):
    """The line. `without` are keys that belong to others: enter, where a list below takes it.

    ctrl+a belongs to screen.
    """

    def __init__(
        self,
        text: str = "",
        *,
        placeholder: str = "",
        id: str = "filter",
        most: int = MOST_TYPED,
        without: tuple[str, ...] = (),
        select_on_focus: bool = True,
    ) -> None:
        super().__init__(
            text, placeholder=placeholder, id=id, compact=True, max_length=most, select_on_focus=select_on_focus
        )
        for key in ("ctrl+a", *without):
            self._bindings.key_to_bindings.pop(key, None)

    def on_paste(self, event: events.Paste) -> None:
        """Its first line, as far as there is room."""
        event.prevent_default()
        event.stop()
        lines = event.text.strip().splitlines()
        if lines:
            room = (self.max_length or MOST_TYPED) - len(self.value) + len(self.selected_text)
            self.replace(clean(lines[0])[: max(0, room)], *self.selection)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """What is typed belongs here."""
        return is_typed(key, character)

    async def _on_key(self, event: events.Key) -> None:
        if event.key.startswith("alt+"):
            event.prevent_default()  # Textual would type the letter; so it goes on to the keys of the screen
