"""Single changes of settings that would make a model fit, found by asking. One kind of change is one method; the order
of the kinds is the order of what they cost a person.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from tui.config.sizes import thousands
from tui.fit.candidates import experts_on_host, saving_kv
from tui.fit.order import LEAST_N_CTX, Shape
from tui.fit.search import Over, largest
from tui.fit.values import Ask, Machine, Refused
from tui.fit.verdict import Assessment, Verdict, assess
from tui.llama.settings import CONTEXT_MULTIPLE, NO_PROJECTOR, LoadSettings

FITS: frozenset[Verdict] = frozenset({"gpu", "partial", "ram"})
ALL_ON_GPU: frozenset[Verdict] = frozenset({"gpu"})
_UBATCHES = (256, 128)
"""Smaller ones make reading a prompt slower than anybody wants."""


class Change(NamedTuple):
    """One change that was asked for and does what is wanted."""

    words: str
    cost: str
    """Empty where it costs speed, which is told in numbers."""
    settings: LoadSettings
    assessment: Assessment


class Changes:
    """The changes to one LoadSettings."""

    def __init__(
        self,
        base: LoadSettings,
        shape: Shape,
        machine: Machine,
        ask: Ask,
        *,
        wanted: frozenset[Verdict] = FITS,
        formula: Ask | None = None,
    ) -> None:
        """`formula` answers at once and need not be exact: a search begins where it would end."""
        self._base = base
        self._shape = shape
        self._machine = machine
        self._ask = ask
        self._wanted = wanted
        self._by_formula = Changes(base, shape, machine, formula, wanted=wanted) if formula is not None else None
        self._known: dict[LoadSettings, Assessment | None] = {}

    async def assess(self, settings: LoadSettings) -> Assessment | None:
        """What `settings` mean on the machine, asked for once; None where llama.cpp refuses them."""
        if settings not in self._known:
            try:
                prediction = await self._ask(settings)
            except Refused:
                self._known[settings] = None
            else:
                moe = experts_on_host(settings, self._shape)
                self._known[settings] = assess(prediction, self._machine, self._shape.n_block, n_cpu_moe=moe)
        return self._known[settings]

    async def found(self) -> list[Change]:
        """Every change that does what is wanted, the cheapest kind first."""
        kinds: list[Callable[[], Awaitable[Change | None]]]
        kinds = [self._window, self._ubatch, self._draft, self._kv, self._panes, self._context, self._projector]
        if self._wanted != ALL_ON_GPU:
            kinds += [self._experts, self._layers]
        changes = [await kind() for kind in kinds]
        return [change for change in changes if change is not None]

    async def _window(self) -> Change | None:
        if not self._base.swa_full:
            return None
        cost = "an edited conversation is read again from further back"
        return await self._checked("sliding windows of their own size", cost, swa_full=False)

    async def _ubatch(self) -> Change | None:
        before = self._base.n_ubatch
        for n_ubatch in (smaller for smaller in _UBATCHES if smaller < before):
            words = f"n_ubatch {n_ubatch} instead of {before}"
            change = await self._checked(words, "prompts are read more slowly", n_ubatch=n_ubatch)
            if change is not None:
                return change
        return None

    async def _draft(self) -> Change | None:
        if not self._base.draft_model:
            return None
        return await self._checked("no draft model", "answers at the model's own speed", draft_model="")

    async def _projector(self) -> Change | None:
        if self._base.projector is None:
            return None
        return await self._checked("no projector (mmproj)", "it sees no images", mmproj=NO_PROJECTOR)

    async def _kv(self) -> Change | None:
        saving = saving_kv(self._base)
        if saving is None:
            return None
        return await self._checked("KV cache q8_0", "small quality cost", **saving._asdict())

    async def _panes(self) -> Change | None:
        panes = self._base.panes
        if panes == 1:
            return None
        words = f"one pane instead of {'two' if panes == 2 else panes}"
        return await self._checked(words, "one conversation at a time", panes=1)

    async def _context(self) -> Change | None:
        n_ctx = int(self._base.n_ctx)
        low, high = LEAST_N_CTX // CONTEXT_MULTIPLE, (n_ctx - 1) // CONTEXT_MULTIPLE
        if low > high:
            return None
        steps = await self._largest(low, high, _over, lambda step: {"n_ctx": step * CONTEXT_MULTIPLE})
        if steps is None:
            return None
        less = steps * CONTEXT_MULTIPLE
        words = f"context {thousands(less)} instead of {thousands(n_ctx)} tokens"
        return await self._checked(words, "a shorter conversation is kept in mind", n_ctx=less)

    async def _experts(self) -> Change | None:
        n_block = self._shape.n_block
        if not self._shape.n_expert or not self._base.n_gpu_layers:
            return None
        kept = await self._largest(0, n_block, _devices_over, lambda count: {"n_cpu_moe": n_block - count})
        if kept is None or n_block - kept == self._base.n_cpu_moe:
            return None
        on_host = n_block - kept
        return await self._checked(f"experts of {on_host} of {n_block} layers in RAM", "", n_cpu_moe=on_host)

    async def _layers(self) -> Change | None:
        everything = self._shape.n_block + 1
        if not self._machine.devices:
            return None
        count = await self._largest(0, everything, _devices_over, lambda count: {"n_gpu_layers": count})
        if count is None or count == self._base.n_gpu_layers:
            return None
        return await self._checked(f"{count or 'none'} of {everything} layers on the GPU", "", n_gpu_layers=count)

    async def _largest(
        self, low: int, high: int, over: Callable[[Assessment], int], changed: Callable[[int], dict[str, Any]]
    ) -> int | None:
        def over_bytes(of: Changes) -> Over:
            async def asked(number: int) -> float:
                found = await of.assess(msgspec.structs.replace(self._base, **changed(number)))
                return over(found) if found is not None else math.inf

            return asked

        return await largest(low, high, over_bytes(self), over_bytes(self._by_formula) if self._by_formula else None)

    async def _checked(self, words: str, cost: str, **changed: Any) -> Change | None:
        """The change, where it does what is wanted."""
        settings = msgspec.structs.replace(self._base, **changed)
        found = await self.assess(settings)
        if found is None or found.verdict not in self._wanted:
            return None
        return Change(words, cost, settings, found)


def _over(assessment: Assessment) -> int:
    return assessment.over_bytes


def _devices_over(assessment: Assessment) -> int:
    return assessment.devices_over_bytes
