"""What the selected model, or the settings on the load panel, would take: asked in the background, posted when known.

Nothing here waits on the screen's behalf: a newer question ends the one before. Imported after the first frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.app.panels.load.price import Price
from tui.app.panels.meter.gauges import RAM, gpu_key
from tui.fit.values import Refused
from tui.llama.settings import LoadSettings
from tui.models.fitting import Fitting, Priced
from tui.models.headers import headers_dir
from tui.models.machine import Seen, holders
from tui.models.prepare import may_move, wished_for
from tui.models.subject import Subject, subject_or_none

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.library import Model

REST_S = 0.12
"""How long a person rests on a row, or on a setting, before what costs more than a moment is worked out."""
_KEPT_SUBJECTS = 16


@dataclass
class PriceMade(Message):
    """What a model would take with these settings; `price` None where that cannot be told, and `problem` says why."""

    model: Model
    wished: LoadSettings
    price: Price | None
    ghost: Mapping[str, int]
    """Bytes by the key of a gauge."""
    problem: str = ""


class Pricing:
    """Asks for the app. `leaving` is the engine that makes room for a load."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.fitting = Fitting(desk.paths)
        self._subjects: dict[str, Subject | None] = {}

    async def close(self) -> None:
        """End the dry-run process."""
        await self.fitting.close()

    def selected(self, model: Model, leaving: int | None) -> None:
        """Price a model as it is kept, once a person rests on it."""

        async def work() -> None:
            await asyncio.sleep(REST_S)
            settings = self._desk.settings
            assert settings is not None
            wished = await asyncio.to_thread(wished_for, self._desk.paths, model, settings)
            await self._price(model, wished, leaving, with_fixes=False)

        self._run(work)

    def changed(self, model: Model, wished: LoadSettings, leaving: int | None) -> None:
        """Price the settings on the panel now, and look for fixes once a person rests."""

        async def work() -> None:
            await self._price(model, wished, leaving, with_fixes=True)

        self._run(work)

    def _run(self, work: Any) -> None:
        self._desk.app.run_worker(
            work, group="price", description="work out what a load would take", exclusive=True, exit_on_error=False
        )

    async def _price(self, model: Model, wished: LoadSettings, leaving: int | None, *, with_fixes: bool) -> None:
        settings, snapshot = self._desk.settings, self._desk.machine
        if settings is None or snapshot is None:
            return
        subject = await self.subject(model)
        if subject is None:
            self._post(PriceMade(model, wished, None, {}))
            return
        seen = await self.fitting.seen(snapshot, settings, leaving=leaving)
        try:
            made = await self.fitting.plan(subject, wished, seen.machine, settings, may_move=may_move(wished))
        except Refused as refusal:
            self._post(PriceMade(model, wished, None, {}, str(refusal)))
            return
        priced = self.fitting.priced(subject, made.settings, seen.machine, made.prediction)
        price = Price(seen.machine, priced.prediction, priced.assessment, priced.speed, made.said, notes=_notes(seen))
        ghost = ghost_of(priced, seen)
        self._post(PriceMade(model, wished, price, ghost))
        if with_fixes:
            await asyncio.sleep(REST_S)
            found = await self.fitting.fixes(subject, priced, seen.machine, others=holders(snapshot, seen))
            if found:
                self._post(PriceMade(model, wished, replace(price, fixes=found), ghost))

    async def subject(self, model: Model) -> Subject | None:
        """The model's header, read once; None where it cannot be read."""
        if model.identity not in self._subjects:
            found = await asyncio.to_thread(subject_or_none, model, headers_dir(self._desk.paths))
            while len(self._subjects) >= _KEPT_SUBJECTS:
                self._subjects.pop(next(iter(self._subjects)))
            self._subjects[model.identity] = found
        return self._subjects[model.identity]

    def _post(self, message: PriceMade) -> None:
        self._desk.app.post_message(message)


def ghost_of(priced: Priced, seen: Seen) -> dict[str, int]:
    """Bytes by gauge key: on each card that a row of the meter shows, and in RAM."""
    ghost = {
        gpu_key(row): device.need_bytes
        for device, row in zip(priced.assessment.devices, seen.rows, strict=True)
        if row is not None and device.need_bytes
    }
    return {**ghost, RAM: priced.assessment.host.need_bytes}


def _notes(seen: Seen) -> tuple[str, ...]:
    if not seen.idle:
        return ()
    names = ", ".join(dict.fromkeys(gpu.name or "a GPU" for gpu in seen.idle))
    return (f"{names} is here, but this llama.cpp was built for the CPU: `puna doctor` says how to build it.",)
