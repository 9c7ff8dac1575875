"""The block syntax of Markdown that decides where pieces begin, as patterns over single lines.

Lines reach these patterns without their indentation, with tabs expanded and without trailing blanks.
"""

from __future__ import annotations

import re

Match = re.Match[str]

FENCE = re.compile(r"(?P<marks>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)$")
HEADING = re.compile(r"(?P<marks>#{1,6})(?:[ \t]+(?P<text>.*))?$")
RULE = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
ITEM = re.compile(r"(?:(?P<bullet>[-+*])|(?P<number>\d{1,9})(?P<delimiter>[.)]))(?P<space> +|$)(?P<rest>.*)$")
ITEM_STARTS = frozenset("-+*0123456789")
_UNDERLINE = re.compile(r"(?:=+|-{2,})$")
_DELIMITER_ROW = re.compile(r"\|?[ ]*:?-+:?[ ]*(?:\|[ ]*:?-+:?[ ]*)*\|?$")
_CELL_BORDER = re.compile(r"(?<!\\)\|")
_MOST_COLUMNS = 64
"""What has more of them is no table that anyone could read here; it stays text."""
_SYNTAX_STARTS = frozenset("#>`~-+*_$\\0123456789")

MATH_PAIRS = {"$$": "$$", "\\[": "\\]"}
"""Lines that open displayed mathematics, and what closes it."""

UNDECIDED = re.compile(r"[ ]*(?:[#>*+\-_=~`|$\\:]+|\d{1,9}[.)]?)[ ]*$")
"""The beginning of a line that may still become syntax; it is not shown before more of it arrives."""


FENCE_LINE = re.compile(r"^(?:[ \t]|[-+*][ \t]|\d{1,9}[.)][ \t])*(?:```|~~~).*$", re.MULTILINE)
"""A line that may open or close a fence, inside list items too."""


def starts_block(rest: str) -> bool:
    """Whether this line would begin a block of its own in the middle of a paragraph."""
    if rest[0] not in _SYNTAX_STARTS:
        return False
    return bool(
        rest[0] == ">"
        or FENCE.match(rest)
        or (rest[0] == "#" and HEADING.match(rest))
        or RULE.match(rest)
        or rest in MATH_PAIRS
        or ((found := ITEM.match(rest)) and found["rest"])
    )


def leaves_paragraph(rest: str) -> bool:
    """Whether this line, standing outside the list item of the paragraph before it, goes on without that paragraph."""
    return starts_block(rest) or (rest[0] in ITEM_STARTS and ITEM.match(rest) is not None)


def heading_text(found: Match) -> str:
    """The text of a heading, without the marks that may close it."""
    text = (found["text"] or "").rstrip(" \t")
    bare = text.rstrip("#")
    return bare.rstrip(" \t") if not bare or bare[-1] in " \t" else text


def closes_fence(line: str, marks: str) -> bool:
    """Whether this line ends a fence that was opened with `marks`."""
    bare = line.strip()
    return len(bare) >= len(marks) and not bare.strip(marks[0])


def underline_level(rest: str) -> int:
    """1 or 2 when this line makes the paragraph before it a heading, else 0."""
    if rest[0] not in "=-" or not _UNDERLINE.match(rest):
        return 0
    return 1 if rest[0] == "=" else 2


def columns(row: str) -> int:
    """How many cells a table row has."""
    row = row.strip().removeprefix("|")
    if row.endswith("|") and not row.endswith("\\|"):
        row = row[:-1]
    return len(_CELL_BORDER.findall(row)) + 1


def is_delimiter_row(rest: str, header: str) -> bool:
    """Whether this line makes the line before it the header of a table."""
    if rest[0] not in "|:-" or "|" not in header + rest or "-" not in rest:
        return False
    return _DELIMITER_ROW.match(rest) is not None and columns(rest) == columns(header) <= _MOST_COLUMNS
