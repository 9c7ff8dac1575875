"""What the renderer makes: lines of styled text as plain values, before any theme, colour or widget is known.

A style here is a string of names, such as "quote strong"; `palette.py` gives names their looks. This module and every
module that only produces lines must never import Textual.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

Run = tuple[str, str]
"""A piece of text and the names of its style, separated by blanks."""

FRAME = "frame"
"""Style of what is drawn around text: borders and bars. Such runs are left out when text is copied."""
FRAME_TITLE = "frame-title"
PAD = "pad"
"""Style of blanks that only fill a line up to its frame; left out when text is copied."""
_NOT_COPIED = {FRAME, FRAME_TITLE, PAD, "card"}


class Line(NamedTuple):
    """One line on the screen."""

    runs: tuple[Run, ...]
    joint: str | None = None
    """What stood between this line and the one before in the source: None is a line break of its own, "" or a blank
    means that the line was wrapped here."""

    @property
    def text(self) -> str:
        """Everything that the line shows."""
        return "".join([text for text, _ in self.runs])


PIXELS = "#"
"""Begins the style of a cell of a picture: `#rrggbb` of its upper half, then of its lower one, where it has any."""


def pixel_style(upper: tuple[int, int, int], lower: tuple[int, int, int] | None) -> str:
    """The style of a cell of a picture."""
    below = "" if lower is None else f"{PIXELS}%02x%02x%02x" % lower
    return f"{PIXELS}%02x%02x%02x{below}" % upper


BLANK = Line(())


def line(*runs: Run) -> Line:
    """A line of these runs; empty ones are left out."""
    return Line(tuple([run for run in runs if run[0]]))


def prefixed(lines: Iterable[Line], first: Sequence[Run], rest: Sequence[Run]) -> list[Line]:
    """The lines with `first` before the first of them and `rest` before each other one."""
    head, others = tuple(run for run in first if run[0]), tuple(run for run in rest if run[0])
    made: list[Line] = []
    for one in lines:
        made.append(Line((others if made else head) + one.runs, one.joint))
    return made


def emphasised(text: str, style: str) -> list[Run]:
    """Runs of a text of ours in which `**key**` stands out."""
    parts = re.split(r"\*\*(.+?)\*\*", text)
    return [(part, f"{style} key".strip() if index % 2 else style) for index, part in enumerate(parts) if part]


def copied(lines: Iterable[Line]) -> str:
    """The text of lines as a person wants it on a clipboard: no frames, wrapped lines joined again."""
    parts: list[str] = []
    for one in lines:
        if parts:
            parts.append("\n" if one.joint is None else one.joint)
        text = "".join([text for text, style in one.runs if style not in _NOT_COPIED and style[:1] != PIXELS])
        parts.append(text.rstrip() if one.joint is None else text)
    return "".join(parts)


def first_difference(old: Sequence[Line], new: Sequence[Line]) -> int:
    """Index of the first line that differs; the length of the shorter list when none does."""
    for index, (before, after) in enumerate(zip(old, new, strict=False)):
        if before != after:
            return index
    return min(len(old), len(new))
