"""The text of the prompt with its cursor: inserting, deleting, moving by characters and words, undoing. No widget.

Positions are (line, index of a character in it). A character is what a person sees as one: the cursor never stands
inside an emoji or between a letter and its accent.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Literal

from tui.app.panels.chat.sanitize import unify_newlines, without_controls
from tui.app.panels.chat.wrap import graphemes

Position = tuple[int, int]
Kind = Literal["type", "erase", "other"]

_KEPT_EDITS = 1000
_NEAR = 64
"""Characters around the cursor that are looked at to find where the next one begins."""
_WORD_BEFORE = r"(?:\w+|[^\w\s]+)\s*$|\s+$"
_WORD_AFTER = r"\s*(?:\w+|[^\w\s]+)|\s+"


class _Edit:
    """One change: at `start`, `removed` gave way to `inserted`; the cursor was at `before`."""

    __slots__ = ("before", "inserted", "kind", "removed", "start")

    def __init__(self, start: Position, removed: str, inserted: str, before: Position, kind: Kind) -> None:
        self.start = start
        self.removed = removed
        self.inserted = inserted
        self.before = before
        self.kind = kind


class EditBuffer:
    """Lines of text, a cursor, and what was done to them."""

    def __init__(self, text: str = "") -> None:
        self.lines = [""]
        self.cursor: Position = (0, 0)
        self.revision = 0
        """Grows with every change of the text."""
        self._done: deque[_Edit] = deque(maxlen=_KEPT_EDITS)
        self._undone: list[_Edit] = []
        if text:
            self.reset(text)

    @property
    def text(self) -> str:
        """Everything."""
        return "\n".join(self.lines)

    @property
    def empty(self) -> bool:
        """There is no text at all."""
        return len(self.lines) == 1 and not self.lines[0]

    @property
    def end(self) -> Position:
        """The position behind the last character."""
        return len(self.lines) - 1, len(self.lines[-1])

    @property
    def line(self) -> str:
        """The line that the cursor is in."""
        return self.lines[self.cursor[0]]

    # ---- changing -------------------------------------------------------------------------------------------------

    def reset(self, text: str) -> None:
        """Other text, with nothing to undo."""
        self.lines = without_controls(unify_newlines(text)).split("\n")
        self.cursor = self.end
        self._done.clear()
        self._undone.clear()

    def replace_all(self, text: str) -> None:
        """Other text, in one step that can be undone."""
        self._change((0, 0), self.end, text, "other")

    def insert(self, text: str, kind: Kind = "other") -> None:
        """Put text where the cursor is."""
        self._change(self.cursor, self.cursor, text, kind)

    def replace(self, start: Position, text: str) -> None:
        """Put text in the place of what stands between `start` and the cursor."""
        self._change(start, self.cursor, text, "other")

    def type(self, character: str) -> None:
        """Insert what was typed: a word of it is undone in one step."""
        self.insert(character, "type")

    def erase_left(self) -> None:
        """Delete the character before the cursor."""
        self._change(self.left(), self.cursor, "", "erase")

    def erase_right(self) -> None:
        """Delete the character after the cursor."""
        self._change(self.cursor, self.right(), "", "other")

    def erase_word_left(self) -> None:
        """Delete back to the beginning of a word."""
        self._change(self.word_left(), self.cursor, "", "other")

    def erase_word_right(self) -> None:
        """Delete up to the end of a word."""
        self._change(self.cursor, self.word_right(), "", "other")

    def erase_to_line_start(self) -> None:
        """Delete back to the beginning of the line, or the line break before it."""
        line, column = self.cursor
        self._change((line, 0) if column else self.left(), self.cursor, "", "other")

    def erase_to_line_end(self) -> None:
        """Delete up to the end of the line, or the line break after it."""
        line, column = self.cursor
        end = len(self.lines[line])
        self._change(self.cursor, (line, end) if column < end else self.right(), "", "other")

    def undo(self) -> bool:
        """Take back the last change. Returns whether there was one."""
        if not self._done:
            return False
        edit = self._done.pop()
        self._apply(edit.start, _after(edit.start, edit.inserted), edit.removed)
        self.cursor = edit.before
        self._undone.append(edit)
        return True

    def redo(self) -> bool:
        """Do again what was taken back last. Returns whether there was something."""
        if not self._undone:
            return False
        edit = self._undone.pop()
        self.cursor = self._apply(edit.start, _after(edit.start, edit.removed), edit.inserted)
        self._done.append(edit)
        return True

    def _change(self, start: Position, end: Position, text: str, kind: Kind) -> None:
        text = without_controls(unify_newlines(text))
        removed = self._between(start, end)
        if not text and not removed:
            return
        edit = _Edit(start, removed, text, self.cursor, kind)
        self.cursor = self._apply(start, end, text)
        self._undone.clear()
        if not self._merge(edit):
            self._done.append(edit)

    def _merge(self, edit: _Edit) -> bool:
        """Make a typed or erased character part of the change before it, if that is the same word."""
        last = self._done[-1] if self._done else None
        if last is None or last.kind != edit.kind or edit.kind == "other" or "\n" in edit.inserted + edit.removed:
            return False
        if edit.kind == "type" and _after(last.start, last.inserted) == edit.start:
            if edit.inserted.isspace() or last.inserted.endswith("\n"):
                return False
            last.inserted += edit.inserted
            return True
        if edit.kind == "erase" and _after(edit.start, edit.removed) == last.start and not edit.removed.isspace():
            last.removed = edit.removed + last.removed
            last.start = edit.start
            return True
        return False

    def _between(self, start: Position, end: Position) -> str:
        (first, left), (last, right) = start, end
        if first == last:
            return self.lines[first][left:right]
        return "\n".join([self.lines[first][left:], *self.lines[first + 1 : last], self.lines[last][:right]])

    def _apply(self, start: Position, end: Position, text: str) -> Position:
        """Replace without remembering it; returns the position behind the new text."""
        head, tail = self.lines[start[0]][: start[1]], self.lines[end[0]][end[1] :]
        self.lines[start[0] : end[0] + 1] = (head + text + tail).split("\n")
        self.revision += 1
        return _after(start, text)

    # ---- where the cursor could go --------------------------------------------------------------------------------

    def left(self) -> Position:
        """One character back."""
        line, column = self.cursor
        if column == 0:
            return (line - 1, len(self.lines[line - 1])) if line else (0, 0)
        near = self.lines[line][max(0, column - _NEAR) : column]
        return line, column - 1 if near[-2:].isascii() else column - len(near) + graphemes(near)[-1][0]

    def right(self) -> Position:
        """One character on."""
        line, column = self.cursor
        text = self.lines[line]
        if column >= len(text):
            return (line + 1, 0) if line + 1 < len(self.lines) else (line, column)
        near = text[column : column + _NEAR]
        return line, column + (1 if near[:2].isascii() else graphemes(near)[0][1])

    def word_left(self) -> Position:
        """Back to the beginning of a word; from the beginning of a line to the end of the one before."""
        line, column = self.cursor
        if column == 0:
            return self.left()
        near = self.lines[line][max(0, column - 4096) : column]
        found = re.search(_WORD_BEFORE, near)
        return line, column - len(near) + (found.start() if found else 0)

    def word_right(self) -> Position:
        """On to the end of a word; from the end of a line to the beginning of the next."""
        line, column = self.cursor
        text = self.lines[line]
        if column >= len(text):
            return self.right()
        found = re.match(_WORD_AFTER, text[column : column + 4096])
        return line, column + found.end() if found else len(text)


def _after(start: Position, text: str) -> Position:
    """The position behind `text` that begins at `start`."""
    breaks = text.count("\n")
    if not breaks:
        return start[0], start[1] + len(text)
    return start[0] + breaks, len(text) - text.rfind("\n") - 1
