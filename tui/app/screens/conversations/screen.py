"""The list of conversations as it opens over the screen. It knows no store: it asks, is told what was found, and says
what a person wants done with the conversation under the cursor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.app.keys import Keymap, install
from tui.app.list_keys import ListKeys
from tui.app.screens.choose import Filter
from tui.app.screens.conversations.rows import ConversationRows, Heads, Row, rows_of
from tui.app.text import plural

if TYPE_CHECKING:
    from tui.chat.finding import Found
    from tui.chat.values import Conversation

Wish = Literal["pin", "archive", "tag", "rename", "title", "delete", "restore", "export", "import"]
PLACEHOLDER = "words in titles and messages, #tag"
SEARCHING = "Nothing yet; older messages are still looked at."
SHORT = 16
"""Rows of a terminal below which there is no line of column heads."""


@dataclass(frozen=True)
class Chosen:
    """What is to be opened."""

    conversation_id: int
    message_id: int | None
    """The message to go to; None for the end."""


class ConversationsScreen(ListKeys, ModalScreen[Chosen | None]):
    """Ends with what is to be opened, or None. Letters go into the search line; `tab` goes to the list, where plain
    keys work, and back."""

    AUTO_FOCUS = "Input"

    class Asked(Message):
        """Other conversations are to be shown, by `show`."""

        def __init__(self, text: str, archived: bool) -> None:
            super().__init__()
            self.text, self.archived = text, archived

    class Wanted(Message):
        """Something is to be done; `conversation` is the one under the cursor, None when there is none."""

        def __init__(self, what: Wish, conversation: Conversation | None) -> None:
            super().__init__()
            self.what: Wish = what
            self.conversation = conversation

    def __init__(self, keymap: Keymap, current: int | None = None) -> None:
        """`current` is the conversation that the cursor begins at."""
        super().__init__()
        self._current, self._archived = current, False
        install(self, keymap, "dialog", "list", "conversations")

    def compose(self) -> ComposeResult:
        search = Filter()
        search.placeholder = PLACEHOLDER
        yield Vertical(search, Heads(id="heads"), Static(id="none"), ConversationRows(id="found"), id="dialog")

    def on_mount(self) -> None:
        self.query_one("#dialog").add_class("-list")
        self.query_one("#none").display = False
        self._title()
        self.ask()

    def on_resize(self, event: events.Resize) -> None:
        self.query_one("#heads").display = event.size.height >= SHORT

    # ---- what is asked, and what was found

    @property
    def rows(self) -> ConversationRows:
        """The list."""
        return self.query_one(ConversationRows)

    @property
    def text(self) -> str:
        """What is searched for."""
        return self.query_one(Filter).value

    def ask(self) -> None:
        """Have the list brought up to date."""
        self.post_message(self.Asked(self.text, self._archived))

    def show(self, text: str, found: Found) -> None:
        """Show what was found for `text`; of the same text, more of which was found, the cursor stays on its row."""
        rows, selected = rows_of(found.listed), self.rows.selected
        same = not text or text == self._shown
        kept = selected.key if selected is not None and same else (self._current, None)
        self._current = None
        at = next((place for place, row in enumerate(rows) if row.key == kept), None)
        before = self.rows.index if self.rows.rows and text == self._shown else 0
        self._shown = text
        self.rows.set_rows(rows, before if at is None else at)
        nothing = self.query_one("#none", Static)
        nothing.update(Content(self._nothing(text) if found.complete else SEARCHING).stylize("$muted"))
        nothing.display = not rows  # the list stays, since what is hidden loses the focus
        self.query_one("#dialog").border_subtitle = Content(self._count(found))

    _shown = ""

    def _nothing(self, text: str) -> str:
        if text.strip():
            return "Nothing is found. Every word has to be there, or begin one that is."
        return "Nothing is put away." if self._archived else "There are no conversations yet."

    def _count(self, found: Found) -> str:
        count = plural(len(found.listed), "conversation") if found.listed else ""
        return count if found.complete else f"{count} so far" if count else ""

    def _title(self) -> None:
        title = "Archived conversations" if self._archived else "Conversations"
        self.query_one("#dialog").border_title = Content(title)

    def on_input_changed(self) -> None:
        self.ask()

    # ---- keys

    def action_search_line(self) -> None:
        """From the search line to the list, and back."""
        (self.rows if self.query_one(Filter).has_focus else self.query_one(Filter)).focus()

    def action_show_archived(self) -> None:
        self._archived = not self._archived
        self._title()
        self.ask()

    def action_pin(self) -> None:
        self._want("pin")

    def action_archive(self) -> None:
        self._want("archive")

    def action_tag(self) -> None:
        self._want("tag")

    def action_rename(self) -> None:
        self._want("rename")

    def action_title_by_model(self) -> None:
        self._want("title")

    def action_delete_conversation(self) -> None:
        self._want("delete")

    def action_restore_conversation(self) -> None:
        self._want("restore")

    def action_export(self) -> None:
        self._want("export")

    def action_import(self) -> None:
        self._want("import")

    def _want(self, what: Wish) -> None:
        row = self.rows.selected
        self.post_message(self.Wanted(what, row.conversation if row is not None else None))

    def on_row_list_moved(self, event: ConversationRows.Moved) -> None:
        event.stop()

    def on_row_list_chosen(self, event: ConversationRows.Chosen) -> None:
        event.stop()
        self.action_choose()

    def action_first(self) -> None:
        self.rows.action_first()

    def action_last(self) -> None:
        self.rows.action_last()

    def action_choose(self) -> None:
        row: Row | None = self.rows.selected
        if row is not None:
            self.dismiss(Chosen(row.conversation.id, row.message_id))

    def action_close(self) -> None:
        self.dismiss(None)
