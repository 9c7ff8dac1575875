"""The signs that the screen is drawn with, in two sets: Unicode, and plain ASCII for `--ascii` and terminals without UTF-8."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of signs. The four of the meter differ in shape, so that they differ without colour too."""

    used: str = "█"
    ours: str = "▓"
    ghost: str = "▒"
    free: str = "░"
    pointer: str = "▸"
    loaded: str = "●"
    problem: str = "!"
    prompt: str = "❯"
    ellipsis: str = "…"
    left: str = "◂"
    right: str = "▸"
    goes_to: str = "→"
    rule: str = "─"
    dot: str = "·"
    enter: str = "↵"
    up: str = "↑"
    down: str = "↓"
    corner: str = "╭╮╰╯"
    side: str = "│"
    border: str = "round"
    """Textual's name of the border."""


UNICODE = Glyphs()
ASCII = Glyphs(
    used="#",
    ours="=",
    ghost="+",
    free=".",
    pointer=">",
    loaded="*",
    prompt=">",
    ellipsis="~",
    left="<",
    right=">",
    goes_to="->",
    rule="-",
    dot="-",
    enter="enter",
    up="up",
    down="down",
    corner="++++",
    side="|",
    border="ascii",
)


def plain(text: str) -> str:
    """A text of ours in ASCII: the signs that sentences use, spelled with keyboard characters."""
    return text.translate(_PLAIN)


_PLAIN = str.maketrans({"…": "...", "→": "->", "·": "-", "–": "-", "—": "-", "≥": ">=", "≤": "<=", "↵": "enter", "’": "'"})
