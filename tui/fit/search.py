"""The largest whole number that still fits, found with few questions. Each question costs milliseconds, so it uses how
far off an answer is: needs are nearly linear in layers and in context, and a formula knows their shape.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

Over = Callable[[int], Awaitable[float]]
"""How much too much a number takes, in bytes: at most 0 where it fits, infinite where it cannot be had. It never falls
as the number grows.
"""
_STEERED = 4
"""Guesses that trust what is known; then the rest is halved."""


async def largest(low: int, high: int, over: Over, formula: Over | None = None) -> int | None:
    """The largest number from `low` to `high` that fits; None where not even `low` does.

    It and the number above it have then been asked for. Asks at most 6 + log2(high − low) times; 4 where the need is a
    straight line. `formula` answers for nothing, and only says where to begin: where it is off by the same everywhere,
    3 questions do, and 2 where it is right.
    """
    if formula is not None:
        found = await _between(low - 1, high + 1, over, _Formula(formula))
        return found if found >= low else None
    over_high = await over(high)
    if over_high <= 0:
        return high
    over_low = await over(low) if low < high else over_high
    if over_low > 0:
        return None
    return await _between(low, high, over, _Line(low, over_low, high, over_high))


async def _between(fits: int, fails: int, over: Over, steer: _Formula | _Line) -> int:
    """The largest number that fits, from `fits` to below `fails`, which are not asked for."""
    step = 0
    while fails - fits > 1:
        guess = await steer.next(fits, fails) if step < _STEERED else None
        guess = min(max(guess, fits + 1), fails - 1) if guess is not None else (fits + fails) // 2
        guess_over = await over(guess)
        steer.learn(guess, guess_over)
        if guess_over <= 0:
            fits = guess
        else:
            fails = guess
        step += 1
    return fits


class _Line:
    """Steers by the straight line between the closest numbers on either side."""

    def __init__(self, low: int, over_low: float, high: int, over_high: float) -> None:
        self._known = {low: over_low, high: over_high}
        self._last = high
        self._on_line = False

    async def next(self, fits: int, fails: int) -> int | None:
        """Where the line crosses, and next to that, because on a straight line the neighbour settles it."""
        over_fits, over_fails = self._known[fits], self._known[fails]
        if math.isinf(over_fits) or math.isinf(over_fails):
            return None
        self._on_line = not self._on_line
        if self._on_line:
            return fits + int((fails - fits) * -over_fits / (over_fails - over_fits))
        return self._last + (1 if self._last == fits else -1)

    def learn(self, number: int, over: float) -> None:
        """Take an answer in."""
        self._known[number] = over
        self._last = number


class _Formula:
    """Steers by a formula that is off by what it was off at the last answer."""

    def __init__(self, formula: Over) -> None:
        self._formula = formula
        self._off = 0.0
        self._answer: tuple[int, float] | None = None

    async def next(self, fits: int, fails: int) -> int | None:
        """The last number that fits by the formula; above `fits` or below `fails` even where it says otherwise."""
        if self._answer is not None:
            number, over = self._answer
            by_formula = await self._formula(number)
            if math.isinf(over) or math.isinf(by_formula):
                return None
            self._off = over - by_formula
        while fails - fits > 1:
            middle = (fits + fails) // 2
            if await self._formula(middle) + self._off <= 0:
                fits = middle
            else:
                fails = middle
        return fits

    def learn(self, number: int, over: float) -> None:
        """Take an answer in."""
        self._answer = number, over
