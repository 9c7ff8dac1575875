"""Where the finder's rows come from, in the words of its frame. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from tui.app.glyphs import Glyphs
from tui.app.text import clean, fit

_LEAST_PROBLEM: Final = 26
"""Cells below which what went wrong takes the place of the catalogue's date."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows come from, in words; where there is little room, what went wrong is cut."""

    before: str = ""
    problem: str = ""
    after: str = ""

    def fitted(self, width: int, glyphs: Glyphs) -> str:
        """At most `width` cells of it."""
        dot = f" {glyphs.dot} "
        before, problem, after = (clean(part) for part in (self.before, self.problem, self.after))
        if problem:
            room = width - sum(cell_len(part) + len(dot) for part in (before, after) if part)
            if room < _LEAST_PROBLEM:
                before, room = "", room + (cell_len(before) + len(dot) if before else 0)
            problem = fit(problem, max(0, min(cell_len(problem), room)), glyphs.ellipsis)
        words = dot.join(part for part in (before, problem, after) if part)
        return fit(words, max(0, min(cell_len(words), width)), glyphs.ellipsis)
