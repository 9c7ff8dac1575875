"""What the selected model, or the settings on the load panel, would take: asked in the background, posted when known.

Nothing here waits on the screen's behalf: a newer question ends the one before. Imported after the first frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from textual.message import Message

from tui.app.flows.first_form import first_form, limits_of
from tui.app.flows.subjects import Subjects
from tui.app.flows.trial import Trial
from tui.app.messages import LimitsKnown
from tui.app.panels.load.price import Price
from tui.config.settings import Settings
from tui.fit.bandwidths import BandwidthError
from tui.fit.fixes import Fix
from tui.fit.plan import Plan
from tui.fit.values import Refused
from tui.hardware.history import RAM
from tui.hardware.snapshot import Snapshot
from tui.llama.settings import LoadSettings, SettingsError
from tui.models.beside import engine_settings
from tui.models.fitting import Fitting, Priced
from tui.models.lessons import last_load
from tui.models.machine import Seen, holders
from tui.models.prepare import look, may_move, wished_for
from tui.models.subject import Subject

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.library import Model

REST_S = 0.12
"""How long a person rests on a row, or on a setting, before what costs more than a moment is worked out."""
AHEAD = "ahead"
"""Workers that ask what nobody waits for."""
Fixing = Literal["none", "later", "with"]
"""Whether changes that would help are looked for, and when they are told."""


@dataclass
class PriceMade(Message):
    """What a model would take with these settings; `price` None where that cannot be told, and `problem` says why."""

    model: Model
    wished: LoadSettings
    snapshot: Snapshot | None = None
    """The memory that it was set against; None where that is not known yet."""
    price: Price | None = None
    ghost: Mapping[str, int] = field(default_factory=dict)
    """Bytes that would be added, by the key of a gauge."""
    problem: str = ""


class MemoryMeasured(Message):
    """How fast this machine reads its memory is known now."""


class Pricing:
    """Asks for the app. `leaving` is the engine that makes room for a load."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.fitting = Fitting(desk.paths)
        self.trial = Trial(desk, self)
        self.subjects = Subjects(desk.paths)

    async def close(self) -> None:
        """End the dry-run process."""
        await self.fitting.close()

    def read_form(self, model: Model, settings: Settings) -> None:
        """Read what the load panel begins with; what its header and llama.cpp's devices add to that follows, as the
        process that knows them may have to be started first.
        """

        async def work() -> None:
            self._post(await asyncio.to_thread(first_form, self._desk.paths, model, settings))
            subject = await self.subjects.of(model)
            if subject is not None:
                devices = tuple(device.name for device in await self.fitting.dry_run.devices() or ())
                self._post(LimitsKnown(model, limits_of(model, subject, devices)))

        self._run(work, "form", f"read the settings of {model.name}")

    def warm_up(self) -> None:
        """Start the process that prices come from, while nobody waits for one."""

        async def work() -> None:
            await self.fitting.dry_run.devices()

        self._run(work, "warm-prices", "get ready to work out what models take")

    def measure_memory(self) -> None:
        """Measure once how fast this machine reads its memory, while nothing else is computed here."""

        async def work() -> None:
            await asyncio.sleep(REST_S)
            settings, snapshot = self._desk.settings, self._desk.machine
            if settings is None or snapshot is None:
                return
            seen = await self.fitting.seen(snapshot, settings)
            try:
                if await self.fitting.measure_memory(seen.machine):
                    self._post(MemoryMeasured())
            except BandwidthError:
                pass  # speeds are then reckoned with a usual figure, and say so

        self._run(work, "bandwidth", "measure memory's speed")

    def selected(self, model: Model, snapshot: Snapshot | None, leaving: int | None) -> None:
        """Price a model as it is kept, against this memory, once a person rests on it."""

        async def work() -> None:
            await asyncio.sleep(REST_S)
            settings = self._desk.settings
            if settings is None:
                return
            try:
                wished = await asyncio.to_thread(wished_for, self._desk.paths, model, settings)
            except SettingsError:
                return  # the load panel says what is wrong with them
            await self._price(model, wished, snapshot, leaving, fixes="none")

        self._run(work, "price", f"work out what {model.name} would take")

    def changed(
        self,
        model: Model,
        wished: LoadSettings,
        snapshot: Snapshot | None,
        leaving: int | None,
        *,
        fixes: Fixing = "later",
    ) -> None:
        """Price the settings on the panel now, against this memory. Fixes come `later`, once a person rests, or `with`
        the price.
        """
        self.stop_looking_ahead()
        work = partial(self._price, model, wished, snapshot, leaving, fixes=fixes)
        self._run(work, "price", f"work out what {model.name} would take")

    def look_ahead(
        self, model: Model, next_ones: Sequence[LoadSettings], snapshot: Snapshot | None, leaving: int | None
    ) -> None:
        """Plan now what may be chosen next, so that its price is known at once. The next question that somebody waits
        for ends it.
        """

        async def work() -> None:
            settings, subject = self._desk.settings, await self.subjects.of(model)
            if settings is None or snapshot is None or subject is None:
                return
            for wished in next_ones:
                with suppress(Refused):
                    await self._planned(subject, wished, settings, snapshot, leaving)

        self._run(work, AHEAD, f"look ahead to what {model.name} could be set to")

    def stop_looking_ahead(self) -> None:
        """Somebody waits for something else, or nobody for anything."""
        self._desk.app.workers.cancel_group(self._desk.app, AHEAD)

    def _run(self, work: Callable[[], Coroutine[Any, Any, None]], group: str, description: str) -> None:
        """Work in the background, in place of what was asked before in the same group."""
        run: Any = work  # Textual's types do not tell a coroutine function from any other
        self._desk.app.run_worker(run, group=group, description=description, exclusive=True, exit_on_error=False)

    async def _price(
        self, model: Model, wished: LoadSettings, snapshot: Snapshot | None, leaving: int | None, *, fixes: Fixing
    ) -> None:
        settings = self._desk.settings
        answer = PriceMade(model, wished, snapshot)
        if settings is None or snapshot is None:
            self._post(replace(answer, problem="What it would take is told when this machine's memory is known."))
            return
        try:
            await self._priced(answer, settings, snapshot, leaving, fixes)
        except Refused as refusal:
            self._post(replace(answer, problem=f"llama.cpp refuses this: {refusal}"))
        except Exception:
            self._post(replace(answer, problem="What it would take could not be worked out."))
            raise

    async def _priced(
        self, answer: PriceMade, settings: Settings, snapshot: Snapshot, leaving: int | None, fixes: Fixing
    ) -> None:
        at_once = self.subjects.last(answer.model)
        subject = at_once or await self.subjects.of(answer.model)
        if subject is None:
            words = "What it would take cannot be told beforehand: its header cannot be read."
            self._post(replace(answer, problem=words))
            return
        fitting = self.fitting
        seen, made = await self._planned(subject, answer.wished, settings, snapshot, leaving)
        priced = fitting.priced(subject, made.settings, seen.machine, made.prediction)
        price = Price(
            subject, priced.settings, seen.machine, priced.prediction, priced.assessment, priced.speed, said=made.said,
            notes=(*engine_settings(answer.wished)[1], *seen.notes), last=last_load(fitting.loads, subject.identity),
        )  # fmt: skip
        answer = replace(answer, price=price, ghost=ghost_of(priced, seen, snapshot, leaving))
        if fixes != "with":
            self._post(answer)
        if at_once is not None and await self.subjects.of(answer.model) is not at_once:
            self.subjects.forget_last()
            await self._priced(replace(answer, price=None), settings, snapshot, leaving, fixes)
            return
        if fixes == "none" or not price.may_be_better:
            found: tuple[Fix, ...] | None = None
        else:
            await asyncio.sleep(REST_S if fixes == "later" else 0)
            others = tuple(one for one in holders(snapshot, seen) if one.pid not in (leaving, fitting.dry_run.pid))
            found = await fitting.fixes(subject, priced, seen.machine, others=others)
        if fixes == "with" or found is not None:
            self._post(replace(answer, price=replace(price, fixes=found)))

    async def quote(
        self, model: Model, wished: LoadSettings | None, leaving: int | None, *, panes: int = 1
    ) -> Priced | None:
        """What a model would take with memory as it is now, for one who waits for the answer; None where that cannot be
        told. `wished` None is as it is kept for the model."""
        settings, subject = self._desk.settings, await self.subjects.of(model)
        if settings is None or subject is None:
            return None
        paths = self._desk.paths
        try:
            if wished is None:
                wished = await asyncio.to_thread(wished_for, paths, model, settings)
            wished = msgspec.structs.replace(wished, panes=panes)
            snapshot = await asyncio.to_thread(look, paths)
            seen, made = await self._planned(subject, wished, settings, snapshot, leaving)
        except (Refused, SettingsError):
            return None
        return self.fitting.priced(subject, made.settings, seen.machine, made.prediction)

    async def _planned(
        self, subject: Subject, wished: LoadSettings, settings: Settings, snapshot: Snapshot, leaving: int | None
    ) -> tuple[Seen, Plan]:
        """What "auto" comes to, and the machine that it was set against. Raises Refused."""
        seen = await self.fitting.seen(snapshot, settings, leaving=leaving)
        wished, _ = engine_settings(wished)
        movable = may_move(wished, asked=seen.asked)
        return seen, await self.fitting.plan(subject, wished, seen.machine, settings, may_move=movable)

    def _post(self, message: Message) -> None:
        self._desk.app.post_message(message)


def ghost_of(priced: Priced, seen: Seen, snapshot: Snapshot, leaving: int | None) -> dict[str, int]:
    """Bytes by gauge key: on each card that a row of the meter shows, and in RAM. What the engine that makes room holds
    there now is not added a second time.
    """
    ghost = {
        row.key: device.need_bytes - sum(one.used_bytes or 0 for one in row.processes if one.pid == leaving)
        for device, row in zip(priced.assessment.devices, seen.rows, strict=True)
        if row is not None and device.need_bytes
    }
    back = sum(engine.anon_bytes or 0 for engine in snapshot.engines if engine.pid == leaving)
    ghost[RAM] = priced.assessment.host.need_bytes - back
    return {key: max(0, more) for key, more in ghost.items()}
