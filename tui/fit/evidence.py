"""What earlier measurements on a machine say about the speed of a model, the most telling first. Values only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from operator import attrgetter
from typing import Literal

from tui.fit.calibration import Likeness, Witness, believable, calibrated, telling, upper
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
            if source == "similar" and plain is not None:
                times = [believable(time, plain) for time in times]
            if times:
                return _widened(_range_of(times), _SPREAD[source]), source
        if plain is None:
            return None
        found = calibrated(plain, self._witnesses())
        if found is None:
            return plain, "roofline"
        # What the roofline alone says is wide enough as it is.
        return _widened(found[0], _SPREAD["calibrated"], share=found[1]), "calibrated"

    def prefill(self, plain: Range | None = None) -> Range | None:
        """Seconds for one token of a prompt by what was measured; None where nothing was. `plain` is what arithmetic
        could do, which other models do not lead far away from.

        Prompts are bound by arithmetic, so the rate of another model counts by its active parameters.
        """
        for source, group in self._groups:
            if found := self._prefill_like(group, plain if source == "similar" else None):
                return found
        return self._prefill_like(self._here, plain)

    def _prefill_like(self, group: Sequence[Measurement], plain: Range | None) -> Range | None:
        rate = attrgetter("prefill_tok_s")
        times = [self._arithmetic(one) / rate(one) for one in telling(group, rate)]
        if plain is not None:
            times = [believable(time, plain) for time in times]
        return _widened(_range_of(times), _PREFILL_SPREAD) if times else None

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

    def _witnesses(self) -> list[Witness]:
        """How fast models ran of which most time went where most of this one's goes."""
        read = sum(part.read_bytes for part in self._parts)
        shape = self._shape
        this = Likeness(read, 0 < shape.active_parameters < shape.parameters, _shares(self._measured_parts()))
        found: list[Witness] = []
        for one in telling(self._here, attrgetter("decode_tok_s")):
            bounds = decode_s(self._parts_of(one), self._machine)
            if bounds is not None and one.decode_tok_s:
                read = sum(part.read_bytes for part in one.parts)
                like = Likeness(read, 0 < one.active_parameters < one.parameters, _shares(one.parts))
                found.append(Witness(1 / one.decode_tok_s, bounds, this.weight(like)))
        return found

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


def _range_of(times: Sequence[float]) -> Range:
    """From the shortest on; of several the longest quarter does not count: something else was busy then."""
    return Range(min(times), upper(times, key=float))


def _widened(times: Range, spread: Range, share: float = 1.0) -> Range:
    """Times for a spread in tokens a second, or for a share of it, in logarithms."""
    return Range(times.low / spread.high**share, times.high / spread.low**share)
