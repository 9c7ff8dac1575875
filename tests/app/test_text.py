"""Words and numbers of the screen, whatever comes in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.app.text import brief, clean, clean_lines, fit, fit_right, gib, plural, rate, size, thousands
from tui.app.when import DAY, HOUR, ago

GIB = 1 << 30


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain", "plain"),
        ("two\nlines\tand  tabs", "two lines and tabs"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]52;c;aGVsbG8=\x1b\\after", "after"),
        ("\x1bPq#0;2;0;0;0\x1b\\sixel", "sixel"),
        ("bell\x07 and \x9b31mC1", "bell and C1"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("\ud800broken", "\ufffdbroken"),
        ("[bold]not markup[/x]", "[bold]not markup[/x]"),
    ],
)
def test_what_a_terminal_would_obey_is_taken_out(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text())
def test_cleaned_text_has_no_controls_and_stays_clean(text: str) -> None:
    for cleaned in (clean(text), clean_lines(text)):
        assert not any(ord(character) < 32 and character != "\n" for character in cleaned)
        assert not any(0x7F <= ord(character) <= 0x9F for character in cleaned)
        cleaned.encode("utf-8")
    assert "\n" not in clean(text)
    assert clean(clean(text)) == clean(text)


@given(st.text(), st.integers(0, 30))
def test_text_is_cut_or_padded_to_cells(text: str, width: int) -> None:
    assert cell_len(fit(clean(text), width)) == width
    assert cell_len(fit_right(clean(text), width)) == width


def test_numbers_as_people_say_them() -> None:
    assert [thousands(number) for number in (7, 1200, 1234567)] == ["7", "1 200", "1 234 567"]
    assert [brief(number) for number in (0, 149, 1100, 3100, 8192, 16384, 131072, 1_200_000)] == [
        "0", "149", "1.1 k", "3.1 k", "8 k", "16 k", "128 k", "1.2 M",
    ]  # fmt: skip
    assert [gib(number) for number in (GIB // 2, 31 * GIB + GIB // 5, 251 * GIB)] == ["0.5", "31.2", "251"]
    assert [size(number) for number in (500, 98 << 20, 5 * GIB)] == ["500 B", "98 MiB", "5.0 GiB"]
    assert [rate(speed) for speed in (8.44, 61.2)] == ["8.4 tok/s", "61 tok/s"]
    assert [plural(number, "model") for number in (1, 2)] == ["1 model", "2 models"]


def test_times_as_people_say_them() -> None:
    now = 1_700_000_000.0
    assert [ago(now - age, now) for age in (3, 300, 3 * HOUR, 1.5 * DAY, 4 * DAY)] == [
        "just now", "5 min", "3 h", "yesterday", "4 d",
    ]  # fmt: skip
    assert ago(now - 100 * DAY, now).startswith("2023-08")
    assert ago(now + 50, now) == "just now"
