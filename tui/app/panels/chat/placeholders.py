"""True pictures among lines of text: the kitty graphics protocol with Unicode placeholders, as bytes and as lines.

The terminal is sent an image once, under a number. Where it is to be seen stand cells of text: a placeholder, marked
with its row and column, in a colour that is the number. So a picture scrolls, is covered and erased as text is. Source
of the format: https://sw.kovidgoyal.net/kitty/graphics-protocol/#unicode-placeholders. Nothing is sent or asked here,
and no terminal is taken to understand it that does not say so by its environment.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping
from pathlib import Path

from tui.app.clipboard import through_tmux
from tui.app.panels.chat.lines import Line, pixel_style

HIGHEST = (1 << 24) - 1
"""Numbers of images are 1 to this: what a colour holds."""
CELL = (12, 24)
"""Pixels that an image has for each cell, across and down. Terminals fit it to what their cells have."""
CHUNK = 4096
"""Bytes of base64 in one sequence: the most that the protocol allows."""
OLDEST = (0, 28)
"""The first version of kitty that knows placeholders."""
_PLACEHOLDER = "\U0010eeee"
_MARKS = "".join(
    chr(code)
    for code in (
        *(0x305, 0x30D, 0x30E, 0x310, 0x312, 0x33D, 0x33E, 0x33F, 0x346, 0x34A, 0x34B, 0x34C, 0x350, 0x351, 0x352),
        *(0x357, 0x35B, *range(0x363, 0x370), *range(0x483, 0x488), *range(0x592, 0x596), *range(0x597, 0x59A)),
        *(*range(0x59C, 0x5A2), 0x5A8, 0x5A9, 0x5AB, 0x5AC, 0x5AF, 0x5C4, 0x610, 0x611),
    )
)
"""The diacritics that stand for 0, 1, 2 and so on: the beginning of the protocol's list."""
MOST = len(_MARKS)
"""Columns and rows that can be told apart here."""
_OTHERS = ("TERM_PROGRAM", "VTE_VERSION", "XTERM_VERSION", "KONSOLE_VERSION", "ALACRITTY_WINDOW_ID", "WT_SESSION")
"""Variables of other terminals; one that was started in kitty has kitty's, too."""


def is_understood(wish: str, environ: Mapping[str, str]) -> bool:
    """Whether the terminal shows such pictures: by what `ui.pictures` says, and the environment where that is auto."""
    if wish != "auto":
        return wish == "kitty"
    term = environ.get("TERM", "")
    if environ.get("TMUX") or environ.get("STY") or term.startswith(("tmux", "screen")):
        return False
    if term == "xterm-ghostty" or environ.get("TERM_PROGRAM") == "ghostty":
        return True
    inside = bool(environ.get("KITTY_WINDOW_ID")) and not any(environ.get(name) for name in _OTHERS)
    return (term == "xterm-kitty" or inside) and not _is_old(environ.get("KITTY_INSTALLATION_DIR", ""))


def _is_old(folder: str) -> bool:
    """Whether the kitty installed there says that it is too old; one that does not say is taken to be new."""
    try:
        text = (Path(folder) / "kitty" / "constants.py").read_text("utf-8") if folder else ""
    except (OSError, ValueError):
        return False
    found = re.search(r"Version\((\d+), *(\d+)", text)
    return found is not None and (int(found[1]), int(found[2])) < OLDEST


def png_of(file: Path, columns: int, rows: int) -> bytes:
    """An image file as a PNG of the size that so many cells need at most. Raises PictureError and OSError."""
    from tui.llama.picture import picture_of, read_bytes

    made = io.BytesIO()
    picture_of(read_bytes(file), (columns * CELL[0], rows * CELL[1])).save(made, "PNG")
    return made.getvalue()


def transmission(number: int, columns: int, rows: int, png: bytes, environ: Mapping[str, str]) -> str:
    """What sends an image and says how many cells it takes; the terminal answers nothing."""
    data = base64.b64encode(png).decode("ascii")
    pieces = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
    head = f"a=T,U=1,i={number},c={columns},r={rows},f=100,"
    made = []
    for at, piece in enumerate(pieces):
        more = int(at + 1 < len(pieces))
        made.append(_command(f"{head if at == 0 else ''}q=2,m={more};{piece}", environ))
    return "".join(made)


def deletion(number: int, environ: Mapping[str, str]) -> str:
    """What makes the terminal forget an image and where it is shown."""
    return _command(f"a=d,d=I,i={number},q=2", environ)


def _command(text: str, environ: Mapping[str, str]) -> str:
    made = f"\x1b_G{text}\x1b\\"
    return through_tmux(made) if environ.get("TMUX") else made


def placeholders(number: int, columns: int, rows: int) -> list[Line]:
    """The cells of an image, each a run of its own: cut between any two of them, all stay whole."""
    style = pixel_style((number >> 16, number >> 8 & 255, number & 255), None)
    return [
        Line(tuple([(_PLACEHOLDER + _MARKS[row] + _MARKS[column], style) for column in range(columns)]))
        for row in range(rows)
    ]
