"""Roles as escape sequences: the meter's lines as a terminal takes them, in the sixteen colours of its own palette."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui.hardware.meter.marks import Span, text_of

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
