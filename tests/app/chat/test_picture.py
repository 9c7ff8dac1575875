"""Small pictures in the transcript: half blocks of the image's own colours, within bounds, never on the clipboard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.app.panels.chat.glyphs import ASCII, UNICODE, UNICODE_NO_COLOUR, Glyphs
from tui.app.panels.chat.lines import copied
from tui.app.panels.chat.message import Picture
from tui.app.panels.chat.picture import MOST_CELLS, MOST_ROWS, PictureUnit

RED, BLUE = b"\xff\0\0", b"\0\0\xff"


def drawn(picture: Picture, width: int = 80, glyphs: Glyphs = UNICODE) -> PictureUnit:
    unit = PictureUnit(picture)
    unit.draw(width, glyphs)
    return unit


def test_two_pixels_are_a_cell() -> None:
    unit = drawn(Picture("flag.png, 4 × 3 pixels", 4, 3, RED * 4 + BLUE * 6 + RED * 2))
    assert unit.lines is not None
    name, upper, lower = unit.lines
    assert name.text == "flag.png, 4 × 3 pixels"
    assert upper.runs == (("▀▀▀▀", "#ff0000#0000ff"),)
    assert lower.runs == (("▀▀", "#0000ff"), ("▀▀", "#ff0000"))
    assert copied(unit.lines).strip() == name.text


@pytest.mark.parametrize("glyphs", [ASCII, UNICODE_NO_COLOUR])
def test_where_there_is_no_colour_or_no_block_the_name_stands_alone(glyphs: Glyphs) -> None:
    assert len(drawn(Picture("flag.png", 2, 2, RED * 4), glyphs=glyphs).lines or ()) == 1
    assert len(drawn(Picture("gone.png, not here any more")).lines or ()) == 1


@given(st.integers(1, 128), st.integers(1, 96), st.integers(1, 200))
def test_any_size_stays_within_its_bounds_and_is_as_high_as_it_was_guessed(wide: int, high: int, width: int) -> None:
    picture = Picture("x.png", wide, high, bytes(3 * wide * high))
    unit = drawn(picture, width)
    assert unit.lines is not None
    assert len(unit.lines) == PictureUnit(picture).estimate(width) <= 1 + MOST_ROWS
    assert all(len(line.text) <= min(width, MOST_CELLS) for line in unit.lines)
