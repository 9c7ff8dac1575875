"""Text on its way to the terminal's clipboard or into a file."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tui.app.clipboard import LIMIT_BYTES, sequence, too_long, write_file


def test_outside_of_a_multiplexer_it_is_one_plain_sequence() -> None:
    made = sequence("grüße", {})
    assert made == f"\x1b]52;c;{base64.b64encode('grüße'.encode()).decode()}\x07"


def test_inside_tmux_it_is_sent_plain_and_wrapped() -> None:
    plain = sequence("hi", {})
    made = sequence("hi", {"TMUX": "/tmp/tmux-0/default,1,0"})
    assert made.startswith(plain)
    assert made[len(plain) :] == "\x1bPtmux;" + plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def test_inside_screen_it_comes_in_short_pieces() -> None:
    made = sequence("x" * 3000, {"STY": "1.pts"})
    pieces = made.split("\x1b\\")[:-1]
    assert len(pieces) > 3
    assert all(piece.startswith("\x1bP") and len(piece) <= 768 for piece in pieces)
    assert "".join(piece[2:] for piece in pieces) == sequence("x" * 3000, {})


def test_what_is_longer_than_terminals_take_is_known() -> None:
    assert not too_long("x" * LIMIT_BYTES)
    assert too_long("ü" * LIMIT_BYTES)


def test_a_file_is_named_after_the_conversation_and_never_written_over(tmp_path: Path) -> None:
    first = write_file("one", "Name three rivers!", tmp_path)
    second = write_file("two\n", "Name three rivers!", tmp_path)
    assert (first.name, second.name) == ("name-three-rivers.md", "name-three-rivers-2.md")
    assert (first.read_text(), second.read_text()) == ("one\n", "two\n")
    assert write_file("x", "../../etc/passwd", tmp_path).parent == tmp_path
    assert write_file("x", "///", tmp_path).name == "answer.md"


def test_a_folder_that_cannot_be_written_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(OSError) as caught:  # noqa: PT011 - whichever kind the system gives
        write_file("x", "t", tmp_path / "nowhere")
    assert "nowhere" in str(caught.value.filename)
