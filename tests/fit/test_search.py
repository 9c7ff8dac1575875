"""The largest number that fits: the right one whatever the curve, with few questions where it is nearly straight."""

from __future__ import annotations

import math
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from tui.fit.search import largest

Curve = Callable[[int], float]


async def _search(low: int, high: int, over: Curve, formula: Curve | None = None) -> tuple[int | None, list[int]]:
    asked: list[int] = []

    async def ask(number: int) -> float:
        asked.append(number)
        return over(number)

    async def reckon(number: int) -> float:
        assert formula is not None
        return formula(number)

    return await largest(low, high, ask, reckon if formula is not None else None), asked


@given(
    st.lists(st.tuples(st.integers(-1000, 1000), st.integers(-1000, 1000)), min_size=1, max_size=300),
    st.integers(-5, 5),
    st.booleans(),
)
async def test_it_is_the_last_that_fits_on_any_rising_curve(
    values: list[tuple[int, int]], low: int, with_formula: bool
) -> None:
    curve, another = sorted(value for value, _ in values), sorted(value for _, value in values)
    high = low + len(curve) - 1
    formula = (lambda number: another[number - low]) if with_formula else None
    found, asked = await _search(low, high, lambda number: curve[number - low], formula)
    fitting = [low + index for index, value in enumerate(curve) if value <= 0]
    assert found == max(fitting, default=None)
    assert all(low <= number <= high for number in asked)
    assert len(asked) == len(set(asked)) <= 6 + math.log2(len(curve))


@given(st.integers(1, 1000), st.integers(0, 4000), st.integers(-(10**9), 10**9))
async def test_a_formula_that_is_off_by_the_same_everywhere_takes_three_questions(
    high: int, quarters: int, off: int
) -> None:
    def curve(number: int) -> float:
        return (4 * number - quarters) ** 3

    found, asked = await _search(0, high, curve, lambda number: curve(number) + off)
    assert found == min(quarters // 4, high)
    assert len(asked) <= 3
    assert len((await _search(0, high, curve, curve))[1]) <= 2


@given(st.integers(1, 1000), st.integers(0, 4000), st.floats(0.01, 1e9))
async def test_a_straight_line_takes_four_questions(high: int, quarters: int, slope: float) -> None:
    found, asked = await _search(0, high, lambda number: slope * (number - quarters / 4))
    assert found == min(quarters // 4, high)
    assert len(asked) <= 5


async def test_what_cannot_be_had_by_a_formula_is_asked_for() -> None:
    found, asked = await _search(0, 100, lambda number: number - 60.5, lambda _: math.inf)
    assert found == 60
    assert len(asked) <= 8


async def test_what_cannot_be_had_counts_as_too_much() -> None:
    found, _ = await _search(0, 100, lambda number: -1.0 if number < 7 else math.inf)
    assert found == 6
    assert await _search(3, 3, lambda _: math.inf) == (None, [3])
