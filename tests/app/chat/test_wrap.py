"""Wrapping: words stay whole, characters are never cut, nothing is lost, and joints say what stood between lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.app.chat.texts import patient
from tui.app.panels.chat.lines import copied, emphasised, first_difference, line
from tui.app.panels.chat.sanitize import steady
from tui.app.panels.chat.wrap import clip, graphemes, wrap, wrap_hard

TEXT = st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=200).map(steady)
WIDTH = st.integers(min_value=4, max_value=60)


def lines(text: str, width: int) -> list[str]:
    return [made.text for made in wrap([(text, "")], width)]


@patient
@given(st.lists(TEXT, min_size=1, max_size=5), WIDTH)
def test_wrapped_lines_fit_and_lose_nothing(parts: list[str], width: int) -> None:
    runs = [(part, str(index)) for index, part in enumerate(parts)]
    made = wrap(runs, width)
    text = "".join(parts)
    assert all(cell_len(one.text) <= width for one in made)
    whole = "".join([(one.joint or "") + one.text for one in made])
    assert whole.replace(" ", "") == text.replace(" ", "")


@patient
@given(TEXT, WIDTH)
def test_code_lines_fit_and_keep_every_blank(text: str, width: int) -> None:
    made = wrap_hard([(text, "")], width)
    assert all(cell_len(one.text) <= width for one in made)
    assert "".join([one.text for one in made]) == text


@patient
@given(st.lists(st.text(alphabet="abc漢字 ", min_size=1, max_size=9), min_size=1, max_size=9), WIDTH)
def test_styles_stay_with_their_text(parts: list[str], width: int) -> None:
    runs = [(part, str(index)) for index, part in enumerate(parts)]
    wanted = "".join([style * len(text.replace(" ", "")) for text, style in runs])
    found = "".join([style * len(text.replace(" ", "")) for one in wrap(runs, width) for text, style in one.runs])
    assert found == wanted


@patient
@given(TEXT)
def test_graphemes_cover_the_text_and_add_up_to_its_width(text: str) -> None:
    clusters = graphemes(text)
    assert "".join([text[start:end] for start, end, _ in clusters]) == text
    assert sum([cells for _, _, cells in clusters]) == cell_len(text)


def test_words_stay_whole() -> None:
    assert lines("one two three", 8) == ["one two", "three"]
    assert lines("one  two", 4) == ["one", "two"]
    assert lines("", 8) == [""]
    assert lines("a\n\nb", 8) == ["a", "", "b"]


def test_a_word_wider_than_the_line_is_cut() -> None:
    assert lines("ab abcdefghij", 4) == ["ab", "abcd", "efgh", "ij"]


def test_wide_characters_break_anywhere_but_before_closing_marks() -> None:
    assert lines("漢字漢字", 4) == ["漢字", "漢字"]
    assert lines("漢字漢。", 6) == ["漢字", "漢。"]
    assert lines("漢「字」", 4) == ["漢", "「字", "」"]
    assert lines("漢字word漢字", 8) == ["漢字word", "漢字"]


def test_characters_of_several_code_points_are_not_cut() -> None:
    assert lines("🇩🇪🇫🇷🇮🇹", 4) == ["🇩🇪🇫🇷", "🇮🇹"]
    assert lines("éééééé", 4) == ["éééé", "éé"]


def test_a_joiner_joins_emoji_only() -> None:
    assert [end for _, end, _ in graphemes("a\u200d字👩\u200d💻")] == [2, 3, 6]


def test_joints_tell_wrapped_lines_from_written_ones() -> None:
    assert [one.joint for one in wrap([("one two\nabcdefghij", "")], 4)] == [None, " ", None, "", ""]


def test_copied_text_is_as_written() -> None:
    made = wrap([("one two three four\nfive", "")], 9)
    assert copied(made) == "one two three four\nfive"


def test_clipping_says_that_it_clipped() -> None:
    assert clip("short", 8, "…") == "short"
    assert clip("a long title", 6, "…") == "a lon…"
    assert clip("漢字漢字", 5, "…") == "漢字…"
    assert clip("x", 0, "…") == ""


def test_the_first_difference() -> None:
    one, two = line(("a", "")), line(("b", ""))
    assert first_difference([one, one], [one, two]) == 1
    assert first_difference([one], [one, two]) == 1
    assert first_difference([], []) == 0


def test_keys_stand_out() -> None:
    assert emphasised("press **o** now", "x") == [("press ", "x"), ("o", "x key"), (" now", "x")]
