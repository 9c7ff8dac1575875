"""A small picture in the transcript: two pixels a cell, one above the other, in half blocks.

Drawn from pixels that are kept beside the image, so no image library is needed for it. Where there is no colour, or
only ASCII, its name stands alone. A terminal that can show more is given that by `placeholders`, in the same cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tui.app.panels.chat.glyphs import Glyphs
from tui.app.panels.chat.lines import Line, Run, line, pixel_style
from tui.app.panels.chat.message import Picture
from tui.app.panels.chat.sanitize import one_line
from tui.app.panels.chat.units import Unit
from tui.app.panels.chat.wrap import clip

MOST_CELLS, MOST_ROWS = 56, 12
"""A picture is no wider and no higher."""
Pixel = tuple[int, int, int]


class PictureUnit(Unit):
    """The name of an image, and under it what it looks like."""

    __slots__ = ("_picture",)

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self._picture = picture

    @property
    def file(self) -> Path | None:
        """The whole image."""
        return self._picture.file

    @property
    def cells(self) -> tuple[int, int]:
        """Columns and rows that it takes under its name, as drawn."""
        rows = self.lines[1:] if self.lines is not None else []
        return (len(rows[0].text) if rows else 0), len(rows)

    def estimate(self, width: int) -> int:
        return 1 + (fitting(self._picture, width)[1] + 1) // 2

    def draw(self, width: int, glyphs: Glyphs) -> None:
        picture = self._picture
        made = [line((clip(one_line(picture.about), width, glyphs.ellipsis), "thought"))]
        if picture.rgb and glyphs.half:
            made.extend(_rows(picture, width, glyphs.half))
        self.lines = made


def fitting(picture: Picture, width: int) -> tuple[int, int]:
    """Pixels of a picture as it is drawn in so many cells; it is never made larger."""
    if not picture.rgb:
        return 0, 0
    share = min(1.0, min(width, MOST_CELLS) / picture.width, 2 * MOST_ROWS / picture.height)
    return max(1, int(picture.width * share)), max(1, int(picture.height * share))


def _rows(picture: Picture, width: int, half: str) -> Iterator[Line]:
    across, down = fitting(picture, width)
    pixels = [[_mean(picture, x, y, across, down) for x in range(across)] for y in range(down)]
    for y in range(0, down, 2):
        lower = pixels[y + 1] if y + 1 < down else [None] * across
        yield Line(tuple(_runs(pixels[y], lower, half)))


def _runs(upper: list[Pixel], lower: list[Pixel] | list[None], half: str) -> Iterator[Run]:
    """Cells of one row; neighbours that look alike are one run."""
    text, style = "", ""
    for above, below in zip(upper, lower, strict=True):
        name = pixel_style(above, below)
        if name != style and text:
            yield text, style
            text = ""
        text, style = text + half, name
    yield text, style


def _mean(picture: Picture, x: int, y: int, across: int, down: int) -> Pixel:
    """The mean colour of what one of `across` × `down` pixels stands for."""
    wide, rgb = picture.width, picture.rgb
    left, right = x * wide // across, max(x * wide // across + 1, (x + 1) * wide // across)
    top, bottom = y * picture.height // down, max(y * picture.height // down + 1, (y + 1) * picture.height // down)
    rows = [rgb[3 * (row * wide + left) : 3 * (row * wide + right)] for row in range(top, bottom)]
    count = (right - left) * (bottom - top)
    red, green, blue = (sum(sum(row[channel::3]) for row in rows) // count for channel in range(3))
    return red, green, blue
