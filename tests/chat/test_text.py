"""Titles, and characters that cannot be stored."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.chat.text import TITLE_CHARS, one_line, storable, title_from

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Name three rivers.", "Name three rivers."),
        ("  two\n\n lines\tand tabs ", "two lines and tabs"),
        ("\x1b[31mred\x1b[0m\u202e text", "red text"),
        ("", ""),
        ("word " * 30, "word word word word word word word word word word word word…"),
        ("x" * 200, "x" * TITLE_CHARS + "…"),
    ],
)
def test_a_title_is_the_first_words_on_one_line(text: str, title: str) -> None:
    assert title_from(text) == title


@settings(deadline=None)
@given(ANY_TEXT)
def test_any_text_gives_a_title_that_can_be_shown(text: str) -> None:
    title = title_from(text)
    assert len(title) <= TITLE_CHARS + 1
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in title)
    assert not set(title) & set("\u200b\u200e\u200f\u202a\u202e\u2066\u2069\ufeff")
    assert one_line(title) == title


@settings(deadline=None)
@given(ANY_TEXT)
def test_any_text_can_be_stored_and_good_text_is_left_alone(text: str) -> None:
    stored = storable(text)
    stored.encode()
    if not any(unicodedata.category(char) == "Cs" for char in text):
        assert stored == text


def test_lone_surrogates_become_replacement_characters() -> None:
    assert storable("a\udcffb") == "a\ufffdb"
