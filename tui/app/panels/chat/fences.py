"""Counts the fences of an answer without cutting it up, so that a long history can number its code at once."""

from __future__ import annotations

from tui.app.panels.chat import syntax
from tui.app.panels.chat.sanitize import expand_tabs


def count_fences(text: str) -> int | None:
    """How many fences this text has, found without cutting it up; None where only cutting it up can tell."""
    count = 0
    marks, column = "", 0
    for found in syntax.FENCE_LINE.finditer(text):
        line = expand_tabs(found.group())
        rest = line.lstrip(" ")
        indent = len(line) - len(rest)
        if marks:
            if indent <= column + 3 and syntax.closes_fence(rest, marks):
                marks = ""
        elif indent > 3 or rest[0] not in "`~":
            return None
        elif (opened := syntax.FENCE.match(rest.rstrip())) is not None:
            count += 1
            marks, column = opened["marks"], indent
    return None if count and _may_be_in_math(text) else count


def _may_be_in_math(text: str) -> bool:
    """Whether some of what looks like a fence may stand inside displayed mathematics, where it is none."""
    if "$$" not in text and "\\[" not in text:
        return False
    inside = False
    for line in text.split("\n"):
        bare = line.strip()
        if inside and ("```" in bare or "~~~" in bare):
            return True
        inside = bool(bare) and (inside or bare.endswith(("$$", "\\[")))
    return False
