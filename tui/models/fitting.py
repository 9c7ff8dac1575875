"""Joins a model's header, this machine and the fit: plans loads, prices settings, and says what each would take.

One `Fitting` serves a front end for as long as it runs and owns the dry-run process. Asyncio, in the main thread; what
reads files or drivers runs in threads.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from tui.config.paths import Paths
from tui.config.settings import Settings
from tui.fit import closed_form
from tui.fit.bandwidths import device_bandwidths, ram_bandwidth
from tui.fit.candidates import experts_on_host
from tui.fit.extras import Extras, by_formula
from tui.fit.fixes import Fix, Holder, fixes
from tui.fit.measured import Measurement
from tui.fit.oracle import DryRun
from tui.fit.plan import Movable, Plan, plan
from tui.fit.questions import KnownDevice
from tui.fit.receipts import LoadRecord
from tui.fit.speed import TYPICAL_PAST, Speed, estimate
from tui.fit.values import Ask, Machine, Margins, Prediction
from tui.fit.verdict import Assessment, assess
from tui.hardware.cpu import physical_cores
from tui.hardware.snapshot import Snapshot
from tui.llama.settings import NO_PROJECTOR, LoadSettings
from tui.models.beside import BesideFiles, with_or_without
from tui.models.fit_report import FitReport
from tui.models.headers import headers_dir
from tui.models.installed import note_gpus
from tui.models.kept_plans import KeptPlans
from tui.models.lessons import learnt, speeds
from tui.models.machine import NOTHING_LEARNT, Seen, machine_of
from tui.models.quants import smaller_quants
from tui.models.subject import Subject

LESSONS_S = 5.0
"""How long what was read of earlier loads counts, in seconds: each step on the load panel asks for it."""


@dataclass(frozen=True, slots=True)
class Priced:
    """What resolved settings would take."""

    settings: LoadSettings
    prediction: Prediction
    assessment: Assessment
    speed: Speed | None


class Fitting:
    """Asks, plans and prices."""

    def __init__(self, paths: Paths, dry_run: DryRun | None = None) -> None:
        """Nothing is started before the first question."""
        self._paths = paths
        self.dry_run = dry_run if dry_run is not None else DryRun()
        self._lessons = NOTHING_LEARNT
        self._learnt_at = float("-inf")
        self._has_gpus: bool | None = None
        """What was noted last."""
        self._beside = BesideFiles(headers_dir(paths))
        self._plans = KeptPlans()

    async def close(self) -> None:
        """End the dry-run process."""
        await self.dry_run.close()

    @property
    def loads(self) -> tuple[LoadRecord, ...]:
        """What earlier loads on this machine took, as last read, the newest last."""
        return self._lessons.loads

    @property
    def measured(self) -> tuple[Measurement, ...]:
        """How fast models were here, as last read."""
        return self._lessons.speeds.measurements

    def learn_again(self) -> None:
        """There is something new to learn: it is read at the next question."""
        self._learnt_at = float("-inf")

    async def seen(
        self,
        snapshot: Snapshot,
        settings: Settings,
        *,
        potential: bool = False,
        without_gpus: bool = False,
        leaving: int | None = None,
    ) -> Seen:
        """This machine at the time of `snapshot`; with `potential` as if llama.cpp could drive every card, and
        `without_gpus` without asking it which it can. What the engine with pid `leaving` holds counts as free.
        """
        now = time.monotonic()
        if now - self._learnt_at > LESSONS_S:
            self._learnt_at = now  # before it is read: what is learnt meanwhile asks for another reading
            self._lessons = await asyncio.to_thread(learnt, self._paths)
        known = () if without_gpus else await self._devices()
        return machine_of(
            snapshot,
            known,
            margins_of(settings),
            self._lessons,
            leaving=frozenset(pid for pid in (leaving, self.dry_run.pid) if pid is not None),
            potential=potential,
        )

    async def _devices(self) -> tuple[KnownDevice, ...] | None:
        """llama.cpp's GPUs, and a note for the next start where it has none."""
        known = await self.dry_run.devices()
        if known is not None and self._has_gpus is not bool(known):
            self._has_gpus = bool(known)
            await asyncio.to_thread(note_gpus, self._paths, any_there=self._has_gpus)
        return known

    async def measure_memory(self, machine: Machine) -> bool:
        """Measure once how fast RAM and the GPUs of this `machine` that llama.cpp drives are read; True when something
        is new.

        Keeps every core busy for a second, and each GPU for half of one. Raises BandwidthError.
        """
        store = speeds(self._paths)
        before = await asyncio.to_thread(store.read)
        await ram_bandwidth(store, physical_cores())
        await device_bandwidths(store, machine)
        self.learn_again()
        return await asyncio.to_thread(store.read) != before

    async def release(self) -> None:
        """Give back what the dry run holds on real GPUs, before a model is loaded."""
        if self.dry_run.pid is not None and await self.dry_run.devices() != ():
            await self.dry_run.release()

    def ask(self, subject: Subject, machine: Machine, extras: Extras) -> Ask:
        """A question about one model on one machine, answered by llama.cpp or, where it cannot be asked, estimated. Of
        `extras` what the settings name is counted.
        """
        fallback = partial(closed_form.predict, subject.shape)

        async def answer(settings: LoadSettings) -> Prediction:
            return await self.dry_run.predict(subject.header, settings, machine, fallback, extras)

        return answer

    async def plan(
        self,
        subject: Subject,
        wished: LoadSettings,
        machine: Machine,
        settings: Settings,
        *,
        may_move: frozenset[Movable],
        unasked: bool = False,
    ) -> Plan:
        """Numbers in place of "auto"; `unasked` leaves llama.cpp alone. A projector that nobody named is left out where
        the model fits without it only. Raises Refused where llama.cpp does not take what the person gave, or where a
        file that is named cannot be read.
        """

        async def planned(projector: str) -> Plan:
            given = msgspec.structs.replace(wished, mmproj=projector)
            extras = await self._beside.of(given, subject.shape.n_embd)
            formula = estimates(subject, machine, extras)
            return await plan(
                given,
                subject.shape,
                machine,
                formula if unasked else self.ask(subject, machine, extras),
                least_n_ctx=settings.fit.min_n_ctx or None,
                may_move=may_move,
                formula=None if unasked else formula,
            )

        if wished.mmproj == "auto" and subject.projector is not None:
            return await with_or_without(subject.projector, planned)
        least = settings.fit.min_n_ctx
        key = subject.header.digest, subject.shape.file_bytes, wished, machine, least, may_move, unasked
        return self._plans.get(key) or self._plans.keep(key, await planned(wished.projector or NO_PROJECTOR))

    def priced(
        self,
        subject: Subject,
        settings: LoadSettings,
        machine: Machine,
        prediction: Prediction,
        *,
        here: bool = True,
    ) -> Priced:
        """What resolved settings mean on a machine; with `here` it is this one, whose measurements count. What does not
        fit has no speed.
        """
        shape = subject.shape
        assessment = assess(prediction, machine, shape.n_block, n_cpu_moe=experts_on_host(settings, shape))
        fits = assessment.verdict != "no"
        speed = self._speed(subject, settings, machine, prediction, here) if fits else None
        return Priced(settings, prediction, assessment, speed)

    def _speed(
        self,
        subject: Subject,
        settings: LoadSettings,
        machine: Machine,
        prediction: Prediction,
        here: bool,
        n_past: int = TYPICAL_PAST,
    ) -> Speed | None:
        measured = self.measured if here else ()
        return estimate(subject.shape, settings, prediction, machine, measured, model=subject.identity, n_past=n_past)

    async def fixes(
        self,
        subject: Subject,
        priced: Priced,
        machine: Machine,
        *,
        others: Sequence[Holder] = (),
        here: bool = True,
    ) -> tuple[Fix, ...]:
        """Single changes that make it fit, or bring all of it to the GPUs; `here` as for `priced`."""

        def speed(candidate: LoadSettings) -> float | None:
            alone = closed_form.predict(subject.shape, candidate, machine)
            found = self._speed(subject, candidate, machine, alone, here)
            return math.sqrt(math.prod(found.decode_tok_s)) if found is not None else None

        extras = await self._beside.of(priced.settings, subject.shape.n_embd)
        return await fixes(
            priced.settings,
            subject.shape,
            priced.assessment,
            machine,
            self.ask(subject, machine, extras),
            others=others,
            quant=subject.quant or "",
            quants=smaller_quants(subject),
            speed=speed,
            formula=estimates(subject, machine, extras),
        )

    async def report(
        self,
        subject: Subject,
        planned: Plan,
        machine: Machine,
        *,
        others: Sequence[Holder] = (),
        notes: Sequence[str] = (),
        here: bool = True,
    ) -> FitReport:
        """All that is shown of a plan, with `notes` beside what it says itself; `here` as for `priced`."""
        priced = self.priced(subject, planned.settings, machine, planned.prediction, here=here)
        held = planned.prediction
        full = self._speed(subject, planned.settings, machine, held, here, held.n_ctx) if priced.speed else None
        return FitReport(
            subject,
            planned.settings,
            machine,
            held,
            planned.assessment,
            priced.speed,
            await self.fixes(subject, priced, machine, others=others, here=here),
            (*planned.said, *notes),
            full_speed=full,
            here=here,
        )


def estimates(subject: Subject, machine: Machine, extras: Extras) -> Ask:
    """The same question, answered by formula."""

    async def answer(settings: LoadSettings) -> Prediction:
        await asyncio.sleep(0)  # a plan asks it some forty times, and the screen comes first
        return by_formula(subject.shape, settings, machine, extras)

    return answer


def margins_of(settings: Settings) -> Margins:
    """What the person wants left free."""
    return Margins(settings.fit.margin_device_mib << 20, settings.fit.margin_host_mib << 20)
