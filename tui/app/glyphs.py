"""The signs that the screen is drawn with: Unicode, and ASCII for `--ascii` and for terminals without UTF-8."""

from __future__ import annotations


class Glyphs:
    """The Unicode set. The four of the meter differ in shape, so that they differ without colour too."""

    ascii = False
    used = "█"
    ours = "▓"
    ghost = "▒"
    free = "░"
    pointer = "▸"
    loaded = "●"
    half = "◐"
    ring = "○"
    cross = "×"
    here = "✓"
    down = "↓"
    heart = "♥"
    problem = "!"
    prompt = "❯"
    ellipsis = "…"
    left = "◂"
    right = "▸"
    goes_to = "→"
    rule = "─"
    dot = "·"
    fetching = "⇣"
    fetched = "━"
    checked = "═"
    missing = "─"
    caret = "▏"


class AsciiGlyphs(Glyphs):
    """The ASCII set."""

    ascii = True
    used = "#"
    ours = "="
    ghost = "+"
    free = "."
    pointer = ">"
    loaded = "*"
    half = "%"
    ring = "o"
    cross = "x"
    here = "+"
    down = "v"
    heart = "likes"
    prompt = ">"
    ellipsis = "~"
    left = "<"
    right = ">"
    goes_to = "->"
    rule = "-"
    dot = "-"
    fetching = "v"
    fetched = "#"
    checked = "="
    missing = "."
    caret = "_"
