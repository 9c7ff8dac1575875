"""How often the meter looks: from five times a second to once in ten, in steps that a key can take."""

from __future__ import annotations

INTERVALS_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""The steps, in seconds from one look to the next."""
SHORTEST_S, LONGEST_S = INTERVALS_S[0], INTERVALS_S[-1]


def slower(interval_s: float) -> float:
    """The next longer interval; the longest one again."""
    return next((step for step in INTERVALS_S if step > interval_s + 1e-9), LONGEST_S)


def faster(interval_s: float) -> float:
    """The next shorter interval; the shortest one again."""
    return next((step for step in reversed(INTERVALS_S) if step < interval_s - 1e-9), SHORTEST_S)
