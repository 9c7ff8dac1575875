"""What the selected model, or the settings on the load panel, would take: asked in the background, posted when known.

Nothing here waits on the screen's behalf: a newer question ends the one before. Imported after the first frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from textual.message import Message

from tui.app.flows.trial import Trial
from tui.app.messages import FormRead, LimitsKnown
from tui.app.panels.load.fields import Limits
from tui.app.panels.load.form import Form
from tui.app.panels.load.price import Price
from tui.app.places import RESERVED_THREADS
from tui.config.paths import Paths
from tui.config.settings import Settings
from tui.fit.bandwidths import BandwidthError
from tui.fit.fixes import Fix
from tui.fit.plan import Plan
from tui.fit.values import Refused
from tui.hardware.cpu import default_threads, physical_cores
from tui.hardware.history import RAM
from tui.hardware.snapshot import Snapshot
from tui.llama.settings import LoadSettings, SettingsError
from tui.models.beside import engine_settings
from tui.models.fitting import Fitting, Priced
from tui.models.headers import headers_dir, local_key
from tui.models.lessons import last_load
from tui.models.machine import Seen, holders
from tui.models.prepare import look, may_move, wished_for
from tui.models.subject import Subject, subject_or_none
from tui.models.wishes import wished_settings

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.library import Model

REST_S = 0.12
"""How long a person rests on a row, or on a setting, before what costs more than a moment is worked out."""
_KEPT_SUBJECTS = 16
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
        self._subjects: dict[tuple[str, str], Subject] = {}
        """By the model's identity and its file: one that was replaced is another."""

    async def close(self) -> None:
        """End the dry-run process."""
        await self.fitting.close()

    def read_form(self, model: Model, settings: Settings) -> None:
        """Read what the load panel begins with; what its header and llama.cpp's devices add to that follows, as the
        process that knows them may have to be started first.
        """

        async def work() -> None:
            self._post(await asyncio.to_thread(first_form, self._desk.paths, model, settings))
            subject = await self.subject(model)
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

    def selected(self, model: Model, leaving: int | None) -> None:
        """Price a model as it is kept, once a person rests on it."""

        async def work() -> None:
            await asyncio.sleep(REST_S)
            settings = self._desk.settings
            if settings is None:
                return
            try:
                wished = await asyncio.to_thread(wished_for, self._desk.paths, model, settings)
            except SettingsError:
                return  # the load panel says what is wrong with them
            await self._price(model, wished, leaving, fixes="none")

        self._run(work, "price", f"work out what {model.name} would take")

    def changed(self, model: Model, wished: LoadSettings, leaving: int | None, *, fixes: Fixing = "later") -> None:
        """Price the settings on the panel now. Fixes come `later`, once a person rests, or `with` the price."""
        self.stop_looking_ahead()
        work = partial(self._price, model, wished, leaving, fixes=fixes)
        self._run(work, "price", f"work out what {model.name} would take")

    def look_ahead(self, model: Model, next_ones: Sequence[LoadSettings], leaving: int | None) -> None:
        """Ask now what llama.cpp would be asked for any of these settings, so that their price is known at once when
        they are chosen. The next question that somebody waits for ends it.
        """

        async def work() -> None:
            settings, snapshot, subject = self._desk.settings, self.trial.machine, await self.subject(model)
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

    async def _price(self, model: Model, wished: LoadSettings, leaving: int | None, *, fixes: Fixing) -> None:
        settings, snapshot = self._desk.settings, self.trial.machine
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
        subject = await self.subject(answer.model)
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
        settings, subject = self._desk.settings, await self.subject(model)
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

    async def subject(self, model: Model) -> Subject | None:
        """The model's header, read once for each file; None where it cannot be read."""
        file = await asyncio.to_thread(_on_disk, model.path)
        if file is None:
            return None
        key = model.identity, file
        if key not in self._subjects:
            found = await asyncio.to_thread(subject_or_none, model, headers_dir(self._desk.paths))
            if found is None:
                return None
            while len(self._subjects) >= _KEPT_SUBJECTS:
                self._subjects.pop(next(iter(self._subjects)))
            self._subjects[key] = found
        return self._subjects[key]

    def _post(self, message: Message) -> None:
        self._desk.app.post_message(message)


def _on_disk(path: Path) -> str | None:
    """The same while a model's file is the same, and nothing has come or gone beside it: a projector may have."""
    key, _ = local_key(path)
    try:
        return key and f"{key}:{path.parent.stat().st_mtime_ns}"
    except OSError:
        return None


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


def first_form(paths: Paths, model: Model, settings: Settings) -> FormRead:
    """The load panel's first values. Reads files."""
    problem = ""
    try:
        base = wished_settings({}, {}, settings.load.values())
    except SettingsError as error:
        base, problem = wished_settings({}, {}, {}), f"config.toml: {error}"
    try:
        stored = wished_for(paths, model, settings)
    except SettingsError as error:
        stored, problem = base, problem or f"models.toml: {error}"
    return FormRead(model, Form.of(base, stored, limits_of(model)), problem)


def limits_of(model: Model, subject: Subject | None = None, devices: tuple[str, ...] = ()) -> Limits:
    """What bounds the settings of a model, as far as it is known."""
    n_block = subject.shape.n_block if subject is not None else model.n_layer
    n_expert = subject.shape.n_expert if subject is not None else 0
    return Limits(n_block, model.n_ctx_train, physical_cores(), n_expert, default_threads(RESERVED_THREADS), devices)
