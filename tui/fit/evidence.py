"""What earlier measurements on a machine say about the speed of a model, the most telling first. Values only."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from statistics import median
from typing import Literal

from tui.fit.measured import MeasuredPart, Measurement
from tui.fit.parts import HOST, Part, SpeedShape
from tui.fit.roofline import Range, decode_s, host_bandwidth
from tui.fit.values import Machine

SpeedSource = Literal["measured", "phantom", "similar", "calibrated", "roofline"]
"""Own measurement of the file; of its header with zeros for weights; of a similar model here; what memory could do,
corrected by what other models reached here; what memory could do.
"""

_SPREAD: dict[SpeedSource, Range] = {
    "measured": Range(0.92, 1.08),
    "phantom": Range(0.70, 1.12),
    "similar": Range(0.85, 1.15),
    "calibrated": Range(0.80, 1.25),
}
"""What the next run may be of the ones before, in tokens a second. A phantom reads zeros, and of experts always the
same ones: it was up to a third too fast, and a tenth too slow.
"""
_PREFILL_SPREAD = Range(0.75, 1.30)
"""Prompts differ in length, and a short one fills no batch."""
_ALIKE_PARAMETERS, _ALIKE_SHARE = 0.25, 0.10
"""A similar model: of the same architecture, with so many more or fewer parameters (as a share) and so much of its
reading in other places (as a share of all).
"""


class Evidence:
    """The measurements that tell something about one model with one set of settings on one machine."""

    def __init__(
        self,
        measured: Sequence[Measurement],
        parts: Sequence[Part],
        shape: SpeedShape,
        machine: Machine,
        *,
        model: str,
        settings: str,
    ) -> None:
        """`parts` is what each place would read for a token; `model` and `settings` are as the measurements have
        them.
        """
        self._parts, self._shape, self._machine = parts, shape, machine
        self._names = {device.description or device.name: device.name for device in machine.devices}
        self._places = {name: place for place, name in self._names.items()}
        own = [one for one in measured if model and (one.model, one.settings) == (model, settings)]
        real = [one for one in measured if one.kind != "phantom"]
        self._groups: tuple[tuple[SpeedSource, list[Measurement]], ...] = (
            ("measured", [one for one in own if one.kind != "phantom"]),
            ("phantom", [one for one in own if one.kind == "phantom"]),
            ("similar", [one for one in real if self._is_similar(one)]),
        )
        self._real = real
        self._bandwidths = {device.name: device.bandwidth_bytes_s for device in machine.devices}
        self._bandwidths[HOST] = host_bandwidth(machine)

    @cached_property
    def _here(self) -> list[Measurement]:
        """Runs of any model of which most time went to the place where most of this one's goes."""
        place = self._slowest(self._parts)
        return [one for one in self._real if self._slowest(self._parts_of(one)) == place]

    def decode(self) -> tuple[Range, SpeedSource] | None:
        """Seconds for one token and where they come from; None where nothing tells."""
        plain = decode_s(self._parts, self._machine)
        for source, group in self._groups:
            times = [self._moved(one, plain) / one.decode_tok_s for one in group if one.decode_tok_s]
            if times:
                return _widened(Range(min(times), max(times)), _SPREAD[source]), source
        if plain is None:
            return None
        calibrated = self._calibrated(plain)
        return (plain, "roofline") if calibrated is None else (calibrated, "calibrated")

    def prefill(self) -> Range | None:
        """Seconds for one token of a prompt by what was measured; None where nothing was.

        Prompts are bound by arithmetic, so the rate of another model counts by its active parameters.
        """
        for group in (group for _, group in self._groups):
            if found := self._prefill_like(group):
                return found
        return self._prefill_like(self._here)

    def _prefill_like(self, group: Sequence[Measurement]) -> Range | None:
        times = [self._arithmetic(one) / one.prefill_tok_s for one in group if one.prefill_tok_s]
        return _widened(Range(min(times), max(times)), _PREFILL_SPREAD) if times else None

    def _arithmetic(self, one: Measurement) -> float:
        """How many times the arithmetic of a measured model this one takes."""
        known = self._shape.active_parameters and one.active_parameters
        return self._shape.active_parameters / one.active_parameters if known else 1.0

    def _moved(self, one: Measurement, plain: Range | None) -> float:
        """How many times the time of a measurement this takes: another depth, other bytes to read."""
        before = decode_s(self._parts_of(one), self._machine)
        if plain is not None and before is not None:
            return plain.middle / before.middle
        read = sum(part.read_bytes for part in one.parts)
        return sum(part.read_bytes for part in self._parts) / read if read else 1.0

    def _calibrated(self, plain: Range) -> Range | None:
        """The roofline with this machine's own place between its low and its high end.

        Models of which most time goes to the same place say where that is; of each model the median counts.
        """
        by_model: defaultdict[str, list[float]] = defaultdict(list)
        for one in self._here:
            bounds = decode_s(self._parts_of(one), self._machine)
            if bounds is not None and one.decode_tok_s:
                by_model[one.model].append(_position(1 / one.decode_tok_s, bounds))
        if not by_model:
            return None
        positions = [median(found) for found in by_model.values()]
        return _widened(Range(_at(min(positions), plain), _at(max(positions), plain)), _SPREAD["calibrated"])

    def _is_similar(self, one: Measurement) -> bool:
        if not self._shape.architecture or one.architecture != self._shape.architecture:
            return False
        parameters = self._shape.parameters
        if not parameters or abs(one.parameters - parameters) > _ALIKE_PARAMETERS * parameters:
            return False
        here, there = _shares(self._measured_parts()), _shares(one.parts)
        return all(
            abs(here.get(place, 0) - there.get(place, 0)) <= _ALIKE_SHARE for place in here.keys() | there.keys()
        )

    def _slowest(self, parts: Sequence[Part]) -> str:
        times = {part.name: part.read_bytes / (self._bandwidths.get(part.name) or 1.0) for part in parts}
        return self._places.get(name := max(times, key=times.__getitem__, default=""), name)

    def _measured_parts(self) -> tuple[MeasuredPart, ...]:
        return tuple(
            MeasuredPart(self._places.get(part.name, part.name), part.read_bytes, part.layers) for part in self._parts
        )

    def _parts_of(self, one: Measurement) -> tuple[Part, ...]:
        """A measurement's parts by this machine's names; a card that is gone keeps its description."""
        return tuple(Part(self._names.get(part.place, part.place), part.read_bytes, part.layers) for part in one.parts)


def _shares(parts: Sequence[MeasuredPart]) -> dict[str, float]:
    """Share of the reading by place; cards of one description together."""
    total = sum(part.read_bytes for part in parts) or 1.0
    shares: defaultdict[str, float] = defaultdict(float)
    for part in parts:
        shares[part.place] += part.read_bytes / total
    return shares


def _position(time_s: float, bounds: Range) -> float:
    """Where a time lies between two others, in logarithms: 0 at the low one, 1 at the high one, beyond outside."""
    return math.log(time_s / bounds.low) / math.log(bounds.high / bounds.low)


def _at(position: float, bounds: Range) -> float:
    return bounds.low * float((bounds.high / bounds.low) ** position)


def _widened(times: Range, spread: Range) -> Range:
    """Times for a spread in tokens a second."""
    return Range(times.low / spread.high, times.high / spread.low)
