"""The characters that frames, bullets and folds are drawn with: one set for Unicode terminals, one for ASCII."""

from __future__ import annotations

from typing import NamedTuple


class Glyphs(NamedTuple):
    """Every character the chat draws by itself. All but `going_on` and `code_mark` are one cell wide."""

    horizontal: str = "─"
    vertical: str = "│"
    frame: str = "┌┐└┘"
    """Corners of code: upper left and right, lower left and right."""
    card: str = "╭╮╰╯"
    bullets: str = "•◦▪"
    """One for each depth of bulleted lists, from the first again when they are used up."""
    open_task: str = "☐"
    done_task: str = "☑"
    bar: str = "▎"
    folded: str = "▸"
    unfolded: str = "▾"
    note: str = "·"
    error: str = "✗"
    ellipsis: str = "…"
    """Stands for what is cut off."""
    going_on: str = "…"
    code_mark: str = ""
    """Stands around inline code where colour cannot tell it from text."""
    half: str = "▀"
    """The upper half of a cell, of which pictures are made; empty where there can be none."""


UNICODE = Glyphs()
UNICODE_NO_COLOUR = Glyphs(code_mark="`", half="")
ASCII = Glyphs("-", "|", "++++", "++++", "*-+", "o", "x", "|", ">", "v", "-", "x", "~", "...", "`", "")


def choose(*, ascii_only: bool, no_colour: bool, pictures: bool = True) -> Glyphs:
    """The set for a terminal: where there is no colour, code needs its backticks. Without `pictures` none are drawn."""
    if ascii_only:
        return ASCII
    if no_colour:
        return UNICODE_NO_COLOUR
    return UNICODE if pictures else UNICODE._replace(half="")
