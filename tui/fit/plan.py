"""Automatic settings: the best ones by the order of `tui.fit.order` that fit what is free, found with few questions.

What the person gave is never changed; only "auto" and what the caller lets move is. It only asks and compares: it
neither reads files nor knows llama.cpp.
"""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from typing import Literal, get_args

import msgspec

from tui.fit.candidates import KV, Candidate, Candidates, Place, saving_kv
from tui.fit.order import Goals, Rank, Shape, goals
from tui.fit.said import say
from tui.fit.search import Over, largest
from tui.fit.values import Ask, Machine, Prediction
from tui.fit.verdict import Assessment
from tui.llama.settings import CONTEXT_MULTIPLE, LoadSettings

Movable = Literal["kv", "experts", "split"]
"""What may move besides "auto": the KV cache to q8_0; experts to the host; the devices and the split over them. The
person's own words for these are kept by leaving them out.
"""
ALL_MOVABLE: frozenset[Movable] = frozenset(get_args(Movable))


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Settings for a load, what they would take, and what the person should hear about them."""

    settings: LoadSettings
    """Without "auto" and "all"."""
    prediction: Prediction
    assessment: Assessment
    rank: Rank
    said: tuple[str, ...]
    """Sentences about what is less than asked for; empty where nothing is."""
    asks: int
    """How many questions it took."""


async def plan(
    wished: LoadSettings,
    shape: Shape,
    machine: Machine,
    ask: Ask,
    *,
    least_n_ctx: int | None = None,
    most_n_ctx: int | None = None,
    may_move: Set[Movable] = ALL_MOVABLE,
    formula: Ask | None = None,
) -> Plan:
    """`wished` with the best numbers in place of "auto".

    `least_n_ctx` is the person's minimum context and `most_n_ctx` the context beyond which more is of no use, in
    tokens. Where nothing fits it is the plan that is missing the least, and its verdict is "no".

    `formula` answers at once and need not be exact: the search begins where it would end, and `ask` decides.

    Raises Refused where llama.cpp does not take what the person gave.
    """
    aims = goals(wished, shape, least_n_ctx, most_n_ctx)
    may_spread = "split" in may_move
    by_formula = None
    if formula is not None:
        by_formula = Candidates(wished, shape, machine, formula, aims, may_spread=may_spread, thorough=True)
    candidates = Candidates(wished, shape, machine, ask, aims, may_spread=may_spread, by_formula=by_formula)
    kv_types = [KV(wished.type_k, wished.type_v)]
    saving = saving_kv(wished) if "kv" in may_move else None
    if saving is not None:
        kv_types.append(saving)
    places = places_of(wished, shape, machine, experts="experts" in may_move)
    await _Search(candidates, places, kv_types, aims, whole=_is_whole(places[0], shape), by_formula=by_formula).run()
    best = max(candidates.answered, key=lambda candidate: candidate.rank)
    return Plan(
        settings=best.settings,
        prediction=best.prediction,
        assessment=best.assessment,
        rank=best.rank,
        said=say(best, wished, shape, aims, least_n_ctx),
        asks=candidates.asks,
    )


def places_of(wished: LoadSettings, shape: Shape, machine: Machine, *, experts: bool) -> tuple[Place, ...]:
    """Where the weights may lie, best first: each place holds less on devices than the one before it. Experts leave
    first, layer by layer, then whole layers: where the rest of a layer does not fit, its experts do even less.
    """
    everything = shape.n_block + 1
    if wished.n_gpu_layers == "auto":
        layers = range(everything, -1, -1) if machine.devices else range(1)
    else:
        fixed = everything if wished.n_gpu_layers == "all" else min(wished.n_gpu_layers, everything)
        layers = range(fixed, fixed + 1)
    kept = wished.n_cpu_moe
    movable = experts and shape.n_expert and layers[0]
    moes = range(kept, max(kept, shape.n_block) + 1) if movable else range(kept, kept + 1)
    fewer = (Place(count, moes[-1] if count > 1 else kept) for count in layers[1:])  # the output has no experts
    return (*(Place(layers[0], moe) for moe in moes), *fewer)


def _is_whole(place: Place, shape: Shape) -> bool:
    """True where every layer and the output are on devices."""
    return place.n_gpu_layers > shape.n_block and not (shape.n_expert and place.n_cpu_moe)


class _Search:
    """Asks for the candidates among which the best one is."""

    def __init__(
        self,
        candidates: Candidates,
        places: Sequence[Place],
        kv_types: Sequence[KV],
        aims: Goals,
        *,
        whole: bool,
        by_formula: Candidates | None = None,
    ) -> None:
        self._candidates = candidates
        self._places = places
        self._given, self._saving = kv_types[0], kv_types[-1]
        self._aims = aims
        self._whole = whole
        """The first place has everything on devices, which comes before the usual context."""
        self._solved: dict[int, int] = {}
        """By context: how many steps from the last place towards the first the devices hold."""
        self._formula = _Search(by_formula, places, kv_types, aims, whole=whole) if by_formula is not None else None
        """The same search among answers of a formula."""

    async def run(self) -> None:
        """Ask until nothing better is to be expected."""
        aims = self._aims
        first = await self._candidates.at(aims.most, self._places[0], self._given)
        if first is not None and first.rank.fits:
            return
        await self._drop_useless_kv()
        found = await self._within(aims.minimum, aims.usual)
        if found is None and aims.least < aims.minimum:
            found = await self._within(aims.least, aims.minimum)
        if found is not None and found.settings.n_ctx == aims.usual < aims.most:
            await self._longest(aims.usual, aims.most, found.place, found.kv)

    async def _drop_useless_kv(self) -> None:
        """Forget q8_0 where it is refused, or saves nothing: quantized caches need room to be unpacked in."""
        usual, place = self._aims.usual, self._places[0]
        given = await self._candidates.at(usual, place, self._given)
        saving = await self._candidates.at(usual, place, self._saving)
        if saving is None or (given is not None and saving.assessment.need_bytes >= given.assessment.need_bytes):
            self._saving = self._given

    async def _within(self, low: int, high: int) -> Candidate | None:
        """The best that fits with a context from `low` to `high`."""
        n_ctx, place = None, self._places[0]
        if self._whole:
            n_ctx = await self._longest(low, high, place, self._saving)
        if n_ctx is None:
            n_ctx = await self._longest(low, high, None, self._saving)
            placed = await self._placed(n_ctx, self._saving) if n_ctx is not None else None
            if n_ctx is None or placed is None:
                return None
            place = placed.place
        for kv in (self._given, self._saving):
            found = await self._candidates.at(n_ctx, place, kv)
            if found is not None and found.rank.fits:
                return found
        return None

    async def _longest(self, low: int, high: int, place: Place | None, kv: KV) -> int | None:
        """The largest context that fits with the weights in `place`, or wherever is best for it."""
        steps = [low, *range(low + CONTEXT_MULTIPLE - low % CONTEXT_MULTIPLE, high, CONTEXT_MULTIPLE), high]

        def over(of: _Search) -> Over:
            return lambda index: of._over(steps[index], place, kv)

        index = await largest(0, len(steps) - 1, over(self), over(self._formula) if self._formula else None)
        return steps[index] if index is not None else None

    async def _over(self, n_ctx: int, place: Place | None, kv: KV) -> float:
        """How much too much it is, in bytes."""
        found = await (self._candidates.at(n_ctx, place, kv) if place else self._placed(n_ctx, kv))
        return found.assessment.over_bytes if found is not None else math.inf

    async def _devices_over(self, n_ctx: int, step: int, kv: KV) -> float:
        """How much too much it is for the devices alone, in bytes; `step` counts from the last place."""
        found = await self._candidates.at(n_ctx, self._places[-1 - step], kv)
        return found.assessment.devices_over_bytes if found is not None else math.inf

    async def _placed(self, n_ctx: int, kv: KV) -> Candidate | None:
        """The best place that the devices hold with this context; the last place where they hold none."""
        last = len(self._places) - 1

        def over(of: _Search) -> Over:
            return lambda step: of._devices_over(n_ctx, step, kv)

        # What the devices hold with more context they hold with less, and the other way round.
        low = max((step for solved, step in self._solved.items() if solved >= n_ctx), default=0)
        high = min((step for solved, step in self._solved.items() if solved <= n_ctx), default=last)
        kink = last - sum(place.n_gpu_layers == self._places[0].n_gpu_layers for place in self._places) + 1
        if self._formula is None and low < kink < high:  # experts and whole layers are two straight lines
            low, high = (kink, high) if await self._devices_over(n_ctx, kink, kv) <= 0 else (low, kink - 1)
        step = await largest(low, high, over(self), over(self._formula) if self._formula else None) or 0
        self._solved[n_ctx] = step
        found = await self._candidates.at(n_ctx, self._places[last - step], kv)
        if found is not None and not found.assessment.host.fits and found.assessment.host.shared_bytes:
            # In one pool a layer is no cheaper on the device, and the device's buffers and driver come on top.
            without = await self._candidates.at(n_ctx, self._places[last], kv)
            if without is not None and without.assessment.over_bytes < found.assessment.over_bytes:
                return without
        return found
