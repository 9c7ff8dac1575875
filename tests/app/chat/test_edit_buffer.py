"""The prompt's text: every edit, its undoing, and a cursor that never stands inside a character."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.app.chat.texts import patient
from tui.app.panels.chat.edit_buffer import EditBuffer, Position
from tui.app.panels.chat.edit_history import PromptHistory
from tui.app.panels.chat.wrap import graphemes

TEXT = st.text(alphabet=st.sampled_from([*list("ab c\n\t漢é👍"), "́", "\u200d", "🏽", "🇩"]), max_size=12)


def buffer(text: str, cursor: Position | None = None) -> EditBuffer:
    made = EditBuffer(text)
    if cursor is not None:
        made.cursor = cursor
    return made


class Editing(RuleBasedStateMachine):
    """Any edits in any order, beside a plain string that has the same done to it."""

    def __init__(self) -> None:
        super().__init__()
        self.buffer = EditBuffer()
        self.states = [""]

    def _after(self) -> None:
        if self.buffer.text != self.states[-1]:
            self.states.append(self.buffer.text)

    @rule(text=TEXT)
    def insert(self, text: str) -> None:
        at = self._offset()
        before = self.buffer.text
        self.buffer.insert(text)
        assert self.buffer.text == before[:at] + text + before[at:]
        assert self._offset() == at + len(text)
        self._after()

    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        buffer = self.buffer
        buffer.cursor = data.draw(
            st.sampled_from([buffer.left(), buffer.right(), buffer.word_left(), buffer.word_right()])
        )

    @rule()
    def erase_left(self) -> None:
        at, before = self._offset(), self.buffer.text
        self.buffer.erase_left()
        assert self.buffer.text == before[: self._offset()] + before[at:]
        self._after()

    @rule()
    def erase_right(self) -> None:
        at, before = self._offset(), self.buffer.text
        self.buffer.erase_right()
        assert self.buffer.text.startswith(before[:at])
        assert self._offset() == at
        self._after()

    @rule(text=TEXT)
    def replace_all(self, text: str) -> None:
        self.buffer.replace_all(text)
        assert self.buffer.text == text
        self._after()

    @rule()
    def undo_and_redo(self) -> None:
        after = self.buffer.text
        if self.buffer.undo():
            assert self.buffer.redo()
        assert self.buffer.text == after

    @invariant()
    def the_cursor_is_inside(self) -> None:
        line, column = self.buffer.cursor
        assert 0 <= line < len(self.buffer.lines)
        assert 0 <= column <= len(self.buffer.lines[line])

    def _offset(self) -> int:
        line, column = self.buffer.cursor
        return sum([len(text) + 1 for text in self.buffer.lines[:line]]) + column

    def teardown(self) -> None:
        while self.buffer.undo():
            pass
        assert self.buffer.text == ""


TestEditing = Editing.TestCase
TestEditing.settings = patient


@patient
@given(st.text(alphabet="a漢é\u0301👩‍💻🇩🇪🏽 ", max_size=40))
def test_moving_stops_between_characters_only(text: str) -> None:
    made = buffer(text, (0, 0))
    ends = [0, *[end for _, end, _ in graphemes(text)]]
    stops = [0]
    while made.right() != made.cursor:
        made.cursor = made.right()
        stops.append(made.cursor[1])
    assert stops == sorted(set(ends))


@pytest.mark.parametrize(
    ("text", "cursor", "action", "result", "after"),
    [
        ("one two", (0, 7), EditBuffer.erase_word_left, "one ", (0, 4)),
        ("one two  ", (0, 9), EditBuffer.erase_word_left, "one ", (0, 4)),
        ("one::two", (0, 5), EditBuffer.erase_word_left, "onetwo", (0, 3)),
        ("one two", (0, 3), EditBuffer.erase_word_right, "one", (0, 3)),
        ("a\nb", (1, 0), EditBuffer.erase_word_left, "ab", (0, 1)),
        ("one two", (0, 3), EditBuffer.erase_to_line_start, " two", (0, 0)),
        ("a\nb", (1, 0), EditBuffer.erase_to_line_start, "ab", (0, 1)),
        ("one two", (0, 3), EditBuffer.erase_to_line_end, "one", (0, 3)),
        ("a\nb", (0, 1), EditBuffer.erase_to_line_end, "ab", (0, 1)),
        ("a\nb", (1, 0), EditBuffer.erase_left, "ab", (0, 1)),
        ("a\nb", (0, 1), EditBuffer.erase_right, "ab", (0, 1)),
        ("", (0, 0), EditBuffer.erase_left, "", (0, 0)),
        ("x👩‍💻", (0, 4), EditBuffer.erase_left, "x", (0, 1)),
    ],
)
def test_erasing(
    text: str, cursor: Position, action: Callable[[EditBuffer], None], result: str, after: Position
) -> None:
    made = buffer(text, cursor)
    action(made)
    assert (made.text, made.cursor) == (result, after)
    made.undo()
    assert (made.text, made.cursor) == (text, cursor)


def test_typing_is_undone_by_words() -> None:
    made = EditBuffer()
    for character in "one two":
        made.type(character)
    made.undo()
    assert made.text == "one"
    made.undo()
    assert made.text == ""
    made.redo()
    made.redo()
    assert made.text == "one two"
    assert not made.redo()


def test_a_new_edit_ends_redoing() -> None:
    made = EditBuffer()
    made.type("a")
    made.undo()
    made.type("b")
    assert not made.redo()
    assert made.text == "b"


def test_pasted_line_ends_and_escapes() -> None:
    made = EditBuffer()
    made.insert("a\r\nb\rc\x1b[31md\x00")
    assert made.lines == ["a", "b", "cd"]


def test_words_across_lines() -> None:
    made = buffer("one two\nthree", (1, 0))
    made.cursor = made.word_left()
    assert made.cursor == (0, 7)
    made.cursor = made.word_right()
    assert made.cursor == (1, 0)
    made.cursor = made.word_right()
    assert made.cursor == (1, 5)
    assert made.word_right() == (1, 5)


def test_history_keeps_what_is_being_written() -> None:
    history = PromptHistory()
    history.set(["first", " ", "second"])
    assert history.older("draft") == "second"
    assert history.older("second") == "first"
    assert history.older("first") is None
    assert history.newer() == "second"
    assert history.newer() == "draft"
    assert history.newer() is None
    history.add("second")
    history.add("third")
    assert history.older("") == "third"
    assert history.older("") == "second"
    assert history.older("") == "first"
