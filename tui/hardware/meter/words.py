"""Texts and figures for a terminal: how wide they are, how they are shortened, how bytes and tokens are written.

A figure is shown whole or not at all; only words are shortened, and never in the middle of a number.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from tui.config.sizes import GIB
from tui.hardware.names import UNNAMED, card_name

_FIGURES = frozenset("0123456789.,")


def cells(text: str) -> int:
    """The columns that a text takes on a terminal."""
    return len(text) if text.isascii() else _wide_cells(text)


@lru_cache(1024)
def _wide_cells(text: str) -> int:
    return sum(map(_width, text))


def _width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def clip(text: str, width: int, mark: str) -> str:
    """The text in at most `width` cells; one that is shortened ends in `mark`, and no number in it is torn."""
    if cells(text) <= width:
        return text
    room = width - cells(mark)
    if room < 0:
        return ""
    end, used = 0, 0
    while used + _width(text[end]) <= room:
        used += _width(text[end])
        end += 1
    if text[end] in _FIGURES:
        while end and text[end - 1] in _FIGURES:
            end -= 1
    return text[:end].rstrip() + mark


def pad(text: str, width: int, mark: str, right: bool = False) -> str:
    """The text in exactly `width` cells."""
    if text.isascii() and len(text) <= width:
        return text.rjust(width) if right else text.ljust(width)
    text = clip(text, width, mark)
    space = " " * (width - cells(text))
    return space + text if right else text + space


def wrapped(text: str, width: int, mark: str, most: int) -> list[str]:
    """The text in lines of at most `width` cells, broken between words; the last of `most` lines ends in `mark` when
    there is more."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < most:
        line = words.pop(0)
        while words and cells(line) + 1 + cells(words[0]) <= width:
            line = f"{line} {words.pop(0)}"
        if words and len(lines) == most - 1:
            line = f"{line} {words[0]}" if cells(line) + cells(mark) > width else line + mark
        lines.append(clip(line, width, mark))
    return lines


def packed(items: Sequence[str], width: int, mark: str) -> list[str]:
    """Short texts side by side, as many in a line of at most `width` cells as it takes whole; at least one line."""
    lines = [""]
    for item in items:
        longer = f"{lines[-1]}   {item}" if lines[-1] else item
        if cells(longer) <= width:
            lines[-1] = longer
        elif lines[-1]:
            lines.append(clip(item, width, mark))
        else:
            lines[-1] = clip(item, width, mark)
    return lines


def share(used: int | None, total: int | None, dash: str, *, fine: bool, ghost: str = "") -> str:
    """Two figures in GiB, "31.2/79.6" or "31/80"; small memories keep a decimal in either form. `ghost` is what would
    be added, as it stands behind what is used.
    """
    if total is None:
        return f"{dash}{ghost}/{dash}" if used is None else f"{size(used, fine=fine)}{ghost}/{dash}"
    digits = _digits(total, fine)
    return f"{dash if used is None else f'{used / GIB:.{digits}f}'}{ghost}/{total / GIB:.{digits}f}"


def size(value: int, *, fine: bool, total: int | None = None) -> str:
    """One figure in GiB, with as many decimals as `total` (default: itself) asks for."""
    return f"{value / GIB:.{_digits(value if total is None else total, fine)}f}"


def _digits(value: int, fine: bool) -> int:
    return 1 if value < (1000 if fine else 9.95) * GIB else 0


def tokens(count: int) -> str:
    """A number of tokens as people say it: 812, 3.1k, 16k (of 1024, as contexts are counted)."""
    if count < 1000:
        return str(count)
    thousands = count / 1024
    return f"{thousands:.1f}k" if thousands < 9.95 and count % 1024 else f"{thousands:.0f}k"


def rate(tok_s: float | None, dash: str) -> str:
    """Tokens a second: whole from ten on."""
    if tok_s is None or not 0 <= tok_s < 1e9:
        return dash
    return f"{tok_s:.0f}" if tok_s >= 9.95 else f"{tok_s:.1f}"


NAME_CELLS = 12


@lru_cache(256)
def short_name(name: str | None, mark: str) -> str:
    """A card's name in a few cells."""
    return clip(card_name(name), NAME_CELLS, mark) or UNNAMED
