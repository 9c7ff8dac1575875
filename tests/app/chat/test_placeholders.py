"""True pictures as bytes and as cells: what is sent to which terminal, and cells that are whole wherever one cuts."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import pytest
from PIL import Image
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tests.rigs.pictures import noise_png
from tui.app.panels.chat.lines import copied
from tui.app.panels.chat.picture import MOST_CELLS, MOST_ROWS
from tui.app.panels.chat.placeholders import (
    CELL,
    CHUNK,
    MOST,
    deletion,
    is_understood,
    placeholders,
    png_of,
    transmission,
)

KITTY = {"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1"}
GHOSTTY = {"TERM": "xterm-256color", "TERM_PROGRAM": "ghostty"}
XTERM = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("wish", "environ", "understood"),
    [
        ("auto", KITTY, True),
        ("auto", XTERM | {"KITTY_WINDOW_ID": "3"}, True),
        ("auto", GHOSTTY, True),
        ("auto", {"TERM": "xterm-ghostty"}, True),
        ("auto", {}, False),
        ("auto", XTERM, False),
        ("auto", XTERM | {"KITTY_WINDOW_ID": "3", "VTE_VERSION": "7200"}, False),
        ("auto", KITTY | {"TMUX": "/tmp/tmux-0/default,1,0"}, False),
        ("auto", {"TERM": "tmux-256color", "KITTY_WINDOW_ID": "3"}, False),
        ("auto", GHOSTTY | {"STY": "1.pts"}, False),
        ("kitty", XTERM, True),
        ("blocks", KITTY, False),
        ("off", KITTY, False),
    ],
)
def test_who_understands_is_told_by_the_environment(wish: str, environ: dict[str, str], understood: bool) -> None:
    assert is_understood(wish, environ) is understood


@pytest.mark.parametrize(
    ("says", "understood"),
    [("Version(0, 26, 5)", False), ("Version(0, 28, 0)", True), ("Version(1, 0, 0)", True), ("nothing", True)],
)
def test_a_kitty_that_is_too_old_says_so(tmp_path: Path, says: str, understood: bool) -> None:
    assert is_understood("auto", KITTY | {"KITTY_INSTALLATION_DIR": str(tmp_path / "gone")})
    (tmp_path / "kitty").mkdir()
    (tmp_path / "kitty" / "constants.py").write_text(f"class Version(NamedTuple):\n\nversion: Version = {says}\n")
    assert is_understood("auto", KITTY | {"KITTY_INSTALLATION_DIR": str(tmp_path)}) is understood


def test_an_image_is_sent_in_pieces_and_whole() -> None:
    png = bytes(range(256)) * 40
    sent = transmission(70_000, 20, 7, png, {})
    pieces = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", sent)
    assert "".join(f"\x1b_G{keys};{data}\x1b\\" for keys, data in pieces) == sent
    assert [keys for keys, _ in pieces] == [
        "a=T,U=1,i=70000,c=20,r=7,f=100,q=2,m=1", "q=2,m=1", "q=2,m=1", "q=2,m=0",
    ]  # fmt: skip
    assert [len(data) for _, data in pieces[:-1]] == [CHUNK] * 3
    assert base64.b64decode("".join(data for _, data in pieces)) == png


def test_an_image_is_forgotten_by_its_number_and_tmux_passes_it_on() -> None:
    assert deletion(70_000, {}) == "\x1b_Ga=d,d=I,i=70000,q=2\x1b\\"
    wrapped = "\x1bPtmux;\x1b\x1b_Ga=d,d=I,i=70000,q=2\x1b\x1b\\\x1b\\"
    assert deletion(70_000, {"TMUX": "/tmp/tmux-0/default,1,0"}) == wrapped


def test_a_cell_is_one_cell_wide_and_cut_nowhere_within() -> None:
    assert max(MOST_CELLS, MOST_ROWS) == MOST
    lines = placeholders(0x0A0B0C, MOST, MOST_ROWS)
    cells = [text for line in lines for text, _ in line.runs]
    assert len(set(cells)) == MOST * MOST_ROWS
    assert all(cell_len(cell) == 1 for cell in cells)
    assert {style for line in lines for _, style in line.runs} == {"#0a0b0c"}
    assert copied(lines).strip() == ""
    strip = Strip([Segment(text, Style(color=style)) for text, style in lines[3].runs])
    assert strip.cell_length == MOST
    for at in range(1, MOST):
        left, right = strip.divide([at, MOST])
        assert [part.text for part in (left, strip.crop(0, at))] == ["".join(cells[3 * MOST :][:at])] * 2
        assert [part.text for part in (right, strip.crop(at))] == ["".join(cells[3 * MOST :][at:MOST])] * 2


def test_an_image_is_made_as_small_as_its_cells(tmp_path: Path) -> None:
    png = png_of(noise_png(tmp_path / "large.png", 1600, 400), 20, 3)
    with Image.open(io.BytesIO(png)) as image:
        assert (image.format, image.size) == ("PNG", (20 * CELL[0], 20 * CELL[0] // 4))
