"""Streaming: however an answer is cut into fragments, it looks as if it had come whole, and closed pieces are never
rendered again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.app.chat.rendered import answer_lines, streamed_lines, texts
from tests.app.chat.texts import EVERYTHING, MARKDOWN, WIDTHS, fragments, patient
from tui.app.panels.chat.chunk import LONGEST_PIECE
from tui.app.panels.chat.document import Document
from tui.app.panels.chat.entry import Entry
from tui.app.panels.chat.message import TranscriptMessage


@patient
@given(fragments(), WIDTHS)
def test_fragments_make_the_same_lines_as_the_whole(given_text: tuple[str, list[str]], width: int) -> None:
    text, pieces = given_text
    assert streamed_lines(pieces, width) == answer_lines(text, width)


@patient
@given(fragments(st.just(EVERYTHING)))
def test_fragments_of_everything_make_the_same_lines(given_text: tuple[str, list[str]]) -> None:
    text, pieces = given_text
    assert streamed_lines(pieces, 60) == answer_lines(text, 60)


def test_character_by_character_is_the_same_too() -> None:
    assert streamed_lines(EVERYTHING, 47) == answer_lines(EVERYTHING, 47)


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_other_line_ends_are_the_same_however_they_are_cut(newline: str) -> None:
    text = "a\n\nb\n- c\n\n```\nd\n```\n".replace("\n", newline)
    assert streamed_lines(text, 40) == answer_lines(text.replace(newline, "\n"), 40)


@patient
@given(st.integers(min_value=1, max_value=3 * LONGEST_PIECE))
def test_very_long_lines_are_cut_at_places_that_depend_on_the_text_alone(at: int) -> None:
    text = "word " * 3000 + "x" * 12_000
    assert streamed_lines([text[:at], text[at:]], 50) == answer_lines(text, 50)


class Live:
    """An answer on its way, with the count of what was rendered."""

    def __init__(self, width: int = 60) -> None:
        self.document = Document()
        self.document.set_width(width)
        self.entry = Entry(TranscriptMessage("1", "assistant", ""), live=True)
        self.document.add(self.entry)

    def feed(self, text: str) -> int | None:
        self.entry.append(text, "answer")
        return self.document.advance(0)

    def shown(self) -> list[str]:
        return texts((unit.lines or [])[index] for unit, index in self.document.rows(0, 10_000))


def test_a_flush_renders_only_the_open_piece() -> None:
    live = Live()
    for number in range(200):
        live.feed(f"Paragraph {number} with **some** text.\n\n")
    before = live.entry.units_made
    kept = list(live.entry.units[:-1])
    live.feed("one")
    live.feed(" more")
    live.feed(" time")
    assert live.entry.units_made == before + 3
    assert live.entry.units[: len(kept)] == kept


def test_an_open_fence_is_never_rendered_again() -> None:
    live = Live()
    live.feed("```python\n")
    live.feed("x = 0\n")
    made = live.entry.units_made
    fence = live.entry.units[-1]
    for number in range(5000):
        changed = live.feed(f"x = {number}\n")
        assert changed == number + 2  # the new line alone, and the border below it
    assert live.entry.units_made == made
    assert live.entry.units[-1] is fence
    live.feed("```\n")
    assert live.entry.units[-1] is fence


def test_the_end_of_an_open_paragraph_is_what_changes() -> None:
    live = Live(width=20)
    live.feed("one two three four five six")
    assert live.feed(" seven") == 1
    assert live.shown() == ["one two three four", "five six seven"]


def test_what_may_still_become_syntax_is_held_back() -> None:
    live = Live()
    live.feed("Text\n\n")
    for piece in ("`", "`", "`"):
        live.feed(piece)
        assert live.shown() == ["Text"]
    live.feed("sh\nls\n")
    assert live.shown()[1].startswith("┌ sh ─")
    live.feed("`")
    assert [line.strip("│ ") for line in live.shown()[2:-1]] == ["ls"]


def test_numbers_and_dashes_appear_once_more_of_their_line_is_there() -> None:
    live = Live()
    live.feed("Text\n\n1")
    assert live.shown() == ["Text"]
    live.feed(". first")
    assert live.shown() == ["Text", "", "1. first"]


@patient
@given(MARKDOWN)
def test_heights_are_those_of_the_lines_at_every_moment(text: str) -> None:
    live = Live(width=40)
    for at in range(0, len(text), 7):
        live.feed(text[at : at + 7])
        heights = [len(unit.lines or ()) for unit in live.entry.units]
        assert list(live.entry.heights) == heights
        assert live.document.total == sum(heights)
