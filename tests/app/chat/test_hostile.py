"""What a model should never write, and does: the renderer stays whole, exact and quick. Work is counted, not timed."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.app.chat.rendered import answer_lines, streamed_lines, texts
from tests.app.chat.test_stream import Live
from tests.app.chat.texts import WIDTHS, fragments, patient
from tui.app.panels.chat.chunk import LEAST_CELL, LONGEST_PIECE
from tui.app.panels.chat.fences import count_fences
from tui.app.panels.chat.syntax import HEADING, heading_text
from tui.app.panels.chat.units import ChunkUnit

OBEYED = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f]")

ENDLESS = {
    "code in a fence": "```python\n" + "x = 1\n" * 50_000,
    "one line of code": "```\n" + "x" * 200_000,
    "mathematics": "$$\n" + "x_1 = 2 \\\\\n" * 20_000,
    "indented code": "    x = 1\n" * 20_000,
    "lines of a paragraph": "a\n" * 20_000,
    "lazy lines of an item": "- a\n" + "b\n" * 8_000,
    "a word": "x" * 200_000,
    "wide characters": "漢" * 20_000,
    "piled marks": "e" + "\u0301" * 20_000,
    "joiners": "\u200d" * 20_000,
    "blank lines": "\n" * 20_000,
    "items": "- a\n" * 5_000,
    "rows": "|a|b|\n|-|-|\n" + "|x|y|\n" * 1_500,
    "columns": "|" + "a|" * 1_500 + "\n|" + "-|" * 1_500 + "\n" + "|\n" * 1_000,
    "columns in a quote": "> |" + "a|" * 800 + "\n> |" + "-|" * 800 + "\n" + "> |\n" * 300,
    "quoted lines": "> a\n" * 1_500,
    "quoted code": "> ```\n" + "> x\n" * 1_500,
    "brackets": "[" * 20_000,
    "emphasis": "*a _b " * 1_000,
    "backticks": " ".join("`" * length for length in range(1, 150)),
    "entities": "&#27;[31m" * 1_000,
}
"""Whatever is repeated, a flush may cost no more for it."""


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_a_flush_costs_the_same_however_long_it_goes_on(text: str) -> None:
    live, step = Live(), max(100, len(text) // 100)
    for at in range(0, len(text), step):
        fragment, before = text[at : at + step], live.entry.units_made
        live.feed(fragment)
        assert live.entry.units_made - before <= 3 + fragment.count("\n") + step // LONGEST_PIECE
        live.document.settle(0, 40, follow=True)
    for unit in live.entry.units:
        if isinstance(unit, ChunkUnit):
            chunk = unit.chunk
            assert chunk.size <= 2 * LONGEST_PIECE
            assert len(chunk.lines) * chunk.columns <= 2 * LONGEST_PIECE / LEAST_CELL


def test_a_line_of_marks_is_looked_at_once() -> None:
    """Patterns that take the square of a line's length would hold up the screen for minutes here."""
    blanks = " " * 500_000
    assert (found := HEADING.match("# x" + blanks + "y #" + blanks)) is not None
    assert heading_text(found) == "x" + blanks + "y"
    assert count_fences("```\n```\n" + "$$\n" * 100_000) == 1
    assert count_fences("```\n```\n" + "$$\nx\n" * 1_000 + "```\n") is None


@pytest.mark.parametrize(
    ("line", "text"),
    [("# a #", "a"), ("# a#", "a#"), ("## #", ""), ("#", ""), ("# a ## b ##", "a ## b"), ("# #a", "#a")],
)
def test_marks_that_close_a_heading_are_left_out(line: str, text: str) -> None:
    found = HEADING.match(line)
    assert found is not None
    assert heading_text(found) == text


WORDS = st.lists(st.text(alphabet="abcxyz", min_size=1, max_size=12), min_size=1, max_size=12)
CONTAINERS = st.lists(st.sampled_from(["> ", "- ", "1. ", "> ", "123456789. "]), min_size=1, max_size=60).map("".join)


@patient
@given(CONTAINERS, WORDS, WIDTHS)
def test_containers_of_any_depth_keep_their_words_and_the_screen(start: str, words: list[str], width: int) -> None:
    lines = answer_lines(start + " ".join(words), width)
    assert max(cell_len(line.text) for line in lines) <= width
    assert "".join(words) in re.sub(r"[^a-z]", "", "".join(texts(lines)))


@patient
@given(st.integers(min_value=1, max_value=80), st.sampled_from(["- ", "1. ", "> - ", "> 1. "]), WIDTHS)
def test_lists_nested_by_columns_keep_their_words_and_the_screen(depth: int, marker: str, width: int) -> None:
    quoted = marker.startswith("> ")
    rows = [f"{'> ' * quoted}{'   ' * at}{marker.removeprefix('> ')}word{at}x" for at in range(depth)]
    lines = answer_lines("\n".join(rows), width)
    assert max(cell_len(line.text) for line in lines) <= width
    shown = re.sub(r"[^a-z0-9]", "", "".join(texts(lines)))
    assert [int(found) for found in re.findall(r"word(\d+)x", shown)] == list(range(depth))


NASTY = st.sampled_from(
    [
        "\x1b[31m", "\x1b]0;title\x07", "\x1b]52;c;aGk=\x07", "\x1b]8;;http://x\x1b\\", "\x1bP1$r\x1b\\", "\x1b[2J",
        "\x1b",
        "\x9b31m", "\x9d0;x\x9c", "\x07", "\x08\x08", "\x00", "\x7f", "\r", "\u202e", "\u2066", "\u200e", "\u200f",
        "\ud800", "\udc80", "\ufeff", "\u200b", "\u200d", "\u00ad", "\u2028", "\u0085", "\U000e0041", "\ufe0f",
        "e" + "\u0301" * 40, "ก" + "\u0e49" * 20, "\u1160" * 5, "\U0001f1e9\U0001f1ea", "👩‍💻", "漢", "[bold]",
        "[/x]",
        "[link=http://x]y[/link]", "\\[", "{x}", "%s", "```\n", "\n", "\n\n", "|", "$$\n", "$x^2$", "&#27;[31m",
        "&#x202e;",
        "&#155;", "<script>", "](", "![", "`", "**", "- ", "> ", "# ", "1. ", "    ", "\t",
        "https://x.y/%1b%5b31m", "[a](http://x/%1b[2J)", "word ", "a",
    ]
)  # fmt: skip
NOISE = st.lists(st.one_of(NASTY, st.text(max_size=12)), max_size=60).map("".join)


@patient
@given(fragments(NOISE), st.sampled_from([20, 60, 120]))
def test_noise_in_fragments_is_harmless_and_fits(noise: tuple[str, list[str]], width: int) -> None:
    text, pieces = noise
    for lines in (streamed_lines(pieces, width), answer_lines(text, width)):
        for line in lines:
            assert cell_len(line.text) <= width
            assert not OBEYED.search(line.text)
            assert not any(unicodedata.category(character) == "Cs" for character in line.text)
            line.text.encode("utf-8")


@patient
@given(NOISE)
def test_frames_stand_in_their_columns_whatever_is_inside(noise: str) -> None:
    body = re.sub(r"[`~\n\r\x85\u2028\u2029]", "", noise)
    top, *inside, bottom = texts(answer_lines(f"```\n{body}\n{body}\n```", 60))
    assert top.startswith("┌")
    assert bottom == "└" + "─" * 58 + "┘"
    for line in inside:
        assert line.startswith("│ ")
        assert line.endswith(" │")
        assert cell_len(line) == 60
