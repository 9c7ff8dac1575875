"""Settings that a plan could end in, each asked for at most once. Keeps what was asked; decides nothing.

Where a model may be spread over several GPUs, a candidate is the best spread that was found for it.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from tui.fit.order import Goals, Rank, Shape, rank
from tui.fit.spread import Counts, Layers, Learned, by_room, learn
from tui.fit.values import Ask, Machine, Prediction, Refused
from tui.fit.verdict import Assessment, assess
from tui.llama.settings import NO_DEVICES, UNQUANTIZED_KV, KVType, LoadSettings

_SPREADS = 3
"""Spreads tried for one candidate: by room, then twice by what the last answer taught."""


class KV(NamedTuple):
    """Types of the KV cache."""

    type_k: KVType
    type_v: KVType


class Place(NamedTuple):
    """Where the weights lie."""

    n_gpu_layers: int
    n_cpu_moe: int


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Settings without "auto" and what they would take."""

    settings: LoadSettings
    prediction: Prediction
    assessment: Assessment
    rank: Rank

    @property
    def place(self) -> Place:
        """Where the weights lie."""
        return Place(int(self.settings.n_gpu_layers), self.settings.n_cpu_moe)

    @property
    def kv(self) -> KV:
        """Types of the KV cache."""
        return KV(self.settings.type_k, self.settings.type_v)


def saving_kv(settings: LoadSettings) -> KV | None:
    """The KV types with q8_0 in place of what is not quantized; None where nothing would change. Values need flash
    attention for it, so without it they stay.
    """
    type_k: KVType = "q8_0" if settings.type_k in UNQUANTIZED_KV else settings.type_k
    may_values = settings.type_v in UNQUANTIZED_KV and settings.flash_attn != "off"
    found = KV(type_k, "q8_0" if may_values else settings.type_v)
    return found if found != (settings.type_k, settings.type_v) else None


def experts_on_host(settings: LoadSettings, shape: Shape) -> int:
    """Layers whose experts stay on the host; 0 for a dense model, which has none to keep there."""
    return min(settings.n_cpu_moe, shape.n_block) if shape.n_expert else 0


