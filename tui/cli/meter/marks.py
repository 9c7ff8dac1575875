"""The signs and colours that the monitor draws with. What differs in colour differs in shape too, so that the meter can
be read without colour and without Unicode.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Span = tuple[str, str]
"""A text and its role: "" for plain, or a key of `COLOURS`."""
Line = list[Span]


@dataclass(frozen=True, slots=True)
class Marks:
    """One set of signs."""

    used: str = "█"
    ours: str = "▓"
    free: str = "░"
    levels: str = "▁▂▃▄▅▆▇█"
    """Eight heights of a graph, lowest first."""
    ellipsis: str = "…"
    dot: str = "·"
    dash: str = "–"
    times: str = "×"
    degree: str = "°"
    encoding: str = "utf-8"
    """Of all that is written; names may hold anything."""


UNICODE = Marks()
ASCII = Marks("#", "=", ".", "_.:-=+*#", "~", "|", "-", "x", "C", "ascii")
CONSOLE = Marks(levels=ASCII.levels, ellipsis="~", dash="-")
"""For a text console, whose font has the bars and little else."""

COLOURS: Mapping[str, str] = {
    "name": "1",
    "head": "2",
    "dim": "2",
    "others": "34",
    "ours": "36",
    "free": "2",
    "graph": "2;34",
    "mine": "36",
    "warn": "33",
    "bad": "31",
}
"""Roles as parameters of SGR: the sixteen colours of the person's own palette, and nothing beyond them."""

MONOCHROME: Mapping[str, str] = {
    "name": "1",
    "head": "2",
    "dim": "2",
    "free": "2",
    "mine": "1",
    "warn": "1",
    "bad": "1",
}
"""The same where colours are not wanted."""

PLAIN: Mapping[str, str] = {}
"""For pipes and terminals that know no escape sequences."""


def paint(line: Sequence[Span], colours: Mapping[str, str]) -> str:
    """The line as text with escape sequences around what has a colour, none left open at its end."""
    if not colours:
        return text_of(line).rstrip()
    parts = []
    for text, role in line:
        code = colours.get(role) if role else None
        parts.append(f"\x1b[{code}m{text}\x1b[0m" if code is not None and text else text)
    return "".join(parts).rstrip()


def text_of(line: Sequence[Span]) -> str:
    """The line without its roles."""
    return "".join(text for text, _role in line)
