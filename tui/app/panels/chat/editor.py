"""The prompt: a light editor of several lines, drawn by hand.

Textual's TextArea costs a third of the first frame; this one is there with it. Only rows that look different after a
key are painted again, and only lines near the cursor are laid out, so that neither a stream beside it nor a pasted
megabyte slows a key down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual import events
from textual.message import Message

from tui.app.panels.chat.edit_buffer import EditBuffer, Position
from tui.app.panels.chat.edit_history import PromptHistory
from tui.app.panels.chat.edit_view import EditView
from tui.app.typed import is_typed


class PromptEditor(EditView):
    """A prompt of one to `max_rows` rows; more text scrolls.

    | Key(s) | What it does |
    | :- | :- |
    | enter | Send; after a backslash, a new line. |
    | ctrl+j, alt+enter, shift+enter | A new line. |
    | up / down | A row up or down; on the first and last row, through what was sent before. |
    | left, right, ctrl+left, ctrl+right, home, end, ctrl+e | Move. |
    | backspace, delete, ctrl+w, alt+backspace, alt+d | Delete a character or a word. |
    | ctrl+u / ctrl+k | Delete to the beginning or the end of the line. |
    | ctrl+z / ctrl+y | Undo and redo. |
    | tab | Behind @ and the beginning of a path: complete it. |
    """

    class Submitted(Message):
        """Enter was pressed, and the text taken out: what is typed from now on is another prompt. Who cannot use it
        gives it back."""

        def __init__(self, editor: PromptEditor, text: str) -> None:
            super().__init__()
            self.editor = editor
            """Where."""
            self.text = text
            """The whole prompt."""

        @property
        def control(self) -> PromptEditor:
            """Where."""
            return self.editor

    class Changed(Message):
        """The text is another one. Read `editor.text` when you need it: it may be large."""

        def __init__(self, editor: PromptEditor) -> None:
            super().__init__()
            self.editor = editor
            """Where."""

        @property
        def control(self) -> PromptEditor:
            """Where."""
            return self.editor

    class Completing(Message):
        """A path behind an @ is to be completed; `complete` takes the answer."""

        def __init__(self, editor: PromptEditor, begun: str) -> None:
            super().__init__()
            self.editor = editor
            """Where."""
            self.begun = begun
            """What there is of the path."""

        @property
        def control(self) -> PromptEditor:
            """Where."""
            return self.editor

    def __init__(
        self,
        text: str = "",
        *,
        placeholder: str = "",
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(EditBuffer(text), placeholder, name=name, id=id, classes=classes, disabled=disabled)
        self._history = PromptHistory()
        self._goal = -1  # the column that up and down aim at
        self._keys = self._key_table()

    def _key_table(self) -> dict[str, Callable[[], object]]:
        buffer = self.buffer
        return {
            "enter": self._enter,
            "ctrl+j": self._break_line,
            "alt+enter": self._break_line,
            "shift+enter": self._break_line,
            "left": lambda: self._go(buffer.left()),
            "right": lambda: self._go(buffer.right()),
            "ctrl+left": lambda: self._go(buffer.word_left()),
            "alt+b": lambda: self._go(buffer.word_left()),
            "ctrl+right": lambda: self._go(buffer.word_right()),
            "alt+f": lambda: self._go(buffer.word_right()),
            "home": lambda: self._go((buffer.cursor[0], self._row_edge(0))),
            "end": lambda: self._go((buffer.cursor[0], self._row_edge(1))),
            "ctrl+e": lambda: self._go((buffer.cursor[0], self._row_edge(1))),
            "ctrl+home": lambda: self._go((0, 0)),
            "ctrl+end": lambda: self._go(buffer.end),
            "backspace": buffer.erase_left,
            "delete": buffer.erase_right,
            "ctrl+w": buffer.erase_word_left,
            "alt+backspace": buffer.erase_word_left,
            "alt+d": buffer.erase_word_right,
            "ctrl+u": buffer.erase_to_line_start,
            "ctrl+k": buffer.erase_to_line_end,
            "ctrl+z": buffer.undo,
        }

    # ---- text -----------------------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The whole prompt. Setting it puts the cursor at its end, and can be undone."""
        return self.buffer.text

    @text.setter
    def text(self, text: str) -> None:
        self._do(lambda: self.buffer.replace_all(text))

    def clear(self) -> None:
        """No text. Can be undone."""
        self.text = ""

    def insert(self, text: str) -> None:
        """Put text where the cursor is."""
        self._do(lambda: self.buffer.insert(text))

    @property
    def cursor(self) -> Position:
        """Line and index of the character that the cursor stands before."""
        return self.buffer.cursor

    @property
    def begun(self) -> str | None:
        """The path behind an @ that the cursor stands at the end of; None where there is none."""
        from tui.chat.attachments import begun

        line, column = self.buffer.cursor
        return begun(self.buffer.lines[line][:column])

    def complete(self, path: str, *, whole: bool) -> None:
        """Put `path` in the place of the one that is begun; `whole`: no more of it is to come."""
        from tui.chat.attachments import quoted

        if self.begun is None:
            return
        line, column = self.buffer.cursor
        start = self.buffer.lines[line].rfind("@", 0, column - len(self.begun))
        done = whole and not path.endswith("/")
        text = quoted(path) if done else path
        self._do(lambda: self.buffer.replace((line, start + 1), f"{text} " if done else text))

    def set_history(self, texts: Iterable[str]) -> None:
        """What was sent before, from old to new. What is sent from here is added by itself."""
        self._history.set(texts)

    # ---- keys -----------------------------------------------------------------------------------------------------

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Letters belong to the prompt, whatever they do elsewhere."""
        return is_typed(key, character)

    def on_key(self, event: events.Key) -> None:
        """Edit. What the prompt does not know goes on to the app."""
        action = self._keys.get(event.key)
        if action is not None:
            self._do(action)
        elif event.key in ("up", "down"):
            self._up_or_down(-1 if event.key == "up" else 1)
        elif event.key == "tab" and (begun := self.begun) is not None:
            self.post_message(self.Completing(self, begun))
        elif event.key == "ctrl+y":
            if not self._do(self.buffer.redo):
                return
        elif event.character and is_typed(event.key, event.character):
            character = event.character
            self._do(lambda: self.buffer.type(character))
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Pasted text goes in as it is, its line breaks too; only control characters stay out. Files that are dropped
        on the terminal are mentioned."""
        from tui.chat.attachments import pasted

        self.insert(pasted(event.text) or event.text)
        event.stop()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the click was."""
        rows = self.wrapped.window(self.size.height)
        if event.y < len(rows):
            self._do(lambda: self._go(self.wrapped.position(rows[event.y], event.x)))

    def _do(self, action: Callable[[], object]) -> object:
        """Do something to the buffer and show what it made different; returns what it returned."""
        buffer = self.buffer
        before, revision = buffer.cursor, buffer.revision
        self._goal = -1
        result = action()
        if buffer.revision != revision:
            self._history.rest()
            self._text_changed()
        elif buffer.cursor != before:
            self.show_changes()
        return result

    def _text_changed(self) -> None:
        self.post_message(self.Changed(self))
        self.show_changes()

    def _go(self, position: Position) -> None:
        self.buffer.cursor = position

    def _row_edge(self, side: int) -> int:
        """The character at the beginning (0) or the end (1) of the row on screen that the cursor is in."""
        row = self.wrapped.row_of(self.buffer.cursor)
        start, end = self.wrapped.span(row)
        if side == 0:
            return start
        last = end == len(self.buffer.line)
        return end if last else self.wrapped.position(row, self.wrapped.width)[1]

    def _enter(self) -> None:
        """Send; a backslash before the cursor asks for a new line instead."""
        column = self.buffer.cursor[1]
        if column and column == len(self.buffer.line) and self.buffer.line.endswith("\\"):
            self.buffer.erase_left()
            self._break_line()
            return
        text = self.text
        if text.strip():
            self._history.add(text)
            self.buffer.replace_all("")
            self.post_message(self.Submitted(self, text))

    def _break_line(self) -> None:
        self.buffer.insert("\n")

    def _up_or_down(self, step: int) -> None:
        """A row up or down; from the first and the last row into the history."""
        wrapped, buffer = self.wrapped, self.buffer
        row = wrapped.row_of(buffer.cursor)
        target = wrapped.above(row) if step < 0 else wrapped.below(row)
        if target is None:
            self._recall(step)
            return
        goal = self._goal if self._goal >= 0 else wrapped.cells(buffer.cursor)
        buffer.cursor = wrapped.position(target, goal)
        self._goal = goal
        self.show_changes()

    def _recall(self, step: int) -> None:
        text = self._history.older(self.text) if step < 0 else self._history.newer()
        if text is None:
            return
        self.buffer.replace_all(text)
        if step < 0:  # the next press of the same key leads on to what is older still
            self.buffer.cursor = (0, len(self.buffer.lines[0]))
        self._goal = -1
        self._text_changed()
