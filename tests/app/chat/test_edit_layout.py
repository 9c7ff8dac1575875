"""Where the prompt's rows begin and where its cursor is drawn."""

from __future__ import annotations

import itertools

from hypothesis import assume, given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.app.chat.texts import patient
from tui.app.panels.chat.edit_buffer import EditBuffer
from tui.app.panels.chat.edit_layout import EditLayout, Row, shown, starts
from tui.app.panels.chat.wrap import graphemes

TEXT = st.text(alphabet="ab  \n\t漢字é👩‍💻\u202e", max_size=80)


def layout(text: str, width: int, cursor: tuple[int, int] | None = None) -> EditLayout:
    buffer = EditBuffer(text)
    if cursor is not None:
        buffer.cursor = cursor
    made = EditLayout(buffer)
    made.width = width
    return made


@patient
@given(TEXT, st.integers(4, 40))
def test_rows_fit_and_cover_their_line(text: str, width: int) -> None:
    for line in text.split("\n"):
        begins = [*starts(line, width), len(line)]
        assert begins[0] == 0
        assert begins == sorted(begins)
        for first, last in itertools.pairwise(begins):
            assert cell_len(shown(line[first:last]).rstrip(" \u200d")) <= width


@patient
@given(TEXT, st.integers(4, 40), st.data())
def test_a_position_is_found_again_where_it_is_drawn(text: str, width: int, data: st.DataObject) -> None:
    made = layout(text, width)
    line = data.draw(st.integers(0, text.count("\n")))
    content = text.split("\n")[line]
    assume("\t" not in content)  # a tab at the edge hangs over it by more than one column
    stops = [0, *[end for _, end, _ in graphemes(content)]]
    position = (line, data.draw(st.sampled_from(stops)))
    row = made.row_of(position)
    start, end = made.span(row)
    assert start <= position[1] <= end
    found = made.position(row, made.cells(position))
    assert made.cells(found) == made.cells(position)


@patient
@given(TEXT, st.integers(4, 40), st.integers(1, 8), st.data())
def test_the_cursor_is_always_in_the_window(text: str, width: int, height: int, data: st.DataObject) -> None:
    made = layout(text, width)
    lines = text.split("\n")
    for _ in range(4):
        line = data.draw(st.integers(0, len(lines) - 1))
        made._buffer.cursor = (line, data.draw(st.integers(0, len(lines[line]))))
        rows = made.window(height)
        assert made.row_of(made._buffer.cursor) in rows
        assert len(rows) == min(height, made.height(1000))
        assert rows[0] == made.top


def test_rows_above_and_below() -> None:
    made = layout("one two three\nx", 8)
    assert made.below(Row(0, 0)) == Row(0, 1)
    assert made.below(Row(0, 1)) == Row(1, 0)
    assert made.below(Row(1, 0)) is None
    assert made.above(Row(1, 0)) == Row(0, 1)
    assert made.above(Row(0, 0)) is None
    assert made.height(8) == 3
    assert made.height(2) == 2
    assert made.text(Row(0, 1)) == "three"


def test_a_megabyte_in_one_line_is_cut_without_being_looked_at() -> None:
    for text in ("x" * 1_000_000, "漢" * 1_000_000):
        made = layout(text, 80)
        assert len(made.window(8)) == 8
        assert made.row_of((0, 500_000)) == Row(0, 500_000 // (80 if text[0] == "x" else 20))
        assert isinstance(starts(text, 80), range)
