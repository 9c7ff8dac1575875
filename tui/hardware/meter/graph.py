"""A history as signs of eight heights. It is made of blocks, which every terminal's font has; braille would be finer,
and is missing from common ones.
"""

from __future__ import annotations

import codecs
from functools import cache


def graph(values: bytes, width: int, levels: str, height: int = 1) -> list[str]:
    """Figures of 0 to 100, one a cell, as `height` rows of exactly `width` cells, top row first, the newest at the
    right; `levels` are the eight signs, lowest first. What is no figure is a gap.
    """
    shown = values[-width:] if width > 0 else b""
    return [codecs.charmap_decode(shown, "strict", signs)[0].rjust(width) for signs in _signs(levels, height)]


@cache
def _signs(levels: str, height: int) -> tuple[str, ...]:
    """For each row, the top one first, the sign of each value."""
    return tuple(_signs_in(levels, height, row) for row in range(height - 1, -1, -1))


def _signs_in(levels: str, height: int, row: int) -> str:
    """For each value the sign in one row; row 0 is the lowest, where even 0 leaves a line."""
    signs = []
    for value in range(101):
        filled = min(8, max(0 if row else 1, round(value / 100 * 8 * height) - 8 * row))
        signs.append(levels[filled - 1] if filled else " ")
    return "".join(signs).ljust(256)
