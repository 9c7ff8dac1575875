"""What holds for every text at every width: no line is too wide, no word is lost, nothing dangerous gets out."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.app.chat.rendered import all_lines, answer_lines, document, texts
from tests.app.chat.texts import EVERYTHING, MARKDOWN, WIDTHS, patient
from tui.app.panels.chat.glyphs import ASCII
from tui.app.panels.chat.lines import copied
from tui.app.panels.chat.message import TranscriptMessage

WORDS = st.lists(
    st.text(alphabet="abcdefghijklmnopqrstuvwxyzäöü0123456789", min_size=1, max_size=30), min_size=1, max_size=40
)


@patient
@given(MARKDOWN, WIDTHS)
def test_no_line_is_wider_than_the_screen(text: str, width: int) -> None:
    for line in answer_lines(text, width):
        assert cell_len(line.text) <= width, line.text


@patient
@given(MARKDOWN, WIDTHS)
def test_nothing_that_a_terminal_obeys_gets_out(text: str, width: int) -> None:
    messages = [
        TranscriptMessage("1", "user", text, label=text),
        TranscriptMessage("2", "assistant", text, thinking=text, note=text, label=text),
    ]
    made = document(width, *messages)
    made.entries[1].toggle()
    made.advance(1)
    for line in all_lines(made):
        assert line.text.isprintable() or not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", line.text)
        assert not any(unicodedata.category(character) == "Cs" for character in line.text)
        assert cell_len(line.text) <= width


@patient
@given(WORDS, WIDTHS)
def test_every_word_of_a_paragraph_is_there_in_order(words: list[str], width: int) -> None:
    text = " ".join(words)
    assert copied(answer_lines(text, width)).replace("\n", "") == text


@patient
@given(WORDS, WIDTHS, st.sampled_from(["- ", "1. ", "> ", "# ", "  - ", "text\n\n> - "]))
def test_every_word_in_a_container_is_there_in_order(words: list[str], width: int, start: str) -> None:
    shown = "".join(texts(answer_lines(start + " ".join(words), width)))
    assert "".join(words) in re.sub(r"[^0-9a-zäöü]", "", shown)


@patient
@given(st.lists(st.text(max_size=100), max_size=30), WIDTHS)
def test_code_is_copied_exactly(lines: list[str], width: int) -> None:
    lines = [re.sub(r"[\x00-\x1f\x7f-\x9f`~\u2028\u2029\x85]|[\ud800-\udfff]", "", line) for line in lines]
    kept = [line for line in lines if line.isprintable()]
    source = "\n".join(kept)
    made = document(width, TranscriptMessage("1", "assistant", f"```\n{source}\n```"))
    assert made.fence(1) == source


@patient
@given(st.lists(st.lists(st.text(alphabet="abc 0123456789.", max_size=20), min_size=3, max_size=3), max_size=6), WIDTHS)
def test_numbers_in_tables_are_never_cut(rows: list[list[str]], width: int) -> None:
    source = "| a | b | c |\n|---|---|---|\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows)
    shown = "\n".join(texts(answer_lines(source, width)))
    for row in rows:
        for number in re.findall(r"[0-9.]*[0-9][0-9.]*", " ".join(row)):
            if len(number) <= 10:
                assert number in shown


@patient
@given(MARKDOWN, WIDTHS)
def test_plain_messages_keep_every_line(text: str, width: int) -> None:
    made = document(width, TranscriptMessage("1", "user", text))
    drawn = copied(all_lines(made)[1:])
    kept = [line for line in drawn.split("\n") if line.strip()]
    wanted = [line for line in re.split(r"\r\n|\r|\n", text) if line.strip()]
    assert len(kept) <= len(wanted)


@patient
@given(MARKDOWN, WIDTHS)
def test_ascii_glyphs_alone_are_drawn_around_ascii_text(text: str, width: int) -> None:
    plain = text.encode("ascii", "ignore").decode()
    assert all(line.text.isascii() for line in answer_lines(plain, width, ASCII))


def test_everything_at_every_width() -> None:
    for width in range(8, 161):
        for line in answer_lines(EVERYTHING, width):
            assert cell_len(line.text) <= width
