"""Nothing that a terminal would obey passes, and everything that a person could read does."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.app.chat.texts import patient
from tui.app.panels.chat.sanitize import clean, clean_lines, expand_tabs, one_line, steady, without_controls


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[?25l\x1b[2J\x1b[1;1Hx", "x"),
        ("\x9b31mred", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]52;c;aGk=\x07", ""),
        ("\x1bP1$r0m\x1b\\x", "x"),
        ("\x1b]never ended, so it is text", "never ended, so it is text"),
        ("\x1b(0lqk\x1b(B", "lqk"),
        ("\x1bcreset", "reset"),
        ("a\x00b\x08c\x7fd\x9ce", "abcde"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("a\u2066b\u2069\u200e\u200f\ufeff\u200bc", "abc"),
        ("line\u2028separator", "line separator"),
        ("half \ud800 pair", "half \ufffd pair"),
        ("hidden\U000e0041\U000e0042", "hidden"),
        ("tab\tstays", "tab\tstays"),
        ("e" + "\u0301" * 50, "e" + "\u0301" * 8),
        ("نص عربي می‌خواهم", "نص عربي می‌خواهم"),
        ("क्षत्रिय", "क्षत्रिय"),
    ],
)
def test_clean(raw: str, safe: str) -> None:
    assert clean(raw) == safe


@patient
@given(st.text())
def test_nothing_dangerous_is_left(text: str) -> None:
    for made in (clean(text), one_line(text)):
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]", made)
        assert not any(unicodedata.category(character) == "Cs" for character in made)
        made.encode("utf-8")
    assert clean(clean(text)) == clean(text) or "\x1b" in text or "\x9b" in text


@patient
@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S"), max_codepoint=0xFFFF)))
def test_letters_numbers_and_signs_pass(text: str) -> None:
    assert clean(text) == text


def test_lines_end_in_every_way() -> None:
    assert clean_lines("a\r\nb\rc\nd") == ["a", "b", "c", "d"]


def test_pasted_text_keeps_what_can_have_been_meant() -> None:
    assert without_controls("a\tb\nc\x1b[31md\x07\u200f") == "a\tb\ncd\u200f"


def test_tabs_and_emoji_sequences() -> None:
    assert expand_tabs("a\tb") == "a   b"
    assert steady("👩‍💻👍🏽☀️") == "👩💻👍☀"
    assert one_line("a\tb") == "a b"
