"""A text that opens over the screen, to be read and closed: the help, the engine's log, what a load would take."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.app.keys import Keymap, install
from tui.config.actions import ACTIONS, GROUP_TITLES


class ReadScreen(ModalScreen[None]):
    """The text."""

    AUTO_FOCUS = "#text"

    def __init__(self, title: str, text: Content, keymap: Keymap, *, at_end: bool = False) -> None:
        super().__init__()
        self._title, self._text, self._at_end = title, text, at_end
        install(self, keymap, "dialog")

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="text") as box:
            box.border_title = Content(self._title)
            yield Static(self._text)

    def put(self, text: Content) -> None:
        """Show another text at the same place."""
        self._text = text
        for words in self.query("#text Static").results(Static):  # none before it is on the screen
            words.update(text)

    def on_mount(self) -> None:
        if self._at_end:
            self.call_after_refresh(self.query_one("#text").scroll_end, animate=False)

    def action_close(self) -> None:
        self.dismiss()


def help_text(keymap: Keymap, ascii_only: bool) -> Content:
    """Every action with its keys, by where they work."""
    parts: list[tuple[str, str] | Content] = []
    for group, title in GROUP_TITLES.items():
        parts.append((f"{title}\n", "bold $accent"))
        for action in ACTIONS:
            if action.group == group:
                keys = keymap.shown(action.id, ascii_only) or "no key"
                parts += [(f"  {keys:<18} ", "$foreground"), (f"{action.help}\n", "$muted")]
        parts.append(Content("\n"))
    parts.append(('Keys can be changed in config.toml: [keys], action = "key". The names of the actions:\n', "$muted"))
    parts.append((", ".join(action.id for action in ACTIONS), "$faint"))
    for problem in keymap.problems:
        parts.append((f"\n\n{problem}", "$warning"))
    return Content.assemble(*parts)
