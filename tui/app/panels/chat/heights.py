"""Heights of things that stand below each other, with their offsets, cheap to append to and to change near the end."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate


class Heights:
    """A list of heights. Offsets are added up only as far as they are asked for."""

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights = list(heights)
        self._ends: list[int] = []  # running sums of the first len(_ends) heights

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    def __iter__(self) -> Iterator[int]:
        return iter(self._heights)

    @property
    def total(self) -> int:
        """Sum of all heights."""
        return self.offset(len(self._heights))

    def offset(self, index: int) -> int:
        """Sum of the heights before `index`."""
        if index == 0:
            return 0
        self._add_up(index)
        return self._ends[index - 1]

    def find(self, y: int) -> int:
        """Index of what stands at `y`; the last one for every y behind the end. Nothing without height is found."""
        self._add_up(len(self._heights))
        return min(bisect_right(self._ends, max(y, 0)), len(self._heights) - 1)

    def set(self, index: int, height: int) -> None:
        """Change one height."""
        if self._heights[index] != height:
            self._heights[index] = height
            del self._ends[index:]

    def replace(self, start: int, heights: Iterable[int]) -> None:
        """Put `heights` in the place of all from `start` on."""
        self._heights[start:] = heights
        del self._ends[start:]

    def _add_up(self, count: int) -> None:
        known = len(self._ends)
        if known < count:
            base = self._ends[-1] if known else 0
            self._ends.extend([base + end for end in accumulate(self._heights[known:count])])
