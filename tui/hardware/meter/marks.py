"""The signs that the meter is drawn with, and the lines that come of it. What differs in colour differs in shape too,
so that the meter can be read without colour and without Unicode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

Span = tuple[str, str]
"""A text and its role: "" for plain, or one of `ROLES`."""
Line = list[Span]

ROLES = ("name", "head", "dim", "others", "ours", "ghost", "free", "graph", "mine", "warn", "bad")
"""Every role that a span may have; a front end gives each its look."""


class Marks(NamedTuple):
    """One set of signs."""

    used: str = "█"
    ours: str = "▓"
    ghost: str = "▒"
    """What would be added."""
    free: str = "░"
    levels: str = "▁▂▃▄▅▆▇█"
    """Eight heights of a graph, lowest first."""
    ellipsis: str = "…"
    dot: str = "·"
    dash: str = "–"
    times: str = "×"
    degree: str = "°"
    goes_to: str = "→"
    encoding: str = "utf-8"
    """Of all that is written; names may hold anything."""


UNICODE = Marks()
ASCII = Marks("#", "=", "+", ".", "_.:-=+*#", "~", "|", "-", "x", "C", "->", "ascii")
CONSOLE = Marks(levels=ASCII.levels, ellipsis="~", dash="-", goes_to="->")
"""For a text console, whose font has the bars and little else."""


def text_of(line: Sequence[Span]) -> str:
    """The line without its roles."""
    return "".join(text for text, _role in line)
