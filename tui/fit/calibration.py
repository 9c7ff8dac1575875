"""Where between its low and its high end a roofline is expected on one machine, by what other models reached there.

A model says much about one like it and little about another, and never moves an estimate beyond what is believable: a
run on a busy machine must not make every other model look slow. Values only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from tui.fit.measured import Measurement
from tui.fit.roofline import Range

T = TypeVar("T")

BEYOND = 2.0
"""How many times outside a roofline a run still counts: caches and other builds of llama.cpp come to that, more than
that is a machine that was busy.
"""
UPPER_QUANTILE = 0.75
"""Of several runs of one model the one that so many are at most as fast as: others may slow a run down, and nothing
speeds one up.
"""
_ROOFLINE_WEIGHT = 1.0
"""What the roofline alone counts: as much as one model that is alike in everything."""
_SIZE_HALVES = 2.0
"""Doublings of what is read for a token after which a model counts half."""
_OTHER_KIND = 0.5
"""What a mixture of experts counts for a dense model, and the other way round."""


class Likeness(NamedTuple):
    """What of a model says how much another tells about it."""

    read_bytes: float
    """For one token."""
    is_mixture: bool
    """Only some of its experts are read for a token."""
    shares: Mapping[str, float]
    """Share of the reading, by place."""

    def weight(self, other: Likeness) -> float:
        """How much the one says about the other, from 0 to 1."""
        if not (self.read_bytes > 0 and other.read_bytes > 0):
            return 0.0
        doublings = abs(math.log2(self.read_bytes / other.read_bytes))
        places = self.shares.keys() | other.shares.keys()
        elsewhere = sum(abs(self.shares.get(place, 0) - other.shares.get(place, 0)) for place in places) / 2
        kind = 1.0 if self.is_mixture == other.is_mixture else _OTHER_KIND
        return kind * (1 - min(1.0, elsewhere)) / (1 + doublings / _SIZE_HALVES)


class Witness(NamedTuple):
    """One model that ran here."""

    time_s: float
    """For a token."""
    bounds: Range
    """What the roofline says of it."""
    weight: float
    """How alike it is, from 0 to 1."""


def calibrated(plain: Range, witnesses: Sequence[Witness]) -> tuple[Range, float] | None:
    """The roofline `plain` drawn to where the witnesses were in theirs, and how sure that is, from 0 to 1; None where
    none of them says anything.

    The mean of the witnesses and the whole roofline are averaged, in logarithms, so that few and unlike ones hardly
    narrow it.
    """
    told = [(_weight(one), math.log(_moved(one, plain))) for one in witnesses]
    total = sum(weight for weight, _ in told)
    if total <= 0:
        return None
    mean = sum(weight * time for weight, time in told) / total
    off = sum(weight * abs(time - mean) for weight, time in told) / total
    sure = total / (total + _ROOFLINE_WEIGHT)
    low, high = math.log(plain.low), math.log(plain.high)
    return Range(math.exp(low + sure * (mean - off - low)), math.exp(high + sure * (mean + off - high))), sure


def believable(time_s: float, bounds: Range) -> float:
    """The time for a token that is closest to `time_s` and not far outside the roofline."""
    return min(max(time_s, bounds.low / BEYOND), bounds.high * BEYOND)


def telling(runs: Iterable[Measurement], rate: Callable[[Measurement], float | None]) -> list[Measurement]:
    """Of each model with each of its settings the run at the upper quantile of `rate`; without a rate they say nothing.
    The model that ran last comes last.
    """
    groups: dict[tuple[str, str], list[Measurement]] = {}
    for one in runs:
        if rate(one):
            key = one.model, one.settings
            groups[key] = [*groups.pop(key, ()), one]
    return [upper(found, lambda one: rate(one) or 0.0) for found in groups.values()]


def upper(found: Sequence[T], key: Callable[[T], float]) -> T:
    """The upper quantile of what is not empty."""
    return sorted(found, key=key)[math.ceil(UPPER_QUANTILE * len(found)) - 1]


def _weight(one: Witness) -> float:
    """A run that is slower than anything expected was probably held up, the more so the slower it was."""
    return one.weight * min(1.0, one.bounds.high / one.time_s)


def _moved(one: Witness, plain: Range) -> float:
    """The time that lies in `plain` where the witness's lies in its own roofline, and as far outside."""
    within = min(max(one.time_s, one.bounds.low), one.bounds.high)
    position = math.log(within / one.bounds.low) / math.log(one.bounds.high / one.bounds.low)
    return plain.low * float((plain.high / plain.low) ** position) * believable(one.time_s, one.bounds) / within
