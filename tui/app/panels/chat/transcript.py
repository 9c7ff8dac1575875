"""The transcript: one hand-drawn widget that shows a conversation of any length and streams answers at a flat cost.

Data goes in, nothing of an engine is known here. Appending only marks the widget; one tick of the app calls `flush`,
which renders the open piece of the answer and repaints the lines that changed. Everything from outside is cleaned
before it is drawn. What renders messages is imported with the first one, markdown-it-py with the first answer and
Pygments with the first code: none of them is part of the first frame. `warm_up` imports them in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Literal

from textual import events
from textual.message import Message

from tui.app.panels.chat.lines import BLANK, Line, emphasised, line
from tui.app.panels.chat.message import Channel, TranscriptMessage
from tui.app.panels.chat.sanitize import one_line
from tui.app.panels.chat.view import DocumentView
from tui.app.panels.chat.wrap import wrap

if TYPE_CHECKING:
    from tui.app.panels.chat.conversation import Conversation
    from tui.app.panels.chat.strips import Instead

Wish = Literal["edit", "delete", "older", "newer", "copy"]

__all__ = ["Channel", "Transcript", "TranscriptMessage", "warm_up"]


class Transcript(DocumentView):
    """A conversation. See the module for what it costs and what it never does.

    | Key(s) | What it does |
    | :- | :- |
    | up, k / down, j | Scroll by a line. |
    | pageup / pagedown | Scroll by a page. |
    | home, g | Go to the beginning. |
    | end, G | Go to the end and follow what is written there. |

    Component classes are `transcript--` and a name of `looks.NAMES`.
    """

    class Wanted(Message):
        """Something is to be done with a message."""

        def __init__(self, what: Wish, key: str | None) -> None:
            super().__init__()
            self.what: Wish = what
            self.key = key
            """Of the chosen message; None when none was chosen."""

    def __init__(
        self,
        *,
        ascii_only: bool = False,
        measure: int = 120,
        clock: Callable[[], float] = monotonic,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """`measure`: text is never wider than this many columns; 0 is no limit. `clock` times thinking, in seconds."""
        super().__init__(ascii_only=ascii_only, measure=measure, name=name, id=id, classes=classes)
        self._clock = clock
        self._talk: Conversation | None = None
        self._empty: list[str] = []

    @property
    def conversation(self) -> Conversation:
        """What is shown. Made when it is first needed."""
        if self._talk is None:
            from tui.app.panels.chat.conversation import Conversation

            self._talk = Conversation(self._clock)
            self.show_document(self._talk.document)
        return self._talk

    # ---- messages -------------------------------------------------------------------------------------------------

    def set_messages(self, messages: Sequence[TranscriptMessage]) -> None:
        """Show these messages, from their end. Those shown already keep what is drawn of them."""
        if messages or self._talk is not None:
            self.conversation.set_messages(messages)
            self.follow = True
            self.renew()

    def add_message(self, message: TranscriptMessage) -> None:
        """Append a message. A person's own message is always brought into view."""
        self.conversation.add(message)
        if message.role == "user":
            self.follow = True
        self.renew()

    def remove_message(self, key: str) -> bool:
        """Take a message or a card out. Returns whether it was there."""
        removed = self.conversation.remove(key)
        if removed:
            self.renew()
        return removed

    def add_card(self, title: str, lines: Sequence[str], *, key: str = "") -> str:
        """Append a framed notice. Lines keep their indentation, and `**key**` stands out in them. Returns its key, for
        `remove_message`."""
        key = self.conversation.add_card(title, lines, key)
        self.renew()
        return key

    # ---- the answer that is being written -------------------------------------------------------------------------

    @property
    def answering(self) -> bool:
        """An answer is being written."""
        return self._talk is not None and self._talk.live is not None

    def begin_answer(self, key: str, label: str = "", version: str = "") -> None:
        """Begin the answer that `append` adds to. One that was not ended is ended."""
        self.conversation.begin(key, label, version)
        self.flush()

    def append(self, text: str, channel: Channel = "answer") -> None:
        """More of the answer, of any length. Shown by the next `flush`; text after the end is dropped."""
        if self._talk is not None:
            self._talk.append(text, channel)

    def set_progress(self, text: str) -> None:
        """What the answer is waiting for, such as how much of the prompt is read; shown until its first text."""
        if self._talk is not None:
            self._talk.set_progress(text)

    def end_answer(self, note: str = "", *, failed: bool = False) -> None:
        """The answer is complete. `note` says how it ended when that is worth saying; `failed` makes it an error."""
        if self._talk is not None:
            self._talk.end(note, failed=failed)
            self.flush()

    @property
    def needs_flush(self) -> bool:
        """Whether `flush` has something to do. Not while the transcript is hidden: it catches up when it is shown."""
        return self._talk is not None and self.laid_out and (self._talk.waiting or bool(self.leftovers))

    def flush(self) -> bool:
        """Show what has changed since the last flush; call it from one tick for all panes. Returns whether it did
        something. A call costs the open piece of the answer, however long the transcript is."""
        if self._talk is None or not self.laid_out:
            return False
        if self._talk.waiting:
            changed = self._talk.advance()
            if changed is not None:
                self.settle(changed)
            return True
        return self.leftovers.do()

    def fit(self) -> None:
        """The size is known or another one: wrap again, and show what came while there was none."""
        super().fit()
        if self._talk is not None and self._talk.waiting:
            self.flush()

    def show_pictures(self, instead: Instead | None) -> None:
        """Images are shown as the app says, with what `instead` has in place of half blocks."""
        self.strips.instead = instead
        self._choose_glyphs()
        self.renew()

    # ---- one message among them -----------------------------------------------------------------------------------

    @property
    def selected(self) -> str | None:
        """Key of the message that keys are about; None when none was chosen."""
        return self._talk.selected if self._talk is not None else None

    def select(self, key: str | None) -> None:
        """Choose a message and bring its beginning into view; None chooses none."""
        if self._talk is None or key == self._talk.selected:
            return
        self._talk.select(key)
        self.flush()
        line = self._talk.line_of(key) if key is not None else None
        if line is not None and not self.top <= line < self.top + self.height - 2:
            self.scroll_to(y=line, animate=False, force=True)

    def _step(self, step: int) -> None:
        if self._talk is not None:
            key = self._talk.neighbour(self._talk.selected, step)
            self.select(key if key is not None else self._talk.selected)

    def action_previous_message(self) -> None:
        self._step(-1)

    def action_next_message(self) -> None:
        self._step(1)

    def action_edit_message(self) -> None:
        self._want("edit")

    def action_delete_message(self) -> None:
        self._want("delete")

    def action_older_version(self) -> None:
        self._want("older")

    def action_newer_version(self) -> None:
        self._want("newer")

    def action_copy_message(self) -> None:
        self._want("copy")

    def _want(self, what: Wish) -> None:
        self.post_message(self.Wanted(what, self.selected))

    # ---- thinking -------------------------------------------------------------------------------------------------

    def toggle_thinking(self, key: str | None = None) -> bool:
        """Fold or unfold the thinking of a message; without a key, of the last one on screen. Returns whether there
        was any."""
        if self._talk is None:
            return False
        entry = self._talk.last_thinking_before(self.top + self.height - 1) if key is None else self._talk.entry(key)
        if entry is None or not entry.thinking:
            return False
        self._talk.toggle_thinking(entry)
        self.flush()
        return True

    def action_toggle_thinking(self) -> None:
        """Fold or unfold the last thinking on screen."""
        self.toggle_thinking()

    def on_click(self, event: events.Click) -> None:
        """A click on the line about the thinking folds or unfolds it."""
        entry = self._talk.thinking_line_at(self.top + event.y) if self._talk is not None else None
        if entry is not None:
            self.toggle_thinking(entry.message.key)
            event.stop()

    # ---- text -----------------------------------------------------------------------------------------------------

    def plain_text(self, key: str | None = None) -> str:
        """The source of one message as it was given, or of all with who said it; without thinking and notes."""
        if self._talk is None:
            return ""
        if key is None:
            return self._talk.plain_text()
        entry = self._talk.entry(key)
        return "" if entry is None else entry.text

    @property
    def code_count(self) -> int:
        """How many numbered code blocks there are."""
        return 0 if self._talk is None else self._talk.document.fence_count

    def code_block(self, number: int) -> str | None:
        """The source of the code block with this number, or None."""
        return None if self._talk is None else self._talk.document.fence(number)

    # ---- the empty state ------------------------------------------------------------------------------------------

    def set_empty(self, lines: Sequence[str]) -> None:
        """What an empty transcript shows in its middle: a title, then lines in which `**key**` stands out."""
        self._empty = [one_line(text) for text in lines]
        if not self.shows_document:
            self.refresh()

    def empty_rows(self, width: int, height: int) -> list[Line]:
        lines: list[Line] = []
        for index, text in enumerate(self._empty):
            runs = emphasised(text, "empty-title" if index == 0 else "empty")
            lines.extend(wrap(runs, max(1, width)))
        above = max(0, (height - len(lines)) // 2)
        centred = [line((" " * ((width - len(one.text)) // 2), ""), *one.runs) for one in lines]
        return [BLANK] * above + centred


def warm_up() -> None:
    """Import what rendering the first answer needs. Takes some 0.2 s; safe in a thread, after the first frame."""
    import tui.app.panels.chat.conversation  # noqa: F401
    from tui.app.panels.chat.code import coloured_lines
    from tui.app.panels.chat.inline import parser

    parser()
    for language in ("python", "bash"):
        list(coloured_lines("x = 1", language))