class Candidates:
    """What was asked about one model on one machine, and the way to ask more."""

    def __init__(
        self,
        wished: LoadSettings,
        shape: Shape,
        machine: Machine,
        ask: Ask,
        aims: Goals,
        *,
        may_spread: bool,
        by_formula: Candidates | None = None,
        thorough: bool = False,
    ) -> None:
        """`by_formula` are the same, answered at once, to learn from how layers could be spread; they are `thorough`,
        as asking costs them little.
        """
        self._wished = wished
        self._shape = shape
        self._machine = machine
        self._ask = ask
        self._aims = aims
        self._by_formula = by_formula
        self._thorough = thorough
        self._answers: dict[LoadSettings, Candidate | None] = {}
        self._found: dict[tuple[int, Place, KV], Candidate | None] = {}
        self._may_choose = (
            may_spread and not wished.devices and not wished.tensor_split and wished.split_mode == "layer"
        )
        indices = range(len(machine.devices))
        with_room = tuple(index for index in indices if self._room_bytes(index) > 0)
        self._usable = (with_room or tuple(indices)) if self._may_choose else tuple(indices)
        self._learned: dict[tuple[int, ...], Learned] = {}

    @property
    def asks(self) -> int:
        """How many questions were asked."""
        return len(self._answers)

    @property
    def answered(self) -> list[Candidate]:
        """Every candidate that llama.cpp did not refuse."""
        return [candidate for candidate in self._found.values() if candidate is not None]

    async def at(self, n_ctx: int, place: Place, kv: KV) -> Candidate | None:
        """The candidate with these values; None where llama.cpp refuses it.

        Raises Refused when the very first candidate is refused: then the reason lies in what the person gave.
        """
        key = (n_ctx, place, kv)
        if key not in self._found:
            settings = msgspec.structs.replace(self._wished, n_ctx=n_ctx, **place._asdict(), **kv._asdict())
            self._found[key] = await self._on_best_devices(settings)
        return self._found[key]

    async def _answer(self, settings: LoadSettings) -> Candidate | None:
        if settings not in self._answers:
            try:
                prediction = await self._ask(settings)
            except Refused:
                if not self._answers:
                    raise
                self._answers[settings] = None
            else:
                self._answers[settings] = self._candidate(settings, prediction)
        return self._answers[settings]

    def _candidate(self, settings: LoadSettings, prediction: Prediction) -> Candidate:
        n_cpu_moe = experts_on_host(settings, self._shape)
        assessment = assess(prediction, self._machine, self._shape.n_block, n_cpu_moe=n_cpu_moe)
        as_asked = (settings.type_k, settings.type_v) == (self._wished.type_k, self._wished.type_v)
        return Candidate(
            settings=settings,
            prediction=prediction,
            assessment=assessment,
            rank=rank(settings, assessment, self._aims, kv_as_asked=as_asked),
        )

    def _room_bytes(self, index: int) -> int:
        device = self._machine.devices[index]
        return device.free_bytes - self._machine.margins.device_bytes - device.overhead_bytes

    async def _on_best_devices(self, settings: LoadSettings) -> Candidate | None:
        """On the devices with room. One that would hold no weights is still computed on: where it has no room even for
        that, it is left out.
        """
        indices = self._usable
        best = found = await self._on(settings, indices)
        while found is not None and self._may_choose and _over(found) > (0, 0):
            idle = self._idle(indices, found)
            if not idle:
                break
            indices = tuple(index for index in indices if index not in idle)
            if not indices and settings.n_gpu_layers:
                break
            found = await self._on(settings, indices)
            best = min((each for each in (best, found) if each is not None), key=_over)
        return best

    def _idle(self, indices: tuple[int, ...], found: Candidate) -> set[int]:
        """Devices without weights that have no room to compute what is on the host, which the first one does."""
        assessment = found.assessment
        empty = [index for index in indices if not assessment.devices[index].weights_bytes]
        idle = {index for index in empty if self._is_in_the_way(index, assessment)}
        compute_bytes = max((assessment.devices[index].compute_bytes for index in idle), default=0)
        return idle | {index for index in empty if idle and self._room_bytes(index) < compute_bytes}

    def _is_in_the_way(self, index: int, assessment: Assessment) -> bool:
        device = assessment.devices[index]
        in_full_pool = self._machine.devices[index].shares_host and not assessment.host.fits
        return device.need_bytes > 0 and (in_full_pool or not device.fits)

    async def _on(self, settings: LoadSettings, indices: tuple[int, ...]) -> Candidate | None:
        devices = self._machine.devices
        if len(indices) < len(devices):
            names = tuple(devices[index].name for index in indices)
            settings = msgspec.structs.replace(settings, devices=names or NO_DEVICES)
        if self._may_choose and len(indices) > 1 and settings.n_gpu_layers:
            return await self._best_spread(settings, indices)
        return await self._answer(self._split_by_free(settings))

    def _split_by_free(self, settings: LoadSettings) -> LoadSettings:
        """With a split over several devices that are here by what this plan takes to be free. llama.cpp's own goes by
        what is free at its moment: an engine that makes room for the load is still there at this one.
        """
        n_layers = min(int(settings.n_gpu_layers), self._shape.n_block + 1)
        there = {device.name: device for device in self._machine.devices if device.profile == "real"}
        names = settings.devices or [device.name for device in self._machine.devices]
        if settings.tensor_split or settings.split_mode == "none" or not n_layers:
            return settings
        if len(names) < 2 or not there.keys() >= set(names):
            return settings
        counts = by_room([there[name].free_bytes for name in names], n_layers)
        return msgspec.structs.replace(settings, tensor_split=tuple(map(float, counts)))

    async def _best_spread(self, settings: LoadSettings, indices: tuple[int, ...]) -> Candidate | None:
        n_layers = min(int(settings.n_gpu_layers), self._shape.n_block + 1)
        counts = await self._first_spread(settings, indices, n_layers)
        best: Candidate | None = None
        for _ in range(_SPREADS):
            if counts is None:
                break
            found = await self._answer(msgspec.structs.replace(settings, tensor_split=tuple(map(float, counts))))
            if found is None:
                break
            over = found.assessment.devices_over_bytes
            if best is None or over < best.assessment.devices_over_bytes:
                best = found
            if over <= 0:
                break
            layers = await self._layers(settings, n_layers)
            devices = [found.assessment.devices[index] for index in indices]
            self._learned[indices] = learn(counts, devices, layers)
            counts = self._learned[indices].counts(layers)
        if self._thorough and (best is None or best.assessment.devices_over_bytes > 0):
            counts = by_room([self._room_bytes(index) for index in indices], n_layers)
            plain = await self._answer(msgspec.structs.replace(settings, tensor_split=tuple(map(float, counts))))
            best = min((each for each in (best, plain) if each is not None), key=_devices_over, default=None)
        return best

    async def _first_spread(self, settings: LoadSettings, indices: tuple[int, ...], n_layers: int) -> Counts | None:
        """What fits by the formula, or else what an answer taught, or else in proportion to what is free."""
        hinted = await self._by_formula._best_spread(settings, indices) if self._by_formula is not None else None
        hint = tuple(map(int, hinted.settings.tensor_split)) if hinted is not None else None
        if hinted is not None and _devices_over(hinted) <= 0:
            return hint
        taught = None
        if indices in self._learned:
            taught = self._learned[indices].counts(await self._layers(settings, n_layers))
        return taught or hint or by_room([self._room_bytes(index) for index in indices], n_layers)

    async def _layers(self, settings: LoadSettings, n_layers: int) -> Layers:
        """The layers that are on devices under `settings`. Their sizes come from candidates that are never offered."""
        n_block = self._shape.n_block
        n_light = max(0, experts_on_host(settings, self._shape) - (n_block + 1 - n_layers))
        expert_bytes = 0
        if 0 < n_light < n_layers - 1:
            with_all, without = (
                await self._weights_bytes(n_block + 1, 0),
                await self._weights_bytes(n_block + 1, n_block),
            )
            expert_bytes = (with_all - without) // n_block
        return Layers(
            n_layers=n_layers,
            n_light=n_light,
            output_bytes=await self._weights_bytes(1, 0),
            expert_bytes=expert_bytes,
        )

    async def _weights_bytes(self, n_gpu_layers: int, n_cpu_moe: int) -> int:
        """Weights on all devices together; 0 where llama.cpp refuses. What a formula says will do: it is only where to
        begin.
        """
        if self._by_formula is not None:
            return await self._by_formula._weights_bytes(n_gpu_layers, n_cpu_moe)
        changed = {"n_gpu_layers": n_gpu_layers, "n_cpu_moe": n_cpu_moe, "n_ctx": self._aims.least}
        found = await self._answer(msgspec.structs.replace(self._wished, **changed))
        return sum(device.weights_bytes for device in found.assessment.devices) if found is not None else 0


def _devices_over(candidate: Candidate) -> int:
    return candidate.assessment.devices_over_bytes


def _over(candidate: Candidate) -> tuple[int, int]:
    """How much too much it is for the worst device, then for the host."""
    return max(0, _devices_over(candidate)), max(0, candidate.assessment.host.over_bytes)
