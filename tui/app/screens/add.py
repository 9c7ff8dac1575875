"""Which file or folder is to be added: a path that is completed while it is typed. Ends with the path, or with None."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from tui.app.keys import Keymap
from tui.app.line_input import LineInput
from tui.app.list_keys import ListKeys
from tui.app.screens.rows import Choice, RowsScreen
from tui.app.text import size
from tui.library.completion import MOST, Entry, completions

FIRST = "~/"
"""What stands there at first."""


class PathInput(LineInput):
    """The line. Enter and the keys that move are the list's."""

    def __init__(self) -> None:
        super().__init__(FIRST, without=("enter",), select_on_focus=False)


@dataclass
class PathCompleted(Message):
    """What a text may go on with."""

    text: str
    entries: tuple[Entry, ...]


class AddScreen(ListKeys, RowsScreen[str]):
    """The path."""

    AUTO_FOCUS = "PathInput"

    def __init__(self, keymap: Keymap) -> None:
        super().__init__("Add a model", keymap, "list", "path")
        self._listed: str | None = None
        self._after: Callable[[], None] | None = None

    def above(self) -> Iterable[Widget]:
        yield PathInput()

    @property
    def line(self) -> PathInput:
        """What is typed."""
        return self.query_one(PathInput)

    def on_mount(self) -> None:
        self.line.cursor_position = len(self.line.value)
        self.show_rows([])
        self._complete()

    def on_input_changed(self, event: Input.Changed) -> None:
        started_anew = restarted(event.value)
        if started_anew != event.value:
            self.line.value = started_anew  # comes here once more
            self.line.cursor_position = len(started_anew)
            return
        self._complete()

    def on_path_completed(self, event: PathCompleted) -> None:
        """List what came for the text as it still is."""
        if event.text != self.line.value:
            return
        self._listed = event.text
        self.show_rows([_row(entry) for entry in event.entries])
        many = [(f"These are the first {MOST}; go on typing.", "muted")] if len(event.entries) >= MOST else []
        nothing = [] if event.entries else [("There is no folder and no model file that begins so.", "warning")]
        keys = self.hint(("complete", "completes"), ("choose", "takes it"), ("close", "closes this"))
        self.say([*many, *nothing], keys)
        after, self._after = self._after, None
        if after is not None:
            after()

    def action_complete(self) -> None:
        """Write out the selected row."""
        if self._waits(self.action_complete):
            return
        entry = self._entry()
        if entry is not None:
            slash = "/" if entry.is_folder and not entry.text.endswith("/") else ""
            self.line.value = entry.text + slash
            self.line.cursor_position = len(self.line.value)

    def action_choose(self) -> None:
        """Take the selected row; of a folder that is not written out yet, look into it."""
        if self._waits(self.action_choose):
            return
        entry = self._entry()
        if entry is None:
            return
        if entry.is_folder and not entry.is_whole:
            self.action_complete()
        else:
            self.dismiss(entry.text)

    def _waits(self, action: Callable[[], None]) -> bool:
        """Whether the rows are still those of an earlier text: the key then acts on what is typed as soon as that is
        listed, so that a pasted path and Enter never take the folder that stood there before."""
        waits = self._listed != self.line.value
        self._after = action if waits else None
        return waits

    def _entry(self) -> Entry | None:
        row = self.rows.selected
        return row.value if row is not None else None

    def _complete(self) -> None:
        text = self.line.value

        def work() -> None:
            self.post_message(PathCompleted(text, completions(text)))

        self.run_worker(
            work, group="complete", description="complete a path", thread=True, exclusive=True, exit_on_error=False
        )


def restarted(text: str) -> str:
    """A path that begins anew behind another one, as a pasted one does behind what stood there: only that."""
    at = max(text.rfind("//") + 1, text.rfind("/~/") + 1)
    return text[at:]


def _row(entry: Entry) -> Choice:
    if entry.is_whole:
        what = "this folder, and all models below it" if entry.is_folder else "this file"
        return Choice(entry, entry.text, what, size(entry.n_bytes) if entry.n_bytes is not None else "")
    name = entry.path.name + ("/" if entry.is_folder else "")
    return Choice(entry, name, "", size(entry.n_bytes) if entry.n_bytes is not None else "")
