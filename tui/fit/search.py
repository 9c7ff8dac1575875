"""The largest whole number that still fits, found with few questions. Each question costs milliseconds, so it uses how
far off an answer is: needs are nearly linear in layers and in context.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

Over = Callable[[int], Awaitable[float]]
"""How much too much a number takes, in bytes: at most 0 where it fits, infinite where it cannot be had. It never falls
as the number grows.
"""
_STEERED = 4
"""Guesses that trust the line through what is known; then the rest is halved."""


async def largest(low: int, high: int, over: Over) -> int | None:
    """The largest number from `low` to `high` that fits; None where not even `low` does.

    It and the number above it have then been asked for. Asks at most 6 + log2(high − low) times; 4 where the need is a
    straight line.
    """
    fails, fails_over = high, await over(high)
    if fails_over <= 0:
        return high
    fits, fits_over = low, await over(low) if low < high else fails_over
    if fits_over > 0:
        return None
    guess = high
    step = 0
    while fails - fits > 1:
        if step >= _STEERED or math.isinf(fails_over) or math.isinf(fits_over):
            guess = (fits + fails) // 2
        elif step % 2 == 0:
            guess = fits + int((fails - fits) * -fits_over / (fails_over - fits_over))
        else:
            guess += 1 if guess == fits else -1  # on a straight line the neighbour settles it
        guess = min(max(guess, fits + 1), fails - 1)
        guess_over = await over(guess)
        if guess_over <= 0:
            fits, fits_over = guess, guess_over
        else:
            fails, fails_over = guess, guess_over
        step += 1
    return fits
