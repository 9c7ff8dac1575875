"""The largest number that fits: the right one whatever the curve, with few questions where it is nearly straight."""

from __future__ import annotations

import math
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from tui.fit.search import largest


async def _search(low: int, high: int, over: Callable[[int], float]) -> tuple[int | None, list[int]]:
    asked: list[int] = []

    async def ask(number: int) -> float:
        asked.append(number)
        return over(number)

    return await largest(low, high, ask), asked


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=300), st.integers(-5, 5))
async def test_it_is_the_last_that_fits_on_any_rising_curve(values: list[int], low: int) -> None:
    curve = sorted(values)
    high = low + len(curve) - 1
    found, asked = await _search(low, high, lambda number: curve[number - low])
    fitting = [low + index for index, value in enumerate(curve) if value <= 0]
    assert found == max(fitting, default=None)
    assert all(low <= number <= high for number in asked)
    assert len(asked) <= 6 + math.log2(len(curve))


@given(st.integers(1, 1000), st.integers(0, 4000), st.floats(0.01, 1e9))
async def test_a_straight_line_takes_four_questions(high: int, quarters: int, slope: float) -> None:
    found, asked = await _search(0, high, lambda number: slope * (number - quarters / 4))
    assert found == min(quarters // 4, high)
    assert len(asked) <= 5


async def test_what_cannot_be_had_counts_as_too_much() -> None:
    found, _ = await _search(0, 100, lambda number: -1.0 if number < 7 else math.inf)
    assert found == 6
    assert await _search(3, 3, lambda _: math.inf) == (None, [3])
