"""The pieces that text is cut into: one leaf block each, with its place in the lists around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "heading", "rule", "quote", "table", "fence", "math", "code", "plain"]

LONGEST_PIECE = 4096
"""Characters after which a piece is continued in a new one, and a line in a new line."""
LEAST_CELL = 10
"""Characters that a table cell counts at least as, however short it is: what laying it out costs."""


@dataclass(slots=True)
class Chunk:
    """One piece: a leaf block with its place in the lists around it."""

    kind: Kind
    lines: list[str] = field(default_factory=list)
    margin: int = 0
    """Columns that lists take on its left, its marker's included."""
    marker: str = ""
    """Bullet ("-") or number ("3.") of the list item that begins here."""
    depth: int = 0
    """How many bulleted lists it stands in."""
    gap: bool = False
    """A blank line stands before it."""
    after: str = ""
    """The kind of the piece before it; empty for the first."""
    info: str = ""
    """What follows the opening fence; for a heading, its level as a digit."""
    closed: bool = field(default=False, compare=False)
    head: tuple[str, ...] = ()
    """Header rows that a continued table takes over from the piece before."""
    glued: frozenset[int] = frozenset()
    """Lines that continue the line before: parts of one very long line."""
    size: int = 0
    """Characters so far."""
    columns: int = 0
    """Columns of a table."""

    @property
    def text(self) -> str:
        """The source of this piece, without markers and list indentation."""
        parts: list[str] = []
        for index, line in enumerate(self.lines):
            if index and index not in self.glued:
                parts.append("\n")
            parts.append(line)
        return "".join(parts)

    def add(self, line: str, *, glued: bool = False) -> None:
        """Append a line."""
        if glued:
            self.glued |= {len(self.lines)}
        self.lines.append(line)
        self.size += max(len(line) + 1, self.columns * LEAST_CELL)

    @property
    def full(self) -> bool:
        """Too long to get another line, except a fence, which is never rendered again as it grows."""
        return self.size >= LONGEST_PIECE and self.kind != "fence"


@dataclass(slots=True)
class ListItem:
    """A list item that is open: columns of its marker and of its content in the source."""

    column: int
    content: int
    delimiter: str
    number: int
    margin: int
