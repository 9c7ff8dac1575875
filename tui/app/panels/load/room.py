"""How many lines fields, answer and words of the load panel get, of those that there are. Values only."""

from __future__ import annotations

from typing import Final, NamedTuple

_LEAST_ANSWER: Final = 6
"""Lines of the answer below which fields that are out of sight give way: the cursor brings them back."""


class Room(NamedTuple):
    """Lines of each part."""

    fields: int
    answer: int
    words: int
    airy: bool = False
    """An empty line between them."""

    @property
    def sum(self) -> int:
        """All lines, with an empty one between the parts."""
        return self.fields + self.answer + self.words + (1 if self.answer else 0) + (1 if self.words else 0)


def shared(wanted: Room, height: int, *, urgent: bool) -> Room:
    """`height` lines shared. Words that are not `urgent` are told where there is room to spare."""
    if wanted.sum <= height:
        return wanted._replace(airy=True)
    words = min(wanted.words, max(0, height - 2)) if urgent else 0
    left = height - words
    least_answer = min(wanted.answer, _LEAST_ANSWER)
    fields = min(wanted.fields, max(left - least_answer, min(left, (left + 1) // 2)))
    if left < 2 * _LEAST_ANSWER:
        fields = min(wanted.fields, max(1, left - min(wanted.answer, (left + 1) // 2)))
    answer = min(wanted.answer, left - fields)
    spare = left - fields - answer
    if not urgent and 0 < wanted.words <= spare:
        words = wanted.words
    return Room(fields, answer, words)
