"""One download as one line: name, bar, how much of how much, speed and time left, or in their place why not.

The name has what room there is, the bar what names leave of it; where it is narrow the bar goes, then the amount.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from tui.app.panels.downloads.words import amount, clock, speed, state
from tui.app.text import clean, fit, fit_right

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.app.glyphs import Glyphs
    from tui.app.panels.downloads.values import Row

Piece = tuple[str, str]
"""A text and the colour of the theme that it has."""

POINTER = 3
AMOUNT, SPEED, LEFT = 15, 10, 8
"""Cells of the columns, each with a space before it."""
BAR_LEAST, BAR_MOST = 8, 24
NAME_LEAST = 22
_COLORS = {
    "waits": "faint", "connects": "muted", "fetches": "accent", "checks": "success", "again": "warning",
    "paused": "faint", "failed": "error", "done": "success",
}  # fmt: skip


class Columns(NamedTuple):
    """Cells of each part of a line; 0 for one that there is no room for."""

    name: int
    bar: int
    amount: int
    words: int
    """Speed and time left, or the state in their place."""


def columns(width: int, longest: int) -> Columns:
    """The parts of lines of `width` cells where the longest name has so many."""
    words, room = SPEED + LEFT, width - POINTER - 1
    if room < NAME_LEAST + words:
        return Columns(max(0, room - SPEED), 0, 0, SPEED)
    if room < NAME_LEAST + words + AMOUNT:
        return Columns(room - words, 0, 0, words)
    left = room - words - AMOUNT
    bar = min(BAR_MOST, max(BAR_LEAST, left - 2 - longest))
    if left - 2 - bar < NAME_LEAST:
        return Columns(left, 0, AMOUNT, words)
    return Columns(left - 2 - bar, bar, AMOUNT, words)


def longest_name(rows: Sequence[Row]) -> int:
    """Cells of the longest name with its quantization."""
    return max((cell_len(clean(row.title)) + 1 + cell_len(clean(row.quant)) for row in rows), default=0)


def line(row: Row, cells: Columns, glyphs: Glyphs) -> list[Piece]:
    """The line of a download, after the pointer."""
    color = _COLORS[row.phase]
    if row.phase in ("again", "failed"):
        return _with_reason(row, cells, glyphs, color)
    pieces = _name(row, cells.name, glyphs)
    if cells.bar:
        pieces += [("  ", ""), *bar(row, cells.bar, glyphs)]
    if cells.amount:
        told = fit_right(amount(row.came_bytes, row.item.total_bytes), cells.amount)
        pieces.append((told, "foreground" if row.active else "muted"))
    if cells.words < SPEED + LEFT:
        percent = f"{int(row.share * 100)} %"
        told = percent if row.phase in ("fetches", "checks") else state(row)
        return [*pieces, (fit_right(told, cells.words), color)]
    if words := state(row):
        return [*pieces, ("  " + fit(words, cells.words - 2, glyphs.ellipsis), color)]
    return [*pieces, (fit_right(speed(row.rate), SPEED), "foreground"), (fit_right(clock(row.left_s), LEFT), "muted")]


def _with_reason(row: Row, cells: Columns, glyphs: Glyphs, color: str) -> list[Piece]:
    """Why it does not get on, in place of figures; a bar only while it is to go on."""
    name, room = cells.name, cells.amount + cells.words
    if cells.bar and row.phase == "failed":
        room += cells.bar + 2
    elif not cells.amount:
        name = min(name, max(NAME_LEAST // 2, (name + room) // 2))
        room += cells.name - name
    pieces = _name(row, name, glyphs)
    if cells.bar and row.phase == "again":
        pieces += [("  ", ""), *bar(row, cells.bar, glyphs)]
    mark = f"{glyphs.problem} " if row.phase == "failed" else ""
    return [*pieces, ("  " + fit(f"{mark}{state(row)}", room - 2, glyphs.ellipsis), color)]


def bar(row: Row, width: int, glyphs: Glyphs) -> list[Piece]:
    """How far it is. Fetched, checked and missing differ in shape as well as in colour."""
    done = round(row.share * width) if row.phase != "done" else width
    full = glyphs.checked if row.phase == "checks" else glyphs.fetched
    color = _COLORS[row.phase] if row.phase != "waits" else "muted"
    return [(full * done, color), (glyphs.missing * (width - done), "faint")]


def _name(row: Row, width: int, glyphs: Glyphs) -> list[Piece]:
    """Name and quantization; the quantization is what tells two rows of a model apart, so it stays whole."""
    name, quant = clean(row.title), "" if row.projector else clean(row.quant)
    color = "foreground" if row.active or row.phase == "done" else "muted"
    if not quant or width < cell_len(quant) + 8:
        return [(fit(name, width, glyphs.ellipsis), color)]
    room = width - cell_len(quant) - 1
    name = fit(name, room, glyphs.ellipsis).rstrip()
    return [(name, color), (" " + fit(quant, width - cell_len(name) - 1), "muted")]
